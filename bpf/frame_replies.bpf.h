/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Copies of replies. Each reply is let in once for each request that left with
 * its xid: what is the same bit by bit says nothing new, and takes nothing from
 * the rate. Compared are digests, the upper half of the sum of all words, each
 * times a random number of its own (multilinear hashing, Carter and Wegman):
 * who does not know the numbers makes a frame with the digest of another one
 * in one of 2^32 tries, and never learns whether he has.
 */
#ifndef CALFPEN_BPF_FRAME_REPLIES_BPF_H
#define CALFPEN_BPF_FRAME_REPLIES_BPF_H

#include "bpf/frame_dhcp4.bpf.h"

#define REPLY_WORDS (FRAME_REPLY_BYTES / 4)
#define REPLY_STEPS (REPLY_WORDS / FRAME_REPLY_STEP)
#define IP_SADDR 3 /* words of the IP header */
#define IP_DADDR 4

/* Frozen .rodata, random in each life. */
const volatile __u64 reply_keys[FRAME_REPLY_KEYS] = {};

struct digest {
	__u64 sum;
	__u32 at; /* the first word */
};

static __always_inline struct frame_reply *reply_room(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&frame_reply, &zero);
}

static int digest_next(__u32 i, struct digest *d)
{
	const struct frame_reply *reply = reply_room();
	const volatile __u64 *keys = &reply_keys[4 + (i & (REPLY_STEPS - 1)) * FRAME_REPLY_STEP];
	const __u32 *words;
	__u64 sum = 0;

	if (!reply)
		return 1;
	words = &reply->words[(d->at + i * FRAME_REPLY_STEP) & (REPLY_WORDS - 1)];
#pragma unroll
	for (int j = 0; j < FRAME_REPLY_STEP; j++)
		sum += keys[j] * words[j];
	d->sum += sum;
	return 0;
}

/*
 * Of the `size` octets of an IPv4 packet that are in frame_reply, by all that
 * makes it valid or not but the header's own checksum: addresses, length of
 * the header, the datagram with its checksum. 0: none, for that checksum is
 * wrong, so the calf will not take it. A global function: verified once.
 */
__attribute__((noinline)) __u32 reply_digest(__u32 size, __u32 header_size)
{
	struct frame_reply *reply = reply_room();
	struct digest d = { .sum = reply_keys[0], .at = header_size / 4 };
	__u32 n_words = size / 4 + 1 - header_size / 4, sum;

	if (!reply || header_size < sizeof(struct iphdr) || header_size > 60)
		return 0;
	sum = (__u32)bpf_csum_diff((void *)0, 0, reply->words, header_size & 0x3c, 0);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	if (sum != 0xffff)
		return 0;
	d.sum += reply_keys[1] * reply->words[IP_SADDR] + reply_keys[2] * reply->words[IP_DADDR] +
		 reply_keys[3] * (size << 8 | header_size);
	bpf_loop((n_words + FRAME_REPLY_STEP - 1) / FRAME_REPLY_STEP, digest_next, &d, 0);
	sum = (__u32)(d.sum >> 32);
	return sum ? sum : 1;
}

/* Octets of the packet, or 0 if they do not fit; the zeros behind them are in
 * frame_reply already. */
static __always_inline __u32 reply_size(const struct dhcp4_frame *frame, struct frame_reply *reply)
{
	__u32 size = frame->options_at - sizeof(struct bootp) - sizeof(struct udphdr) - ETH_HLEN +
		     bpf_ntohs(frame->udp->len);
	__u32 *words;

	if (size >= FRAME_REPLY_BYTES)
		return 0;
	words = &reply->words[(size / 4) & (REPLY_WORDS - 1)];
#pragma unroll
	for (int i = 0; i < FRAME_REPLY_STEP; i++)
		words[i] = 0;
	return size;
}

/* The same as Linux 6.1 believes it: 1 or more. */
static __always_inline __u32 reply_loaded(__u32 size)
{
	__u32 last = size - 1;

	asm volatile("" : "+r"(last));
	return (last & (FRAME_REPLY_BYTES - 1)) + 1;
}

/*
 * FRAME_IN_ACCEPTED, FRAME_IN_REPLAYED or FRAME_IN_RATE; `digest` 0: it cannot
 * be told, which the rate of rule `index` alone bounds. A global function, too.
 */
__attribute__((noinline)) __u32 reply_admit(__be32 xid, __u32 index, __u32 digest)
{
	struct frame_xid *seen = xid_slot(xid);
	struct frame_rule *rule;

	if (!seen)
		return FRAME_IN_UNKNOWN_XID;
#pragma unroll
	for (int i = 0; i < FRAME_REPLIES_MAX; i++)
		if (digest && seen->replies[i] == digest)
			return FRAME_IN_REPLAYED;
	rule = bpf_map_lookup_elem(&frame_rules, &index);
	if (!rule || !take_ingress(rule, index))
		return FRAME_IN_RATE;
	if (digest)
		seen->replies[__sync_fetch_and_add(&seen->n_replies, 1) & (FRAME_REPLIES_MAX - 1)] =
			digest;
	return FRAME_IN_ACCEPTED;
}

#endif
