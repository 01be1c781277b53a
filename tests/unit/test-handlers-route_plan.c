/* SPDX-License-Identifier: Apache-2.0 */
/* Which routes a lease requires. */
#include <arpa/inet.h>
#include <errno.h>

#include "tests/unit/support-wanted.h"
#include "userspace/priv/handlers/route_plan.h"

static struct handler_options options;
static struct handler_context context;
static struct wanted wanted;
static struct route_plan plan;

static void setup(void)
{
	options = (struct handler_options){
		.metric = 100,
		.table = 254,
		.max_routes = 64,
		.min_prefix_length = 8,
		.use_routes = true,
	};
	context = (struct handler_context){
		.options = &options,
		.now_ns = 1000 * S,
		.allowed_subnet = { { inet_addr("192.0.2.5") }, 24 },
	};
	cr_assert_eq(wanted_init(&wanted, 256), 0);
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(handlers_route_plan, .init = setup, .fini = teardown);

static void expect_route(uint32_t i, const char *destination, uint8_t prefix_length,
			 const char *gateway)
{
	const struct netlink_route *route = &plan.routes[i].route;

	cr_assert_lt(i, plan.n_routes);
	cr_expect_eq(route->destination.s_addr, inet_addr(destination), "%u: %s", i, destination);
	cr_expect_eq(route->prefix_length, prefix_length, "%u: /%u", i, prefix_length);
	cr_expect_eq(route->gateway.s_addr, gateway ? inet_addr(gateway) : 0, "%u", i);
	cr_expect_eq(route->source.s_addr, inet_addr("192.0.2.5"));
	cr_expect_eq(route->metric, 100);
	cr_expect_eq(route->table, 254);
}

/* The uplink's index makes the difference, also that of its replacement. */
Test(handlers_route_plan, U10_metric_by_uplink)
{
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	options.metric = 1000;
	options.metric_adds_index = true;
	for (int ifindex = 2; ifindex < 4; ifindex++) {
		context.uplink_ifindex = ifindex;
		cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
		cr_assert_eq(plan.n_routes, 2);
		cr_expect_eq(plan.routes[0].route.metric, 1000u + (uint32_t)ifindex);
		cr_expect_eq(plan.routes[1].route.metric, 1000u + (uint32_t)ifindex);
	}
	options.metric_adds_index = false;
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.routes[0].route.metric, 1000, "the operator's metric is used as it is");
}

Test(handlers_route_plan, default)
{
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 0, "no source, no route");
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 2);
	expect_route(0, "192.0.2.0", 24, NULL);
	expect_route(1, "0.0.0.0", 0, "192.0.2.1");
	options.use_routes = false;
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 1, "the host has its subnet nevertheless");
	expect_route(0, "192.0.2.0", 24, NULL);
	options.use_routes = true;
	test_set(&wanted, "/lease/time", "1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 0, "the lease is over");
}

/* A host route to the gateway would take its traffic out of a VPN. */
Test(handlers_route_plan, F3_gateway_outside_gets_no_route)
{
	struct in_addr gateway = { inet_addr("203.0.113.1") };

	test_set(&wanted, "/ip", "192.0.2.5/32", 0);
	test_set(&wanted, "/gateway", "203.0.113.1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 1);
	expect_route(0, "0.0.0.0", 0, "203.0.113.1");
	cr_expect_not(route_plan_reaches(&plan, gateway));
	test_set(&wanted, "/route/001", "203.0.113.0/24 onlink", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 2);
	expect_route(0, "203.0.113.0", 24, NULL);
	expect_route(1, "0.0.0.0", 0, "203.0.113.1");
	cr_expect(route_plan_reaches(&plan, gateway));
	test_remove(&wanted, "/route/001");
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/gateway", "8.8.8.8", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 2);
	expect_route(0, "192.0.2.0", 24, NULL);
	expect_route(1, "0.0.0.0", 0, "8.8.8.8");
}

/* The address handler decides that. */
Test(handlers_route_plan, F3_only_the_allowed_subnet_is_connected)
{
	context.allowed_subnet.prefix_length = 1;
	test_set(&wanted, "/ip", "192.0.2.5/1", 0);
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 2);
	expect_route(0, "128.0.0.0", 1, NULL);
	cr_expect(plan.routes[0].is_connected);
	cr_expect_not(plan.routes[1].is_connected);
	cr_expect_str_eq(plan.routes[0].path, "/ip");
	/* one that was not judged yet */
	test_set(&wanted, "/ip", "192.0.2.5/2", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 2);
	expect_route(0, "128.0.0.0", 1, NULL);
	context.allowed_subnet.address.s_addr = inet_addr("192.0.2.6");
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), -EAGAIN);
	cr_expect_eq(plan.n_routes, 0);
	context.allowed_subnet = (struct value_ipv4_net){ { inet_addr("192.0.2.5") }, 32 };
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 1);
	expect_route(0, "0.0.0.0", 0, "192.0.2.1");
	cr_expect_eq(plan.subnet.prefix_length, 32);
	/* a private one needs no judgement */
	test_set(&wanted, "/ip", "10.77.0.5/24", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2);
}

Test(handlers_route_plan, order_and_doubles)
{
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 198.51.100.1", 0);
	test_set(&wanted, "/route/002", "0.0.0.0/0 via 192.0.2.2", 0);
	test_set(&wanted, "/route/003", "172.16.0.0/12 via 198.51.100.1", 0);
	test_set(&wanted, "/route/004", "10.0.0.0/8 via 192.0.2.3", 0);
	test_set(&wanted, "/route/005", "203.0.113.7/32 onlink", 0);
	test_set(&wanted, "/route/006", "192.0.2.0/24 via 192.0.2.1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 5);
	expect_route(0, "192.0.2.0", 24, NULL);
	expect_route(1, "203.0.113.7", 32, NULL);
	expect_route(2, "0.0.0.0", 0, "192.0.2.1");
	expect_route(3, "10.0.0.0", 8, "198.51.100.1");
	expect_route(4, "172.16.0.0", 12, "198.51.100.1");
}

Test(handlers_route_plan, leaves_out_what_is_wrong)
{
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/gateway", "0.0.0.0", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 0.0.0.0", 0);
	test_set(&wanted, "/route/002", "10.0.0.1/8 via 192.0.2.1", 0);
	test_set(&wanted, "/route/003", "172.16.0.0/12 via 192.0.2.1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), -EBADMSG);
	cr_assert_eq(plan.n_routes, 2);
	expect_route(1, "172.16.0.0", 12, "192.0.2.1");
	cr_expect_str_eq(context.error, "/gateway is \"0.0.0.0\": Bad message");
}

Test(handlers_route_plan, is_bounded)
{
	char path[32], text[64];
	unsigned int i;

	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/gateway", "198.51.100.1", 0);
	for (i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof(path), "/route/%03u", i);
		(void)snprintf(text, sizeof(text), "10.%u.0.0/16 via 172.16.%u.1", i, i);
		test_set(&wanted, path, text, 0);
	}
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, ROUTE_PLAN_MAX);
}

/* As hosting providers use RFC 3442: a separate host route to the router. */
Test(handlers_route_plan, host_route_to_the_router_is_asked_for)
{
	uint32_t i;

	test_set(&wanted, "/ip", "192.0.2.5/32", 0);
	test_set(&wanted, "/gateway", "203.0.113.1", 0);
	test_set(&wanted, "/route/001", "203.0.113.1/32 onlink", 0);
	test_set(&wanted, "/route/002", "10.0.0.0/8 via 203.0.113.2", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 3);
	expect_route(0, "203.0.113.1", 32, NULL);
	expect_route(1, "0.0.0.0", 0, "203.0.113.1");
	expect_route(2, "10.0.0.0", 8, "203.0.113.2");
	for (i = 0; i < plan.n_routes; i++)
		cr_expect_not(plan.routes[i].is_refused || plan.routes[i].is_connected);
	cr_expect_str_eq(plan.routes[0].path, "/route/001");
	cr_expect_str_eq(plan.routes[1].path, "/gateway");
	cr_expect_str_eq(plan.routes[2].path, "/route/002");
}

static unsigned int n_told;
static char told[2 * HANDLER_ERROR_SIZE];

static void on_refusal(void *data, const char *path, const char *reason, bool is_used)
{
	(void)data;
	(void)is_used;
	n_told++;
	(void)snprintf(told, sizeof(told), "%s %s", path, reason);
}

static void expect_refused(const char *route, const char *why)
{
	char expected[sizeof(told)];

	n_told = 0;
	context.on_refusal = on_refusal;
	context.note[0] = '\0';
	test_set(&wanted, "/route/001", route, 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	if (!why) {
		cr_expect_eq(n_told, 0, "%s: %s", route, told);
		cr_expect_eq(plan.n_routes, 2, "%s", route);
		return;
	}
	(void)snprintf(expected, sizeof(expected), "/route/001 %s: %s", route, why);
	cr_expect_eq(n_told, 1, "%s", route);
	cr_expect_str_eq(told, expected);
	(void)snprintf(expected, sizeof(expected), "refused /route/001: %s: %s", route, why);
	cr_expect_eq(strncmp(context.note, expected, HANDLER_ERROR_SIZE - 1), 0);
	cr_expect_eq(plan.n_routes, 1, "%s", route);
}

/* CVE-2024-3661: two halves take precedence over every default route. */
Test(handlers_route_plan, C4_27_prefix_length)
{
	static const char why[] =
		"prefix is shorter than the configuration allows (min_prefix_length)";

	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	expect_refused("0.0.0.0/1 via 192.0.2.1", why);
	expect_refused("128.0.0.0/1 via 192.0.2.1", why);
	expect_refused("10.0.0.0/7 via 192.0.2.1", why);
	expect_refused("10.0.0.0/8 via 192.0.2.1", NULL);
	expect_refused("10.0.0.0/7 onlink", why);
	expect_refused("0.0.0.0/0 via 192.0.2.1", NULL);
	options.min_prefix_length = 1;
	expect_refused("128.0.0.0/1 via 192.0.2.1", NULL);
	options.min_prefix_length = 25;
	expect_refused("10.0.0.0/24 via 192.0.2.1", why);
	expect_refused("10.0.0.0/25 via 192.0.2.1", NULL);
}

Test(handlers_route_plan, C4_27_destination)
{
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	expect_refused("127.0.0.0/8 via 192.0.2.1", "not a valid destination for a route");
	expect_refused("127.0.0.1/32 onlink", "not a valid destination for a route");
	expect_refused("0.0.0.0/8 via 192.0.2.1", "not a valid destination for a route");
	expect_refused("255.255.255.255/32 via 192.0.2.1", "not a valid destination for a route");
	expect_refused("239.0.0.0/8 via 192.0.2.1", NULL);
	expect_refused("169.254.169.254/32 via 192.0.2.1", NULL);
}

Test(handlers_route_plan, C4_27_count)
{
	char path[32], text[64];
	unsigned int i;

	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	for (i = 0; i < 5; i++) {
		(void)snprintf(path, sizeof(path), "/route/%03u", i);
		(void)snprintf(text, sizeof(text), "10.%u.0.0/16 via 192.0.2.1", i);
		test_set(&wanted, path, text, 0);
	}
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	context.on_refusal = on_refusal;
	options.max_routes = 3;
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 5);
	cr_expect_eq(n_told, 2);
	cr_expect_str_eq(told, "/route/004 10.4.0.0/16 via 192.0.2.1: more routes than the "
			       "configuration allows (max_routes)");
	options.max_routes = 0;
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2, "connected and default route are not among them");
}

/* Longest prefix first; on the link; no route; also what the policy refuses. */
Test(handlers_route_plan, U06_next_hop)
{
	const struct in_addr server = { inet_addr("10.9.0.1") };

	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(route_plan_next_hop(&plan, server).s_addr, INADDR_ANY);
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(route_plan_next_hop(&plan, server).s_addr, inet_addr("192.0.2.1"));
	test_set(&wanted, "/route/001", "10.9.0.0/16 via 192.0.2.3", 0);
	test_set(&wanted, "/route/002", "10.0.0.0/8 via 192.0.2.2", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(route_plan_next_hop(&plan, server).s_addr, inet_addr("192.0.2.3"));
	for (uint32_t i = 0; i < plan.n_routes; i++)
		plan.routes[i].is_refused = true;
	cr_expect_eq(route_plan_next_hop(&plan, server).s_addr, inet_addr("192.0.2.3"));
	test_set(&wanted, "/route/003", "10.9.0.1/32 onlink", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(route_plan_next_hop(&plan, server).s_addr, INADDR_ANY);
}
