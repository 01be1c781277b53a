/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What arrives on the uplink, decided the same way in XDP and in tc: the
 * rules in order, each by its protocol's check.
 */
#ifndef CALFPEN_BPF_FRAME_INGRESS_BPF_H
#define CALFPEN_BPF_FRAME_INGRESS_BPF_H

#include "bpf/frame_arp.bpf.h"
#include "bpf/frame_dhcp4.bpf.h"
#include "bpf/frame_quarantine.bpf.h"
#include "bpf/frame_replies.bpf.h"
#include "bpf/frame_sample.bpf.h"

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
 * TCP and whatever else no rule can be about, nearly all of a host's traffic,
 * told by headers that are linear in every skb: to make more of it linear, or
 * a copy of what TCP keeps a reference to, would cost more than all the rest.
 */
static __always_inline int is_hosts(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);

	return (void *)(ip + 1) <= end && ether_type(eth) == bpf_htons(ETH_P_IP) &&
	       ip->protocol != IPPROTO_UDP;
}

/* What the rules say; the type of the frame in *protocolp, 0 if it has none. */
static __always_inline __u32 rules_ingress(struct cursor *cursor,
					   const volatile struct frame_config *settings,
					   struct dhcp4_frame *frame, __be16 *protocolp)
{
	struct ethhdr *eth = cursor_take(cursor, sizeof(*eth));
	__u32 reason = FRAME_IN_NOT_OURS;
	struct datagram datagram;
	__be16 protocol;

	if (!eth)
		return FRAME_IN_NOT_OURS;
	protocol = *protocolp = ether_type(eth);
	if (is_vlan(protocol))
		return FRAME_IN_VLAN;
	if (protocol == bpf_htons(ETH_P_IP)) {
		if (!datagram_take(cursor, &datagram))
			return FRAME_IN_NOT_OURS;
	} else if (protocol != bpf_htons(ETH_P_ARP)) {
		return FRAME_IN_NOT_OURS;
	}
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FRAME_RULES_MAX; i++) {
		__u32 index = i; /* the counter itself must stay in a register */
		struct frame_rule *rule = bpf_map_lookup_elem(&frame_rules, &index);

		if (!rule || rule->check == FRAME_CHECK_NONE)
			break;
		/* By the frame's type, which the verifier has seen: one way each.
		 * The first rule that is for a frame decides. */
		if (protocol == bpf_htons(ETH_P_ARP)) {
			if (rule->check != FRAME_CHECK_ARP)
				continue;
			reason = arp_ingress(cursor, rule, index, settings->mac);
		} else {
			if (rule->check != FRAME_CHECK_DHCP4 ||
			    datagram.udp->dest != bpf_htons(rule->local_port))
				continue;
			reason = dhcp4_ingress(cursor, &datagram, rule, index, settings, frame);
		}
		break;
	}
	/* in a flood it is enough to look for the tap once a tick */
	if (reason > FRAME_IN_ARP && !is_flood(reason) && !tap_is_there())
		return FRAME_IN_NO_TAP;
	return reason;
}

/*
 * FRAME_IN_ACCEPTED (only then `frame` is set) and FRAME_IN_ARP: to the tap;
 * a reason below them: pass; above: drop.
 */
static __always_inline __u32 frame_ingress(struct cursor *cursor,
					   const volatile struct frame_config *settings,
					   struct dhcp4_frame *frame)
{
	__be16 protocol = 0;
	__u32 reason = rules_ingress(cursor, settings, frame, &protocol);

	return quarantine_ingress(reason, protocol, settings);
}

/* It was for the tap, which is gone: the host's, as any other frame. */
static __always_inline __u32 frame_ingress_no_tap(__u32 reason,
						  const volatile struct frame_config *settings)
{
	return quarantine_ingress(FRAME_IN_NO_TAP,
				  bpf_htons(reason == FRAME_IN_ARP ? ETH_P_ARP : ETH_P_IP),
				  settings);
}

/* A reply on its way to the calf: whom and about what it may speak now. */
static __always_inline void reply_remember(const struct dhcp4_frame *frame)
{
	peers_add(frame->ip->saddr);
	watched_add(frame->bootp->yiaddr);
}

#endif
