/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A header cursor: every header is read through cursor_take(), which compares
 * with the end of the frame and steps over the header. Used by all checks, in
 * XDP and in tc.
 */
#ifndef CALFPEN_BPF_FRAME_CURSOR_BPF_H
#define CALFPEN_BPF_FRAME_CURSOR_BPF_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/rate.bpf.h"
#include "maps/frame_maps.bpf.h"

struct cursor {
	void *at;
	void *end;
	__u32 frame_size; /* bytes of the whole frame, linear or not, without priority tags */
	__u32 tags_size;  /* bytes of priority tags behind the MAC addresses */
	__u32 like_ours;  /* the frame passes to the host, but looks like a reply to the calf */
	__u32 owner;	  /* maps/frame.h, "several calves" */
};

/* Return the next `size` bytes and step over them, or NULL. */
static __always_inline void *cursor_take(struct cursor *cursor, __u32 size)
{
	void *header = cursor->at;

	if (header + size > cursor->end)
		return (void *)0;
	__builtin_assume(header != (void *)0); /* so the caller need not compare */
	cursor->at = header + size;
	return header;
}

/* One load: the kernel's struct is packed, which means a load for each
 * octet. */
static __always_inline __be16 ether_type(const struct ethhdr *eth)
{
	return *(const __be16 *)(const void *)&eth->h_proto;
}

static __always_inline int is_vlan(__u32 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

struct vlan_tag {
	__be16 tci, type;
};

#define VLAN_ID 0x0fff
#define PRIORITY_TAGS_SIZE (FRAME_PRIORITY_TAGS_MAX * sizeof(struct vlan_tag))

/*
 * Return the size of the tags between `from` and the cursor. The verifier does
 * not know the difference of two pointers, so that from here on it explores the
 * program once, and not once for each number of tags.
 */
static __always_inline __u32 tags_size(struct cursor *cursor, void *from)
{
	__u32 size = cursor->at - from;

	asm volatile("" : "+r"(size));
	size &= PRIORITY_TAGS_SIZE | sizeof(struct vlan_tag);
	cursor->at = from + size;
	return size;
}

/*
 * Step over the priority tags behind the Ethernet header: a tag with VLAN id 0
 * gives a priority and no VLAN (IEEE 802.1Q), so the host's stack, too, takes
 * the frame as untagged. Returns the frame's type in network order; that of a
 * tag if the frame belongs to a VLAN, or has too many tags.
 */
static __always_inline __u32 priority_tags_take(struct cursor *cursor, struct ethhdr *eth)
{
	__u32 type = ether_type(eth);

#pragma unroll
	for (int i = 0; i < FRAME_PRIORITY_TAGS_MAX && is_vlan(type); i++) {
		const struct vlan_tag *tag = cursor->at;

		if ((void *)(tag + 1) > cursor->end || (tag->tci & bpf_htons(VLAN_ID)))
			break;
		cursor->at = (void *)(tag + 1);
		type = tag->type;
	}
	cursor->tags_size = tags_size(cursor, eth + 1);
	cursor->frame_size -= cursor->tags_size;
	/* so that it is not cut to 16 bits at each comparison */
	asm volatile("" : "+r"(type));
	return type;
}

/*
 * Comparisons that give all bits or none. Without a branch, because the verifier
 * would explore both sides of each.
 */
static __always_inline __u64 if_less(__u64 a, __u64 b) /* both below 2^63 */
{
	__u64 all = (__u64)((__s64)(a - b) >> 63);

	asm volatile("" : "+r"(all));
	return all;
}

static __always_inline __u64 if_equal(__u32 a, __u32 b)
{
	return if_less(a ^ b, 1);
}

static __always_inline __u64 choose(__u64 condition, __u64 yes, __u64 no)
{
	return no ^ ((no ^ yes) & condition);
}

/* Return whether the rule's check is for frames of this type. */
static __always_inline int rule_is_for(const struct frame_rule *rule, __be16 protocol)
{
	if (rule->check == FRAME_CHECK_ARP)
		return protocol == bpf_htons(ETH_P_ARP);
	return protocol == bpf_htons(ETH_P_IP);
}

/* Compare MAC addresses, which are always at an even offset. */
static __always_inline int mac_equal(const __u8 *a, const volatile __u8 *b)
{
	const __u16 *x = (const void *)a;
	const volatile __u16 *y = (const volatile void *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

/* Return whether the rate of this rule, number `index`, allows one more frame
 * to the calf. */
static __always_inline int take_ingress(const struct frame_rule *rule, __u32 index, __u64 now)
{
	struct frame_bucket *bucket = bpf_map_lookup_elem(&frame_buckets, &index);

	return bucket && take_rate(&bucket->ingress_ns, now, rule->ingress_interval_ns,
				   rule->ingress_burst_ns);
}

#endif
