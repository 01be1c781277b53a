/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What arrives on the uplink, decided the same way in XDP and in tc: the
 * rules in order, each by its protocol's check.
 */
#ifndef CALFPEN_BPF_FRAME_INGRESS_BPF_H
#define CALFPEN_BPF_FRAME_INGRESS_BPF_H

#include "bpf/frame_dhcp4.bpf.h"

/* FRAME_IN_ACCEPTED: to the tap; a reason below it: pass; above: drop. */
static __always_inline __u32 frame_ingress(struct cursor *cursor, const volatile __u8 *mac,
					   struct dhcp4_frame *frame)
{
	struct ethhdr *eth = cursor_take(cursor, sizeof(*eth));
	void *payload = cursor->at;
	__u32 reason = FRAME_IN_NOT_OURS;

	if (!eth)
		return FRAME_IN_NOT_OURS;
	if (is_vlan(eth->h_proto))
		return FRAME_IN_VLAN;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return FRAME_IN_NOT_OURS;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FRAME_RULES_MAX; i++) {
		__u32 index = i; /* the counter itself must stay in a register */
		struct frame_rule *rule = bpf_map_lookup_elem(&frame_rules, &index);
		struct frame_bucket *bucket = bpf_map_lookup_elem(&frame_buckets, &index);

		if (!rule || !bucket || rule->check == FRAME_CHECK_NONE)
			break;
		cursor->at = payload;
		if (rule->check == FRAME_CHECK_DHCP4)
			reason = dhcp4_ingress(cursor, rule, bucket, mac, frame);
		if (reason != FRAME_IN_NOT_OURS)
			break;
	}
	return reason;
}

#endif
