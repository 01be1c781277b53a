/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/former.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/priv/handlers/former-private.h"
#include "userspace/priv/handlers/state.h"

/* routes */

static bool is_former_address(const struct former *former, struct in_addr address)
{
	const struct former_address *known = former_find_address(former->state, address);

	return known && (known->has_end || address.s_addr == former->lease.address.s_addr ||
			 (address.s_addr == former->state->asked.s_addr &&
			  lease_net_contains(&former->lease, address)));
}

/* Returns the address that the kernel chooses for packets to the gateway
 * (inet_select_addr()), 0: none. */
static struct in_addr source_for(const struct former *former, struct in_addr gateway)
{
	struct in_addr first = { 0 };

	for (uint32_t i = 0; i < former->n_present; i++) {
		const struct netlink_address *address = &former->present[i];
		struct value_ipv4_net net = { address->address, address->prefix_length };

		if (address->scope != RT_SCOPE_UNIVERSE || (address->flags & IFA_F_SECONDARY))
			continue;
		if (lease_net_contains(&net, gateway))
			return address->address;
		if (!first.s_addr)
			first = address->address;
	}
	return first;
}

static bool is_ownerless(const struct former *former, const struct netlink_route *route)
{
	return (route->protocol == RTPROT_BOOT || route->protocol == RTPROT_DHCP) &&
	       route->type == RTN_UNICAST && route->is_plain && !route->tos &&
	       route->ifindex == former->uplink_ifindex && route->table == former->table;
}

/* Returns true for the route to the subnet of an address, which some clients set
 * instead of the kernel. */
static bool is_connected(const struct netlink_route *route, const struct value_ipv4_net *net)
{
	return route->is_onlink && route->source.s_addr == net->address.s_addr &&
	       route->prefix_length == net->prefix_length &&
	       route->destination.s_addr == lease_net_first(net).s_addr;
}

/* It goes with the address, unless ours replaces it: the address or its subnet is that of
 * the lease. */
static bool is_connected_route(const struct former *former, const struct netlink_route *route)
{
	const struct former_state *state = former->state;

	if (route->source.s_addr == former->lease.address.s_addr ||
	    (route->destination.s_addr == lease_net_first(&former->lease).s_addr &&
	     route->prefix_length == former->lease.prefix_length))
		return false;
	for (uint32_t i = 0; i < state->n_addresses; i++)
		if (is_connected(route, &state->addresses[i].net))
			return true;
	return false;
}

static bool is_by_former_address(const struct former *former, const struct netlink_route *route)
{
	struct in_addr source = route->source;

	if (!source.s_addr && route->gateway.s_addr)
		source = source_for(former, route->gateway);
	return source.s_addr && is_former_address(former, source) &&
	       !is_connected_route(former, route);
}

/* Returns true if it may be the host route to the gateway of another one. */
static bool is_way(const struct netlink_route *route)
{
	return route->is_onlink && route->prefix_length == 32 && !route->source.s_addr;
}

static void on_route(const struct netlink_route *route, void *data)
{
	struct former *former = data;

	if (!is_ownerless(former, route) || !(is_way(route) || is_by_former_address(former, route)))
		return;
	former->has_more |= former->n_routes == FORMER_ROUTES_MAX;
	if (former->n_routes < FORMER_ROUTES_MAX)
		former->routes[former->n_routes++] = *route;
}

static bool is_gateway(const struct former *former, struct in_addr address)
{
	for (uint32_t i = 0; i < former->n_routes; i++)
		if (former->routes[i].gateway.s_addr == address.s_addr)
			return true;
	return false;
}

/* Keep only those host routes that lead to a gateway. */
static void drop_other_ways(struct former *former)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < former->n_routes; i++) {
		const struct netlink_route *route = &former->routes[i];

		if (!is_way(route) || is_gateway(former, route->destination))
			former->routes[n++] = *route;
	}
	former->n_routes = n;
}

static void on_present(const struct netlink_address *address, void *data)
{
	struct former *former = data;

	if (former->n_present < FORMER_ADDRESSES_MAX)
		former->present[former->n_present++] = *address;
}

/* Returns true if a take-over is pending and there is a lease, and fills *former with
 * all but the addresses and routes. */
static bool prepare(struct handler_context *context, const struct wanted *wanted,
		    struct former *former)
{
	const struct former_state *state = &context->state->former;
	struct lease lease;

	former->is_pending = false;
	former->n_present = former->n_routes = 0;
	former->has_more = false;
	if (!context->takeover || !state->revision || state->is_done ||
	    lease_get(context, wanted, &lease))
		return false;
	former->is_pending = true;
	former->state = state;
	former->lease = lease.net;
	former->uplink_ifindex = context->uplink_ifindex;
	former->table = context->options->table;
	return true;
}

int former_find(struct handler_context *context, const struct wanted *wanted, struct former *former)
{
	int r = former_begin(context, wanted);

	if (r || !prepare(context, wanted, former))
		return r;
	r = netlink_address_each(context->netlink, context->uplink_ifindex, on_present, former);
	if (!r)
		r = netlink_route_each_through(context->netlink, context->uplink_ifindex,
					       former->table, on_route, former);
	if (r)
		return former_fail_read(context, r);
	drop_other_ways(former);
	return 0;
}

static bool is_same(const struct netlink_route *a, const struct netlink_route *b)
{
	return route_is_same_key(a, b) && a->ifindex == b->ifindex && a->protocol == b->protocol &&
	       a->gateway.s_addr == b->gateway.s_addr && a->source.s_addr == b->source.s_addr &&
	       a->is_onlink == b->is_onlink && a->tos == b->tos;
}

bool former_has_route(const struct former *former, const struct netlink_route *route)
{
	for (uint32_t i = 0; i < former->n_routes; i++)
		if (is_same(&former->routes[i], route))
			return true;
	return false;
}

static bool is_covered(const struct route_plan *plan, const struct netlink_route *route)
{
	for (uint32_t i = 0; i < plan->n_routes; i++) {
		const struct netlink_route *ours = &plan->routes[i].route;
		struct value_ipv4_net net = { ours->destination, ours->prefix_length };

		if (ours->table == route->table && ours->prefix_length <= route->prefix_length &&
		    lease_net_contains(&net, route->destination))
			return true;
	}
	return false;
}

static int remove_route(struct handler_context *context, const struct netlink_route *route)
{
	char text[ROUTE_TEXT_SIZE];
	int r = netlink_route_delete_foreign(context->netlink, context->uplink_ifindex, route);

	route_format(route, text);
	if (r)
		return handler_fail(context, r, "cannot remove the former client's route to %s",
				    text);
	log_info("removed the former client's route to %s", text);
	return 0;
}

int former_remove_routes(struct handler_context *context, const struct former *former,
			 const struct route_plan *plan)
{
	struct former_state *state = &context->state->former;
	uint32_t n_left = former->has_more;
	int error = 0;

	if (!former->is_pending || !plan->n_routes)
		return 0;
	/* First what depends on the on-link routes. */
	for (unsigned int onlink = 0; onlink < 2; onlink++) {
		for (uint32_t i = 0; i < former->n_routes; i++) {
			const struct netlink_route *route = &former->routes[i];

			if (route->is_onlink != onlink)
				continue;
			if (is_covered(plan, route))
				error = handler_first(error, remove_route(context, route));
			else
				n_left++;
		}
	}
	state->are_routes_gone = !error && !n_left;
	return error;
}

/* addresses */

struct stay {
	const struct former *former;
	const struct value_ipv4_net *net;
	struct netlink_route needs_it; /* table 0: none */
};

static void on_staying_route(const struct netlink_route *route, void *data)
{
	struct stay *stay = data;
	const struct former *former = stay->former;
	bool is_source = route->source.s_addr == stay->net->address.s_addr &&
			 stay->net->address.s_addr != former->lease.address.s_addr;
	bool has_gateway = !route->source.s_addr && route->gateway.s_addr &&
			   route->ifindex == former->uplink_ifindex &&
			   lease_net_contains(stay->net, route->gateway) &&
			   !lease_net_contains(&former->lease, route->gateway);

	if (route->protocol != RTPROT_KERNEL && (is_source || has_gateway) &&
	    !is_connected(route, stay->net))
		stay->needs_it = *route;
}

/* Returns true if the present address is the former client's lease, or the one that is now
 * ours, with another prefix length. */
static bool is_leftover(const struct former *former, const struct netlink_address *address)
{
	const struct former_address *known = former_find_address(former->state, address->address);

	if (!known || known->net.prefix_length != address->prefix_length ||
	    address->protocol == NETLINK_OWNER)
		return false;
	return address->address.s_addr == former->lease.address.s_addr ?
		       address->prefix_length != former->lease.prefix_length :
		       known->has_end;
}

static bool is_leased_address_there(const struct former *former)
{
	for (uint32_t i = 0; i < former->n_present; i++)
		if (former->present[i].address.s_addr == former->lease.address.s_addr &&
		    former->present[i].prefix_length == former->lease.prefix_length)
			return true;
	return false;
}

/* With a primary address, the kernel deletes its secondaries, perhaps ours, unless
 * they are promoted. Returns 0 or a negative errno. */
static int keep_secondaries(struct handler_context *context, const struct netlink_address *address)
{
	if (address->flags & IFA_F_SECONDARY)
		return 0;
	return netlink_link_set_ipv4(context->netlink, context->uplink_ifindex,
				     IPV4_DEVCONF_PROMOTE_SECONDARIES, 1);
}

static int remove_address(struct handler_context *context, const struct former *former,
			  const struct netlink_address *address)
{
	struct value_ipv4_net net = { address->address, address->prefix_length };
	struct stay stay = { .former = former, .net = &net };
	char text[VALUE_IPV4_NET_SIZE], route[ROUTE_TEXT_SIZE];
	int r;

	value_format_ipv4_net(&net, text);
	r = netlink_route_each_owner(context->netlink, 0, on_staying_route, &stay);
	if (!r && stay.needs_it.table) {
		route_format(&stay.needs_it, route);
		log_warning("%s of the former client stays: the route to %s needs it", text, route);
		return 0;
	}
	if (!r)
		r = keep_secondaries(context, address);
	if (!r)
		r = netlink_address_delete(context->netlink, context->uplink_ifindex, address);
	if (r)
		return handler_fail(context, r, "cannot remove the former client's address %s",
				    text);
	log_info("removed the former client's address %s", text);
	return 0;
}

/* The operator may want to remove what is left. */
static void report_other(const struct former *former, const struct netlink_address *address)
{
	struct value_ipv4_net net = { address->address, address->prefix_length };
	char text[VALUE_IPV4_NET_SIZE];

	if (address->address.s_addr == former->lease.address.s_addr ||
	    address->protocol == NETLINK_OWNER || address->valid_s != NETLINK_FOREVER ||
	    !is_former_address(former, address->address))
		return;
	value_format_ipv4_net(&net, text);
	log_warning(
		"%s stays on the uplink: it has no end, so it may not be the former client's; remove it if it is",
		text);
}

static int remove_addresses(struct handler_context *context, const struct former *former)
{
	int error = 0;

	for (uint32_t i = 0; i < former->n_present; i++) {
		const struct netlink_address *address = &former->present[i];

		if (is_leftover(former, address))
			error = handler_first(error, remove_address(context, former, address));
		else
			report_other(former, address);
	}
	return error;
}

int former_remove_addresses(struct handler_context *context, const struct wanted *wanted)
{
	struct former_state *state = &context->state->former;
	struct former former;
	int r;

	if (!state->are_routes_gone || !prepare(context, wanted, &former))
		return 0;
	r = netlink_address_each(context->netlink, context->uplink_ifindex, on_present, &former);
	if (r)
		return former_fail_read(context, r);
	if (!is_leased_address_there(&former))
		return 0;
	r = remove_addresses(context, &former);
	if (r)
		return r;
	state->is_done = true;
	former_save(context, state);
	former.n_present = 0;
	r = netlink_address_each(context->netlink, context->uplink_ifindex, on_present, &former);
	/* If ours was a secondary address, it now has a route of the kernel to its subnet. */
	return !r && (!is_leased_address_there(&former) ||
		      context->state->address.has_kernels_route) ?
		       HANDLER_REPEAT :
		       0;
}
