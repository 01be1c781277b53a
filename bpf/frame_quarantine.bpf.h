/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Quarantine: until there is a lease, nothing but ARP reaches the host. It does
 * not affect what the rules give to the calf. If no quarantine is configured,
 * the verifier removes all of this code.
 */
#ifndef CALFPEN_BPF_FRAME_QUARANTINE_BPF_H
#define CALFPEN_BPF_FRAME_QUARANTINE_BPF_H

#include "bpf/frame_leased.bpf.h"

/* Return whether the watcher has set a leased address. A global function: the verifier
 * explores it once. */
__attribute__((noinline)) int quarantine_has_lease(void)
{
	const volatile struct frame_host *host = host_room();

	return host && host->is_open;
}

/*
 * Decide about a frame that would pass to the host (a reason below
 * FRAME_IN_ACCEPTED). Returns FRAME_IN_QUARANTINE, or the unchanged reason. The
 * first frame after the lease or the deadline ends the quarantine, and no later
 * frame can restore it.
 */
static __always_inline __u32 quarantine_ingress(__u32 reason, __u32 protocol,
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
