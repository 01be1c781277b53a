/* SPDX-License-Identifier: Apache-2.0 */
/* Which subnets are connected, with the routes of the host played by a table. */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>

#include "tests/unit/support-no_routes.h"
#include "tests/unit/support-wanted.h"
#include "userspace/priv/handlers/connected.h"
#include "userspace/priv/handlers/state.h"

#define UPLINK 7
#define OTHER 8
#define IS_FREE (-1) /* nothing is read */

static struct handler_options options;
static struct handlers_state state;
static struct handler_context context;
static struct wanted wanted;

/* the kernel's side */
static struct netlink_route there;
static int suppressed;
static unsigned int n_read;

int netlink_route_each_owner(struct netlink *netlink, uint32_t table, netlink_route_fn call,
			     void *data)
{
	(void)netlink;
	n_read++;
	if (!table || table == there.table)
		call(&there, data);
	return 0;
}

int netlink_rule_suppressed(struct netlink *netlink, uint32_t table, int *lengthp)
{
	(void)netlink;
	(void)table;
	*lengthp = suppressed;
	return 0;
}

static void setup(void)
{
	options = (struct handler_options){ .metric = 100,
					    .table = 254,
					    .min_connected_prefix_length = 16 };
	context = (struct handler_context){ .options = &options,
					    .state = &state,
					    .uplink_ifindex = UPLINK };
	suppressed = -1;
	cr_assert_eq(wanted_init(&wanted, 8), 0);
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(handlers_connected, .init = setup, .fini = teardown);

static void put(const char *destination, uint8_t prefix_length, uint32_t metric)
{
	there = (struct netlink_route){
		.destination = { inet_addr(destination) },
		.prefix_length = prefix_length,
		.metric = metric,
		.table = 254,
		.protocol = RTPROT_STATIC,
		.type = RTN_UNICAST,
		.is_plain = true,
		.ifindex = OTHER,
	};
}

/* Returns what connected_judge() says, or IS_FREE. */
static int judge(const char *text)
{
	struct netlink_route hidden = { .table = 0 };
	struct value_ipv4_net net;
	int r;

	cr_assert_eq(value_parse_ipv4_net(text, &net), 0, "%s", text);
	n_read = 0;
	r = connected_judge(&context, &wanted, &net, &hidden);
	cr_expect_eq(n_read, !connected_is_free(&options, &net), "%s", text);
	if (r == CONNECTED_HIDES) {
		cr_expect_eq(hidden.table, there.table);
		cr_expect_eq(hidden.prefix_length, there.prefix_length);
	}
	return n_read ? r : IS_FREE;
}

/* Every LAN would be refused beside a VPN otherwise. */
Test(handlers_connected, F3_private_space_is_free)
{
	static const struct {
		const char *net;
		int result;
	} rows[] = {
		{ "10.77.0.50/24", IS_FREE },
		{ "10.77.0.50/16", IS_FREE },
		{ "10.77.0.50/15", CONNECTED_HIDES },
		{ "10.77.0.50/8", CONNECTED_HIDES },
		{ "10.77.0.50/5", CONNECTED_HIDES }, /* as a hostile server did */
		{ "10.77.0.50/31", IS_FREE },
		{ "9.255.255.250/16", CONNECTED_HIDES },
		{ "11.0.0.5/24", CONNECTED_HIDES },
		{ "172.16.0.5/16", IS_FREE },
		{ "172.31.255.5/24", IS_FREE },
		{ "172.15.0.5/16", CONNECTED_HIDES },
		{ "172.32.0.5/16", CONNECTED_HIDES },
		{ "192.168.9.9/16", IS_FREE },
		{ "192.167.9.9/16", CONNECTED_HIDES },
		{ "192.169.9.9/24", CONNECTED_HIDES },
		{ "100.64.0.5/16", IS_FREE },
		{ "100.127.255.5/24", IS_FREE },
		{ "100.63.0.5/16", CONNECTED_HIDES },
		{ "100.128.0.5/24", CONNECTED_HIDES },
		{ "169.254.7.7/16", IS_FREE },
		{ "169.253.7.7/16", CONNECTED_HIDES },
		{ "169.255.7.7/16", CONNECTED_HIDES },
		{ "192.0.2.5/24", CONNECTED_HIDES },
		{ "192.0.2.5/31", CONNECTED_HIDES },
		{ "192.0.2.5/32", IS_FREE },
		{ "8.8.8.9/32", IS_FREE },
	};

	put("0.0.0.0", 0, 50); /* of a VPN */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(judge(rows[i].net), rows[i].result, "%s", rows[i].net);
}

Test(handlers_connected, F3_operators_options)
{
	put("0.0.0.0", 0, 50);
	options.min_connected_prefix_length = 8;
	cr_expect_eq(judge("10.77.0.50/8"), IS_FREE);
	cr_expect_eq(judge("10.77.0.50/7"), CONNECTED_HIDES, "not all of it is private");
	cr_expect_eq(judge("172.16.0.5/12"), IS_FREE);
	cr_expect_eq(judge("172.16.0.5/11"), CONNECTED_HIDES);
	cr_expect_eq(judge("192.0.2.5/24"), CONNECTED_HIDES);
	options.min_connected_prefix_length = 25;
	cr_expect_eq(judge("10.77.0.50/24"), CONNECTED_HIDES);
	cr_expect_eq(judge("10.77.0.50/25"), IS_FREE);
	options.allow_hiding = true;
	cr_expect_eq(judge("10.77.0.50/5"), IS_FREE);
	cr_expect_eq(judge("192.0.2.5/1"), IS_FREE);
}

Test(handlers_connected, F3_what_another_owner_has)
{
	put("0.0.0.0", 0, 200);
	cr_expect_eq(judge("192.0.2.5/24"), CONNECTED_HIDES, "there is no default route of ours");
	options.use_routes = true;
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	cr_assert_eq(value_parse_ipv4_net("192.0.2.5/24", &context.allowed_subnet), 0);
	cr_expect_eq(judge("192.0.2.5/24"), 0, "behind our default route it carries nothing");
	put("0.0.0.0", 1, 200);
	cr_expect_eq(judge("10.77.0.50/5"), CONNECTED_HIDES);
	cr_expect_eq(judge("192.0.2.5/24"), 0, "the other half");
	put("192.0.0.0", 16, 200);
	cr_expect_eq(judge("192.0.2.5/24"), CONNECTED_HIDES);
	cr_expect_eq(judge("192.0.2.5/8"), 0, "the longer prefix goes first");
	put("192.0.2.0", 24, 0);
	cr_expect_eq(judge("192.0.2.5/24"), 0, "the equal one goes first by its metric");
	put("192.0.2.0", 24, 100);
	cr_expect_eq(judge("192.0.2.5/24"), CONNECTED_HIDES);
	there.type = RTN_UNREACHABLE;
	cr_expect_eq(judge("192.0.2.5/24"), CONNECTED_HIDES);
	there.type = RTN_UNICAST;
	there.protocol = NETLINK_OWNER;
	cr_expect_eq(judge("192.0.2.5/24"), 0, "metrics order two uplinks in one subnet");
}

/* wg-quick, and a table that a rule of the operator uses before the main one. */
Test(handlers_connected, F3_other_tables)
{
	put("0.0.0.0", 0, 0);
	there.table = 51820;
	cr_expect_eq(judge("192.0.2.5/24"), 0, "nothing of ours goes before it");
	suppressed = 0;
	cr_expect_eq(judge("192.0.2.5/24"), CONNECTED_HIDES);
	cr_expect_eq(judge("10.77.0.50/5"), CONNECTED_HIDES);
	suppressed = 24;
	cr_expect_eq(judge("192.0.2.5/24"), 0, "the rule suppresses ours");
}

/* Their traffic goes over the same link. */
Test(handlers_connected, F3_routes_through_the_uplink)
{
	put("0.0.0.0", 0, 0);
	there.ifindex = UPLINK;
	cr_expect_eq(judge("192.0.2.5/24"), 0, "the operator's default route");
	there.is_plain = false;
	cr_expect_eq(judge("192.0.2.5/24"), CONNECTED_HIDES, "it may be a tunnel's");
	there.is_plain = true;
	there.type = RTN_BLACKHOLE;
	cr_expect_eq(judge("192.0.2.5/24"), CONNECTED_HIDES);
	put("192.0.0.0", 16, 0);
	there.ifindex = UPLINK;
	cr_expect_eq(judge("192.0.2.5/24"), CONNECTED_HIDES, "a gateway that the operator chose");
	there.protocol = NETLINK_OWNER;
	cr_expect_eq(judge("192.0.2.5/24"), 0, "ours");
	there.protocol = RTPROT_KERNEL;
	there.source.s_addr = inet_addr("192.0.2.5");
	cr_expect_eq(judge("192.0.2.5/24"), 0, "of the address itself");
}
