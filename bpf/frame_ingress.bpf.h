/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Decisions about frames that arrive on the uplink, the same in XDP and in tc:
 * the rules in order, each with its protocol's check.
 */
#ifndef CALFPEN_BPF_FRAME_INGRESS_BPF_H
#define CALFPEN_BPF_FRAME_INGRESS_BPF_H

#include "bpf/frame_arp.bpf.h"
#include "bpf/frame_dhcp4.bpf.h"
#include "bpf/frame_quarantine.bpf.h"
#include "bpf/frame_replies.bpf.h"
#include "bpf/frame_sample.bpf.h"
#include "bpf/frame_witness.bpf.h"

/*
 * Return whether there is a calf to protect. Without it the filter passes
 * everything: after the instance was killed, replies may be for another DHCP
 * client.
 */
static __always_inline int tap_is_there(__u32 calf)
{
	return bpf_map_lookup_elem(&frame_slot, &calf) != (void *)0;
}

/*
 * Recognise TCP and other traffic that no rule can match, which is nearly all
 * of a host's traffic, by headers that are linear in every skb. Making more of
 * it linear, or a copy of data to which TCP keeps a reference, would cost more
 * than everything else here.
 */
static __always_inline int is_hosts(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);

	return (void *)(ip + 1) <= end && ether_type(eth) == bpf_htons(ETH_P_IP) &&
	       ip->protocol != IPPROTO_UDP;
}

/*
 * Return the number of the rule for datagrams to this port (network order),
 * FRAME_RULES_N if there is none. The ports are in .rodata, where the verifier knows how
 * many there are: frames that are not ours pay for a comparison each, not for a lookup.
 */
static __always_inline __u32 rule_of_port(__u32 port, const volatile struct frame_config *settings)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FRAME_RULES_N && i < settings->n_ports; i++)
		if (port == settings->ports[i].port)
			return settings->ports[i].rule;
	return FRAME_RULES_N;
}

/*
 * Step over the headers of a datagram in a VLAN to a port of a rule, without IP
 * options. The cursor is at what `type` says. Returns whether it is one. There
 * may be much other traffic in a VLAN, of which this looks at little.
 */
static __always_inline int vlan_datagram_take(struct cursor *cursor, __u32 type,
					      const volatile struct frame_config *settings)
{
	void *from = cursor->at;
	const struct udphdr *udp;
	const struct iphdr *ip;

#pragma unroll
	for (int i = 0; i < FRAME_PRIORITY_TAGS_MAX && is_vlan(type); i++) {
		const struct vlan_tag *tag = cursor_take(cursor, sizeof(*tag));

		if (!tag)
			return 0;
		type = tag->type;
	}
	tags_size(cursor, from);
	if (type != bpf_htons(ETH_P_IP))
		return 0;
	ip = cursor_take(cursor, sizeof(*ip));
	udp = cursor_take(cursor, sizeof(*udp));
	return ip && udp && ip->protocol == IPPROTO_UDP && ip->ihl == 5 &&
	       !(ip->frag_off & bpf_htons(IP_OFFSET)) &&
	       rule_of_port(udp->dest, settings) != FRAME_RULES_N;
}

/* Return whether a frame of a VLAN contains a reply to us: then a server answers
 * in a VLAN to which the uplink does not belong. The cursor is as above. */
static __always_inline int vlan_has_reply(struct cursor cursor, __u32 type,
					  const volatile struct frame_config *settings)
{
	const struct bootp *bootp;

	if (!vlan_datagram_take(&cursor, type, settings))
		return 0;
	bootp = cursor_take(&cursor, sizeof(*bootp));
	return bootp && mac_equal(bootp->chaddr, settings->mac);
}

/* Apply the rules. Stores the type of the frame behind priority tags in
 * *protocolp, 0 if it has none. */
static __always_inline __u32 rules_ingress(struct cursor *cursor,
					   const volatile struct frame_config *settings,
					   struct dhcp4_frame *frame, __u32 *protocolp)
{
	struct ethhdr *eth = cursor_take(cursor, sizeof(*eth));
	const struct frame_rule *rule;
	struct datagram datagram;
	__u32 protocol, index, reason; /* protocol: network order */

	if (!eth)
		return FRAME_IN_NOT_OURS;
	protocol = *protocolp = priority_tags_take(cursor, eth);
	if (is_vlan(protocol)) {
		cursor->like_ours = vlan_has_reply(*cursor, protocol, settings);
		return FRAME_IN_VLAN;
	}
	if (protocol == bpf_htons(ETH_P_ARP)) {
		index = settings->arp_rule;
		rule = settings->has_arp ? bpf_map_lookup_elem(&frame_rules, &index) : (void *)0;
		return rule ? arp_ingress(cursor, rule, index, settings->mac) : FRAME_IN_NOT_OURS;
	}
	if (protocol != bpf_htons(ETH_P_IP) || !datagram_take(cursor, &datagram))
		return FRAME_IN_NOT_OURS;
	index = rule_of_port(datagram.udp->dest, settings);
	if (index == FRAME_RULES_N)
		return FRAME_IN_NOT_OURS;
	rule = bpf_map_lookup_elem(&frame_rules, &index);
	if (!rule)
		return FRAME_IN_NOT_OURS;
	cursor->owner = 1 + FRAME_RULE_CALF(index);
	reason = dhcp4_ingress(cursor, &datagram, rule, index, settings, frame);
	/* in a flood it is enough to check for the tap once per tick */
	if (reason > FRAME_IN_ARP && !is_flood(cursor->owner, reason) &&
	    !tap_is_there(FRAME_RULE_CALF(index)))
		return FRAME_IN_NO_TAP;
	return reason;
}

/*
 * Decide about a frame. FRAME_IN_ACCEPTED (only then `frame` is set) and
 * FRAME_IN_ARP: to the tap; a reason below them: pass; above: drop.
 */
static __always_inline __u32 frame_ingress(struct cursor *cursor,
					   const volatile struct frame_config *settings,
					   struct dhcp4_frame *frame)
{
	__u32 protocol = 0;
	__u32 reason = rules_ingress(cursor, settings, frame, &protocol);

	return quarantine_ingress(reason, protocol, settings);
}

/* Decide about a frame for a tap that no longer exists: it is the host's, as
 * any other frame. */
static __always_inline __u32 frame_ingress_no_tap(__u32 reason,
						  const volatile struct frame_config *settings)
{
	return quarantine_ingress(FRAME_IN_NO_TAP,
				  bpf_htons(reason == FRAME_IN_ARP ? ETH_P_ARP : ETH_P_IP),
				  settings);
}

/* Remember, for a reply to the calf, to which server and about which address
 * the calf may send now. */
static __always_inline void reply_remember(const struct dhcp4_frame *frame)
{
	peers_add(frame->calf, frame->ip->saddr);
	watched_add(frame->calf, frame->bootp->yiaddr);
}

#endif
