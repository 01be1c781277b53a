// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/handlers/route_plan.h"

#include <errno.h>
#include <string.h>

#define DIRECTORY "/route/"

/* Routes that are asked for, before host routes to their gateways. */
struct asked {
	struct value_route routes[ROUTE_KEYS_MAX + 1];
	uint32_t n_routes;
};

bool route_is_same_key(const struct netlink_route *a, const struct netlink_route *b)
{
	return a->destination.s_addr == b->destination.s_addr &&
	       a->prefix_length == b->prefix_length && a->metric == b->metric &&
	       a->table == b->table;
}

static void plan_add(struct route_plan *plan, const struct configuration *configuration,
		     const struct lease *lease, const struct value_route *asked)
{
	struct netlink_route route = {
		.destination = asked->destination,
		.prefix_length = asked->prefix_length,
		.source = lease->net.address,
		.metric = configuration->metric,
		.table = configuration->table,
	};
	uint32_t i;

	if (!asked->onlink)
		route.gateway = asked->gateway;
	for (i = 0; i < plan->n_routes; i++)
		if (route_is_same_key(&plan->routes[i], &route))
			return;
	if (plan->n_routes < ROUTE_PLAN_MAX)
		plan->routes[plan->n_routes++] = route;
}

/* Is there a way to the gateway: the lease's subnet or an on-link route? */
static bool is_reached(const struct asked *asked, const struct lease *lease, struct in_addr gateway)
{
	uint32_t i;

	if (lease->net.prefix_length < 32 && lease_net_contains(&lease->net, gateway))
		return true;
	for (i = 0; i < asked->n_routes; i++) {
		struct value_ipv4_net net = { asked->routes[i].destination,
					      asked->routes[i].prefix_length };

		if (asked->routes[i].onlink && lease_net_contains(&net, gateway))
			return true;
	}
	return false;
}

static int ask_gateway(struct asked *asked, struct handler_context *context,
		       const struct wanted *wanted)
{
	const struct kv_value *value = wanted_get(wanted, "/gateway");
	struct value_route route = { .prefix_length = 0 };

	if (!value)
		return 0;
	if (value_parse_ipv4(value->text, &route.gateway) || !lease_is_unicast(route.gateway))
		return handler_fail(context, -EBADMSG, "/gateway is \"%s\"", value->text);
	asked->routes[asked->n_routes++] = route;
	return 0;
}

static int ask_routes(struct asked *asked, struct handler_context *context,
		      const struct wanted *wanted)
{
	uint32_t i, n = 0;
	int error = 0;

	for (i = wanted_first_below(wanted, DIRECTORY);
	     wanted_is_below(wanted, i, DIRECTORY) && n < ROUTE_KEYS_MAX; i++, n++) {
		const struct wanted_key *key = &wanted->keys[i];
		struct value_route route;

		if (value_parse_route(key->value.text, &route) ||
		    (!route.onlink && !lease_is_unicast(route.gateway))) {
			error = handler_first(error,
					      handler_fail(context, -EBADMSG, "%.63s is \"%s\"",
							   key->key.path, key->value.text));
			continue;
		}
		asked->routes[asked->n_routes++] = route;
	}
	return error;
}

int route_plan_init(struct route_plan *plan, struct handler_context *context,
		    const struct wanted *wanted)
{
	struct asked asked = { .n_routes = 0 };
	struct lease lease;
	uint32_t i;
	int error, r;

	plan->n_routes = 0;
	r = lease_get(context, wanted, &lease);
	if (r < 0)
		return r;
	if (r == LEASE_ABSENT || !context->configuration->use_routes)
		return 0;
	error = ask_gateway(&asked, context, wanted);
	error = handler_first(error, ask_routes(&asked, context, wanted));
	/* What others stand on comes first. */
	for (i = 0; i < asked.n_routes; i++)
		if (asked.routes[i].onlink)
			plan_add(plan, context->configuration, &lease, &asked.routes[i]);
	for (i = 0; i < asked.n_routes; i++) {
		struct value_route host = {
			.destination = asked.routes[i].gateway,
			.prefix_length = 32,
			.onlink = true,
		};

		if (!asked.routes[i].onlink && !is_reached(&asked, &lease, host.destination))
			plan_add(plan, context->configuration, &lease, &host);
	}
	for (i = 0; i < asked.n_routes; i++)
		if (!asked.routes[i].onlink)
			plan_add(plan, context->configuration, &lease, &asked.routes[i]);
	return error;
}
