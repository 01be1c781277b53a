/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "tests/unit/netlink-message.h"
#include "userspace/priv/netlink/netlink-private.h"

static int read_address(void)
{
	struct netlink_address address = { .scope = 77 };
	int ifindex = 0, r = netlink_address_read(&message.header, &ifindex, &address);

	cr_expect_eq(address.scope == 77, r != 1);
	cr_expect_eq(ifindex, r == 1 ? 5 : 0);
	return r;
}

static void begin_address(uint8_t family, uint8_t prefix_length)
{
	message_begin(&(struct ifaddrmsg){ .ifa_family = family,
					   .ifa_prefixlen = prefix_length,
					   .ifa_index = 5 },
		      sizeof(struct ifaddrmsg));
}

Test(netlink_address, prefix_of_an_address)
{
	for (unsigned int length = 0; length <= UINT8_MAX; length++) {
		struct in6_addr address;
		int ifindex = 0;

		begin_address(AF_INET, (uint8_t)length);
		cr_expect_eq(read_address(), length <= 32 ? 1 : -EPROTO, "%u", length);
		begin_address(AF_INET6, (uint8_t)length);
		message_add(IFA_ADDRESS, sizeof(address));
		cr_expect_eq(netlink_address_read_ipv6(&message.header, &ifindex, &address),
			     length <= 128 ? 1 : -EPROTO, "%u", length);
		cr_expect_eq(ifindex, length <= 128 ? 5 : 0);
	}
}

Test(netlink_address, lengths_in_an_address)
{
	static const struct {
		int type;
		size_t size;
	} rows[] = { { IFA_LOCAL, 4 }, { IFA_ADDRESS, 4 }, { IFA_BROADCAST, 4 },
		     { IFA_FLAGS, 4 }, { IFA_PROTO, 1 },   { IFA_CACHEINFO, 16 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t size = 0; size <= 20; size++) {
			begin_address(AF_INET, 24);
			message_add(rows[i].type, size);
			cr_expect_eq(read_address(), size == rows[i].size ? 1 : -EPROTO, "%d: %zu",
				     rows[i].type, size);
		}
	for (size_t size = 0; size <= 20; size++) {
		struct in6_addr address;
		int ifindex;

		begin_address(AF_INET6, 64);
		message_add(IFA_ADDRESS, size);
		cr_expect_eq(netlink_address_read_ipv6(&message.header, &ifindex, &address),
			     size == 16 ? 1 : -EPROTO, "%zu", size);
	}
}
