/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits what a server can do with the routes that it hands out (TunnelVision,
 * CVE-2024-3661): they must not take traffic from the routes of other programs,
 * above all those of a VPN. Pure: it does not access the kernel.
 */
#ifndef CALFPEN_PRIV_HANDLERS_ROUTE_POLICY_H
#define CALFPEN_PRIV_HANDLERS_ROUTE_POLICY_H

#include "userspace/priv/handlers/route_plan.h"

/* What matters besides the routes. */
struct route_policy_view {
	int uplink_ifindex;
	/* A policy rule looks up our table without its routes of this prefix length or
	 * shorter, before it uses other tables (wg-quick does, with 0); -1: there is no such
	 * rule, and other tables are ignored. */
	int suppressed;
	bool has_default; /* there is a default route of ours */
};

/*
 * Returns true if a route of ours would take the traffic of a present one: if its prefix is
 * longer and inside that of a route of another owner or interface, or if the prefixes are
 * equal and its metric does not put it behind that route. Exceptions:
 *   - routes set by calfpen, and the kernel's to the subnet of the leased address,
 *   - on-link routes on the uplink, but of the subnets of other addresses only
 *     those in 169.254.0.0/16: nothing of a tunnel or another interface is hidden,
 *   - another default route that is behind our default route, if there is one, by the
 *     operator's metric, because it does not get that traffic anyway.
 * Default routes never do, because metrics order them.
 */
bool route_policy_hides(const struct route_policy_view *view, const struct netlink_route *route,
			const struct netlink_route *there);

/* Set *viewp but for `has_default`, then call `call` for each present route that may matter, in the order in
 * which the kernel lists them. Returns 0, or a negative errno as handler_fail(). */
int route_policy_each(struct handler_context *context, struct route_policy_view *viewp,
		      netlink_route_fn call, void *data);

/* Check one present route, and mark the planned routes that would hide it, except the
 * connected route (connected.h). */
void route_policy_judge(struct route_plan *plan, const struct route_policy_view *view,
			const struct netlink_route *there);

/* Remove the marked routes from the plan. Each is reported by handler_refuse(). */
void route_policy_apply(struct route_plan *plan, struct handler_context *context);

#endif
