/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Quarantine: until there is a lease, nothing reaches the host but ARP. What
 * the rules give to the calf is not touched. Where none is configured the
 * verifier removes all of it.
 */
#ifndef CALFPEN_BPF_FRAME_QUARANTINE_BPF_H
#define CALFPEN_BPF_FRAME_QUARANTINE_BPF_H

#include "bpf/frame_cursor.bpf.h"
#include "maps/kv_store_maps.bpf.h"

/*
 * Has the watcher set a leased address? /ip says only that the calf has one.
 * A global function: the verifier walks it once.
 */
__attribute__((noinline)) int quarantine_has_lease(void)
{
	struct kv_key key = { .path = FRAME_QUARANTINE_KEY };

	return bpf_map_lookup_elem(&kv, &key) != (void *)0;
}

/*
 * What becomes of a frame that would go to the host (a reason below
 * FRAME_IN_ACCEPTED): FRAME_IN_QUARANTINE, or the reason as it is. The first
 * frame after the lease or the deadline opens, and no later one can close.
 */
static __always_inline __u32 quarantine_ingress(__u32 reason, __be16 protocol,
						const volatile struct frame_config *settings)
{
	struct frame_quarantine *quarantine;
	__u32 zero = 0, opened_by;
	__u64 now;

	if (!settings->quarantine || reason >= FRAME_IN_ACCEPTED ||
	    protocol == bpf_htons(ETH_P_ARP))
		return reason;
	quarantine = bpf_map_lookup_elem(&frame_quarantine, &zero);
	if (!quarantine || quarantine->opened_by)
		return reason;
	now = bpf_ktime_get_boot_ns();
	opened_by = quarantine_has_lease()	   ? FRAME_QUARANTINE_LEASE :
		    now >= quarantine->deadline_ns ? FRAME_QUARANTINE_DEADLINE :
						     FRAME_QUARANTINE_CLOSED;
	if (!opened_by)
		return FRAME_IN_QUARANTINE;
	quarantine->opened_ns = now;
	quarantine->opened_by = opened_by;
	return reason;
}

#endif
