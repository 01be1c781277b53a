/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel as witness: each DHCPACK that goes to the calf is recorded, so that
 * the watcher need not believe the calf (maps/frame.h, "the witness").
 *
 * An attacker who sees our requests can send ACKs, too. Therefore an ACK that
 * says something else about an address makes another record and changes none, and
 * the records of the address in use are replaced last.
 */
#ifndef CALFPEN_BPF_FRAME_WITNESS_BPF_H
#define CALFPEN_BPF_FRAME_WITNESS_BPF_H

#include "bpf/frame_leased.bpf.h"
#include "bpf/frame_options.bpf.h"
#include "bpf/frame_replies.bpf.h"

#define DHCP_ACK 5
#define WITNESS_NONE 0xff     /* instead of the number of a slot */
#define WITNESS_IN_USE_BIT 62 /* of the order: replaced last */
#define WITNESS_TRIES 2	      /* slots that other CPUs may be writing */

#define SAID(name) (1u << FRAME_OPTION_##name)
#define SAID_ANY_ROUTER (SAID(ROUTER) | SAID(CLASSLESS) | SAID(CLASSLESS_MICROSOFT))

static __always_inline struct frame_witness *witness_room(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&frame_witness, &zero);
}

/* The time of a record, 16 ns exactly, and its number: what is compared to find the
 * newest or oldest one. */
static __always_inline __u64 witness_order(const struct frame_witnessed *slot, __u64 number)
{
	return (slot->ack_ns & ~(FRAME_WITNESSED_MAX - 1ull)) | number;
}

/* Return the number of the newest record of the address, WITNESS_NONE if there is
 * none. A global function: verified once. */
__attribute__((noinline)) int witness_find(__be32 address)
{
	struct frame_witness *witness = witness_room();
	__u64 newest = 0;

	if (!witness)
		return WITNESS_NONE;
#pragma clang loop unroll(disable)
	for (__u64 i = 0; i < FRAME_WITNESSED_MAX; i++) {
		const struct frame_witnessed *slot = &witness->slot[i];
		__u64 order = witness_order(slot, i) & if_equal(slot->address, address);

		newest = choose(if_less(newest, order), order, newest);
	}
	return newest ? (int)(newest & (FRAME_WITNESSED_MAX - 1)) : WITNESS_NONE;
}

/* Return whether a server gave the address just now: the calf has it, and the watcher is
 * about to apply it. A global function, too. */
__attribute__((noinline)) int witness_is_fresh(__be32 address, __u64 now)
{
	const struct frame_witness *witness = witness_room();
	__u32 number = address ? (__u32)witness_find(address) : WITNESS_NONE;

	if (!witness || number >= FRAME_WITNESSED_MAX)
		return 0;
	return witness->slot[number].ack_ns + FRAME_FRESH_NS > now;
}

/* Choose the slot of a new record: the oldest one, but one of the address in use only
 * if there are no others. A global function, too. */
__attribute__((noinline)) int witness_replaced(void)
{
	struct frame_witness *witness = witness_room();
	__be32 leased = leased_address(FRAME_CALF_HOST);
	__u64 oldest = ~0ull >> 1;

	if (!witness)
		return 0;
	if (!leased) /* not the address of an empty slot */
		leased = ~0u;
#pragma clang loop unroll(disable)
	for (__u64 i = 0; i < FRAME_WITNESSED_MAX; i++) {
		const struct frame_witnessed *slot = &witness->slot[i];
		__u64 order = witness_order(slot, i) |
			      (if_equal(slot->address, leased) >> 63 << WITNESS_IN_USE_BIT);

		oldest = choose(if_less(order, oldest), order, oldest);
	}
	return (int)(oldest & (FRAME_WITNESSED_MAX - 1));
}

/* Make the record of an ACK from the options that were read. Returns 0, or -1 if
 * the message is not an ACK. A global function, too. */
__attribute__((noinline)) int witness_make(__be32 address, __u64 request_ns, __u64 now)
{
	struct frame_message *message = message_room();
	const struct frame_option_value *options, *router;
	struct frame_witnessed *made;
	__u32 said = 0, hosts;

	if (!message)
		return -1;
	options = message->options;
	if (!options[FRAME_OPTION_TYPE].n || options[FRAME_OPTION_TYPE].value >> 24 != DHCP_ACK)
		return -1;
#pragma unroll
	for (int i = 0; i < _FRAME_OPTION_N; i++) /* n is at most 4 */
		said |= (options[i].n >> 2 & 1) << i;
	/* What is no mask or no time counts as left out, for the calf, too. */
	hosts = ~options[FRAME_OPTION_MASK].value;
	said &= ~(__u32)((~if_equal(hosts & (hosts + 1), 0) | if_equal(hosts, ~0u)) & SAID(MASK));
	said &= ~(__u32)(if_equal(options[FRAME_OPTION_TIME].value, 0) & SAID(TIME));
	made = &message->witnessed;
	made->request_ns = request_ns;
	made->ack_ns = now;
	made->address = address;
	made->mask = bpf_htonl(options[FRAME_OPTION_MASK].value);
	made->server = bpf_htonl(options[FRAME_OPTION_SERVER].value);
	made->time_s = options[FRAME_OPTION_TIME].value;
	router = &options[FRAME_OPTION_ROUTER];
	__builtin_memset(made->routers, 0, sizeof(made->routers));
	made->routers[0] = bpf_htonl(router->value);
	/* hardly ever */
#pragma clang loop unroll(disable)
	for (__u32 i = 1; i < FRAME_WITNESSED_ROUTERS_MAX && router->size >= 4 * (i + 1); i++)
		made->routers[i] = word(message, router->at + 4 * i);
	made->said = said & ~SAID(TYPE);
	made->kept = 0;
	return 0;
}

/*
 * An ACK to a renewal may leave out what did not change: keep the values of the
 * record before. Returns 1 if that says the same, otherwise 0. A global function,
 * too.
 */
__attribute__((noinline)) int witness_keep(__u32 number)
{
	struct frame_message *message = message_room();
	struct frame_witness *witness = witness_room();
	const struct frame_witnessed *before;
	struct frame_witnessed *made;
	__u64 version, mask, server, time, router;
	__u32 missing, differs;

	if (!message || !witness || number >= FRAME_WITNESSED_MAX)
		return 0;
	made = &message->witnessed;
	before = &witness->slot[number];
	version = *(volatile __u64 *)&before->version;
	missing = ~made->said & (before->said | before->kept);
	/* routes of option 121 stay only if there is no other router */
	missing &= ~(__u32)(~if_equal(made->said & SAID_ANY_ROUTER, 0) &
			    (SAID(CLASSLESS) | SAID(CLASSLESS_MICROSOFT)));
	mask = ~if_equal(missing & SAID(MASK), 0);
	server = ~if_equal(missing & SAID(SERVER), 0);
	time = ~if_equal(missing & SAID(TIME), 0);
	router = ~if_equal(missing & SAID(ROUTER), 0);
	made->kept = missing;
	made->mask = choose(mask, before->mask, made->mask);
	made->server = choose(server, before->server, made->server);
	made->time_s = choose(time, before->time_s, made->time_s);
	differs = (made->mask ^ before->mask) | (made->server ^ before->server) |
		  (made->time_s ^ before->time_s) | (made->said ^ before->said) |
		  (made->kept ^ before->kept);
#pragma unroll
	for (int i = 0; i < FRAME_WITNESSED_ROUTERS_MAX; i++) {
		made->routers[i] = choose(router, before->routers[i], made->routers[i]);
		differs |= made->routers[i] ^ before->routers[i];
	}
	/* it was replaced meanwhile: it may be another address's */
	if ((version & 1) || *(volatile __u64 *)&before->version != version) {
		made->kept = 0;
		return 0;
	}
	return !differs;
}

/* Write the record that was made to this slot, or to the next one that no other
 * CPU is writing. A global function, too. */
__attribute__((noinline)) int witness_write(__u32 number)
{
	struct frame_message *message = message_room();
	struct frame_witness *witness = witness_room();
	const struct frame_witnessed *made;

	if (!message || !witness)
		return -1;
	made = &message->witnessed;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < WITNESS_TRIES; i++) {
		__u32 at = number + i;
		struct frame_witnessed *slot;
		__u64 version;

		asm volatile("" : "+r"(at));
		slot = &witness->slot[at & (FRAME_WITNESSED_MAX - 1)];
		version = *(volatile __u64 *)&slot->version;
		if ((version & 1) ||
		    __sync_val_compare_and_swap(&slot->version, version, version + 1) != version)
			continue;
		__builtin_memcpy(&slot->request_ns, &made->request_ns,
				 sizeof(*slot) - sizeof(slot->version));
		__sync_fetch_and_add(&slot->version, 1);
		return 0;
	}
	return -1;
}

/*
 * Read the options of a reply that goes to the calf: a renewal is sent to the server
 * in option 54 (RFC 2131 4.4.5), which is not the sender of the frame if that is a
 * relay; and an ACK for an address is recorded if it is for the host's calf.
 */
static __always_inline void reply_read_options(void *context, reply_load load,
					       const struct dhcp4_frame *frame)
{
	__u32 size =
		bpf_ntohs(frame->udp->len) - sizeof(struct udphdr) - offsetof(struct bootp, sname);
	struct frame_message *message = message_room();
	__be32 address = frame->bootp->yiaddr;
	__u32 last = size - 1, newest;

	if (!message || size > FRAME_MESSAGE_BYTES)
		return;
	/* within the bounds, in a form that Linux 6.1 accepts */
	asm volatile("" : "+r"(last));
	last &= FRAME_MESSAGE_BYTES - 1;
	if (load(context, frame->options_at - MESSAGE_OPTIONS_AT, message->bytes, last + 1) ||
	    options_walk(last + 1))
		return;
	if (message->options[FRAME_OPTION_SERVER].n == sizeof(__be32))
		peers_add(frame->calf, bpf_htonl(message->options[FRAME_OPTION_SERVER].value));
	if (!address || frame->calf != FRAME_CALF_HOST ||
	    witness_make(address, frame->expires_ns - FRAME_XID_LIFETIME_NS, frame->now_ns))
		return;
	newest = (__u32)witness_find(address);
	(void)witness_write(witness_keep(newest) ? newest : (__u32)witness_replaced());
}

#endif
