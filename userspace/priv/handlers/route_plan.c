/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/route_plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/address.h"
#include "userspace/priv/handlers/connected.h"

#define DIRECTORY "/route/"

/* Routes from keys. */
struct asked {
	struct value_route routes[ROUTE_KEYS_MAX + 1];
	const char *paths[ROUTE_KEYS_MAX + 1];
	uint32_t n_routes;
};

bool route_is_same_key(const struct netlink_route *a, const struct netlink_route *b)
{
	return a->destination.s_addr == b->destination.s_addr &&
	       a->prefix_length == b->prefix_length && a->metric == b->metric &&
	       a->table == b->table;
}

void route_format(const struct netlink_route *route, char text[static ROUTE_TEXT_SIZE])
{
	struct value_ipv4_net net = { route->destination, route->prefix_length };
	char destination[VALUE_IPV4_NET_SIZE], gateway[VALUE_IPV4_SIZE];

	value_format_ipv4_net(&net, destination);
	value_format_ipv4(route->gateway, gateway);
	(void)snprintf(text, ROUTE_TEXT_SIZE, "%s%s%s metric %u protocol %u", destination,
		       route->gateway.s_addr ? " via " : " on-link",
		       route->gateway.s_addr ? gateway : "", route->metric, route->protocol);
}

static void plan_add(struct route_plan *plan, const struct handler_context *context,
		     const char *path, const struct value_route *wanted)
{
	struct route_planned planned = {
		.route = {
			.destination = wanted->destination,
			.prefix_length = wanted->prefix_length,
			.source = plan->subnet.address,
			.metric = handler_metric(context),
			.table = context->options->table,
		},
		.path = path,
	};

	if (!wanted->onlink)
		planned.route.gateway = wanted->gateway;
	for (uint32_t i = 0; i < plan->n_routes; i++)
		if (route_is_same_key(&plan->routes[i].route, &planned.route))
			return;
	if (plan->n_routes < ROUTE_PLAN_MAX)
		plan->routes[plan->n_routes++] = planned;
}

bool route_plan_reaches(const struct route_plan *plan, struct in_addr gateway)
{
	for (uint32_t i = 0; i < plan->n_routes; i++) {
		const struct netlink_route *route = &plan->routes[i].route;
		struct value_ipv4_net net = { route->destination, route->prefix_length };

		if (!route->gateway.s_addr && lease_net_contains(&net, gateway))
			return true;
	}
	return false;
}

struct in_addr route_plan_next_hop(const struct route_plan *plan, struct in_addr to)
{
	const struct netlink_route *best = NULL;

	for (uint32_t i = 0; i < plan->n_routes; i++) {
		const struct netlink_route *route = &plan->routes[i].route;
		struct value_ipv4_net net = { route->destination, route->prefix_length };

		if (lease_net_contains(&net, to) &&
		    (!best || route->prefix_length > best->prefix_length))
			best = route;
	}
	return best ? best->gateway : (struct in_addr){ INADDR_ANY };
}

static void asked_add(struct asked *asked, const struct value_route *route, const char *path)
{
	asked->routes[asked->n_routes] = *route;
	asked->paths[asked->n_routes++] = path;
}

/* Has a server given this router with the address? Without a router (on-link), only
 * the options that can say so count. */
static bool is_witnessed(struct handler_context *context, struct in_addr address,
			 struct in_addr router, const char *path, const char *text)
{
	if (!context->witness.is_in_force || witness_has_router(&context->witness, address, router))
		return true;
	return !handler_refuse_unwitnessed(context, path, "%s: no server gave it", text);
}

static int ask_gateway(struct asked *asked, struct handler_context *context,
		       const struct wanted *wanted, struct in_addr address)
{
	const struct kv_value *value = wanted_get(wanted, "/gateway");
	struct value_route route = { .prefix_length = 0 };

	if (!value)
		return 0;
	if (value_parse_ipv4(value->text, &route.gateway) || !address_is_host(route.gateway))
		return handler_fail(context, -EBADMSG, "/gateway is \"%s\"", value->text);
	if (!is_witnessed(context, address, route.gateway, "/gateway", value->text))
		return 0;
	asked_add(asked, &route, "/gateway");
	return 0;
}

/* Returns why the operator's limits do not allow the route, or NULL. */
static const char *refusal(const struct handler_options *options, const struct value_route *route,
			   uint32_t n_before)
{
	uint32_t first = ntohl(route->destination.s_addr) >> 24;

	if (!route->prefix_length)
		return NULL;
	if (route->prefix_length < options->min_prefix_length)
		return "prefix is shorter than the configuration allows (min_prefix_length)";
	if (first == 0 || first == 127 || first >= 240)
		return "not a valid destination for a route";
	return n_before >= options->max_routes ?
		       "more routes than the configuration allows (max_routes)" :
		       NULL;
}

static int ask_routes(struct asked *asked, struct handler_context *context,
		      const struct wanted *wanted, struct in_addr address)
{
	uint32_t i, n = 0, n_taken = 0;
	int r = 0;

	for (i = wanted_first_below(wanted, DIRECTORY);
	     wanted_is_below(wanted, i, DIRECTORY) && n < ROUTE_KEYS_MAX; i++, n++) {
		const struct wanted_key *key = wanted->keys[i];
		struct value_route route;
		const char *why;

		if (value_parse_route(key->value.text, &route) ||
		    (!route.onlink && !address_is_host(route.gateway))) {
			r = handler_first(r, handler_fail(context, -EBADMSG, "%.63s is \"%s\"",
							  key->key.path, key->value.text));
			continue;
		}
		why = refusal(context->options, &route, n_taken);
		if (why) {
			handler_refuse(context, key->key.path, "%s: %s", key->value.text, why);
			continue;
		}
		/* A default route needs the same proof as /gateway, which it could replace. */
		if (!route.prefix_length &&
		    !is_witnessed(context, address, route.gateway, key->key.path, key->value.text))
			continue;
		n_taken++;
		asked_add(asked, &route, key->key.path);
	}
	return r;
}

static int plan_init(struct route_plan *plan, struct handler_context *context,
		     const struct wanted *wanted, bool use_routes)
{
	struct route_planned connected = { .path = "/ip", .is_connected = true };
	struct asked asked = { .n_routes = 0 };
	struct lease lease;
	int error, r;

	plan->n_routes = 0;
	r = lease_get(context, wanted, &lease);
	if (r)
		return r == LEASE_ABSENT ? 0 : r;
	plan->subnet = lease.net;
	if (connected_route(context, &lease.net, &connected.route))
		plan->routes[plan->n_routes++] = connected;
	if (!use_routes)
		return 0;
	error = ask_gateway(&asked, context, wanted, lease.net.address);
	error = handler_first(error, ask_routes(&asked, context, wanted, lease.net.address));
	/* First the routes that other routes depend on. */
	for (unsigned int onlink = 2; onlink-- > 0;)
		for (uint32_t i = 0; i < asked.n_routes; i++)
			if (asked.routes[i].onlink == onlink)
				plan_add(plan, context, asked.paths[i], &asked.routes[i]);
	return error;
}

int route_plan_init(struct route_plan *plan, struct handler_context *context,
		    const struct wanted *wanted)
{
	return plan_init(plan, context, wanted, context->options->use_routes);
}

int route_plan_init_all(struct route_plan *plan, struct handler_context *context,
			const struct wanted *wanted)
{
	return plan_init(plan, context, wanted, true);
}
