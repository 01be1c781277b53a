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
	__u32 frame_size; /* bytes of the whole frame, linear or not */
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

static __always_inline int is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
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
