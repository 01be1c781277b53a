/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connected route, to the subnet of the lease. The mask comes from the server, so the
 * route could take any traffic out of a VPN (TunnelCrack's LocalNet, CVE-2023-36672).
 * Judged as the other routes of a server are (route_policy.h), every LAN would be refused
 * beside a VPN. Therefore it has a rule of its own: a subnet of private addresses is always
 * connected unless it is larger than `min_connected_prefix_length` says. By its metric the
 * route stays behind an equal one of the kernel, and longer prefixes go first.
 */
#ifndef CALFPEN_PRIV_HANDLERS_CONNECTED_H
#define CALFPEN_PRIV_HANDLERS_CONNECTED_H

#include "userspace/common/value.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/netlink/netlink.h"

/* Returns true if the routes of other programs do not matter: the operator's options
 * allow the subnet, or there is none (/32). */
bool connected_is_free(const struct handler_options *options, const struct value_ipv4_net *net);

#define CONNECTED_HIDES 1

/*
 * Find out whether the connected route would hide a route of another owner, as
 * route_policy.h defines it. Default routes through the uplink do not count, because
 * their traffic goes over the same link. Reads all routes of the host unless
 * connected_is_free(). Returns 0 if it hides none, CONNECTED_HIDES with *hiddenp set, or a
 * negative errno as handler_fail().
 */
int connected_judge(struct handler_context *context, const struct wanted *wanted,
		    const struct value_ipv4_net *net, struct netlink_route *hiddenp);

/* Describe the connected route, without an MTU of its own. Returns false if there is none:
 * the prefix length is 32. */
bool connected_route(const struct handler_context *context, const struct value_ipv4_net *net,
		     struct netlink_route *routep);

#endif
