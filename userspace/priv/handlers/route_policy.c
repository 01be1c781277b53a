/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/route_policy.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

static bool contains(const struct netlink_route *outer, const struct netlink_route *inner)
{
	struct value_ipv4_net net = { outer->destination, outer->prefix_length };

	return outer->prefix_length <= inner->prefix_length &&
	       lease_net_contains(&net, inner->destination);
}

static bool carries_traffic(const struct netlink_route *route)
{
	/* with RTN_THROW, the table of a later rule does */
	return (route->type == RTN_UNICAST || route->type == RTN_BLACKHOLE ||
		route->type == RTN_UNREACHABLE || route->type == RTN_PROHIBIT ||
		route->type == RTN_THROW) &&
	       route->table != RT_TABLE_LOCAL;
}

static bool is_own(const struct netlink_route *there, int uplink_ifindex, struct in_addr leased)
{
	if (there->ifindex != uplink_ifindex)
		return false;
	return there->protocol == NETLINK_OWNER ||
	       (there->protocol == RTPROT_KERNEL && there->source.s_addr == leased.s_addr);
}

static bool is_link_local(const struct netlink_route *route)
{
	return route->prefix_length >= 16 && ntohl(route->destination.s_addr) >> 16 == 0xa9fe;
}

/*
 * Returns true if the route says no more than that hosts are neighbours on the
 * uplink, as those to 169.254.0.0/16 do that many systems set. Our routes lead over
 * the same link, and whoever answers DHCP there could answer ARP, too. The subnet of
 * an address that another program set is more than that: its owner expects to speak
 * to its hosts directly, and from this address.
 */
static bool is_neighbours(const struct netlink_route *there, int uplink_ifindex)
{
	return there->ifindex == uplink_ifindex && there->is_onlink &&
	       (there->protocol != RTPROT_KERNEL || is_link_local(there));
}

/* Returns true if the route would take traffic that `there` carries now. */
static bool takes_traffic(const struct route_policy_view *view, const struct netlink_route *route,
			  const struct netlink_route *there)
{
	if (!route->prefix_length || !contains(there, route))
		return false;
	if (there->table != route->table)
		return view->suppressed >= 0 && route->prefix_length > view->suppressed;
	/* A default route carries traffic only if ours is not ahead of it. */
	if (!there->prefix_length)
		return !view->has_default || there->metric <= route->metric;
	return there->prefix_length < route->prefix_length || route->metric <= there->metric;
}

bool route_policy_hides(const struct route_policy_view *view, const struct netlink_route *route,
			const struct netlink_route *there)
{
	return carries_traffic(there) && !is_neighbours(there, view->uplink_ifindex) &&
	       !is_own(there, view->uplink_ifindex, route->source) &&
	       takes_traffic(view, route, there);
}

int route_policy_each(struct handler_context *context, struct route_policy_view *viewp,
		      netlink_route_fn call, void *data)
{
	uint32_t table = context->options->table;
	int r;

	viewp->uplink_ifindex = context->uplink_ifindex;
	viewp->suppressed = -1;
	r = netlink_rule_suppressed(context->netlink, table, &viewp->suppressed);
	if (!r)
		r = netlink_route_each_owner(context->netlink, viewp->suppressed < 0 ? table : 0,
					     call, data);
	return r ? handler_fail(context, r, "cannot read the routes of other programs") : 0;
}

void route_policy_judge(struct route_plan *plan, const struct route_policy_view *view,
			const struct netlink_route *there)
{
	for (uint32_t i = 0; i < plan->n_routes; i++) {
		struct route_planned *planned = &plan->routes[i];

		if (planned->is_refused || planned->is_connected ||
		    !route_policy_hides(view, &planned->route, there))
			continue;
		planned->is_refused = true;
		planned->hidden = *there;
	}
}

static void report(struct handler_context *context, const struct route_planned *planned)
{
	const struct netlink_route *route = &planned->route, *hidden = &planned->hidden;
	struct value_ipv4_net nets[] = { { route->destination, route->prefix_length },
					 { hidden->destination, hidden->prefix_length } };
	char text[2][VALUE_IPV4_NET_SIZE];

	value_format_ipv4_net(&nets[0], text[0]);
	value_format_ipv4_net(&nets[1], text[1]);
	handler_refuse(context, planned->path,
		       "%s would hide the route to %s metric %u table %u protocol %u", text[0],
		       text[1], hidden->metric, hidden->table, hidden->protocol);
}

void route_policy_apply(struct route_plan *plan, struct handler_context *context)
{
	uint32_t i, n = 0;

	for (i = 0; i < plan->n_routes; i++) {
		if (!plan->routes[i].is_refused)
			plan->routes[n++] = plan->routes[i];
		else
			report(context, &plan->routes[i]);
	}
	plan->n_routes = n;
}
