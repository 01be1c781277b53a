/* SPDX-License-Identifier: Apache-2.0 */
/* Lifetimes and subnets. */
#include <arpa/inet.h>
#include <errno.h>

#include "tests/unit/support-wanted.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/netlink/netlink.h"

static const struct handler_options options = { .allow_hiding = true };
static struct handler_context context;
static struct wanted wanted;

static void setup(void)
{
	context = (struct handler_context){ .options = &options, .now_ns = 1000 * S };
	cr_assert_eq(wanted_init(&wanted, 256), 0);
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(handlers_lease, .init = setup, .fini = teardown);

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
