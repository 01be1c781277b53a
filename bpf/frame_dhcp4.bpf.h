/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The check of FRAME_CHECK_DHCP4: BOOTP replies in, BOOTP requests out, over
 * UDP and IPv4 (RFC 951, RFC 2131). The port comes from the rule.
 */
#ifndef CALFPEN_BPF_FRAME_DHCP4_BPF_H
#define CALFPEN_BPF_FRAME_DHCP4_BPF_H

#include "bpf/frame_cursor.bpf.h"

#define BOOTREQUEST 1
#define BOOTREPLY 2
#define HTYPE_ETHERNET 1
#define DHCP_COOKIE 0x63825363
#define DHCP_MESSAGE_TYPE 53
#define DHCP_FORCERENEW 9
#define DHCP_TYPE_SIZE 3 /* option 53 with its header */
#define DHCP_SERVER_IDENTIFIER 54
#define DHCP_END 255
#define IP_FRAGMENT 0x3fff /* more fragments, or an offset */
#define IP_OFFSET 0x1fff

struct bootp {
	__u8 op, htype, hlen, hops;
	__be32 xid;
	__be16 secs, flags;
	__be32 ciaddr, yiaddr, siaddr, giaddr;
	__u8 chaddr[16];
	__u8 sname[64];
	__u8 file[128];
	__be32 cookie;
};

_Static_assert(sizeof(struct bootp) == 240, "bootp layout");

/* Facts about a frame that passed its check. */
struct dhcp4_frame {
	struct iphdr *ip;
	struct udphdr *udp;
	struct bootp *bootp;
	/* ingress only */
	const struct frame_rule *rule;
	struct frame_xid *seen;
	__u64 expires_ns; /* that of the request */
	__u64 now_ns;
	__u32 ip_at;	  /* offset in the frame */
	__u32 options_at; /* offset in the frame */
	__u32 index;	  /* of the rule */
	__u32 calf;
};

/* Not in registers, which every other path would have to clear. */
static __always_inline void in_memory(struct dhcp4_frame *frame)
{
	asm volatile("" : : "r"(frame) : "memory");
}

/*
 * Option 53 is the first option in messages of servers, and in ours. A
 * FORCERENEW with another order still has an xid with which no request was
 * sent, and the calf ignores the type.
 */
static __always_inline int is_forcerenew(struct cursor *cursor)
{
	const __u8 *option = cursor_take(cursor, DHCP_TYPE_SIZE);

	return option && option[0] == DHCP_MESSAGE_TYPE && option[1] == 1 &&
	       option[2] == DHCP_FORCERENEW;
}

static __always_inline struct frame_xid *xid_slot(__u32 calf, __be32 xid)
{
	/* The calf draws xids at random, so any bits will do. */
	__u32 slot = FRAME_XID(calf, bpf_ntohl(xid));

	return bpf_map_lookup_elem(&frame_xids, &slot);
}

/* Return whether the calf ever sent this xid. */
static __always_inline int xid_is_known(__u32 calf, __be32 xid)
{
	const struct frame_xid *seen = xid_slot(calf, xid);

	return seen && seen->xid == xid && seen->expires_ns;
}

/* The headers of a UDP datagram, or of its first fragment. */
struct datagram {
	struct iphdr *ip;
	struct udphdr *udp;
	__u32 header_size; /* of IP, options included */
};

/* Parse a UDP datagram after the Ethernet header of an IPv4 frame that belongs
 * to no VLAN. Returns whether it is one. */
static __always_inline int datagram_take(struct cursor *cursor, struct datagram *datagram)
{
	struct iphdr *ip = cursor_take(cursor, sizeof(*ip));
	__u32 options;

	if (!ip || ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_OFFSET)))
		return 0;
	datagram->ip = ip;
	datagram->header_size = ip->ihl * 4u;
	if (datagram->header_size < sizeof(*ip))
		return 0;
	options = datagram->header_size - sizeof(*ip);
	/* at most 40; the verifier of Linux 6.1 needs the check */
	asm volatile("" : "+r"(options));
	if (!cursor_take(cursor, options & 0x3c))
		return 0;
	datagram->udp = cursor_take(cursor, sizeof(*datagram->udp));
	return !!datagram->udp;
}

/*
 * Check a datagram to the rule's port after its UDP header: a BOOTP reply to
 * some client, or junk. Returns FRAME_IN_ACCEPTED, which reply_admit() must
 * confirm, or the reason to pass or drop it.
 */
static __always_inline __u32 dhcp4_ingress(struct cursor *cursor, const struct datagram *datagram,
					   const struct frame_rule *rule, __u32 index,
					   const volatile struct frame_config *settings,
					   struct dhcp4_frame *frame)
{
	__u32 header_size = datagram->header_size, total, udp_size;
	struct udphdr *udp = datagram->udp;
	struct iphdr *ip = datagram->ip;
	struct frame_xid *seen;
	__u64 expires, now;
	struct bootp *bootp;

	if (ip->frag_off & bpf_htons(IP_FRAGMENT))
		return FRAME_IN_FRAGMENT;
	bootp = cursor_take(cursor, sizeof(*bootp));
	if (!bootp)
		return FRAME_IN_TRUNCATED;
	if (!mac_equal(bootp->chaddr, settings->mac)) {
		cursor->like_ours = xid_is_known(FRAME_RULE_CALF(index), bootp->xid);
		return FRAME_IN_OTHER_CHADDR;
	}
	total = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || total > cursor->frame_size - ETH_HLEN ||
	    total < header_size + sizeof(*udp))
		return FRAME_IN_IP_HEADER;
	udp_size = bpf_ntohs(udp->len);
	if (udp_size < sizeof(*udp) + sizeof(*bootp) || udp_size > total - header_size)
		return FRAME_IN_UDP_LENGTH;
	if (cursor->frame_size > rule->max_frame)
		return FRAME_IN_TOO_LONG;
	/* The source port may be any: a NAT or a relay changes it (RFC 8357),
	 * and any host can claim it. The xid is what shows a reply to us. */
	if (bootp->op != BOOTREPLY)
		return FRAME_IN_NOT_REPLY;
	if (bootp->htype != HTYPE_ETHERNET || bootp->hlen != ETH_ALEN)
		return FRAME_IN_HARDWARE;
	if (bootp->cookie != bpf_htonl(DHCP_COOKIE))
		return FRAME_IN_COOKIE;
	if (is_forcerenew(cursor))
		return FRAME_IN_FORCERENEW;
	seen = xid_slot(FRAME_RULE_CALF(index), bootp->xid);
	if (!seen || seen->xid != bootp->xid)
		return settings->pass_foreign ? FRAME_IN_FOREIGN_XID : FRAME_IN_UNKNOWN_XID;
	expires = *(volatile __u64 *)&seen->expires_ns;
	now = bpf_ktime_get_boot_ns();
	if (expires <= now)
		return settings->pass_foreign ? FRAME_IN_FOREIGN_XID : FRAME_IN_UNKNOWN_XID;
	frame->rule = rule;
	frame->index = index;
	frame->calf = FRAME_RULE_CALF(index);
	frame->seen = seen;
	frame->expires_ns = expires;
	frame->now_ns = now;
	frame->ip = ip;
	frame->udp = udp;
	frame->bootp = bootp;
	frame->ip_at = ETH_HLEN + cursor->tags_size;
	frame->options_at = frame->ip_at + header_size + sizeof(*udp) + sizeof(*bootp);
	return FRAME_IN_ACCEPTED;
}

/* Remember who answered: these are the calf's only unicast targets. */
static __always_inline void peers_add(__u32 calf, __be32 address)
{
	struct frame_peers *peers = bpf_map_lookup_elem(&frame_peers, &calf);
	__u32 slot;

	if (!peers || !address)
		return;
#pragma unroll
	for (int i = 0; i < FRAME_PEERS_MAX; i++)
		if (peers->address[i] == address)
			return;
	slot = __sync_fetch_and_add(&peers->next, 1) & (FRAME_PEERS_MAX - 1);
	peers->address[slot] = address;
}

static __always_inline int peers_have(__u32 calf, __be32 address)
{
	struct frame_peers *peers = bpf_map_lookup_elem(&frame_peers, &calf);
	__u32 found = 0;

	if (!peers || !address)
		return 0;
#pragma unroll
	for (int i = 0; i < FRAME_PEERS_MAX; i++)
		found |= peers->address[i] == address;
	return found;
}

/*
 * Check a frame from the calf after the Ethernet header of an untagged IPv4
 * frame with our source MAC. Strict: no options, no fragments, exact lengths.
 * Returns FRAME_OUT_ACCEPTED or the reason to drop it; the caller checks the
 * addresses.
 */
static __always_inline __u32 dhcp4_egress(struct cursor *cursor, const struct frame_rule *rule,
					  const volatile __u8 *mac, struct dhcp4_frame *frame)
{
	struct iphdr *ip = cursor_take(cursor, sizeof(*ip));
	struct udphdr *udp = cursor_take(cursor, sizeof(*udp));
	struct bootp *bootp = cursor_take(cursor, sizeof(*bootp));

	if (!ip || !udp)
		return FRAME_OUT_TRUNCATED;
	if (ip->protocol != IPPROTO_UDP)
		return FRAME_OUT_NO_RULE;
	if (ip->frag_off & bpf_htons(IP_FRAGMENT))
		return FRAME_OUT_FRAGMENT;
	if (ip->version != 4 || ip->ihl != 5 ||
	    bpf_ntohs(ip->tot_len) != cursor->frame_size - ETH_HLEN)
		return FRAME_OUT_IP_HEADER;
	if (udp->source != bpf_htons(rule->local_port) || udp->dest != bpf_htons(rule->remote_port))
		return FRAME_OUT_PORT;
	if (bpf_ntohs(udp->len) != bpf_ntohs(ip->tot_len) - sizeof(*ip))
		return FRAME_OUT_UDP_LENGTH;
	if (!bootp)
		return FRAME_OUT_TRUNCATED;
	if (cursor->frame_size > rule->max_frame)
		return FRAME_OUT_TOO_LONG;
	if (bootp->op != BOOTREQUEST)
		return FRAME_OUT_NOT_REQUEST;
	if (bootp->htype != HTYPE_ETHERNET || bootp->hlen != ETH_ALEN ||
	    !mac_equal(bootp->chaddr, mac))
		return FRAME_OUT_HARDWARE;
	if (bootp->cookie != bpf_htonl(DHCP_COOKIE))
		return FRAME_OUT_COOKIE;
	frame->ip = ip;
	frame->udp = udp;
	frame->bootp = bootp;
	return FRAME_OUT_ACCEPTED;
}

/* Admit replies to this transaction from now on. */
static __always_inline void xid_remember(__u32 calf, __be32 xid, __u64 now)
{
	struct frame_xid *slot = xid_slot(calf, xid);

	if (slot) {
		slot->expires_ns = 0;
		slot->xid = xid;
		slot->n_replies = 0;
		__builtin_memset(slot->replies, 0, sizeof(slot->replies));
		slot->expires_ns = now + FRAME_XID_LIFETIME_NS;
	}
}

#endif
