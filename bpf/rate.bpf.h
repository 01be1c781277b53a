/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The rate limit of requests, of bytes of the audit log, of frames and of samples. */
#ifndef CALFPEN_BPF_RATE_BPF_H
#define CALFPEN_BPF_RATE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/*
 * Generic cell rate algorithm (ITU-T I.371): an event costs `cost` nanoseconds
 * (the interval between two events; or, for a bucket of bytes, the time of a byte
 * for each of its bytes), of which `burst` may be owed before it. `*arrival` is the
 * theoretical arrival time of the next one, one word that all CPUs may share: an
 * event that loses the compare-and-swap is over the rate, too. Returns 1 if the
 * event is within the rate, else 0.
 */
static __always_inline int take_rate(__u64 *arrival, __u64 now, __u64 cost, __u64 burst)
{
	__u64 old = *arrival, next = old > now ? old : now;

	if (next - now > burst)
		return 0;
	return __sync_val_compare_and_swap(arrival, old, next + cost) == old;
}

#endif
