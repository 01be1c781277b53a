/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Copies of replies. Each reply is admitted once for each request that was sent
 * with its xid: an identical reply has no new information, and does not count
 * against the rate. An admitted reply is kept completely, with a short
 * signature next to its request. Only a reply with the same signature is
 * compared, and only one that is equal, octet by octet, is a copy. So no
 * attacker can cause a server's reply to be treated as a copy.
 *
 * A kept reply is written by one CPU at a time and may be overwritten while
 * another CPU compares: its version shows that, and then the compared reply is
 * not a copy.
 */
#ifndef CALFPEN_BPF_FRAME_REPLIES_BPF_H
#define CALFPEN_BPF_FRAME_REPLIES_BPF_H

#include "bpf/frame_dhcp4.bpf.h"

/* What identifies a reply, whichever relay or bridge forwarded it, begins here
 * in the IP header: both addresses, and the datagram with its checksum. */
#define REPLY_AT offsetof(struct iphdr, saddr)
#define REPLY_BLOCK 8 /* words that are compared at a time, power of two */

/* bpf_skb_load_bytes() or bpf_xdp_load_bytes() for the program's context. */
typedef long (*reply_load)(void *context, __u32 from, void *to, __u32 size);

static __always_inline __u32 reply_size(const struct dhcp4_frame *frame)
{
	return 2 * sizeof(__be32) + bpf_ntohs(frame->udp->len);
}

/*
 * Return 0 if copies of the reply cannot be recognised, so that only the rate
 * limits them: it does not fit; it has IP options; or its IP checksum is wrong,
 * so that the calf, too, uses the server's reply instead.
 */
static __always_inline __u32 reply_signature(const struct dhcp4_frame *frame)
{
	const __be32 *words = (const void *)frame->ip;
	__u64 sum = (__u64)words[0] + words[1] + words[2] + words[3] + words[4];
	__u32 signature = frame->ip->saddr ^ (frame->udp->check | (__u32)frame->udp->len << 16);

	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	if (frame->ip->ihl != 5 || sum != 0xffff || reply_size(frame) > FRAME_REPLY_BYTES)
		return 0;
	return signature ? signature : 1;
}

/* Copy the reply to `words`, with zeros up to a complete block. Returns 0 if
 * that failed. */
static __always_inline __u32 reply_copy(void *context, reply_load load, __u64 *words,
					const struct dhcp4_frame *frame)
{
	__u32 size = reply_size(frame), last = size - 1;

	/* within the bounds, in a form that Linux 6.1 accepts */
	asm volatile("" : "+r"(last));
	last &= FRAME_REPLY_BYTES - 1;
	__builtin_memset(&words[last / 8 & ~(REPLY_BLOCK - 1u)], 0, REPLY_BLOCK * sizeof(*words));
	return load(context, frame->ip_at + REPLY_AT, words, last + 1) ? 0 : size;
}

static __always_inline struct frame_reply *reply_room(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&frame_reply, &zero);
}

/* Read with a full barrier. */
static __always_inline __u64 reply_version(struct frame_reply *reply)
{
	return __sync_fetch_and_add(&reply->version, 0);
}

/* Return the first of the FRAME_REPLIES_MAX replies kept for a calf's xids of this
 * slot. */
static __always_inline __u32 reply_first(__u32 calf, __be32 xid)
{
	return calf * FRAME_REPLIES_KEPT +
	       (bpf_ntohl(xid) * FRAME_REPLIES_MAX & (FRAME_REPLIES_KEPT - 1));
}

/*
 * Return whether the reply in frame_reply is equal, octet by octet, to the kept
 * reply number `index` for the request that has this expiry. A global function:
 * verified once.
 */
__attribute__((noinline)) int reply_is(__u32 index, __u64 expires_ns)
{
	const struct frame_reply *reply = reply_room();
	struct frame_reply *kept = bpf_map_lookup_elem(&frame_replies, &index);
	__u64 version;

	if (!reply || !kept)
		return 0;
	version = reply_version(kept);
	if ((version & 1) || kept->expires_ns != expires_ns || kept->size != reply->size)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FRAME_REPLY_BYTES / 8 && i * 8 < reply->size; i += REPLY_BLOCK) {
		__u64 differs = 0;

#pragma unroll
		for (int j = 0; j < REPLY_BLOCK; j++)
			differs |= reply->words[i + j] ^ kept->words[i + j];
		if (differs)
			return 0;
	}
	return reply_version(kept) == version;
}

/* Return whether the reply is a copy of any kept reply with this signature. A
 * global function, too. */
__attribute__((noinline)) int reply_is_kept(__u32 calf, __be32 xid, __u32 signature,
					    __u64 expires_ns)
{
	const struct frame_xid *seen = xid_slot(calf, xid);

	if (!seen)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FRAME_REPLIES_MAX; i++)
		if (seen->replies[i] == signature &&
		    reply_is(reply_first(calf, xid) + i, expires_ns))
			return 1;
	return 0;
}

static __always_inline void reply_keep(void *context, reply_load load,
				       const struct dhcp4_frame *frame, __u32 signature)
{
	__u32 i = __sync_fetch_and_add(&frame->seen->n_replies, 1) & (FRAME_REPLIES_MAX - 1);
	__u32 index = reply_first(frame->calf, frame->bootp->xid) + i;
	struct frame_reply *kept = bpf_map_lookup_elem(&frame_replies, &index);
	__u64 version;

	if (!kept)
		return;
	version = *(volatile __u64 *)&kept->version;
	if ((version & 1) ||
	    __sync_val_compare_and_swap(&kept->version, version, version + 1) != version)
		return;
	kept->expires_ns = frame->expires_ns;
	kept->size = reply_copy(context, load, kept->words, frame);
	__sync_fetch_and_add(&kept->version, 1);
	frame->seen->replies[i] = signature;
}

static __always_inline int reply_is_copy(void *context, reply_load load,
					 const struct dhcp4_frame *frame, __u32 signature)
{
	struct frame_reply *reply = reply_room();

	if (!reply)
		return 0;
	reply->size = reply_copy(context, load, reply->words, frame);
	return reply->size &&
	       reply_is_kept(frame->calf, frame->bootp->xid, signature, frame->expires_ns);
}

/* Decide about a reply that the rules admit: FRAME_IN_ACCEPTED,
 * FRAME_IN_REPLAYED or FRAME_IN_RATE. */
static __always_inline __u32 reply_admit(void *context, reply_load load,
					 const struct dhcp4_frame *frame)
{
	__u32 signature = reply_signature(frame);
	__u64 borrowed = 0;

	/* Without a branch, because the verifier would explore both sides of
	 * each. */
#pragma unroll
	for (int i = 0; i < FRAME_REPLIES_MAX; i++)
		borrowed |= (__u64)(frame->seen->replies[i] ^ signature) - 1;
	if (signature && borrowed >> 63 && reply_is_copy(context, load, frame, signature))
		return FRAME_IN_REPLAYED;
	if (!take_ingress(frame->rule, frame->index, frame->now_ns))
		return FRAME_IN_RATE;
	if (signature)
		reply_keep(context, load, frame, signature);
	return FRAME_IN_ACCEPTED;
}

#endif
