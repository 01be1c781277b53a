/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "userspace/cli/frames/frames.h"
#include "userspace/common/bytes.h"

#define TYPE_IPV4 0x0800
#define TYPE_ARP 0x0806
#define TYPE_VLAN 0x8100
#define TYPE_VLAN_SERVICE 0x88a8
#define TYPE_IPV6 0x86dd
#define MAC_SIZE 6
#define VLAN_ID 0x0fff
#define VLAN_PRIORITY_SHIFT 13

#define IPV4_SIZE 20
#define IPV6_SIZE 40
#define FRAGMENT_MORE 0x2000
#define FRAGMENT_OFFSET 0x1fff
#define PROTOCOL_UDP 17
#define UDP_SIZE 8

#define PORT_SERVER 67
#define PORT_CLIENT 68
#define CHADDR_SIZE 16
#define NAMES_SIZE (64 + 128) /* sname, file */
#define COOKIE 0x63825363
#define OPTION_PAD 0
#define OPTION_REQUESTED 50
#define OPTION_TYPE 53
#define OPTION_SERVER 54
#define OPTION_END 255

/* The rest of the frame, or of the packet if an outer header has given its
 * length. */
struct scope {
	struct bytes_reader reader;
	size_t missing; /* octets after those in the reader, absent from the sample */
};

/* Record a problem. Only the first one is kept. */
static void set_problem(struct frames_summary *summary, const char *text)
{
	if (!summary->problem)
		summary->problem = text;
}

/* Return whether the data ended inside of what was just read. If so, record the
 * problem `text`, unless it was the sample that ended, not the frame. */
static bool is_truncated(struct frames_summary *summary, const struct scope *scope,
			 const char *text)
{
	if (!scope->reader.failed)
		return false;
	if (scope->missing > 0)
		summary->is_cut = true;
	else
		set_problem(summary, text);
	return true;
}

/* Limit the scope to the length that a header gives. Returns false if there is
 * less. */
static bool limit(struct scope *scope, size_t length)
{
	size_t left = bytes_left(&scope->reader);

	if (length > left + scope->missing)
		return false;
	if (length <= left) {
		scope->reader = bytes_sub(&scope->reader, length);
		scope->missing = 0;
	} else {
		scope->missing = length - left;
	}
	return true;
}

static struct in_addr address(struct bytes_reader *reader)
{
	struct in_addr address;

	bytes_copy(reader, &address.s_addr, sizeof(address.s_addr));
	return address;
}

static void decode_option(struct frames_summary *summary, uint8_t code, struct bytes_reader value)
{
	if (code == OPTION_TYPE && bytes_left(&value) == 1 && summary->dhcp4.type == 0)
		summary->dhcp4.type = bytes_u8(&value);
	else if (code == OPTION_REQUESTED && bytes_left(&value) == 4)
		summary->dhcp4.requested = address(&value);
	else if (code == OPTION_SERVER && bytes_left(&value) == 4)
		summary->dhcp4.server = address(&value);
}

/* Decode the options after the cookie (RFC 2132), not those in sname and file. */
static void decode_options(struct frames_summary *summary, struct scope *scope)
{
	struct bytes_reader *reader = &scope->reader;

	while (bytes_left(reader) > 0) {
		uint8_t code = bytes_u8(reader), length;
		struct bytes_reader value;

		if (code == OPTION_PAD)
			continue;
		if (code == OPTION_END)
			return;
		length = bytes_u8(reader);
		value = bytes_sub(reader, length);
		if (is_truncated(summary, scope, "an option is longer than the message"))
			return;
		decode_option(summary, code, value);
	}
}

static void decode_dhcp4(struct frames_summary *summary, struct scope *scope)
{
	struct bytes_reader *reader = &scope->reader;
	uint8_t hardware, length;
	uint32_t cookie;

	summary->dhcp4.op = bytes_u8(reader);
	hardware = bytes_u8(reader);
	length = bytes_u8(reader);
	bytes_skip(reader, 1); /* hops */
	summary->dhcp4.xid = bytes_be32(reader);
	bytes_skip(reader, 4); /* secs, flags */
	summary->dhcp4.ciaddr = address(reader);
	summary->dhcp4.yiaddr = address(reader);
	bytes_skip(reader, 4); /* siaddr */
	summary->dhcp4.giaddr = address(reader);
	bytes_copy(reader, summary->dhcp4.chaddr, MAC_SIZE);
	bytes_skip(reader, CHADDR_SIZE - MAC_SIZE + NAMES_SIZE);
	cookie = bytes_be32(reader);
	if (is_truncated(summary, scope, "ends inside the BOOTP header"))
		return;
	summary->headers |= FRAMES_DHCP4;
	if (hardware != 1 || length != MAC_SIZE)
		set_problem(summary, "htype and hlen are not those of Ethernet");
	if (cookie != COOKIE)
		set_problem(summary, "no DHCP cookie");
	else
		decode_options(summary, scope);
}

static bool is_dhcp4_port(uint16_t port)
{
	return port == PORT_SERVER || port == PORT_CLIENT;
}

static void decode_udp(struct frames_summary *summary, struct scope *scope)
{
	uint16_t length;

	summary->udp.source = bytes_be16(&scope->reader);
	summary->udp.destination = bytes_be16(&scope->reader);
	length = bytes_be16(&scope->reader);
	bytes_skip(&scope->reader, 2); /* checksum */
	if (is_truncated(summary, scope, "ends inside the UDP header"))
		return;
	summary->headers |= FRAMES_UDP;
	/* the end of a fragmented datagram is in another frame */
	if (length < UDP_SIZE ||
	    (!limit(scope, (size_t)length - UDP_SIZE) && !summary->ipv4.is_fragment))
		set_problem(summary, "the UDP length does not fit");
	if (is_dhcp4_port(summary->udp.source) || is_dhcp4_port(summary->udp.destination))
		decode_dhcp4(summary, scope);
}

static void decode_ipv4(struct frames_summary *summary, struct scope *scope)
{
	struct bytes_reader *reader = &scope->reader;
	uint8_t version = bytes_u8(reader);
	size_t header = (size_t)(version & 0x0f) * 4;
	uint16_t total, fragment;

	bytes_skip(reader, 1); /* DSCP */
	total = bytes_be16(reader);
	bytes_skip(reader, 2); /* identification */
	fragment = bytes_be16(reader);
	bytes_skip(reader, 1); /* TTL */
	summary->ipv4.protocol = bytes_u8(reader);
	bytes_skip(reader, 2); /* checksum */
	summary->ipv4.source = address(reader);
	summary->ipv4.destination = address(reader);
	summary->ipv4.offset = (uint16_t)((fragment & FRAGMENT_OFFSET) * 8u);
	summary->ipv4.is_fragment = (fragment & (FRAGMENT_OFFSET | FRAGMENT_MORE)) != 0;
	if (is_truncated(summary, scope, "ends inside the IPv4 header"))
		return;
	summary->headers |= FRAMES_IPV4;
	if (version >> 4 != 4)
		set_problem(summary, "the IP version is not 4");
	if (header < IPV4_SIZE) {
		set_problem(summary, "the IPv4 header length is below 20");
		return;
	}
	bytes_skip(reader, header - IPV4_SIZE); /* options */
	if (is_truncated(summary, scope, "ends inside the IPv4 options"))
		return;
	if (total < header || !limit(scope, total - header))
		set_problem(summary, "the IPv4 total length does not fit");
	if (summary->ipv4.protocol == PROTOCOL_UDP && summary->ipv4.offset == 0)
		decode_udp(summary, scope);
}

static void decode_ipv6(struct frames_summary *summary, struct scope *scope)
{
	struct bytes_reader *reader = &scope->reader;
	uint8_t version = bytes_u8(reader);

	bytes_skip(reader, 5); /* traffic class, flow label, payload length */
	summary->ipv6.next_header = bytes_u8(reader);
	bytes_skip(reader, 1); /* hop limit */
	bytes_copy(reader, &summary->ipv6.source, sizeof(summary->ipv6.source));
	bytes_copy(reader, &summary->ipv6.destination, sizeof(summary->ipv6.destination));
	if (is_truncated(summary, scope, "ends inside the IPv6 header"))
		return;
	summary->headers |= FRAMES_IPV6;
	if (version >> 4 != 6)
		set_problem(summary, "the IP version is not 6");
}

static void decode_arp(struct frames_summary *summary, struct scope *scope)
{
	struct bytes_reader *reader = &scope->reader;
	uint16_t hardware = bytes_be16(reader), protocol = bytes_be16(reader);
	uint16_t sizes = bytes_be16(reader);

	summary->arp.operation = bytes_be16(reader);
	bytes_copy(reader, summary->arp.sender_mac, MAC_SIZE);
	summary->arp.sender = address(reader);
	bytes_copy(reader, summary->arp.target_mac, MAC_SIZE);
	summary->arp.target = address(reader);
	if (is_truncated(summary, scope, "ends inside the ARP packet"))
		return;
	if (hardware != 1 || protocol != TYPE_IPV4 || sizes != (MAC_SIZE << 8 | 4))
		set_problem(summary, "the addresses are not IPv4 and Ethernet");
	else
		summary->headers |= FRAMES_ARP;
}

/* Decode up to the type after the tags. Returns false if the frame ends before
 * it. */
static bool decode_ethernet(struct frames_summary *summary, struct scope *scope)
{
	struct bytes_reader *reader = &scope->reader;

	bytes_copy(reader, summary->destination, MAC_SIZE);
	bytes_copy(reader, summary->source, MAC_SIZE);
	summary->type = bytes_be16(reader);
	if (is_truncated(summary, scope, "ends inside the Ethernet header"))
		return false;
	summary->headers |= FRAMES_ETHERNET;
	while ((summary->type == TYPE_VLAN || summary->type == TYPE_VLAN_SERVICE) &&
	       summary->n_vlans < FRAMES_VLANS_MAX) {
		uint16_t tag = bytes_be16(reader), type = bytes_be16(reader);

		if (is_truncated(summary, scope, "ends inside a VLAN tag"))
			return false;
		summary->priorities[summary->n_vlans] = (uint8_t)(tag >> VLAN_PRIORITY_SHIFT);
		summary->vlans[summary->n_vlans++] = tag & VLAN_ID;
		summary->type = type;
	}
	return true;
}

void frames_decode(struct frames_summary *summary, const uint8_t *bytes, size_t captured,
		   size_t size)
{
	struct scope scope = { .missing = size > captured ? size - captured : 0 };

	memset(summary, 0, sizeof(*summary));
	summary->size = size;
	bytes_reader_init(&scope.reader, bytes, captured);
	if (!decode_ethernet(summary, &scope))
		return;
	if (summary->type == TYPE_ARP)
		decode_arp(summary, &scope);
	else if (summary->type == TYPE_IPV4)
		decode_ipv4(summary, &scope);
	else if (summary->type == TYPE_IPV6)
		decode_ipv6(summary, &scope);
}
