/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The options of a reply, read in frame_message, where they were copied: so the
 * verifier follows an offset instead of pointers into a frame. Everything here
 * must agree with the calf's reader (calf/dhcp4/message/options.c) on where a
 * field and an option end, and in which order the parts of an option are joined
 * (RFC 3396): PAD may be anywhere, END or a broken option ends its field, and
 * only the options field can say that `file` and `sname` have options.
 */
#ifndef CALFPEN_BPF_FRAME_OPTIONS_BPF_H
#define CALFPEN_BPF_FRAME_OPTIONS_BPF_H

#include "bpf/frame_dhcp4.bpf.h"

#define DHCP_PAD 0
#define DHCP_SUBNET_MASK 1
#define DHCP_ROUTER 3
#define DHCP_LEASE_TIME 51
#define DHCP_OVERLOAD 52
#define DHCP_CLASSLESS_ROUTE 121
#define DHCP_CLASSLESS_ROUTE_MICROSOFT 249

#define OVERLOAD_FILE 1
#define OVERLOAD_SNAME 2

/* Offsets in a reply as it is copied: sname, file, cookie, options. */
#define MESSAGE_SNAME_AT 0
#define MESSAGE_FILE_AT sizeof(((struct bootp *)0)->sname)
#define MESSAGE_COOKIE_AT (MESSAGE_FILE_AT + sizeof(((struct bootp *)0)->file))
#define MESSAGE_OPTIONS_AT (MESSAGE_COOKIE_AT + sizeof(__be32))

/* Numbers by code, because the verifier would explore each case of a switch.
 * 0 is FRAME_OPTION_OTHER. */
static const __u8 option_numbers[256] = {
	[DHCP_MESSAGE_TYPE] = FRAME_OPTION_TYPE,
	[DHCP_SUBNET_MASK] = FRAME_OPTION_MASK,
	[DHCP_ROUTER] = FRAME_OPTION_ROUTER,
	[DHCP_LEASE_TIME] = FRAME_OPTION_TIME,
	[DHCP_SERVER_IDENTIFIER] = FRAME_OPTION_SERVER,
	[DHCP_CLASSLESS_ROUTE] = FRAME_OPTION_CLASSLESS,
	[DHCP_CLASSLESS_ROUTE_MICROSOFT] = FRAME_OPTION_CLASSLESS_MICROSOFT,
};

/* What bpf_loop() passes on must be on the stack. */
struct walker {
	struct frame_message *message;
	__u64 calf; /* of a request */
};

static __always_inline struct frame_message *message_room(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&frame_message, &zero);
}

static __always_inline __u32 octet(const struct frame_message *message, __u32 at)
{
	asm volatile("" : "+r"(at));
	return message->bytes[at & (FRAME_MESSAGE_BYTES - 1)];
}

/* Return the four octets at this offset in network order. */
static __always_inline __be32 word(const struct frame_message *message, __u32 at)
{
	asm volatile("" : "+r"(at));
	return *(const __be32 *)&message->bytes[at & (FRAME_MESSAGE_BYTES - 1)];
}

/* Add a further part of an option. A global function: verified once. */
__attribute__((noinline)) int option_join(__u32 number, __u32 at, __u32 size)
{
	struct frame_message *message = message_room();
	struct frame_option_value *option;

	if (!message)
		return -1;
	option = &message->options[number & (_FRAME_OPTION_N - 1)];
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < 4; i++) {
		__u32 n = option->n;

		if (i >= size || n >= 4)
			break;
		option->value |= octet(message, at + i) << (24 - 8 * n);
		option->n = n + 1;
	}
	return 0;
}

static __always_inline void option_take(struct frame_message *message, __u32 number, __u32 at,
					__u32 size)
{
	struct frame_option_value *option = &message->options[number & (_FRAME_OPTION_N - 1)];
	__u32 n = (__u32)choose(if_less(size, 4), size, 4);

	if (option->n) {
		(void)option_join(number, at, size);
		return;
	}
	option->value = bpf_ntohl(word(message, at)) & (__u32)(~0ull << 32 >> 8 * n);
	option->n = n;
	option->at = at;
	option->size = size;
}

/* A step of bpf_loop(): one option, or PAD. */
static long option_step(__u32 i, void *data)
{
	struct frame_message *message = ((struct walker *)data)->message;
	struct frame_walk *walk = &message->walk;
	__u32 at = walk->at, code, size, number;

	(void)i;
	if (at >= walk->end)
		return 1;
	code = octet(message, at);
	if (code == DHCP_PAD) {
		walk->at = at + 1;
		return 0;
	}
	if (code == DHCP_END || at + 2 > walk->end)
		return 1;
	size = octet(message, at + 1);
	if (at + 2 + size > walk->end)
		return 1;
	walk->at = at + 2 + size;
	if (code == DHCP_OVERLOAD) {
		__u32 overload = size ? octet(message, at + 2) : 0;

		if (!walk->overload && overload >= 1 &&
		    overload <= (OVERLOAD_FILE | OVERLOAD_SNAME))
			walk->overload = overload;
		return 0;
	}
	number = option_numbers[code & 0xff];
	if (number != FRAME_OPTION_OTHER)
		option_take(message, number, at + 2, size);
	return 0;
}

/* Read the options of one field. Returns its option 52, or 0. A global function,
 * too: each place where bpf_loop() is called verifies the step. */
__attribute__((noinline)) int field_walk(__u32 at, __u32 end)
{
	struct walker walker = { .message = message_room() };

	if (!walker.message)
		return 0;
	walker.message->walk = (struct frame_walk){ .at = at, .end = end };
	bpf_loop(FRAME_MESSAGE_BYTES, option_step, &walker, 0);
	return (int)walker.message->walk.overload;
}

/* Read the options of a reply of `size` octets in frame_message. Returns 0, or a
 * negative number. */
__attribute__((noinline)) int options_walk(__u32 size)
{
	struct frame_message *message = message_room();
	int overload;

	if (!message)
		return -1;
	__builtin_memset(message->options, 0, sizeof(message->options));
	overload = field_walk(MESSAGE_OPTIONS_AT, size);
	if (overload & OVERLOAD_FILE)
		(void)field_walk(MESSAGE_FILE_AT, MESSAGE_COOKIE_AT);
	if (overload & OVERLOAD_SNAME)
		(void)field_walk(MESSAGE_SNAME_AT, MESSAGE_FILE_AT);
	return 0;
}

#endif
