/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What arrives on the uplink, decided the same way in XDP and in tc: the
 * rules in order, each by its protocol's check.
 */
#ifndef CALFPEN_BPF_FRAME_INGRESS_BPF_H
#define CALFPEN_BPF_FRAME_INGRESS_BPF_H

#include "bpf/frame_arp.bpf.h"
#include "bpf/frame_dhcp4.bpf.h"

/*
 * Is there a calf to protect? Without one the filter stands aside: after the
 * instance was killed, replies are for whoever asks next.
 */
static __always_inline int tap_is_there(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&frame_slot, &zero) != (void *)0;
}

/*
 * FRAME_IN_ACCEPTED (only then `frame` is set) and FRAME_IN_ARP: to the tap;
 * a reason below them: pass; above: drop.
 */
static __always_inline __u32 frame_ingress(struct cursor *cursor,
					   const volatile struct frame_config *settings,
					   struct dhcp4_frame *frame)
{
	struct ethhdr *eth = cursor_take(cursor, sizeof(*eth));
	void *payload = cursor->at;
	__u32 reason = FRAME_IN_NOT_OURS;
	__be16 protocol;

	if (!eth)
		return FRAME_IN_NOT_OURS;
	if (is_vlan(eth->h_proto))
		return FRAME_IN_VLAN;
	protocol = eth->h_proto;
	if (protocol != bpf_htons(ETH_P_IP) && protocol != bpf_htons(ETH_P_ARP))
		return FRAME_IN_NOT_OURS;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FRAME_RULES_MAX; i++) {
		__u32 index = i; /* the counter itself must stay in a register */
		struct frame_rule *rule = bpf_map_lookup_elem(&frame_rules, &index);
		struct frame_bucket *bucket;

		if (!rule || rule->check == FRAME_CHECK_NONE)
			break;
		if (!rule_is_for(rule, protocol))
			continue;
		bucket = bpf_map_lookup_elem(&frame_buckets, &index);
		if (!bucket)
			break;
		cursor->at = payload;
		if (rule->check == FRAME_CHECK_ARP)
			reason = arp_ingress(cursor, rule, bucket, settings->mac);
		else if (rule->check == FRAME_CHECK_DHCP4)
			reason = dhcp4_ingress(cursor, rule, bucket, settings, frame);
		if (reason != FRAME_IN_NOT_OURS)
			break;
	}
	return reason > FRAME_IN_ARP && !tap_is_there() ? FRAME_IN_NO_TAP : reason;
}

/* A reply on its way to the calf: whom and about what it may speak now. */
static __always_inline void reply_remember(const struct dhcp4_frame *frame)
{
	peers_add(frame->ip->saddr);
	watched_add(frame->bootp->yiaddr);
}

#endif
