/* SPDX-License-Identifier: Apache-2.0 */
/* Which address of the uplink is taken over, in a network namespace. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/priv/supervisor/takeover.h"

static struct netlink *netlink;
static int uplink;

static void sh(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command); /* NOLINT(cert-env33-c) */
}

static void setup(void)
{
	struct netlink_link link;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	sh("ip link add up0 type veth peer name peer0; ip addr add 192.0.2.77/24 dev peer0;"
	   "ip link set peer0 up; ip link set up0 up");
	cr_assert_eq(netlink_new(&netlink), 0);
	cr_assert_eq(netlink_link_get_by_name(netlink, "up0", &link), 0);
	uplink = link.ifindex;
}

static void teardown(void)
{
	netlink = netlink_free(netlink);
}

TestSuite(takeover, .init = setup, .fini = teardown);

/* "ADDRESS/LENGTH" or "". */
static const char *found(void)
{
	static char text[VALUE_IPV4_NET_SIZE];
	struct value_ipv4_net net;
	int r = takeover_find(netlink, uplink, &net);

	cr_assert_geq(r, 0);
	text[0] = '\0';
	if (r)
		value_format_ipv4_net(&net, text);
	return text;
}

Test(takeover, none)
{
	cr_expect_str_eq(found(), "", "peer0's is not ours");
	sh("ip -6 addr add 2001:db8::1/64 dev up0 2>/dev/null; true");
	cr_expect_str_eq(found(), "");
}

Test(takeover, link_local_is_none)
{
	sh("ip addr add 169.254.1.2/16 scope link dev up0; ip addr add 10.0.0.1/8 scope host dev up0");
	cr_expect_str_eq(found(), "");
	sh("ip addr add 10.7.0.5/24 dev up0");
	cr_expect_str_eq(found(), "10.7.0.5/24");
}

Test(takeover, first_of_equals)
{
	sh("ip addr add 10.7.0.5/24 dev up0; ip addr add 10.8.0.5/16 dev up0");
	cr_expect_str_eq(found(), "10.7.0.5/24");
	sh("ip addr del 10.7.0.5/24 dev up0");
	cr_expect_str_eq(found(), "10.8.0.5/16");
}

/* What a client set has an end, what a person set has none. */
Test(takeover, one_with_an_end_before_one_without)
{
	sh("ip addr add 10.7.0.5/24 dev up0;"
	   "ip addr add 10.8.0.5/24 dev up0 valid_lft 600 preferred_lft 600;"
	   "ip addr add 10.9.0.5/24 dev up0 valid_lft 900 preferred_lft 900");
	cr_expect_str_eq(found(), "10.8.0.5/24");
}

Test(takeover, secondary_is_none)
{
	sh("ip addr add 10.7.0.5/24 dev up0;"
	   "ip addr add 10.7.0.6/24 dev up0 valid_lft 600 preferred_lft 600");
	cr_expect_str_eq(found(), "10.7.0.5/24");
}

Test(takeover, no_such_interface)
{
	struct value_ipv4_net net = { .prefix_length = 77 };

	cr_expect_eq(takeover_find(netlink, 0, &net), -ENODEV);
	cr_expect_eq(net.prefix_length, 77, "written on success only");
}
