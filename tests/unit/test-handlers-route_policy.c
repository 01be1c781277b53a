/* SPDX-License-Identifier: Apache-2.0 */
/* Which routes of a server are refused because of present routes. */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>

#include "tests/unit/support-wanted.h"
#include "userspace/priv/handlers/route_policy.h"

#define UPLINK 7
#define OTHER 8

static struct handler_options options;
static struct handler_context context;
static struct wanted wanted;
static struct route_plan plan;
static char told[16][HANDLER_ERROR_SIZE];
static unsigned int n_told;

static void on_refusal(void *data, const char *path, const char *reason, bool is_used)
{
	(void)data;
	(void)is_used;
	if (n_told < 16)
		(void)snprintf(told[n_told], HANDLER_ERROR_SIZE, "%s %s", path, reason);
	n_told++;
}

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
		.on_refusal = on_refusal,
		.allowed_subnet = { { inet_addr("192.0.2.5") }, 24 },
	};
	cr_assert_eq(wanted_init(&wanted, 256), 0);
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(handlers_route_policy, .init = setup, .fini = teardown);

static struct netlink_route there(const char *destination, uint8_t length, uint32_t metric)
{
	return (struct netlink_route){
		.destination = { inet_addr(destination) },
		.prefix_length = length,
		.metric = metric,
		.table = 254,
		.protocol = RTPROT_STATIC,
		.type = RTN_UNICAST,
		.ifindex = OTHER,
	};
}

/* Plan, and apply the policy with one present route. Returns the routes left. */
static uint32_t left(struct netlink_route route, int suppressed)
{
	struct route_policy_view view = { .uplink_ifindex = UPLINK, .suppressed = suppressed };

	n_told = 0;
	context.note[0] = '\0';
	cr_assert_eq(route_plan_init(&plan, &context, &wanted), 0);
	for (uint32_t i = 0; i < plan.n_routes; i++)
		view.has_default |= !plan.routes[i].route.prefix_length;
	route_policy_judge(&plan, &view, &route);
	route_policy_apply(&plan, &context);
	cr_assert(plan.n_routes && plan.routes[0].is_connected, "that one is judged by itself");
	return plan.n_routes - 1;
}

/* Without a default route of ours, that of a VPN carries the traffic whatever its metric. */
Test(handlers_route_policy, F3_no_default_route_of_ours)
{
	struct netlink_route vpn = there("0.0.0.0", 0, 5000);

	test_set(&wanted, "/route/001", "198.51.100.7/32 via 192.0.2.1", 0);
	cr_expect_eq(left(vpn, -1), 0);
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	cr_expect_eq(left(vpn, -1), 2);
	vpn.metric = 0;
	vpn.type = RTN_THROW; /* to the table of a later rule */
	cr_expect_eq(left(vpn, -1), 1);
}

/* A VPN's default route, ahead of ours by its metric. */
Test(handlers_route_policy, C4_27_vpn_default_route)
{
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	test_set(&wanted, "/route/001", "198.51.100.7/32 via 192.0.2.1", 0);
	cr_expect_eq(left(there("0.0.0.0", 0, 50), -1), 1);
	cr_expect_eq(plan.routes[1].route.prefix_length, 0, "metrics order default routes");
	cr_expect_eq(n_told, 1);
	cr_expect_str_eq(told[0], "/route/001 198.51.100.7/32 would hide the route to 0.0.0.0/0 "
				  "metric 50 table 254 protocol 4");
	cr_expect_eq(left(there("0.0.0.0", 0, 100), -1), 1, "equal: ours cannot be added");
	cr_expect_eq(left(there("0.0.0.0", 0, 101), -1), 2, "behind ours it carries nothing");
}

Test(handlers_route_policy, C4_27_vpn_halves)
{
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 192.0.2.1", 0);
	cr_expect_eq(left(there("0.0.0.0", 1, 0), -1), 1);
	cr_expect_eq(left(there("0.0.0.0", 1, 5000), -1), 1, "longer prefixes go before metrics");
	cr_expect_eq(left(there("128.0.0.0", 1, 0), -1), 2);
}

Test(handlers_route_policy, C4_27_networks_of_others)
{
	struct netlink_route docker = there("172.17.0.0", 16, 0);

	docker.protocol = RTPROT_KERNEL;
	test_set(&wanted, "/route/001", "172.17.3.0/24 via 192.0.2.1", 0);
	cr_expect_eq(left(docker, -1), 0);
	test_set(&wanted, "/route/001", "172.16.0.0/12 via 192.0.2.1", 0);
	cr_expect_eq(left(docker, -1), 1, "a shorter prefix takes nothing");
	/* the same destination: by metric */
	test_set(&wanted, "/route/001", "172.17.0.0/16 via 192.0.2.1", 0);
	cr_expect_eq(left(docker, -1), 1);
	docker.metric = 100;
	cr_expect_eq(left(docker, -1), 0);
	docker.metric = 200;
	cr_expect_eq(left(docker, -1), 0);
}

Test(handlers_route_policy, C4_27_other_protocol_on_the_uplink)
{
	struct netlink_route route = there("10.0.0.0", 8, 0);

	route.ifindex = UPLINK;
	test_set(&wanted, "/route/001", "10.1.0.0/16 via 192.0.2.1", 0);
	cr_expect_eq(left(route, -1), 0);
	route.protocol = NETLINK_OWNER;
	cr_expect_eq(left(route, -1), 1, "ours");
	route.ifindex = OTHER;
	cr_expect_eq(left(route, -1), 0, "another instance's");
	route.ifindex = 0;
	cr_expect_eq(left(route, -1), 0, "several next hops");
}

/* A null route keeps traffic from leaving; a more specific route would let it out. */
Test(handlers_route_policy, C4_27_unreachable)
{
	static const uint8_t types[] = { RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT };
	struct netlink_route route = there("10.0.0.0", 8, 4278198272u);
	size_t i;

	route.ifindex = 0;
	test_set(&wanted, "/route/001", "10.1.0.0/16 via 192.0.2.1", 0);
	for (i = 0; i < sizeof(types); i++) {
		route.type = types[i];
		cr_expect_eq(left(route, -1), 0, "%u", types[i]);
	}
	route.type = RTN_LOCAL;
	cr_expect_eq(left(route, -1), 1);
	route.type = RTN_UNICAST;
	route.table = RT_TABLE_LOCAL;
	cr_expect_eq(left(route, -1), 1);
}

Test(handlers_route_policy, own_subnet_does_not_count)
{
	struct netlink_route subnet = there("192.0.2.0", 24, 0);

	subnet.ifindex = UPLINK;
	subnet.protocol = RTPROT_KERNEL;
	subnet.source.s_addr = inet_addr("192.0.2.5");
	test_set(&wanted, "/route/001", "192.0.2.128/25 via 192.0.2.1", 0);
	cr_expect_eq(left(subnet, -1), 1);
	subnet.source.s_addr = inet_addr("192.0.2.77"); /* a static address there */
	cr_expect_eq(left(subnet, -1), 0);
}

static struct netlink_route zeroconf(void)
{
	struct netlink_route route = there("169.254.0.0", 16, 1002);

	route.ifindex = UPLINK;
	route.protocol = RTPROT_BOOT;
	route.is_onlink = true;
	return route;
}

Test(handlers_route_policy, U19_metadata_beside_a_zeroconf_route)
{
	struct netlink_route route = zeroconf();

	test_set(&wanted, "/route/001", "169.254.169.254/32 via 192.0.2.2", 0);
	cr_expect_eq(left(route, -1), 1, "of the network scripts");
	route.protocol = RTPROT_KERNEL;
	route.source.s_addr = inet_addr("169.254.7.7");
	cr_expect_eq(left(route, -1), 1, "of a link-local address");
	route = there("0.0.0.0", 0, 1);
	route.ifindex = UPLINK;
	route.is_onlink = true;
	cr_expect_eq(left(route, -1), 1, "avahi's default route");
	cr_expect_eq(n_told, 0);
}

Test(handlers_route_policy, U19_what_may_be_a_tunnels_is_not_hidden)
{
	struct netlink_route route = zeroconf();

	test_set(&wanted, "/route/001", "169.254.169.254/32 via 192.0.2.2", 0);
	route.ifindex = OTHER;
	cr_expect_eq(left(route, -1), 0, "another interface");
	route.ifindex = 0;
	cr_expect_eq(left(route, -1), 0, "several next hops");
	route = zeroconf();
	route.is_onlink = false;
	cr_expect_eq(left(route, -1), 0, "a gateway, or encapsulation");
	route = zeroconf();
	route.type = RTN_BLACKHOLE;
	route.ifindex = 0;
	cr_expect_eq(left(route, -1), 0);
}

/* The operator has an address there, and speaks to these hosts from it. */
Test(handlers_route_policy, U19_subnets_of_the_operator_are_not_hidden)
{
	struct netlink_route route = there("198.51.100.0", 24, 0);

	route.ifindex = UPLINK;
	route.is_onlink = true;
	test_set(&wanted, "/route/001", "198.51.100.7/32 via 192.0.2.2", 0);
	cr_expect_eq(left(route, -1), 1, "no address, only a route");
	route.protocol = RTPROT_KERNEL;
	route.source.s_addr = inet_addr("198.51.100.1");
	cr_expect_eq(left(route, -1), 0);
	route = there("169.0.0.0", 8, 0); /* not link-local */
	route.ifindex = UPLINK;
	route.is_onlink = true;
	route.protocol = RTPROT_KERNEL;
	test_set(&wanted, "/route/001", "169.254.169.254/32 via 192.0.2.2", 0);
	cr_expect_eq(left(route, -1), 0);
}

/* wg-quick: the tunnel's default route is in a separate table, and a rule looks up the
 * main table without default routes first. */
Test(handlers_route_policy, C4_27_suppressed_rule)
{
	struct netlink_route tunnel = there("0.0.0.0", 0, 0);

	tunnel.table = 51820;
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	test_set(&wanted, "/route/001", "198.51.100.0/24 via 192.0.2.1", 0);
	cr_expect_eq(left(tunnel, -1), 2, "source routing is no reason");
	cr_expect_eq(left(tunnel, 0), 1);
	cr_expect_eq(left(tunnel, 24), 2, "what the rule suppresses hides nothing");
}

/* A host route to the gateway takes traffic like any other; the gateway is an on-link next
 * hop without it. */
Test(handlers_route_policy, F3_host_route_to_the_gateway)
{
	test_set(&wanted, "/gateway", "203.0.113.1", 0);
	cr_expect_eq(left(there("0.0.0.0", 0, 50), -1), 1);
	test_set(&wanted, "/route/001", "203.0.113.1/32 onlink", 0);
	cr_expect_eq(left(there("0.0.0.0", 0, 50), -1), 1);
	cr_expect_eq(n_told, 1);
	cr_expect_str_eq(told[0], "/route/001 203.0.113.1/32 would hide the route to 0.0.0.0/0 "
				  "metric 50 table 254 protocol 4");
	cr_expect_eq(left(there("0.0.0.0", 0, 200), -1), 2);
	cr_expect_eq(left(there("203.0.113.0", 24, 50), -1), 1, "nor into a foreign network");
}

Test(handlers_route_policy, routes_are_judged_without_those_of_their_gateways)
{
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 203.0.113.1", 0);
	test_set(&wanted, "/route/002", "172.16.0.0/12 via 203.0.113.1", 0);
	test_set(&wanted, "/route/003", "198.51.100.0/24 via 192.0.2.1", 0);
	cr_expect_eq(left(there("203.0.113.0", 24, 0), -1), 3);
	cr_expect_eq(n_told, 0);
	test_set(&wanted, "/route/004", "203.0.113.0/25 onlink", 0);
	cr_expect_eq(left(there("203.0.113.0", 24, 0), -1), 3);
	cr_expect_eq(n_told, 1);
	cr_expect_eq(left(there("10.0.0.0", 7, 0), -1), 3);
}
