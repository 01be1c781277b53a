/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "userspace/cli/frames/frames.h"

struct line {
	char *text;
	size_t size, at;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line->text + line->at, line->size - line->at, format, arguments);
	va_end(arguments);
	if (n > 0)
		line->at += (size_t)n < line->size - line->at ? (size_t)n :
								line->size - line->at - 1;
}

const char *frames_text_mac(const uint8_t mac[6])
{
	static char texts[4][18];
	static unsigned int i_text;
	char *text = texts[i_text++ % 4];

	snprintf(text, sizeof(texts[0]), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return text;
}

/* Names of numbers; NULL if a number has none. */
static const char *op_name(uint8_t op)
{
	return op == 1 ? "BOOTREQUEST" : op == 2 ? "BOOTREPLY" : NULL;
}

const char *frames_text_type(uint8_t type)
{
	static const char *const names[] = { NULL,  "DISCOVER", "OFFER",   "REQUEST", "DECLINE",
					     "ACK", "NAK",	"RELEASE", "INFORM",  "FORCERENEW" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

static const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_ICMP:
		return "ICMP";
	case IPPROTO_IGMP:
		return "IGMP";
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMPV6:
		return "ICMPv6";
	default:
		return NULL;
	}
}

static const char *ethertype_name(uint16_t type)
{
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = {
		{ 0x0800, "IPv4" },	   { 0x0806, "ARP" },	  { 0x8100, "802.1Q" },
		{ 0x86dd, "IPv6" },	   { 0x8847, "MPLS" },	  { 0x8863, "PPPoE discovery" },
		{ 0x8864, "PPPoE" },	   { 0x888e, "802.1X" },  { 0x88a8, "802.1ad" },
		{ 0x88cc, "LLDP" },	   { 0x88e5, "802.1AE" }, { 0x88f7, "PTP" },
		{ 0x0842, "Wake-on-LAN" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	return NULL;
}

const char *frames_text_reason(uint32_t reason)
{
	static const char *const names[] = FRAME_REASON_NAMES;

	_Static_assert(sizeof(names) / sizeof(names[0]) == _FRAME_REASON_N, "a name per reason");
	return reason < _FRAME_REASON_N ? names[reason] : "unknown";
}

const char *frames_text_verdict(uint32_t reason)
{
	static const char *const names[] = {
		[FRAME_PASSED] = "passed",
		[FRAME_DELIVERED] = "delivered",
		[FRAME_SENT] = "sent",
		[FRAME_DROPPED] = "dropped",
	};

	return names[FRAME_VERDICT(reason)];
}

const char *frames_text_direction(uint32_t reason)
{
	static const char *const names[] = {
		[FRAME_FROM_UPLINK] = "in",
		[FRAME_FROM_CALF] = "out",
		[FRAME_FROM_HOST] = "host",
	};

	return names[FRAME_DIRECTION(reason)];
}

/* Add " NAME ADDRESS" unless the address is 0. */
static void add_address(struct line *line, const char *name, struct in_addr address)
{
	char text[INET_ADDRSTRLEN];

	if (address.s_addr != 0)
		add(line, " %s %s", name, inet_ntop(AF_INET, &address, text, sizeof(text)));
}

static void add_arp(struct line *line, const struct frames_summary *summary)
{
	char sender[INET_ADDRSTRLEN], target[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &summary->arp.sender, sender, sizeof(sender));
	inet_ntop(AF_INET, &summary->arp.target, target, sizeof(target));
	if (summary->arp.operation == 2)
		add(line, ", ARP %s is-at %s", sender, frames_text_mac(summary->arp.sender_mac));
	else if (summary->arp.operation != 1)
		add(line, ", ARP operation %u", summary->arp.operation);
	else if (summary->arp.sender.s_addr == 0)
		add(line, ", ARP probe %s", target);
	else if (summary->arp.sender.s_addr == summary->arp.target.s_addr)
		add(line, ", ARP announcement %s", target);
	else
		add(line, ", ARP who-has %s tell %s", target, sender);
}

static void add_dhcp4(struct line *line, const struct frames_summary *summary)
{
	const char *op = op_name(summary->dhcp4.op);
	const char *type = frames_text_type(summary->dhcp4.type);

	if (op)
		add(line, ", %s", op);
	else
		add(line, ", BOOTP op %u", summary->dhcp4.op);
	if (type)
		add(line, " %s", type);
	else if (summary->dhcp4.type != 0)
		add(line, " type %u", summary->dhcp4.type);
	add(line, " xid 0x%08x chaddr %s", summary->dhcp4.xid,
	    frames_text_mac(summary->dhcp4.chaddr));
	add_address(line, "ciaddr", summary->dhcp4.ciaddr);
	add_address(line, "yiaddr", summary->dhcp4.yiaddr);
	add_address(line, "giaddr", summary->dhcp4.giaddr);
	add_address(line, "requested", summary->dhcp4.requested);
	add_address(line, "server", summary->dhcp4.server);
}

static void add_protocol(struct line *line, uint8_t protocol)
{
	const char *name = protocol_name(protocol);

	if (name)
		add(line, ", %s", name);
	else
		add(line, ", protocol %u", protocol);
}

static void add_ipv4(struct line *line, const struct frames_summary *summary)
{
	char source[INET_ADDRSTRLEN], destination[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &summary->ipv4.source, source, sizeof(source));
	inet_ntop(AF_INET, &summary->ipv4.destination, destination, sizeof(destination));
	if (summary->headers & FRAMES_UDP)
		add(line, ", %s:%u > %s:%u", source, summary->udp.source, destination,
		    summary->udp.destination);
	else
		add(line, ", %s > %s", source, destination);
	if (summary->ipv4.is_fragment)
		add(line, ", fragment at %u", summary->ipv4.offset);
	if (summary->headers & FRAMES_DHCP4)
		add_dhcp4(line, summary);
	else
		add_protocol(line, summary->ipv4.protocol);
}

static void add_ipv6(struct line *line, const struct frames_summary *summary)
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &summary->ipv6.source, source, sizeof(source));
	inet_ntop(AF_INET6, &summary->ipv6.destination, destination, sizeof(destination));
	add(line, ", IPv6 %s > %s", source, destination);
	add_protocol(line, summary->ipv6.next_header);
}

/* Add the type of a frame whose payload is not decoded; below 1536 it is a
 * length. */
static void add_type(struct line *line, uint16_t type)
{
	const char *name = ethertype_name(type);

	if (name)
		add(line, ", %s", name);
	else if (type < 0x0600)
		add(line, ", 802.3");
	else
		add(line, ", EtherType 0x%04x", type);
}

static void add_ethernet(struct line *line, const struct frames_summary *summary)
{
	static const uint8_t none[sizeof(summary->destination)];
	bool is_next_hop = summary->is_from_calf &&
			   memcmp(summary->destination, none, sizeof(none)) == 0;

	add(line, "%s > %s", frames_text_mac(summary->source),
	    is_next_hop ? "next hop" : frames_text_mac(summary->destination));
	for (unsigned int i = 0; i < summary->n_vlans; i++)
		if (summary->vlans[i] != 0)
			add(line, ", vlan %u", summary->vlans[i]);
		else
			add(line, ", priority %u", summary->priorities[i]);
	if (summary->headers & FRAMES_ARP)
		add_arp(line, summary);
	else if (summary->headers & FRAMES_IPV4)
		add_ipv4(line, summary);
	else if (summary->headers & FRAMES_IPV6)
		add_ipv6(line, summary);
	else
		add_type(line, summary->type);
}

void frames_text(const struct frames_summary *summary, char text[static FRAMES_TEXT_SIZE])
{
	struct line line = { .text = text, .size = FRAMES_TEXT_SIZE };

	if (summary->headers & FRAMES_ETHERNET) {
		add_ethernet(&line, summary);
		add(&line, ", ");
	}
	add(&line, "%zu bytes", summary->size);
	if (summary->problem)
		add(&line, ", malformed: %s", summary->problem);
	if (summary->is_cut)
		add(&line, ", the rest was not kept");
}
