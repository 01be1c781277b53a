/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a DHCP client may say (RFC 2131, table 5), whatever is in the calf: no field of a
 * relay or a server, no octet outside of the options, only options of a client, one
 * identity, and nothing about addresses of others (maps/frame.h, "the grammar of
 * requests").
 *
 * A request is copied to frame_message and read there, as a reply is. The functions are
 * global: verified once.
 */
#ifndef CALFPEN_BPF_FRAME_GRAMMAR_BPF_H
#define CALFPEN_BPF_FRAME_GRAMMAR_BPF_H

#include "bpf/frame_witness.bpf.h"

const volatile struct frame_grammar grammar[FRAME_CALVES_MAX] = {};

static __always_inline const volatile struct frame_grammar *grammar_of(__u32 calf)
{
	return &grammar[calf & (FRAME_CALVES_MAX - 1)];
}

#define DHCP_DISCOVER 1
#define DHCP_REQUEST 3
#define DHCP_DECLINE 4
#define DHCP_RELEASE 7
#define DHCP_INFORM 8

#define DHCP_REQUESTED_ADDRESS 50
#define DHCP_MESSAGE_SIZE 57
#define DHCP_CLIENT_ID 61
#define DHCP_RAPID_COMMIT 80

#define FLAG_BROADCAST 0x8000
#define REQUEST_AT (ETH_HLEN + sizeof(struct iphdr) + sizeof(struct udphdr))
#define REQUEST_BYTES 1024 /* power of two; at least FRAME_REQUEST_MAX */

/* Offsets in a request as it is copied: what is behind the MAC in chaddr is aligned. */
#define REQUEST_SHIFT 6
#define REQUEST_ZEROS_AT (REQUEST_SHIFT + offsetof(struct bootp, chaddr) + ETH_ALEN)
#define REQUEST_ZEROS (offsetof(struct bootp, cookie) - offsetof(struct bootp, chaddr) - ETH_ALEN)
#define REQUEST_OPTIONS_AT (REQUEST_SHIFT + sizeof(struct bootp))

_Static_assert((REQUEST_SHIFT + 34) % 8 == 0, "chaddr without the MAC is aligned");

/* Numbers by code, as option_numbers. */
static const __u8 request_numbers[256] = {
	[DHCP_MESSAGE_TYPE] = FRAME_REQUEST_TYPE,
	[DHCP_REQUESTED_ADDRESS] = FRAME_REQUEST_ADDRESS,
	[DHCP_SERVER_IDENTIFIER] = FRAME_REQUEST_SERVER,
	[DHCP_MESSAGE_SIZE] = FRAME_REQUEST_SIZE,
	[DHCP_CLIENT_ID] = FRAME_REQUEST_CLIENT_ID,
	[DHCP_RAPID_COMMIT] = FRAME_REQUEST_RAPID_COMMIT,
};

/* The octets that an option must have, and one more; 0: any. By code, too: LLVM would put
 * a table of 8 octets into .rodata.cst8, for which the kernel refuses the BTF. */
static const __u8 request_sizes[256] = {
	[DHCP_MESSAGE_TYPE] = 1 + 1,	  [DHCP_REQUESTED_ADDRESS] = 1 + 4,
	[DHCP_SERVER_IDENTIFIER] = 1 + 4, [DHCP_MESSAGE_SIZE] = 1 + 2,
	[DHCP_RAPID_COMMIT] = 1 + 0,
};

/* Return eight octets of the message; there is room behind the last one. */
static __always_inline __u64 eight(const struct frame_message *message, __u32 at)
{
	asm volatile("" : "+r"(at));
	return *(const __u64 *)&message->bytes[at & (FRAME_MESSAGE_BYTES - 1)];
}

/* A step of bpf_loop(): one option, or END. */
static long request_step(__u32 i, void *data)
{
	const struct walker *walker = data;
	struct frame_message *message = walker->message;
	struct frame_walk *walk = &message->walk;
	__u32 at = walk->at, code, size, number;

	(void)i;
	if (at >= walk->end)
		return 1;
	code = octet(message, at);
	if (code == DHCP_END) {
		walk->is_over = 1;
		walk->at = at + 1;
		return 1;
	}
	size = octet(message, at + 1);
	/* PAD is refused, too: it has a code */
	if (grammar_of(walker->calf)->codes[code & 0xff] == FRAME_CODE_REFUSED ||
	    at + 2 + size > walk->end) {
		walk->is_bad = 1;
		return 1;
	}
	walk->at = at + 2 + size;
	number = request_numbers[code & 0xff] & (_FRAME_OPTION_N - 1);
	if (number != FRAME_REQUEST_OTHER) {
		__u32 expected = request_sizes[code & 0xff];

		walk->is_bad |= message->options[number].at;
		walk->is_bad |= (__u32)(~if_equal(expected, 1 + size) & ~if_equal(expected, 0));
		option_take(message, number, at + 2, size);
	}
	return 0;
}

/* A step of bpf_loop(): eight octets behind END. */
static long rest_step(__u32 i, void *data)
{
	struct frame_message *message = ((struct walker *)data)->message;

	message->walk.rest |= eight(message, message->walk.at + 8 * i);
	return 0;
}

static __always_inline struct frame_identity *identity_room(__u32 calf)
{
	return bpf_map_lookup_elem(&frame_identity, &calf);
}

/* A step of bpf_loop(): keep eight octets of the client identifier and its length. */
static long identity_keep_step(__u32 i, void *data)
{
	const struct walker *walker = data;
	const struct frame_message *message = walker->message;
	struct frame_identity *identity = identity_room(walker->calf);
	__u32 at = 8 * i & (FRAME_CLIENT_ID_SIZE - 8);

	if (!identity)
		return 1;
	*(__u64 *)&identity->bytes[at] =
		eight(message, message->options[FRAME_REQUEST_CLIENT_ID].at - 1 + at);
	return 0;
}

/* A step of bpf_loop(): compare eight octets of the client identifier and its length. */
static long identity_step(__u32 i, void *data)
{
	const struct walker *walker = data;
	struct frame_message *message = walker->message;
	const struct frame_identity *identity = identity_room(walker->calf);
	__u32 at = 8 * i & (FRAME_CLIENT_ID_SIZE - 8);
	__u64 differs, left;

	if (!identity)
		return 1;
	differs = eight(message, message->options[FRAME_REQUEST_CLIENT_ID].at - 1 + at) ^
		  *(const __u64 *)&identity->bytes[at];
	left = identity->size - at;
	if (left < 8)
		differs &= (1ull << (8 * left & 63)) - 1;
	message->walk.rest |= differs;
	return 0;
}

/* Read the options of a calf's request that ends at `end`. Returns FRAME_OUT_ACCEPTED, or
 * the reason to drop it. */
__attribute__((noinline)) int request_walk(__u32 calf, __u32 end)
{
	struct walker walker = { .message = message_room(), .calf = calf };
	struct frame_walk *walk;

	if (!walker.message)
		return FRAME_OUT_MESSAGE;
	walk = &walker.message->walk;
	__builtin_memset(walker.message->options, 0, sizeof(walker.message->options));
	*walk = (struct frame_walk){ .at = REQUEST_OPTIONS_AT, .end = end };
	bpf_loop(FRAME_REQUEST_MAX, request_step, &walker, 0);
	if (walk->is_bad || !walk->is_over || walk->at > walk->end)
		return FRAME_OUT_MESSAGE;
	bpf_loop((walk->end - walk->at + 7) / 8 & (REQUEST_BYTES / 8 - 1), rest_step, &walker, 0);
	return walk->rest ? FRAME_OUT_MESSAGE : FRAME_OUT_ACCEPTED;
}

/* Return whether option 61 of a request that was read, or its absence, is that of the
 * first request, of which it is kept. */
__attribute__((noinline)) int identity_is_ours(__u32 calf)
{
	struct walker walker = { .message = message_room(), .calf = calf };
	struct frame_identity *identity = identity_room(calf);
	const struct frame_option_value *option;
	__u32 state, size;

	if (!walker.message || !identity)
		return 0;
	option = &walker.message->options[FRAME_REQUEST_CLIENT_ID];
	size = option->at ? 1 + option->size : 0;
	state = __sync_val_compare_and_swap(&identity->state, FRAME_IDENTITY_NONE,
					    FRAME_IDENTITY_TAKEN);
	if (state == FRAME_IDENTITY_NONE) {
		identity->size = size;
		bpf_loop((size + 7) / 8 & 63, identity_keep_step, &walker, 0);
		*(volatile __u32 *)&identity->state = FRAME_IDENTITY_KEPT;
		return 1;
	}
	if (state != FRAME_IDENTITY_KEPT || identity->size != size)
		return 0;
	walker.message->walk.rest = 0;
	bpf_loop((size + 7) / 8 & 63, identity_step, &walker, 0);
	return !walker.message->walk.rest;
}

/* Return whether no octet between the MAC and the cookie is used. */
static __always_inline int has_zeros(const struct frame_message *message)
{
	const __u64 *words = (const void *)&message->bytes[REQUEST_ZEROS_AT];
	__u64 all = *(const __u16 *)&words[REQUEST_ZEROS / 8];

#pragma unroll
	for (__u32 i = 0; i < REQUEST_ZEROS / 8; i++)
		all |= words[i];
	return !all;
}

static __always_inline int is_witnessed(__u32 calf, __be32 address)
{
	return calf == FRAME_CALF_HOST && address && witness_find(address) != WITNESS_NONE;
}

/* Check the addresses in a calf's request that was read. Returns as request_walk(). */
__attribute__((noinline)) int request_addresses(__u32 calf, __u32 type, __be32 ciaddr)
{
	const struct frame_message *message = message_room();
	const struct frame_host *host = host_room();
	__be32 requested, leased, other;

	if (!message || !host)
		return FRAME_OUT_MESSAGE;
	requested = bpf_htonl(message->options[FRAME_REQUEST_ADDRESS].value);
	leased = calf == FRAME_CALF_HOST ? *(const volatile __u32 *)&host->address : 0;
	other = calf == FRAME_CALF_HOST ? *(const volatile __u32 *)&host->other : 0;
	switch (type) {
	case DHCP_DISCOVER:
		return ciaddr ? FRAME_OUT_CIADDR : FRAME_OUT_ACCEPTED;
	case DHCP_REQUEST:
		return ciaddr && ciaddr != leased ? FRAME_OUT_CIADDR : FRAME_OUT_ACCEPTED;
	case DHCP_INFORM:
		return ciaddr && (ciaddr == leased || ciaddr == other) ? FRAME_OUT_ACCEPTED :
									 FRAME_OUT_CIADDR;
	case DHCP_DECLINE:
		if (ciaddr)
			return FRAME_OUT_CIADDR;
		return is_witnessed(calf, requested) ? FRAME_OUT_ACCEPTED : FRAME_OUT_NOT_WITNESSED;
	case DHCP_RELEASE:
		if (ciaddr != leased)
			return FRAME_OUT_CIADDR;
		return is_witnessed(calf, ciaddr) ? FRAME_OUT_ACCEPTED : FRAME_OUT_NOT_WITNESSED;
	default:
		return FRAME_OUT_MESSAGE;
	}
}

/* Check a request whose headers and lengths are right. Returns as request_walk(). */
__attribute__((noinline)) int request_check(struct __sk_buff *skb, __u32 calf)
{
	struct frame_message *message = message_room();
	__u32 size = skb->len - REQUEST_AT, last = size - 1, end;
	const struct bootp *bootp;
	int reason;

	if (!message || size > grammar_of(calf)->max_size || size < sizeof(*bootp))
		return FRAME_OUT_TOO_LONG;
	/* within the bounds, in a form that Linux 6.1 accepts */
	asm volatile("" : "+r"(last));
	last &= REQUEST_BYTES - 1;
	if (bpf_skb_load_bytes(skb, REQUEST_AT, message->bytes + REQUEST_SHIFT, last + 1))
		return FRAME_OUT_TRUNCATED;
	/* so that the last words have nothing of another message */
	end = REQUEST_SHIFT + last + 1;
	*(__u64 *)&message->bytes[end & (FRAME_MESSAGE_BYTES - 1)] = 0;
	bootp = (const void *)&message->bytes[REQUEST_SHIFT];
	if ((bootp->hops | bootp->yiaddr | bootp->siaddr | bootp->giaddr |
	     (bootp->flags & ~bpf_htons(FLAG_BROADCAST))) ||
	    !has_zeros(message))
		return FRAME_OUT_RELAY;
	if (octet(message, REQUEST_OPTIONS_AT) != DHCP_MESSAGE_TYPE)
		return FRAME_OUT_MESSAGE;
	reason = request_walk(calf, end);
	if (reason != FRAME_OUT_ACCEPTED)
		return reason;
	reason = request_addresses(calf, message->options[FRAME_REQUEST_TYPE].value >> 24,
				   bootp->ciaddr);
	if (reason != FRAME_OUT_ACCEPTED)
		return reason;
	return identity_is_ours(calf) ? FRAME_OUT_ACCEPTED : FRAME_OUT_CLIENT_ID;
}

/*
 * Return whether the transaction of a request that was read is open, or may begin. To
 * DECLINE or to RELEASE is always a new one: with them the next address can be had. To
 * renew the applied address never is: the shortest leases are renewed more often than
 * transactions are saved up, and nothing is gained by it.
 */
__attribute__((noinline)) int transaction_take(__be32 xid, __be32 ciaddr, __u32 index, __u64 now)
{
	const struct frame_message *message = message_room();
	__u32 calf = FRAME_RULE_CALF(index), type;
	const struct frame_xid *slot = xid_slot(calf, xid);
	struct frame_bucket *bucket = bpf_map_lookup_elem(&frame_buckets, &index);

	if (!message || !bucket)
		return 0;
	type = message->options[FRAME_REQUEST_TYPE].value >> 24;
	if (type == DHCP_REQUEST && ciaddr)
		return 1;
	if (type != DHCP_DECLINE && type != DHCP_RELEASE && slot && slot->xid == xid &&
	    slot->expires_ns > now)
		return 1;
	return take_rate(&bucket->transaction_ns, now, grammar_of(calf)->transaction_interval_ns,
			 grammar_of(calf)->transaction_burst_ns);
}

/* Write the IP header of a frame that is sent: no field of it is the calf's. A global
 * function, because there are many ways to the place where it is called. */
__attribute__((noinline)) int ip_write(struct __sk_buff *skb)
{
	struct iphdr *ip = (void *)(long)skb->data + ETH_HLEN;
	__u32 sum;

	if ((void *)(ip + 1) > (void *)(long)skb->data_end)
		return -1;
	ip->tos = 0;
	ip->id = 0;
	ip->frag_off = 0;
	ip->ttl = 64;
	sum = bpf_htons(0x4500) + ip->tot_len + bpf_htons(64 << 8 | IPPROTO_UDP) +
	      (ip->saddr & 0xffff) + (ip->saddr >> 16) + (ip->daddr & 0xffff) + (ip->daddr >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = (__u16)~sum;
	return 0;
}

#endif
