/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "tests/unit/netlink-message.h"
#include "userspace/priv/netlink/netlink-private.h"

static int read_route(uint8_t prefix_length)
{
	struct netlink_route route = { .metric = 77 };
	int r = netlink_route_read(&message.header, &route);

	cr_expect_eq(route.metric == 77, r != 1, "%u", prefix_length);
	return r;
}

static void begin_route(uint8_t prefix_length)
{
	message_begin(&(struct rtmsg){ .rtm_family = AF_INET, .rtm_dst_len = prefix_length },
		      sizeof(struct rtmsg));
}

Test(netlink_route, prefix_of_a_route)
{
	for (unsigned int length = 0; length <= UINT8_MAX; length++) {
		begin_route((uint8_t)length);
		cr_expect_eq(read_route((uint8_t)length), length <= 32 ? 1 : -EPROTO, "%u", length);
	}
	message_begin(&(struct rtmsg){ .rtm_family = AF_INET6, .rtm_dst_len = 64 },
		      sizeof(struct rtmsg));
	cr_expect_eq(read_route(64), 0, "not IPv4");
}

Test(netlink_route, lengths_in_a_route)
{
	static const int types[] = { RTA_DST,	   RTA_GATEWAY, RTA_PREFSRC,
				     RTA_PRIORITY, RTA_TABLE,	RTA_OIF };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t size = 0; size <= 16; size++) {
			begin_route(24);
			message_add(types[i], size);
			cr_expect_eq(read_route(24), size == 4 ? 1 : -EPROTO, "%d: %zu", types[i],
				     size);
		}
	for (size_t size = 0; size <= 8; size++) {
		struct rtattr *outer;

		begin_route(24);
		outer = message_add(RTA_METRICS, 0);
		message_add(RTAX_MTU, size);
		outer->rta_len =
			(unsigned short)(message.bytes + message.header.nlmsg_len - (char *)outer);
		cr_expect_eq(read_route(24), size == 4 ? 1 : -EPROTO, "mtu: %zu", size);
	}
}

Test(netlink_route, cut_headers)
{
	for (size_t size = 0; size < sizeof(struct rtmsg); size++) {
		message_begin(&(struct rtmsg){ .rtm_family = AF_INET }, sizeof(struct rtmsg));
		message.header.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
		cr_expect_eq(read_route(0), -EPROTO, "%zu", size);
	}
}

static int read_rule(void)
{
	uint32_t table = 77, length = 77;
	int r = netlink_rule_read(&message.header, &table, &length);

	cr_expect_eq(table == 77 && length == 77, r != 1);
	return r;
}

Test(netlink_route, rules)
{
	for (unsigned int length = 0; length <= UINT8_MAX; length++) {
		int expected = length <= 32 ? 1 : -EPROTO;

		message_begin(&(struct fib_rule_hdr){ .family = AF_INET,
						      .dst_len = (uint8_t)length },
			      sizeof(struct fib_rule_hdr));
		cr_expect_eq(read_rule(), expected, "to: %u", length);
		message_begin(&(struct fib_rule_hdr){ .family = AF_INET,
						      .src_len = (uint8_t)length },
			      sizeof(struct fib_rule_hdr));
		cr_expect_eq(read_rule(), expected, "from: %u", length);
	}
	for (size_t size = 0; size <= 8; size++) {
		message_begin(&(struct fib_rule_hdr){ .family = AF_INET },
			      sizeof(struct fib_rule_hdr));
		message_add(FRA_TABLE, size);
		cr_expect_eq(read_rule(), size == 4 ? 1 : -EPROTO, "table: %zu", size);
		message_begin(&(struct fib_rule_hdr){ .family = AF_INET },
			      sizeof(struct fib_rule_hdr));
		message_add(FRA_SUPPRESS_PREFIXLEN, size);
		cr_expect_eq(read_rule(), size == 4 ? 1 : -EPROTO, "suppressed: %zu", size);
	}
}
