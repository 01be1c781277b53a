/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --takeover takes over: the address that a former client left on the
 * uplink, or that another one still holds.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_TAKEOVER_H
#define CALFPEN_PRIV_SUPERVISOR_TAKEOVER_H

#include "userspace/common/value.h"
#include "userspace/priv/netlink/netlink.h"

/*
 * The global IPv4 address of the interface: a primary one; one with an end
 * comes before one without, which a person may have set, and of equals the
 * first. 1 with *netp written, 0 if there is none, or a negative errno.
 */
int takeover_find(struct netlink *netlink, int ifindex, struct value_ipv4_net *netp);

#endif
