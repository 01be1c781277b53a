/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "userspace/cli/frames/frames.h"
#include "userspace/common/clock.h"

static json_t *address(struct in_addr address)
{
	char text[INET_ADDRSTRLEN];

	return json_string(inet_ntop(AF_INET, &address, text, sizeof(text)));
}

static json_t *address6(const struct in6_addr *address)
{
	char text[INET6_ADDRSTRLEN];

	return json_string(inet_ntop(AF_INET6, address, text, sizeof(text)));
}

/* Set the member `name` unless the address is 0. */
static void set_address(json_t *object, const char *name, struct in_addr value)
{
	if (value.s_addr != 0)
		json_object_set_new(object, name, address(value));
}

static json_t *ethernet(const struct frames_summary *summary)
{
	json_t *vlans = json_array();
	char type[8];

	for (unsigned int i = 0; i < summary->n_vlans; i++)
		json_array_append_new(vlans, json_integer(summary->vlans[i]));
	snprintf(type, sizeof(type), "0x%04x", summary->type);
	return json_pack("{s:s, s:s, s:o, s:s}", "source", frames_text_mac(summary->source),
			 "destination", frames_text_mac(summary->destination), "vlans", vlans,
			 "type", type);
}

static json_t *arp(const struct frames_summary *summary)
{
	return json_pack("{s:i, s:s, s:o, s:s, s:o}", "operation", summary->arp.operation,
			 "sender_mac", frames_text_mac(summary->arp.sender_mac), "sender",
			 address(summary->arp.sender), "target_mac",
			 frames_text_mac(summary->arp.target_mac), "target",
			 address(summary->arp.target));
}

static json_t *ipv4(const struct frames_summary *summary)
{
	json_t *object = json_pack("{s:o, s:o, s:i}", "source", address(summary->ipv4.source),
				   "destination", address(summary->ipv4.destination), "protocol",
				   summary->ipv4.protocol);

	if (summary->ipv4.is_fragment)
		json_object_set_new(object, "fragment_at", json_integer(summary->ipv4.offset));
	return object;
}

static json_t *dhcp4(const struct frames_summary *summary)
{
	const char *type = frames_text_type(summary->dhcp4.type);
	json_t *object;
	char xid[16];

	snprintf(xid, sizeof(xid), "0x%08x", summary->dhcp4.xid);
	object = json_pack("{s:i, s:s, s:s}", "op", summary->dhcp4.op, "xid", xid, "chaddr",
			   frames_text_mac(summary->dhcp4.chaddr));
	if (type)
		json_object_set_new(object, "type", json_string(type));
	else if (summary->dhcp4.type != 0)
		json_object_set_new(object, "type", json_integer(summary->dhcp4.type));
	set_address(object, "ciaddr", summary->dhcp4.ciaddr);
	set_address(object, "yiaddr", summary->dhcp4.yiaddr);
	set_address(object, "giaddr", summary->dhcp4.giaddr);
	set_address(object, "requested", summary->dhcp4.requested);
	set_address(object, "server", summary->dhcp4.server);
	return object;
}

static void set_headers(json_t *object, const struct frames_summary *summary)
{
	if (summary->headers & FRAMES_ETHERNET)
		json_object_set_new(object, "ethernet", ethernet(summary));
	if (summary->headers & FRAMES_ARP)
		json_object_set_new(object, "arp", arp(summary));
	if (summary->headers & FRAMES_IPV4)
		json_object_set_new(object, "ipv4", ipv4(summary));
	if (summary->headers & FRAMES_IPV6)
		json_object_set_new(object, "ipv6",
				    json_pack("{s:o, s:o, s:i}", "source",
					      address6(&summary->ipv6.source), "destination",
					      address6(&summary->ipv6.destination), "next_header",
					      summary->ipv6.next_header));
	if (summary->headers & FRAMES_UDP)
		json_object_set_new(object, "udp",
				    json_pack("{s:i, s:i}", "source", summary->udp.source,
					      "destination", summary->udp.destination));
	if (summary->headers & FRAMES_DHCP4)
		json_object_set_new(object, "dhcp4", dhcp4(summary));
}

json_t *frames_json(const struct frame_sample *sample, const struct frames_summary *summary,
		    uint64_t wall_ns)
{
	char time[CLOCK_TEXT_SIZE], text[FRAMES_TEXT_SIZE];
	json_t *object;

	clock_format_utc(wall_ns, time);
	frames_text(summary, text);
	object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "time", time, "direction",
			   frames_text_direction(sample->reason), "verdict",
			   frames_text_verdict(sample->reason), "reason",
			   frames_text_reason(sample->reason), "number", (json_int_t)sample->number,
			   "bytes", (json_int_t)summary->size, "captured",
			   (json_int_t)sample->captured, "summary", text);
	if (summary->problem)
		json_object_set_new(object, "problem", json_string(summary->problem));
	set_headers(object, summary);
	return object;
}
