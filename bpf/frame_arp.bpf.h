/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The check of FRAME_CHECK_ARP: address conflict detection (RFC 5227) for
 * addresses that servers gave us. XDP cannot copy a frame, and the host needs
 * its ARP: therefore the calf gets only packets which show that another host
 * uses the address that we use or probe. The host answers probes for its own
 * address.
 */
#ifndef CALFPEN_BPF_FRAME_ARP_BPF_H
#define CALFPEN_BPF_FRAME_ARP_BPF_H

#include "bpf/frame_witness.bpf.h"

#define ARP_HARDWARE_ETHERNET 1
#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp_ipv4 {
	__be16 hardware, protocol;
	__u8 hardware_size, protocol_size;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be32 sender;
	__u8 target_mac[ETH_ALEN];
	__be32 target;
} __attribute__((packed, aligned(2)));

_Static_assert(sizeof(struct arp_ipv4) == 28, "ARP layout");

#define ARP_FRAME_SIZE (ETH_HLEN + sizeof(struct arp_ipv4))

/* Check the types and sizes of IPv4 over Ethernet. */
static __always_inline int arp_is_ipv4(const struct arp_ipv4 *arp)
{
	return arp->hardware == bpf_htons(ARP_HARDWARE_ETHERNET) &&
	       arp->protocol == bpf_htons(ETH_P_IP) && arp->hardware_size == ETH_ALEN &&
	       arp->protocol_size == sizeof(arp->sender);
}

/*
 * Remember an address that ingress let a server give us. New addresses replace
 * the oldest ones, but never the address in use, because unsolicited offers
 * must not end its defence.
 */
static __always_inline void watched_add(__u32 calf, __be32 address)
{
	struct frame_watched *watched = bpf_map_lookup_elem(&frame_watched, &calf);
	struct frame_watched_address *slot;
	__be32 leased;
	__u32 i;

	if (!watched || !address)
		return;
#pragma unroll
	for (i = 0; i < FRAME_WATCHED_MAX; i++)
		if (watched->slot[i].address == address)
			return;
	leased = leased_address(calf);
	slot = &watched->slot[__sync_fetch_and_add(&watched->next, 1) & (FRAME_WATCHED_MAX - 1)];
	if (slot->address && slot->address == leased)
		slot = &watched->slot[__sync_fetch_and_add(&watched->next, 1) &
				      (FRAME_WATCHED_MAX - 1)];
	slot->probing_until_ns = 0;
	slot->address = address;
}

static __always_inline struct frame_watched_address *watched_find(__u32 calf, __be32 address)
{
	struct frame_watched *watched = bpf_map_lookup_elem(&frame_watched, &calf);

	if (!watched || !address)
		return (void *)0;
#pragma unroll
	for (int i = 0; i < FRAME_WATCHED_MAX; i++)
		if (watched->slot[i].address == address)
			return &watched->slot[i];
	return (void *)0;
}

/*
 * Return whether another host's packet about a watched address concerns the calf:
 *
 * - it claims an address that we use or probe, or, as long as we use none, one that a
 *   server has just given us: the watcher is about to apply it;
 * - it probes an address that we probe and do not use yet: as soon as it is on the
 *   uplink, the host answers.
 *
 * The address of a previous lease or of an offer that was not accepted is neither, so
 * that the host can talk to the host that has it now. A global function: a caller has two
 * ways on, not one for each reason.
 */
__attribute__((noinline)) int arp_is_for_calf(__u32 calf, __be32 address, int is_claim,
					      __u64 probing_until_ns, __u64 now)
{
	__be32 leased = leased_address(calf);
	int is_leased = leased == address, is_probing = probing_until_ns > now;

	if (!is_claim)
		return is_probing && !is_leased;
	return is_leased || is_probing ||
	       (calf == FRAME_CALF_HOST && !leased && witness_is_fresh(address, now));
}

/* Check a packet after its Ethernet header. Returns FRAME_IN_ARP if it goes to the calf
 * and not to the host. */
static __always_inline __u32 arp_ingress(struct cursor *cursor, const struct frame_rule *rule,
					 __u32 index, const volatile __u8 *mac)
{
	struct arp_ipv4 *arp = cursor_take(cursor, sizeof(*arp));
	struct frame_watched_address *watched;
	__be32 address;
	__u64 now;

	if (!arp || !arp_is_ipv4(arp))
		return FRAME_IN_NOT_OURS;
	if (arp->operation != bpf_htons(ARP_REQUEST) && arp->operation != bpf_htons(ARP_REPLY))
		return FRAME_IN_NOT_OURS;
	address = arp->sender;
	if (!address && arp->operation == bpf_htons(ARP_REQUEST))
		address = arp->target;
	watched = watched_find(FRAME_RULE_CALF(index), address);
	if (!watched || mac_equal(arp->sender_mac, mac))
		return FRAME_IN_NOT_OURS;
	now = bpf_ktime_get_boot_ns();
	if (!arp_is_for_calf(FRAME_RULE_CALF(index), address, arp->sender != 0,
			     watched->probing_until_ns, now))
		return FRAME_IN_NOT_OURS;
	cursor->owner = 1 + FRAME_RULE_CALF(index);
	/* The host can handle a conflict, too: do not drop what exceeds the
	 * rate. */
	if (!take_ingress(rule, index, now))
		return FRAME_IN_ARP_RATE;
	return FRAME_IN_ARP;
}

/*
 * Check an ARP packet from the calf after the Ethernet header of a frame with
 * our source MAC: a probe (sender 0.0.0.0) or an announcement (sender = target)
 * of a watched address, broadcast. Returns FRAME_OUT_ARP or the reason to drop
 * it.
 */
static __always_inline __u32 arp_egress(struct cursor *cursor, const struct ethhdr *eth,
					const struct frame_rule *rule, struct frame_bucket *bucket,
					__u32 calf, const volatile __u8 *mac)
{
	static const __u8 all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const __u8 none[ETH_ALEN] = { 0 };
	struct arp_ipv4 *arp = cursor_take(cursor, sizeof(*arp));
	struct frame_watched_address *watched;
	__u64 now;

	if (!arp)
		return FRAME_OUT_TRUNCATED;
	if (cursor->frame_size != ARP_FRAME_SIZE)
		return FRAME_OUT_TOO_LONG;
	if (!mac_equal(eth->h_dest, all))
		return FRAME_OUT_DESTINATION_MAC;
	if (!arp_is_ipv4(arp) || arp->operation != bpf_htons(ARP_REQUEST) ||
	    !mac_equal(arp->sender_mac, mac) || !mac_equal(arp->target_mac, none))
		return FRAME_OUT_ARP_HEADER;
	watched = watched_find(calf, arp->target);
	if (!watched || (arp->sender && arp->sender != arp->target))
		return FRAME_OUT_ARP_ADDRESS;
	now = bpf_ktime_get_boot_ns();
	if (!take_rate(&bucket->egress_ns, now, rule->egress_interval_ns, rule->egress_burst_ns))
		return FRAME_OUT_RATE;
	watched->probing_until_ns = arp->sender ? 0 : now + FRAME_PROBING_NS;
	return FRAME_OUT_ARP;
}

#endif
