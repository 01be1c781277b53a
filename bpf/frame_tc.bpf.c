/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * DOC: tc programs. tap_ingress is the write filter: a frame from the calf is
 * sent through the uplink if the description allows it, and dropped otherwise;
 * nothing reaches the host's stack. tap_egress drops what the host's stack
 * sends into the tap. uplink_ingress replaces frame_xdp where native XDP would
 * disable the host's offloads.
 *
 * tcx and clsact: TC_ACT_UNSPEC passes the frame to the next program.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "bpf/frame_grammar.bpf.h"
#include "bpf/frame_ingress.bpf.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile struct frame_config config = {};

#define AF_INET 2

/* Headers that a check reads, in one linear piece. */
#define HEADERS_MAX                                                                          \
	(ETH_HLEN + PRIORITY_TAGS_SIZE + 60 + sizeof(struct udphdr) + sizeof(struct bootp) + \
	 DHCP_TYPE_SIZE)

static __always_inline struct cursor skb_cursor(struct __sk_buff *skb)
{
	__u32 size = skb->len < HEADERS_MAX ? skb->len : HEADERS_MAX;

	if (skb->data_end - skb->data < size)
		bpf_skb_pull_data(skb, size);
	return (struct cursor){ .at = (void *)(long)skb->data,
				.end = (void *)(long)skb->data_end,
				.frame_size = skb->len };
}

/* Return whether the tag that the kernel has removed from the bytes, if any, is
 * that of a VLAN, not only of a priority. */
static __always_inline int is_in_vlan(const struct __sk_buff *skb)
{
	return skb->vlan_present && (skb->vlan_tci & VLAN_ID);
}

static __attribute__((noinline)) int sample(struct __sk_buff *skb, __u32 owner, __u32 reason)
{
	__u32 vlan = skb->vlan_present ? skb->vlan_proto << 16 | (skb->vlan_tci & 0xffff) : 0;
	struct frame_sample *sample = sample_claim(owner, reason, skb->len, vlan);
	__u32 captured = sample_captured(skb->len);

	if (sample)
		sample_publish(sample,
			       bpf_skb_load_bytes(skb, 0, sample->bytes, captured) ? 0 : captured);
	return 0;
}

/* Return whether the address is of no host: 0/8, 127/8, multicast, or the broadcast
 * address of our subnet, to which the kernel would write a frame to all. */
static __always_inline int is_no_host(__be32 to, __be32 address, __be32 mask)
{
	__u32 first = bpf_ntohl(to) >> 24, host_bits = ~bpf_ntohl(mask);

	return !first || first == 127 || first >= 224 ||
	       (host_bits > 1 && !((to ^ address) & mask) && (to | mask) == 0xffffffff);
}

/*
 * Unicast: only from the address that the watcher has applied, only to a host that
 * answered us, and by the next hop that the watcher has told: nothing is looked up, so
 * that a request leaves by this uplink whatever the host routes.
 */
static __always_inline __u32 unicast_check(const struct dhcp4_frame *frame,
					   struct bpf_redir_neigh *next_hop)
{
	const volatile struct frame_host *host = host_room();
	__be32 address = frame->ip->saddr, to = frame->ip->daddr;
	__u32 version, family;

	if (!host || frame->calf != FRAME_CALF_HOST)
		return FRAME_OUT_SOURCE_ADDRESS;
	version = host->version;
	family = host->family;
	if (!address || address != host->address)
		return FRAME_OUT_SOURCE_ADDRESS;
	if (!peers_have(frame->calf, to) || is_no_host(to, address, host->mask))
		return FRAME_OUT_UNKNOWN_PEER;
	next_hop->nh_family = AF_INET;
	next_hop->ipv4_nh = to;
	/* an IPv6 router is the operator's, also for the subnet */
	if (family && (family != AF_INET || ((to ^ address) & host->mask))) {
		next_hop->nh_family = family;
#pragma unroll
		for (int i = 0; i < 4; i++)
			next_hop->ipv6_nh[i] = host->next_hop[i];
	}
	if (to == address || to == host->other ||
	    (next_hop->nh_family == AF_INET &&
	     (next_hop->ipv4_nh == address || next_hop->ipv4_nh == host->other)))
		return FRAME_OUT_OWN_ADDRESS;
	if (version & 1 || version != host->version) /* it is being changed */
		return FRAME_OUT_SOURCE_ADDRESS;
	return FRAME_OUT_UNICAST;
}

/* Check the addresses of a request by broadcast or unicast, and where to send it. */
static __always_inline __u32 destination_check(const struct ethhdr *eth,
					       const struct dhcp4_frame *frame)
{
	static const __u8 all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (frame->ip->daddr != 0xffffffff)
		return eth->h_dest[0] & 1 ? FRAME_OUT_DESTINATION_MAC : FRAME_OUT_UNICAST;
	if (!mac_equal(eth->h_dest, all))
		return FRAME_OUT_DESTINATION_MAC;
	return frame->ip->saddr && frame->ip->saddr != leased_address(frame->calf) ?
		       FRAME_OUT_SOURCE_ADDRESS :
		       FRAME_OUT_ACCEPTED;
}

static __always_inline __u32 send_dhcp4(struct __sk_buff *skb, struct cursor *cursor,
					const struct ethhdr *eth, const struct frame_rule *rule,
					struct frame_bucket *bucket, __u32 index, int *verdict)
{
	struct bpf_redir_neigh next_hop = {};
	struct dhcp4_frame frame;
	__u32 calf = FRAME_RULE_CALF(index), checked;
	__u32 reason = dhcp4_egress(cursor, rule, config.mac, &frame);
	__be32 xid;
	__u64 now;

	if (reason != FRAME_OUT_ACCEPTED)
		return reason;
	frame.calf = calf;
	reason = destination_check(eth, &frame);
	if (reason != FRAME_OUT_ACCEPTED && reason != FRAME_OUT_UNICAST)
		return reason;
	checked = (__u32)request_check(skb, calf);
	if (checked != FRAME_OUT_ACCEPTED)
		return checked;
	now = bpf_ktime_get_boot_ns();
	if (!take_rate(&bucket->egress_ns, now, rule->egress_interval_ns, rule->egress_burst_ns))
		return FRAME_OUT_RATE;
	if (reason == FRAME_OUT_UNICAST)
		reason = unicast_check(&frame, &next_hop);
	if (reason != FRAME_OUT_ACCEPTED && reason != FRAME_OUT_UNICAST)
		return reason;
	xid = frame.bootp->xid;
	if (!transaction_take(xid, frame.bootp->ciaddr, index, now))
		return FRAME_OUT_TRANSACTIONS;
	*verdict = (int)(reason == FRAME_OUT_UNICAST ?
				 bpf_redirect_neigh(config.uplink_ifindex, &next_hop,
						    sizeof(next_hop), 0) :
				 bpf_redirect(config.uplink_ifindex, 0));
	if (*verdict == TC_ACT_REDIRECT)
		xid_remember(calf, xid, now);
	return reason;
}

static __always_inline __u32 send_arp(struct cursor *cursor, const struct ethhdr *eth,
				      const struct frame_rule *rule, struct frame_bucket *bucket,
				      __u32 calf, int *verdict)
{
	__u32 reason = arp_egress(cursor, eth, rule, bucket, calf, config.mac);

	if (reason == FRAME_OUT_ARP)
		*verdict = (int)bpf_redirect(config.uplink_ifindex, 0);
	return reason;
}

/* Return 1 + the number of the calf that has this tap, FRAME_OWNER_NONE if it is no tap of
 * ours. Without a branch, and without an AND of 0 or -1, for which Linux 6.18 explores both:
 * the verifier would explore the rest for each calf. */
static __always_inline __u32 tap_owner(__u32 ifindex)
{
	__u64 owner = FRAME_OWNER_NONE;

#pragma unroll
	for (__u32 i = 0; i < FRAME_CALVES_MAX; i++) {
		__u64 is_his = ((__u64)(ifindex ^ config.taps[i]) - 1) >> 63;

		asm volatile("" : "+r"(is_his));
		owner += is_his * (1 + i);
	}
	return (__u32)owner;
}

/* Return source and destination port of a datagram without IP options, as in the frame; 0
 * if there are none. What it is is checked later. */
static __always_inline __u32 ports_of(const struct cursor *cursor)
{
	const void *udp = cursor->at + sizeof(struct iphdr);

	return udp + sizeof(struct udphdr) <= cursor->end ? *(const __u32 *)udp : 0;
}

/*
 * Return the number of a calf's rule for a frame of this type: that for both ports,
 * otherwise the last one, whose check says what is wrong. FRAME_RULES_N if there is none.
 * A global function: the check that follows is verified once, not for each rule.
 */
__attribute__((noinline)) __u32 tap_rule(__u32 calf, __u32 protocol, __u32 ports)
{
	__u32 found = FRAME_RULES_N;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FRAME_RULES_MAX; i++) {
		__u32 index = FRAME_RULE(calf, i);
		const struct frame_rule *rule = bpf_map_lookup_elem(&frame_rules, &index);

		if (!rule || rule->check == FRAME_CHECK_NONE)
			break;
		if (!rule_is_for(rule, (__be16)protocol))
			continue;
		found = index;
		if (ports == bpf_htonl((__u32)rule->local_port << 16 | rule->remote_port))
			break;
	}
	return found;
}

SEC("tc")
int tap_ingress(struct __sk_buff *skb)
{
	struct cursor cursor = skb_cursor(skb);
	struct ethhdr *eth = cursor_take(&cursor, sizeof(*eth));
	__u32 owner = tap_owner(skb->ifindex), reason = FRAME_OUT_NO_RULE;
	int verdict = TC_ACT_SHOT;

	if (!eth)
		reason = FRAME_OUT_TRUNCATED;
	/* The kernel has removed an outer tag from the bytes, and would put it
	 * back. */
	else if (skb->vlan_present || is_vlan(ether_type(eth)))
		reason = FRAME_OUT_VLAN;
	else if (!mac_equal(eth->h_source, config.mac))
		reason = FRAME_OUT_SOURCE_MAC;
	else {
		__u32 calf = owner - 1; /* none: there is no such rule */
		__u32 index = tap_rule(calf, ether_type(eth), ports_of(&cursor));
		struct frame_rule *rule = bpf_map_lookup_elem(&frame_rules, &index);
		struct frame_bucket *bucket = bpf_map_lookup_elem(&frame_buckets, &index);

		if (rule && bucket)
			reason = rule->check == FRAME_CHECK_ARP ?
					 send_arp(&cursor, eth, rule, bucket, calf, &verdict) :
					 send_dhcp4(skb, &cursor, eth, rule, bucket, index,
						    &verdict);
	}
	if (reason == FRAME_OUT_ACCEPTED || reason == FRAME_OUT_UNICAST)
		(void)ip_write(skb);
	if (count(owner, reason, cursor.frame_size, 0))
		sample(skb, owner, reason);
	return verdict;
}

SEC("tc")
int tap_egress(struct __sk_buff *skb)
{
	__u32 owner = tap_owner(skb->ifindex);

	/* A tc-mode redirect from the uplink; XDP redirects do not pass
	 * here. */
	if (config.mark && skb->mark == config.mark) {
		skb->mark = 0;
		return TC_ACT_OK;
	}
	if (count(owner, FRAME_HOST_NOISE, skb->len, 0))
		sample(skb, owner, FRAME_HOST_NOISE);
	return TC_ACT_SHOT;
}

/* Keep the uplink closed while its program is being selected:
 * docs/frames.md. */
SEC("tc")
int uplink_closed(struct __sk_buff *skb)
{
	__u32 protocol = is_in_vlan(skb) ? 0 : skb->protocol;
	__u32 reason = quarantine_ingress(FRAME_IN_NOT_OURS, protocol, &config);

	if (reason == FRAME_IN_NOT_OURS)
		return TC_ACT_UNSPEC;
	count_only(FRAME_OWNER_NONE, reason, skb->len);
	return TC_ACT_SHOT;
}

/* The same as vlan_has_reply() for a frame whose tag is not in the bytes. Nothing
 * is made linear for this: the VLAN's own traffic may be large. */
static __always_inline int skb_has_reply(struct __sk_buff *skb)
{
	struct cursor cursor = { .at = (void *)(long)skb->data,
				 .end = (void *)(long)skb->data_end };
	const struct ethhdr *eth = cursor_take(&cursor, sizeof(*eth));
	__u8 chaddr[ETH_ALEN] __attribute__((aligned(2)));

	return eth && vlan_datagram_take(&cursor, ether_type(eth), &config) &&
	       !bpf_skb_load_bytes(
		       skb, (__u32)(cursor.at - (void *)eth) + offsetof(struct bootp, chaddr),
		       chaddr, sizeof(chaddr)) &&
	       mac_equal(chaddr, config.mac);
}

static __always_inline long load(void *context, __u32 from, void *to, __u32 size)
{
	return bpf_skb_load_bytes(context, from, to, size);
}

SEC("tc")
int uplink_ingress(struct __sk_buff *skb)
{
	struct bpf_devmap_val *tap;
	__u32 calf, reason;
	struct dhcp4_frame frame;
	int verdict = TC_ACT_UNSPEC;
	struct cursor cursor = {};

	if (is_in_vlan(skb)) {
		reason = quarantine_ingress(FRAME_IN_VLAN, 0, &config);
		cursor.like_ours = reason == FRAME_IN_VLAN && skb_has_reply(skb);
		if (reason == FRAME_IN_VLAN && !cursor.like_ours) {
			count_only(FRAME_OWNER_NONE, FRAME_IN_VLAN, skb->len);
			return TC_ACT_UNSPEC;
		}
	} else if (is_hosts((void *)(long)skb->data, (void *)(long)skb->data_end)) {
		reason = quarantine_ingress(FRAME_IN_NOT_OURS, 0, &config);
		if (reason == FRAME_IN_NOT_OURS) {
			count_only(FRAME_OWNER_NONE, FRAME_IN_NOT_OURS, skb->len);
			return TC_ACT_UNSPEC;
		}
	} else {
		cursor = skb_cursor(skb);
		in_memory(&frame);
		reason = frame_ingress(&cursor, &config, &frame);
	}
	if (reason == FRAME_IN_ACCEPTED || reason == FRAME_IN_ARP) {
		calf = cursor.owner - 1;
		tap = bpf_map_lookup_elem(&frame_slot, &calf);
		if (!tap)
			reason = frame_ingress_no_tap(reason, &config);
		else if (reason == FRAME_IN_ACCEPTED)
			reason = reply_admit(skb, load, &frame);
		if (reason == FRAME_IN_ACCEPTED) {
			reply_remember(&frame);
			reply_read_options(skb, load, &frame);
		}
		if (tap && (reason == FRAME_IN_ACCEPTED || reason == FRAME_IN_ARP)) {
			skb->mark = config.mark;
			verdict = (int)bpf_redirect(tap->ifindex, 0);
		}
	}
	if (reason > FRAME_IN_ARP)
		verdict = TC_ACT_SHOT;
	if (count(cursor.owner, reason, skb->len, cursor.like_ours))
		sample(skb, cursor.owner, reason);
	return verdict;
}
