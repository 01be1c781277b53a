/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compromised calf that writes frames to its tap that it should not: each frame
 * of a list, reported as "frame: WHAT: REASON" with the counter that must count it.
 * Frames that must not leave contain HOSTILE, those that may leave ALLOWED. In
 * between it gets a lease. In the end it sends
 * unicast requests to its server repeatedly.
 */
#include "tests/tools/calf.h"

/* Build an ARP announcement of the server's address as ours. */
static void arp(uint8_t *frame)
{
	memset(frame, 0, SIZE_MAX_SENT);
	memset(frame + AT_TO, 0xff, 6);
	memcpy(frame + AT_FROM, mac, 6);
	memcpy(frame + AT_TYPE, "\x08\x06\0\1\x08\0\6\4\0\1", 10);
	memcpy(frame + AT_SENDER_MAC, mac, 6);
	memcpy(frame + AT_SENDER, "\x0a\x4d\0\1", 4);
	memcpy(frame + AT_TARGET, "\x0a\x4d\0\1", 4);
}

enum base { BROADCAST, UNICAST, ARP };

struct row {
	const char *what, *reason;
	enum base base;
	uint32_t at; /* where to put the octets (or insert them: is_tag) */
	const char *octets;
	uint32_t n;
	uint32_t size; /* 0: unchanged; the lengths in IP and UDP match it */
	int is_tag;
};

#define PUT(at, octets) at, octets, sizeof(octets) - 1, 0, 0
#define TAG(octets) AT_TYPE, octets, sizeof(octets) - 1, 0, 1

static const struct row before_lease[] = {
	{ "another's source MAC", "out_source_mac", BROADCAST, PUT(AT_FROM, "\x02\x99") },
	{ "another's chaddr", "out_hardware", BROADCAST, PUT(AT_CHADDR, "\x02\x99") },
	{ "from another port", "out_port", BROADCAST, PUT(AT_PORTS, "\x04\0") },
	{ "to another port", "out_port", BROADCAST, PUT(AT_PORTS + 2, "\0\x35") },
	{ "server role, a server's ports", "out_port", BROADCAST,
	  PUT(AT_PORTS, "\0\x43\0\x44\1\x34\0\0\2") },
	{ "server role, a client's ports", "out_not_request", BROADCAST, PUT(AT_OP, "\2") },
	{ "no DHCP", "out_cookie", BROADCAST, PUT(AT_COOKIE, "\0") },
	{ "ARP: the server's address is ours", "out_arp_address", ARP, PUT(0, "") },
	{ "ARP: a probe for the server's address", "out_arp_address", ARP,
	  PUT(AT_SENDER, "\0\0\0\0") },
	{ "ARP: a reply", "out_arp_header", ARP, PUT(AT_OPERATION, "\2") },
	{ "ARP: another's MAC inside", "out_arp_header", ARP, PUT(AT_SENDER_MAC, "\x02\x99") },
	{ "ARP: another's source MAC", "out_source_mac", ARP, PUT(AT_FROM, "\x02\x99") },
	{ "ARP: to one host", "out_destination_mac", ARP, PUT(AT_TO, "\x02\0\0\0\x77\1") },
	{ "IPv6", "out_no_rule", BROADCAST, PUT(AT_TYPE, "\x86\xdd\x60\0\0\0\0\x20\x3a\xff") },
	{ "LLDP", "out_no_rule", BROADCAST, PUT(AT_TYPE, "\x88\xcc") },
	{ "EAPOL", "out_no_rule", BROADCAST, PUT(AT_TYPE, "\x88\x8e") },
	{ "TCP", "out_no_rule", BROADCAST, PUT(AT_PROTOCOL, "\x06") },
	{ "ICMP", "out_no_rule", BROADCAST, PUT(AT_PROTOCOL, "\x01") },
	{ "802.1Q", "out_vlan", BROADCAST, TAG("\x81\0\0\5") },
	{ "802.1Q, priority only", "out_vlan", BROADCAST, TAG("\x81\0\xe0\0") },
	{ "802.1ad", "out_vlan", BROADCAST, TAG("\x88\xa8\0\5") },
	{ "802.1Q in 802.1ad", "out_vlan", BROADCAST, TAG("\x88\xa8\0\5\x81\0\0\6") },
	{ "ARP in 802.1Q", "out_vlan", ARP, TAG("\x81\0\0\5") },
	{ "oversized", "out_too_long", BROADCAST, 0, "", 0, 1515, 0 },
	{ "oversized by far", "out_too_long", BROADCAST, 0, "", 0, SIZE_MAX_SENT, 0 },
	{ "ARP, padded with data", "out_too_long", ARP, 0, "", 0, 60, 0 },
	{ "first fragment", "out_fragment", BROADCAST, PUT(AT_FRAGMENT, "\x20\0") },
	{ "later fragment", "out_fragment", BROADCAST, PUT(AT_FRAGMENT, "\0\x10") },
	{ "IP options", "out_ip_header", BROADCAST, PUT(AT_IP, "\x46") },
	{ "broadcast IP to one MAC", "out_destination_mac", BROADCAST,
	  PUT(AT_TO, "\x02\0\0\0\x77\1") },
	{ "broadcast from another's address", "out_source_address", BROADCAST,
	  PUT(AT_SOURCE, "\x0a\x4d\0\x42") },
	{ "unicast without a lease", "out_source_address", BROADCAST,
	  PUT(0, "\x02\0\0\0\x77\1"
		 "\x02\0\0\0\x77\2\x08\0\x45\0\1\x48\0\0\0\0\x40\x11\0\0"
		 "\x0a\x4d\0\x42\x0a\x4d\0\1") },
};

static const struct row with_lease[] = {
	{ "unicast from another's address", "out_source_address", UNICAST,
	  PUT(AT_SOURCE, "\x0a\x4d\0\x42") },
	{ "unicast from the server's address", "out_source_address", UNICAST,
	  PUT(AT_SOURCE, "\x0a\x4d\0\1") },
	{ "unicast from no address", "out_source_address", UNICAST, PUT(AT_SOURCE, "\0\0\0\0") },
	{ "unicast from another interface's address", "out_source_address", UNICAST,
	  PUT(AT_SOURCE, "\x0a\x42\0\1") },
	{ "unicast to who never answered", "out_unknown_peer", UNICAST,
	  PUT(AT_DESTINATION, "\x0a\x4d\0\x43") },
	{ "unicast to the subnet's broadcast", "out_unknown_peer", UNICAST,
	  PUT(AT_DESTINATION, "\x0a\x4d\0\xff") },
	{ "unicast to another interface's network", "out_unknown_peer", UNICAST,
	  PUT(AT_DESTINATION, "\x0a\x42\0\2") },
	{ "unicast to the host itself", "out_unknown_peer", UNICAST,
	  PUT(AT_DESTINATION, "\x7f\0\0\1") },
	{ "unicast to a group's MAC", "out_destination_mac", UNICAST,
	  PUT(AT_TO, "\x01\0\x5e\0\0\1") },
	{ "unicast to another port", "out_port", UNICAST, PUT(AT_PORTS + 2, "\0\x35") },
	{ "unicast, a fragment", "out_fragment", UNICAST, PUT(AT_FRAGMENT, "\x20\0") },
	{ "unicast, oversized", "out_too_long", UNICAST, 0, "", 0, 1515, 0 },
	{ "unicast in 802.1Q", "out_vlan", UNICAST, TAG("\x81\0\0\5") },
	{ "unicast with another's chaddr", "out_hardware", UNICAST, PUT(AT_CHADDR, "\x02\x99") },
	{ "broadcast from another's address, with a lease", "out_source_address", BROADCAST,
	  PUT(AT_SOURCE, "\x0a\x4d\0\x42") },
	{ "ARP: the server's address is ours, with a lease", "out_arp_address", ARP, PUT(0, "") },
};

static void send_row(const struct row *row)
{
	static uint8_t frame[SIZE_MAX_SENT + 8];
	size_t size = row->size ? row->size : row->base == ARP ? ARP_SIZE : SIZE;

	if (row->base == ARP)
		arp(frame);
	else
		request(frame, row->base == UNICAST, "HOSTILE");
	if (row->base != ARP)
		set_lengths(frame, size);
	if (row->is_tag) {
		memmove(frame + row->at + row->n, frame + row->at, size - row->at);
		size += row->n;
	}
	memcpy(frame + row->at, row->octets, row->n);
	send_frame(frame, size);
	say_frame(row->what, row->reason);
}

static void on_sent(void)
{
	say_frame("a request to all", "out_accepted");
}

/* Get a lease; repeat until the server answers. */
static void take_lease(void)
{
	char net[32], text[128];

	get_lease("ALLOWED broadcast", on_sent);
	snprintf(net, sizeof(net), "%u.%u.%u.%u/24", leased[0], leased[1], leased[2], leased[3]);
	ask(WIRE_WRITE, "/ip", net, text);
	/* the filter knows the address when the host has it */
	(void)wait_for(-1, 1000);
}

int main(void)
{
	static uint8_t frame[SIZE_MAX_SENT];

	learn_mac();
	for (size_t i = 0; i < sizeof(before_lease) / sizeof(before_lease[0]); i++)
		send_row(&before_lease[i]);
	take_lease();
	for (size_t i = 0; i < sizeof(with_lease) / sizeof(with_lease[0]); i++)
		send_row(&with_lease[i]);
	say_frame("all", "done");
	for (;;) {
		request(frame, 1, "ALLOWED unicast");
		send_frame(frame, SIZE);
		(void)wait_for(-1, 200);
	}
}
