/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Copies of replies. Each reply is let in once for each request that left with
 * its xid: what is the same bit by bit says nothing new, and takes nothing from
 * the rate. Compared are digests (HalfSipHash-1-3) by a key of this life: who
 * does not know it cannot make a frame for which a server's reply is taken.
 */
#ifndef CALFPEN_BPF_FRAME_REPLIES_BPF_H
#define CALFPEN_BPF_FRAME_REPLIES_BPF_H

#include "bpf/frame_dhcp4.bpf.h"

#define REPLY_WORDS (FRAME_REPLY_BYTES / 4)
#define IP_SADDR 3 /* words of the IP header */
#define IP_DADDR 4

struct digest {
	__u32 v0, v1, v2, v3;
	__u32 at; /* the first word */
};

static __always_inline __u32 rotate(__u32 value, __u32 bits)
{
	return value << bits | value >> (32 - bits);
}

static __always_inline void digest_round(struct digest *d)
{
	d->v0 += d->v1;
	d->v1 = rotate(d->v1, 5) ^ d->v0;
	d->v0 = rotate(d->v0, 16);
	d->v2 += d->v3;
	d->v3 = rotate(d->v3, 8) ^ d->v2;
	d->v0 += d->v3;
	d->v3 = rotate(d->v3, 7) ^ d->v0;
	d->v2 += d->v1;
	d->v1 = rotate(d->v1, 13) ^ d->v2;
	d->v2 = rotate(d->v2, 16);
}

static __always_inline void digest_add(struct digest *d, __u32 word)
{
	d->v3 ^= word;
	digest_round(d);
	d->v0 ^= word;
}

static __always_inline struct frame_reply *reply_room(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&frame_reply, &zero);
}

static int digest_next(__u32 i, struct digest *d)
{
	const struct frame_reply *reply = reply_room();

	const __u32 *words;

	if (!reply)
		return 1;
	words = &reply->words[(d->at + i * FRAME_REPLY_STEP) & (REPLY_WORDS - 1)];
#pragma unroll
	for (int j = 0; j < FRAME_REPLY_STEP; j++)
		digest_add(d, words[j]);
	return 0;
}

/*
 * Of the `size` octets of an IPv4 packet that are in frame_reply, by all that
 * makes it valid or not but the header's own checksum: addresses, length of
 * the header, the datagram with its checksum. 0: none, for that checksum is
 * wrong, so the calf will not take it. A global function: verified once.
 */
__attribute__((noinline)) __u32 reply_digest(__u32 size, __u32 header_size, __u32 key0, __u32 key1)
{
	struct frame_reply *reply = reply_room();
	struct digest d = { key0, key1, 0x6c796765 ^ key0, 0x74656462 ^ key1, header_size / 4 };
	__u32 n_words = size / 4 + 1 - header_size / 4, sum;

	if (!reply || header_size < sizeof(struct iphdr) || header_size > 60)
		return 0;
	sum = (__u32)bpf_csum_diff((void *)0, 0, reply->words, header_size & 0x3c, 0);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	if (sum != 0xffff)
		return 0;
	digest_add(&d, reply->words[IP_SADDR]);
	digest_add(&d, reply->words[IP_DADDR]);
	digest_add(&d, size << 8 | header_size);
	bpf_loop((n_words + FRAME_REPLY_STEP - 1) / FRAME_REPLY_STEP, digest_next, &d, 0);
	d.v2 ^= 0xff;
	digest_round(&d);
	digest_round(&d);
	digest_round(&d);
	d.v1 ^= d.v3;
	return d.v1 ? d.v1 : 1;
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
