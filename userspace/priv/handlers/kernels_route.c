/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/kernels_route.h"

#include <linux/rtnetlink.h>

#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"

struct kernels_search {
	const struct netlink_route *ours;
	struct netlink_route found; /* table 0: none */
};

static void on_kernels_route(const struct netlink_route *route, void *data)
{
	struct kernels_search *search = data;
	const struct netlink_route *ours = search->ours;

	if (route->protocol == RTPROT_KERNEL && route->type == RTN_UNICAST && route->is_onlink &&
	    route->source.s_addr == ours->source.s_addr &&
	    route->destination.s_addr == ours->destination.s_addr &&
	    route->prefix_length == ours->prefix_length)
		search->found = *route;
}

static int find_kernels_route(struct handler_context *context, const struct netlink_route *ours,
			      struct netlink_route *foundp)
{
	struct kernels_search search = { .ours = ours };
	int r = netlink_route_each_through(context->netlink, context->uplink_ifindex, 0,
					   on_kernels_route, &search);

	if (r)
		return handler_fail(context, r, "cannot read the routes of the uplink");
	*foundp = search.found;
	return 0;
}

struct owner_search {
	const struct value_ipv4_net *net;
	bool is_ours;
};

static void on_address(const struct netlink_address *address, void *data)
{
	struct owner_search *search = data;

	search->is_ours |= address->address.s_addr == search->net->address.s_addr &&
			   address->prefix_length == search->net->prefix_length &&
			   address->protocol == NETLINK_OWNER;
}

/* Linux 6.1 does not let us mark an address that we adopt: it stays when ours goes with
 * its route, and would be without one. Returns 1, 0 or a negative errno. */
static int is_address_ours(struct handler_context *context, const struct value_ipv4_net *net)
{
	struct owner_search search = { .net = net };
	int r = netlink_address_each(context->netlink, context->uplink_ifindex, on_address,
				     &search);

	if (r)
		return handler_fail(context, r, "cannot read the addresses of the uplink");
	return search.is_ours;
}

int kernels_route_remove(struct handler_context *context, const struct route_plan *plan)
{
	struct netlink_route found = { .table = 0 };
	int r;

	if (!context->state->address.has_kernels_route || !plan->n_routes ||
	    !plan->routes[0].is_connected)
		return 0;
	r = is_address_ours(context, &plan->subnet);
	if (r != 1)
		return r;
	r = find_kernels_route(context, &plan->routes[0].route, &found);
	if (r || !found.table)
		return r;
	r = netlink_route_delete_foreign(context->netlink, context->uplink_ifindex, &found);
	return r ? handler_fail(context, r, "cannot remove the kernel's route to the subnet") : 0;
}
