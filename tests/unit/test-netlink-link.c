/* SPDX-License-Identifier: Apache-2.0 */
/* What a link's message says about its master; not every kernel has all kinds. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "userspace/priv/netlink/netlink-private.h"

#define MASTER 7u

static union {
	struct nlmsghdr header;
	char bytes[512];
} message;

static void *add(size_t size)
{
	void *at = message.bytes + message.header.nlmsg_len;

	message.header.nlmsg_len += NLMSG_ALIGN((uint32_t)size);
	cr_assert(message.header.nlmsg_len <= sizeof(message));
	return at;
}

static struct rtattr *add_attribute(uint16_t type, const void *data, size_t size)
{
	struct rtattr *attribute = add(RTA_LENGTH(size));

	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(size);
	if (data)
		memcpy(RTA_DATA(attribute), data, size);
	return attribute;
}

/* Read the message of a link with this master (0: none) and kind of port (NULL: none). */
static struct netlink_link link_of(uint32_t master, const char *kind)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = 2 };
	struct netlink_link link;

	memset(&message, 0, sizeof(message));
	message.header.nlmsg_type = RTM_NEWLINK;
	memcpy((char *)add(NLMSG_LENGTH(sizeof(info))) + NLMSG_HDRLEN, &info, sizeof(info));
	if (master)
		add_attribute(IFLA_MASTER, &master, sizeof(master));
	if (kind) {
		struct rtattr *outer = add_attribute(IFLA_LINKINFO, NULL, 0);

		add_attribute(IFLA_INFO_SLAVE_KIND, kind, strlen(kind) + 1);
		outer->rta_len =
			(uint16_t)(message.bytes + message.header.nlmsg_len - (char *)outer);
	}
	cr_assert_eq(netlink_link_read(&message.header, &link), 1);
	cr_assert_eq(link.ifindex, 2);
	return link;
}

Test(netlink_link, U22_ports)
{
	static const char *const kinds[] = { "bridge", "bond", "team", "hsr", "a-kind-to-come" };
	struct netlink_link link;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		link = link_of(MASTER, kinds[i]);
		cr_expect(link.is_port, "%s", kinds[i]);
		cr_expect_eq(link.master, MASTER);
		cr_expect_eq(link.is_bridge_port, i == 0);
	}
	/* Open vSwitch gives its ports a master, but no kind. */
	link = link_of(MASTER, NULL);
	cr_expect(link.is_port && !link.is_bridge_port);
}

Test(netlink_link, U22_vrf_is_no_bridge)
{
	struct netlink_link link = link_of(MASTER, "vrf");

	cr_expect(!link.is_port && !link.is_bridge_port);
	cr_expect_eq(link.master, MASTER);
	cr_expect(link_of(MASTER, "vrfs").is_port);
}

Test(netlink_link, U22_no_master)
{
	struct netlink_link link = link_of(0, NULL);

	cr_expect(!link.is_port && !link.is_bridge_port && !link.master);
}

/* A wrong length does not look like an absent attribute. */
Test(netlink_link, lengths_in_a_link)
{
	static const uint8_t ones[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	static const int types[] = { IFLA_MASTER, IFLA_MTU, IFLA_MIN_MTU, IFLA_MAX_MTU };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t size = 0; size <= 8; size++) {
			struct netlink_link link = { .ifindex = 0 };

			memset(&message, 0, sizeof(message));
			message.header.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
			((struct ifinfomsg *)NLMSG_DATA(&message.header))->ifi_index = 5;
			add_attribute((uint16_t)types[i], ones, size);
			cr_expect_eq(netlink_link_read(&message.header, &link),
				     size == 4 ? 1 : -EPROTO, "%d: %zu", types[i], size);
			cr_expect_eq(link.ifindex, size == 4 ? 5 : 0);
		}
}
