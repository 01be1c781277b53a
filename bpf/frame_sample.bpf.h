/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counters, and samples of the counted frames. A flood costs only count(): once
 * a reason is above its rate, the sampler is not asked again before the next
 * tick.
 */
#ifndef CALFPEN_BPF_FRAME_SAMPLE_BPF_H
#define CALFPEN_BPF_FRAME_SAMPLE_BPF_H

#include "bpf/frame_cursor.bpf.h"

/* Count a frame whose reason is not sampled. */
static __always_inline struct frame_counter *count_only(__u32 owner, __u32 reason, __u32 size)
{
	__u32 index = FRAME_COUNTER(owner, reason);
	struct frame_counter *counter = bpf_map_lookup_elem(&frame_counters, &index);

	if (!counter)
		return (void *)0;
	counter->packets++;
	counter->bytes += size;
	return counter;
}

/* Count a frame. Returns whether it must be sampled as well; `like_ours` matters
 * only for reasons before FRAME_SAMPLED_ALL. */
static __always_inline int count(__u32 owner, __u32 reason, __u32 size, __u32 like_ours)
{
	const struct frame_counter *counter = count_only(owner, reason, size);

	return counter && (reason >= FRAME_SAMPLED_ALL || like_ours) &&
	       counter->quiet != bpf_jiffies64();
}

/* Return whether the reason was above the sampler's rate in this tick on this
 * CPU. */
static __always_inline int is_flood(__u32 owner, __u32 reason)
{
	__u32 index = FRAME_COUNTER(owner, reason);
	const struct frame_counter *counter = bpf_map_lookup_elem(&frame_counters, &index);

	return counter && counter->quiet == bpf_jiffies64();
}

/*
 * Claim a slot for this CPU and fill it except for the bytes. Returns its
 * number, or FRAME_SAMPLES_N if there is none. `vlan` is type and TCI of a tag
 * that is not in the bytes. A global function: verified once for all callers;
 * with integer arguments only, since the kernel recognises a program's context
 * here only with BTF of its own.
 */
__attribute__((noinline)) __u32 sample_begin(__u32 owner, __u32 reason, __u32 size, __u32 vlan)
{
	__u32 index = reason - FRAME_SAMPLED_FIRST, counted = FRAME_COUNTER(owner, reason);
	struct frame_sampler *sampler = bpf_map_lookup_elem(&frame_samplers, &index);
	struct frame_counter *counter = bpf_map_lookup_elem(&frame_counters, &counted);
	__u64 now = bpf_ktime_get_boot_ns(), number, version;
	struct frame_sample *sample;

	if (!sampler || !counter)
		return FRAME_SAMPLES_N; /* none */
	if (!take_rate(&sampler->arrival_ns, now, FRAME_SAMPLE_INTERVAL_NS,
		       FRAME_SAMPLE_BURST_NS)) {
		counter->quiet = bpf_jiffies64();
		return FRAME_SAMPLES_N;
	}
	number = __sync_fetch_and_add(&sampler->n_samples, 1) + 1;
	index = FRAME_SAMPLE_SLOT(reason, number);
	sample = bpf_map_lookup_elem(&frame_samples, &index);
	if (!sample)
		return FRAME_SAMPLES_N;
	version = *(volatile __u64 *)&sample->version;
	if ((version & 1) ||
	    __sync_val_compare_and_swap(&sample->version, version, version + 1) != version)
		return FRAME_SAMPLES_N;
	sample->number = number;
	sample->boot_ns = now;
	sample->reason = (__u16)reason;
	sample->owner = (__u16)owner;
	sample->size = size;
	sample->vlan_type = (__u16)(vlan >> 16);
	sample->vlan_tci = (__u16)vlan;
	return index;
}

/* Return a slot for a frame that must be sampled, or NULL. */
static __always_inline struct frame_sample *sample_claim(__u32 owner, __u32 reason, __u32 size,
							 __u32 vlan)
{
	__u32 index = sample_begin(owner, reason, size, vlan);

	return bpf_map_lookup_elem(&frame_samples, &index);
}

/* Return how much of a frame is kept, in a form that the verifier accepts: 1 or
 * more. */
static __always_inline __u32 sample_captured(__u32 size)
{
	__u32 last = (size < FRAME_SAMPLE_BYTES ? size : FRAME_SAMPLE_BYTES) - 1;

	asm volatile("" : "+r"(last));
	return (last & (FRAME_SAMPLE_BYTES - 1)) + 1;
}

/* Release the slot to readers after its bytes were stored. Compare-and-swap is
 * a barrier on every architecture. */
static __always_inline void sample_publish(struct frame_sample *sample, __u32 captured)
{
	__u64 version = sample->version;

	sample->captured = captured;
	__sync_val_compare_and_swap(&sample->version, version, version + 1);
}

#endif
