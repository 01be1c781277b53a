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
	return (route->type == RTN_UNICAST || route->type == RTN_BLACKHOLE ||
		route->type == RTN_UNREACHABLE || route->type == RTN_PROHIBIT) &&
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

/* Returns true if the planned route would take traffic that `there` carries now. */
static bool hides(const struct route_planned *planned, const struct netlink_route *there,
		  int suppressed)
{
	const struct netlink_route *route = &planned->route;

	if (!route->prefix_length || !contains(there, route))
		return false;
	if (!there->prefix_length && planned->is_way_to_default)
		return false;
	if (there->table != route->table)
		return suppressed >= 0 && route->prefix_length > suppressed;
	/* A default route carries traffic only if ours is not ahead of it. */
	if (!there->prefix_length)
		return there->metric <= route->metric;
	return there->prefix_length < route->prefix_length || route->metric <= there->metric;
}

void route_policy_judge(struct route_plan *plan, int uplink_ifindex, int suppressed,
			const struct netlink_route *there)
{
	if (!carries_traffic(there) || is_neighbours(there, uplink_ifindex))
		return;
	for (uint32_t i = 0; i < plan->n_routes; i++) {
		struct route_planned *planned = &plan->routes[i];

		if (planned->is_refused || is_own(there, uplink_ifindex, planned->route.source) ||
		    !hides(planned, there, suppressed))
			continue;
		planned->is_refused = true;
		planned->hidden = *there;
	}
}

/* Returns true if the gateway can be reached on-link through `planned`. */
static bool reaches(const struct route_planned *planned, struct in_addr gateway)
{
	struct value_ipv4_net net = { planned->route.destination, planned->route.prefix_length };

	return !planned->route.gateway.s_addr && lease_net_contains(&net, gateway);
}

/* Also refuse routes whose gateway cannot be reached any more. */
static void refuse_followers(struct route_plan *plan)
{
	uint32_t i, j;

	for (i = 0; i < plan->n_routes; i++) {
		struct route_planned *planned = &plan->routes[i];
		const struct route_planned *lost = NULL;
		struct in_addr gateway = planned->route.gateway;
		bool is_reached = !gateway.s_addr || route_plan_is_in_subnet(plan, gateway);

		for (j = 0; j < plan->n_routes && !is_reached; j++) {
			if (!reaches(&plan->routes[j], gateway))
				continue;
			is_reached = !plan->routes[j].is_refused;
			lost = &plan->routes[j];
		}
		if (planned->is_refused || is_reached || !lost)
			continue;
		planned->is_refused = true;
		planned->hidden = lost->hidden;
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

	refuse_followers(plan);
	for (i = 0; i < plan->n_routes; i++) {
		if (!plan->routes[i].is_refused)
			plan->routes[n++] = plan->routes[i];
		else if (!plan->routes[i].is_way)
			report(context, &plan->routes[i]);
	}
	plan->n_routes = n;
}
