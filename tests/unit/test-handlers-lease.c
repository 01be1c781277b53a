// SPDX-License-Identifier: Apache-2.0
/* Lifetimes, subnets, and which routes a lease asks for. */
#include <arpa/inet.h>
#include <errno.h>

#include "tests/unit/support-wanted.h"
#include "userspace/priv/handlers/route_plan.h"

static struct configuration configuration;
static struct handler_context context;
static struct wanted wanted;
static struct route_plan plan;

static void setup(void)
{
	configuration = (struct configuration){
		.metric = 100, .table = 254, .use_routes = true, .use_dns = true
	};
	context = (struct handler_context){ .configuration = &configuration, .now_ns = 1000 * S };
	cr_assert_eq(wanted_init(&wanted, 256), 0);
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(handlers_lease, .init = setup, .fini = teardown);
TestSuite(handlers_route, .init = setup, .fini = teardown);

Test(handlers_lease, left)
{
	cr_expect_eq(lease_left(3600, 1000 * S, 1000 * S), 3600);
	cr_expect_eq(lease_left(3600, 1000 * S, 1000 * S + 1), 3599, "never beyond the lease");
	cr_expect_eq(lease_left(3600, 1000 * S, 1600 * S), 3000);
	cr_expect_eq(lease_left(3600, 1000 * S, 4600 * S - 1), 0);
	cr_expect_eq(lease_left(3600, 1000 * S, 4600 * S), 0);
	cr_expect_eq(lease_left(3600, 1000 * S, UINT64_MAX), 0);
	cr_expect_eq(lease_left(3600, 1000 * S, 0), 3600, "a clock that went back");
	cr_expect_eq(lease_left(0, 0, 0), 0);
	cr_expect_eq(lease_left(UINT32_MAX - 1, 0, 0), UINT32_MAX - 1);
	cr_expect_eq(lease_left(UINT32_MAX, 0, UINT64_MAX), NETLINK_FOREVER);
}

Test(handlers_lease, get)
{
	struct lease lease;

	cr_expect_eq(lease_get(&context, &wanted, &lease), LEASE_ABSENT);
	test_set(&wanted, "/lease/time", "600", 900 * S);
	cr_expect_eq(lease_get(&context, &wanted, &lease), LEASE_ABSENT);
	test_set(&wanted, "/ip", "192.0.2.5/24", 900 * S);
	cr_assert_eq(lease_get(&context, &wanted, &lease), 0);
	cr_expect_eq(lease.left_s, 500);
	cr_expect_eq(lease.net.prefix_length, 24);
	test_set(&wanted, "/lease/time", "infinite", 900 * S);
	cr_assert_eq(lease_get(&context, &wanted, &lease), 0);
	cr_expect_eq(lease.left_s, NETLINK_FOREVER);
	test_remove(&wanted, "/lease/time");
	cr_assert_eq(lease_get(&context, &wanted, &lease), 0);
	cr_expect_eq(lease.left_s, NETLINK_FOREVER);
	test_set(&wanted, "/lease/time", "50", 900 * S);
	cr_expect_eq(lease_get(&context, &wanted, &lease), LEASE_ABSENT, "over");
	cr_expect_str_eq(context.error, "");
}

Test(handlers_lease, values_are_parsed_again)
{
	static const char *const wrong[] = { "192.0.2.5",	  "192.0.2.5/33",
					     "192.0.2.5/0",	  "127.0.0.1/8",
					     "0.0.0.0/24",	  "224.0.0.1/24",
					     "192.0.2.5/24 ",	  "",
					     "255.255.255.255/24" };
	struct lease lease;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		context.error[0] = '\0';
		test_set(&wanted, "/ip", wrong[i], 0);
		cr_expect_eq(lease_get(&context, &wanted, &lease), -EBADMSG, "%s", wrong[i]);
		cr_expect_neq(context.error[0], '\0');
	}
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/lease/time", "1h", 0);
	cr_expect_eq(lease_get(&context, &wanted, &lease), -EBADMSG);
}

Test(handlers_lease, networks)
{
	struct value_ipv4_net net = { { inet_addr("192.0.2.5") }, 24 };

	cr_expect_eq(lease_net_broadcast(&net).s_addr, inet_addr("192.0.2.255"));
	cr_expect(lease_net_contains(&net, (struct in_addr){ inet_addr("192.0.2.254") }));
	cr_expect_not(lease_net_contains(&net, (struct in_addr){ inet_addr("192.0.3.1") }));
	net.prefix_length = 31;
	cr_expect_eq(lease_net_broadcast(&net).s_addr, 0);
	cr_expect(lease_net_contains(&net, (struct in_addr){ inet_addr("192.0.2.4") }));
	net.prefix_length = 32;
	cr_expect_eq(lease_net_broadcast(&net).s_addr, 0);
	cr_expect_not(lease_net_contains(&net, (struct in_addr){ inet_addr("192.0.2.4") }));
	net.prefix_length = 1;
	cr_expect_eq(lease_net_broadcast(&net).s_addr, inet_addr("255.255.255.255"));
	net.prefix_length = 0;
	cr_expect(lease_net_contains(&net, (struct in_addr){ inet_addr("8.8.8.8") }));
}

static void expect_route(uint32_t i, const char *destination, uint8_t prefix_length,
			 const char *gateway)
{
	const struct netlink_route *route = &plan.routes[i];

	cr_assert_lt(i, plan.n_routes);
	cr_expect_eq(route->destination.s_addr, inet_addr(destination), "%u: %s", i, destination);
	cr_expect_eq(route->prefix_length, prefix_length, "%u: /%u", i, prefix_length);
	cr_expect_eq(route->gateway.s_addr, gateway ? inet_addr(gateway) : 0, "%u", i);
	cr_expect_eq(route->source.s_addr, inet_addr("192.0.2.5"));
	cr_expect_eq(route->metric, 100);
	cr_expect_eq(route->table, 254);
}

Test(handlers_route, plan_default)
{
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 0, "no source, no route");
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 1);
	expect_route(0, "0.0.0.0", 0, "192.0.2.1");
	configuration.use_routes = false;
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 0);
	configuration.use_routes = true;
	test_set(&wanted, "/lease/time", "1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 0, "the lease is over");
}

Test(handlers_route, plan_gateway_outside)
{
	test_set(&wanted, "/ip", "192.0.2.5/32", 0);
	test_set(&wanted, "/gateway", "203.0.113.1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 2);
	expect_route(0, "203.0.113.1", 32, NULL);
	expect_route(1, "0.0.0.0", 0, "203.0.113.1");
	/* an on-link route that holds it makes the host route superfluous */
	test_set(&wanted, "/route/001", "203.0.113.0/24 onlink", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 2);
	expect_route(0, "203.0.113.0", 24, NULL);
	expect_route(1, "0.0.0.0", 0, "203.0.113.1");
}

Test(handlers_route, plan_order_and_doubles)
{
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 198.51.100.1", 0);
	test_set(&wanted, "/route/002", "0.0.0.0/0 via 192.0.2.2", 0);
	test_set(&wanted, "/route/003", "172.16.0.0/12 via 198.51.100.1", 0);
	test_set(&wanted, "/route/004", "10.0.0.0/8 via 192.0.2.3", 0);
	test_set(&wanted, "/route/005", "203.0.113.7/32 onlink", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 5);
	expect_route(0, "203.0.113.7", 32, NULL);
	expect_route(1, "198.51.100.1", 32, NULL);
	expect_route(2, "0.0.0.0", 0, "192.0.2.1");
	expect_route(3, "10.0.0.0", 8, "198.51.100.1");
	expect_route(4, "172.16.0.0", 12, "198.51.100.1");
}

Test(handlers_route, plan_leaves_out_what_is_wrong)
{
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/gateway", "0.0.0.0", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 0.0.0.0", 0);
	test_set(&wanted, "/route/002", "10.0.0.1/8 via 192.0.2.1", 0);
	test_set(&wanted, "/route/003", "172.16.0.0/12 via 192.0.2.1", 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), -EBADMSG);
	cr_assert_eq(plan.n_routes, 1);
	expect_route(0, "172.16.0.0", 12, "192.0.2.1");
	cr_expect_str_eq(context.error, "/gateway is \"0.0.0.0\": Bad message");
}

Test(handlers_route, plan_is_bounded)
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
