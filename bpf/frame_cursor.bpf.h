/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A header cursor: every header is reached through cursor_take(), which
 * compares with the end of the frame and steps over it. Shared by all
 * checks, in XDP and in tc.
 */
#ifndef CALFPEN_BPF_FRAME_CURSOR_BPF_H
#define CALFPEN_BPF_FRAME_CURSOR_BPF_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps/frame_maps.bpf.h"

struct cursor {
	void *at;
	void *end;
	__u32 frame_size; /* bytes of the whole frame, linear or not */
};

/* The next `size` bytes, or NULL. */
static __always_inline void *cursor_take(struct cursor *cursor, __u32 size)
{
	void *header = cursor->at;

	if (header + size > cursor->end)
		return (void *)0;
	cursor->at = header + size;
	return header;
}

static __always_inline int is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* Is the rule's check one for frames of this type? */
static __always_inline int rule_is_for(const struct frame_rule *rule, __be16 protocol)
{
	if (rule->check == FRAME_CHECK_ARP)
		return protocol == bpf_htons(ETH_P_ARP);
	return protocol == bpf_htons(ETH_P_IP);
}

static __always_inline int mac_equal(const __u8 *a, const volatile __u8 *b)
{
	__u32 difference = 0;

#pragma unroll
	for (int i = 0; i < ETH_ALEN; i++)
		difference |= a[i] ^ b[i];
	return !difference;
}

/*
 * Generic cell rate algorithm on one word shared by all CPUs: the frame that
 * loses the compare-and-swap is over the rate too.
 */
static __always_inline int take_rate(__u64 *arrival, __u64 now, __u64 interval, __u64 burst)
{
	__u64 old = *arrival, next = old > now ? old : now;

	if (next - now > burst)
		return 0;
	return __sync_val_compare_and_swap(arrival, old, next + interval) == old;
}

#endif
