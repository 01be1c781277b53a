/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server may not do with the routes that it hands out (TunnelVision,
 * CVE-2024-3661): as many and as wide as it likes, and ahead of the routes of
 * others, of a VPN above all. Pure: no kernel is asked.
 */
#ifndef CALFPEN_PRIV_HANDLERS_ROUTE_POLICY_H
#define CALFPEN_PRIV_HANDLERS_ROUTE_POLICY_H

#include "userspace/priv/handlers/route_plan.h"

/*
 * Look at one route that is there, in the order in which the kernel lists
 * them, and mark those of the plan that would take its traffic. A longer
 * prefix inside that of another owner or another interface does; so does an
 * equal one that does not stand behind it by its metric. It does not count
 *   - what is ours, and the subnet of the leased address,
 *   - another default route that ours goes before, by the operator's metric:
 *     what it carries now it gets after us anyway,
 *   - for the way to /gateway: any default route, since no lease whose router
 *     lies outside of its subnet could be used beside a VPN.
 * Default routes are never marked: metrics order them.
 *
 * `suppressed`: a rule looks up our table without its routes of this length
 * or shorter, before it comes to other tables (wg-quick does, with 0); -1: no
 * rule does, and other tables do not count.
 */
void route_policy_judge(struct route_plan *plan, int uplink_ifindex, int suppressed,
			const struct netlink_route *there);

/*
 * Take what is marked, and what has its gateway behind a route that is, out
 * of the plan; each is told by handler_refuse().
 */
void route_policy_apply(struct route_plan *plan, struct handler_context *context);

#endif
