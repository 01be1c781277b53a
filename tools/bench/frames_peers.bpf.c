/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * DOC: the programs that the frame programs are compared with: programs that do
 * nothing, a re-implementation of xdp-filter (its ethernet, ipv4, udp and tcp
 * features in the default mode "allow", one rule: drop UDP to port 68), and the
 * tests of dhclient's classic socket filter as a tc program, with the same packet
 * loads that the kernel translates a classic filter into.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

SEC("xdp")
int bare_pass(struct xdp_md *context)
{
	(void)context;
	return XDP_PASS;
}

SEC("xdp")
int bare_drop(struct xdp_md *context)
{
	(void)context;
	return XDP_DROP;
}

SEC("tc")
int bare_next(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_UNSPEC;
}

/* Bits of a rule; the hits are counted above them. */
#define RULE_SOURCE 1
#define RULE_DESTINATION 2
#define RULE_TCP 4
#define RULE_UDP 8
#define RULE_HIT (1 << 6)

#define VLAN_DEPTH 4

struct ethernet_address {
	__u8 octets[ETH_ALEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 10000);
	__type(key, struct ethernet_address);
	__type(value, __u64);
} rules_ethernet SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 10000);
	__type(key, __u32);
	__type(value, __u64);
} rules_ipv4 SEC(".maps");

/* By port, network order. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u64);
} rules_ports SEC(".maps");

struct verdict_counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XDP_REDIRECT + 1);
	__type(key, __u32);
	__type(value, struct verdict_counter);
} verdicts SEC(".maps");

static __always_inline int has_rule(void *map, const void *key, __u64 bits)
{
	__u64 *rule = bpf_map_lookup_elem(map, key);

	if (!rule || (*rule & bits) != bits)
		return 0;
	*rule += RULE_HIT;
	return 1;
}

static __always_inline int has_port_rule(__be16 source, __be16 destination, __u64 protocol)
{
	__u32 port = destination;

	if (has_rule(&rules_ports, &port, RULE_DESTINATION | protocol))
		return 1;
	port = source;
	return has_rule(&rules_ports, &port, RULE_SOURCE | protocol);
}

static __always_inline int has_ethernet_rule(const struct ethhdr *eth)
{
	struct ethernet_address address;

	__builtin_memcpy(&address, eth->h_dest, sizeof(address));
	if (has_rule(&rules_ethernet, &address, RULE_DESTINATION))
		return 1;
	__builtin_memcpy(&address, eth->h_source, sizeof(address));
	return has_rule(&rules_ethernet, &address, RULE_SOURCE);
}

static __always_inline int has_ipv4_rule(const struct iphdr *ip)
{
	__u32 address = ip->daddr;

	if (has_rule(&rules_ipv4, &address, RULE_DESTINATION))
		return 1;
	address = ip->saddr;
	return has_rule(&rules_ipv4, &address, RULE_SOURCE);
}

static __always_inline __u32 filter(void *at, void *end)
{
	struct ethhdr *eth = at;
	struct iphdr *ip;
	__be16 protocol;

	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	protocol = eth->h_proto;
	at = eth + 1;
#pragma unroll
	for (int i = 0; i < VLAN_DEPTH; i++) {
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if (at + 4 > end)
			break;
		protocol = *(__be16 *)(at + 2);
		at += 4;
	}
	if (has_ethernet_rule(eth))
		return XDP_DROP;
	if (protocol != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = at;
	if ((void *)(ip + 1) > end || ip->ihl < 5 || at + ip->ihl * 4 > end)
		return XDP_ABORTED;
	at += ip->ihl * 4;
	if (has_ipv4_rule(ip))
		return XDP_DROP;
	if (ip->protocol == IPPROTO_UDP) {
		struct udphdr *udp = at;

		if ((void *)(udp + 1) > end || bpf_ntohs(udp->len) < sizeof(*udp))
			return XDP_ABORTED;
		if (has_port_rule(udp->source, udp->dest, RULE_UDP))
			return XDP_DROP;
	} else if (ip->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = at;

		if ((void *)(tcp + 1) > end || tcp->doff < 5 || at + tcp->doff * 4 > end)
			return XDP_ABORTED;
		if (has_port_rule(tcp->source, tcp->dest, RULE_TCP))
			return XDP_DROP;
	}
	return XDP_PASS;
}

SEC("xdp")
int port_filter(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	__u32 verdict = filter(data, end);
	struct verdict_counter *counter = bpf_map_lookup_elem(&verdicts, &verdict);

	if (!counter)
		return XDP_ABORTED;
	counter->packets++;
	counter->bytes += (__u64)(end - data);
	return (int)verdict;
}

/* The classic loads: in host order, and no load beyond the end returns. */
unsigned long long load_byte(void *skb, unsigned long long offset) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long offset) asm("llvm.bpf.load.half");

SEC("tc")
int classic_filter(struct __sk_buff *skb)
{
	unsigned long long header;

	if (load_half(skb, 12) != ETH_P_IP || load_byte(skb, 23) != IPPROTO_UDP ||
	    (load_half(skb, 20) & 0x1fff))
		return TC_ACT_SHOT;
	header = (load_byte(skb, 14) & 0xf) * 4;
	return load_half(skb, header + 16) == 68 ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}
