/* SPDX-License-Identifier: Apache-2.0 */
/* A message as only the kernel sends it, with what it does not send. */
#ifndef CALFPEN_TESTS_UNIT_NETLINK_MESSAGE_H
#define CALFPEN_TESTS_UNIT_NETLINK_MESSAGE_H

#include <criterion/criterion.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>

static union {
	struct nlmsghdr header;
	char bytes[512];
} message;

static inline void message_begin(const void *info, size_t size)
{
	memset(&message, 0, sizeof(message));
	message.header.nlmsg_len = (uint32_t)NLMSG_SPACE(size);
	memcpy(NLMSG_DATA(&message.header), info, size);
}

/* An attribute of `size` bytes, all 1. */
static inline struct rtattr *message_add(int type, size_t size)
{
	struct rtattr *attribute = (void *)(message.bytes + message.header.nlmsg_len);

	attribute->rta_type = (unsigned short)type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memset(RTA_DATA(attribute), 1, size);
	message.header.nlmsg_len += (uint32_t)RTA_SPACE(size);
	cr_assert_leq(message.header.nlmsg_len, sizeof(message));
	return attribute;
}

#endif
