/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits what a server can do with the routes that it hands out (TunnelVision,
 * CVE-2024-3661): they must not take traffic from the routes of other programs,
 * above all those of a VPN. Pure: it does not access the kernel.
 */
#ifndef CALFPEN_PRIV_HANDLERS_ROUTE_POLICY_H
#define CALFPEN_PRIV_HANDLERS_ROUTE_POLICY_H

#include "userspace/priv/handlers/route_plan.h"

/*
 * Check one present route, in the order in which the kernel lists them, and mark
 * the planned routes that would take its traffic. A planned route does if its
 * prefix is longer and inside that of a route of another owner or interface, or
 * if the prefixes are equal and its metric does not put it behind that route.
 * Exceptions:
 *   - routes set by calfpen, and the subnet of the leased address,
 *   - on-link routes on the uplink, but of the subnets of other addresses only
 *     those in 169.254.0.0/16: nothing of a tunnel or another interface is hidden,
 *   - another default route that is behind our default route by the operator's
 *     metric, because it does not get that traffic anyway,
 *   - for the host route to /gateway: any default route, because otherwise no
 *     lease whose router is outside of its subnet could be used next to a VPN.
 * Default routes are never marked, because metrics order them.
 *
 * `suppressed`: a policy rule looks up our table without its routes of this
 * prefix length or shorter, before it uses other tables (wg-quick does, with 0);
 * -1: there is no such rule, and other tables are ignored.
 */
void route_policy_judge(struct route_plan *plan, int uplink_ifindex, int suppressed,
			const struct netlink_route *there);

/*
 * Remove the marked routes, and routes whose gateway is reached only through a
 * marked route, from the plan. Each is reported by handler_refuse().
 */
void route_policy_apply(struct route_plan *plan, struct handler_context *context);

#endif
