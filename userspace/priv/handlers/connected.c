/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/connected.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

#include "userspace/priv/handlers/former.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/handlers/route_plan.h"
#include "userspace/priv/handlers/route_policy.h"

/* RFC 1918, RFC 6598, RFC 3927 */
static bool is_private(const struct value_ipv4_net *net)
{
	static const struct {
		uint32_t first;
		uint8_t prefix_length;
	} blocks[] = {
		{ 0x0a000000, 8 },  /* 10.0.0.0 */
		{ 0xac100000, 12 }, /* 172.16.0.0 */
		{ 0xc0a80000, 16 }, /* 192.168.0.0 */
		{ 0x64400000, 10 }, /* 100.64.0.0 */
		{ 0xa9fe0000, 16 }, /* 169.254.0.0 */
	};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct value_ipv4_net block = { { htonl(blocks[i].first) },
						blocks[i].prefix_length };

		if (net->prefix_length >= block.prefix_length &&
		    lease_net_contains(&block, net->address))
			return true;
	}
	return false;
}

bool connected_is_free(const struct handler_options *options, const struct value_ipv4_net *net)
{
	return net->prefix_length == 32 || options->allow_hiding ||
	       (net->prefix_length >= options->min_connected_prefix_length && is_private(net));
}

bool connected_route(const struct handler_context *context, const struct value_ipv4_net *net,
		     struct netlink_route *routep)
{
	*routep = (struct netlink_route){
		.destination = lease_net_first(net),
		.prefix_length = net->prefix_length,
		.source = net->address,
		.metric = handler_metric(context),
		.table = context->options->table,
	};
	return net->prefix_length < 32;
}

struct judge {
	struct route_policy_view view;
	struct netlink_route route;
	const struct former *former;
	struct netlink_route hidden; /* table 0: none */
};

/* Will there be a default route of ours? */
static bool has_default(const struct handler_context *context, const struct wanted *wanted)
{
	struct handler_context quiet = *context;
	struct route_plan plan;

	quiet.on_refusal = NULL;
	(void)route_plan_init(&plan, &quiet, wanted);
	for (uint32_t i = 0; i < plan.n_routes; i++)
		if (!plan.routes[i].route.prefix_length)
			return true;
	return false;
}

/* Two uplinks in one subnet: the operator's metrics order them, as the default routes. */
static bool is_other_uplinks(const struct netlink_route *route, const struct netlink_route *there)
{
	return there->protocol == NETLINK_OWNER && there->prefix_length == route->prefix_length;
}

static void on_any_route(const struct netlink_route *there, void *data)
{
	struct judge *judge = data;
	bool is_same_way = !there->prefix_length && there->type == RTN_UNICAST && there->is_plain &&
			   there->ifindex == judge->view.uplink_ifindex;

	if (!judge->hidden.table && !is_same_way && !is_other_uplinks(&judge->route, there) &&
	    !former_has_route(judge->former, there) &&
	    route_policy_hides(&judge->view, &judge->route, there))
		judge->hidden = *there;
}

int connected_judge(struct handler_context *context, const struct wanted *wanted,
		    const struct value_ipv4_net *net, struct netlink_route *hiddenp)
{
	struct former former = { .n_routes = 0 };
	struct judge judge = { .former = &former };
	int r;

	if (connected_is_free(context->options, net))
		return 0;
	(void)connected_route(context, net, &judge.route);
	r = former_find(context, wanted, &former);
	if (r)
		return r;
	judge.view.has_default = has_default(context, wanted);
	r = route_policy_each(context, &judge.view, on_any_route, &judge);
	if (r)
		return r;
	*hiddenp = judge.hidden;
	return judge.hidden.table ? CONNECTED_HIDES : 0;
}
