/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compromised calf that writes frames to its tap that it should not: each frame
 * of a list, reported as "frame: WHAT: REASON" with the counter that must count it.
 * Frames that must not leave contain HOSTILE, those that may leave ALLOWED. In
 * between it requests an offer and uses it as its lease. In the end it sends
 * unicast requests to its server repeatedly.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/wire.h"

#define FRAMES 3
#define CONTROL 4
#define SIZE 342 /* Ethernet, IPv4, UDP, 300 octets of BOOTP */
#define ARP_SIZE 42
#define SIZE_MAX_SENT 2000
#define XID "HOST"

enum {
	AT_TO = 0,
	AT_FROM = 6,
	AT_TYPE = 12,
	AT_IP = 14,
	AT_TOTAL = 16,
	AT_FRAGMENT = 20,
	AT_PROTOCOL = 23,
	AT_CHECKSUM = 24,
	AT_SOURCE = 26,
	AT_DESTINATION = 30,
	AT_PORTS = 34,
	AT_UDP_LENGTH = 38,
	AT_OP = 42,
	AT_BOOTP_XID = 46,
	AT_YIADDR = 58,
	AT_CHADDR = 70,
	AT_SNAME = 86,
	AT_COOKIE = 278,
	AT_OPERATION = 21,
	AT_SENDER_MAC = 22,
	AT_SENDER = 28,
	AT_TARGET = 38,
};

static uint8_t mac[6], leased[4], server[4];

/* Uses ppoll(2), because the sandbox allows neither nanosleep nor poll. */
static int wait_for(int fd, int milliseconds)
{
	const struct timespec timeout = { .tv_sec = milliseconds / 1000,
					  .tv_nsec = milliseconds % 1000 * 1000000l };
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	int n = ppoll(&readable, 1, &timeout, NULL);

	if (n < 0)
		_exit(9);
	return n;
}

static void say(const char *what, const char *reason)
{
	char line[160];
	int size = snprintf(line, sizeof(line), "frame: %s: %s\n", what, reason);

	if (size < 0 || write(2, line, (size_t)size) < 0)
		_exit(3);
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void set_lengths(uint8_t *frame, size_t size)
{
	uint32_t sum = 0;

	put16(frame + AT_TOTAL, size - AT_IP);
	put16(frame + AT_UDP_LENGTH, size - AT_PORTS);
	put16(frame + AT_CHECKSUM, 0);
	for (int i = AT_IP; i < AT_PORTS; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(frame + AT_CHECKSUM, ((sum & 0xffff) + (sum >> 16)) ^ 0xffff);
}

/* Build a frame that the filter lets out: a broadcast DISCOVER, or one by unicast
 * to the server. */
static void request(uint8_t *frame, int is_unicast, const char *mark)
{
	memset(frame, 0, SIZE_MAX_SENT);
	memset(frame + AT_TO, is_unicast ? 0 : 0xff, 6);
	memcpy(frame + AT_FROM, mac, 6);
	put16(frame + AT_TYPE, 0x0800);
	memcpy(frame + AT_IP, "\x45\0\0\0\0\0\0\0\x40\x11", 10);
	memset(frame + AT_DESTINATION, 0xff, 4);
	if (is_unicast) {
		memcpy(frame + AT_SOURCE, leased, 4);
		memcpy(frame + AT_DESTINATION, server, 4);
	}
	memcpy(frame + AT_PORTS, "\0\x44\0\x43", 4);
	memcpy(frame + AT_OP, "\1\1\6\0" XID, 8);
	memcpy(frame + AT_CHADDR, mac, 6);
	snprintf((char *)frame + AT_SNAME, 64, "%s", mark);
	memcpy(frame + AT_COOKIE, "\x63\x82\x53\x63\x35\1\1\xff", 8);
	set_lengths(frame, SIZE);
}

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

static void send_frame(const uint8_t *frame, size_t size)
{
	if (write(FRAMES, frame, size) != (ssize_t)size)
		_exit(4);
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
	say(row->what, row->reason);
}

/* Send one request to the store and read the text of the response. */
static void ask(enum wire_request_tag tag, const char *path, const char *value, char text[128])
{
	static uint8_t received[WIRE_FRAME_MAX];
	struct wire_response response;
	size_t n_received = 0;
	uint8_t buffer[512];
	int size =
		wire_encode_request(1, tag, path, value, strlen(value), 0, buffer, sizeof(buffer));

	if (size <= 0 || write(CONTROL, buffer, (size_t)size) != size)
		_exit(5);
	while ((size = wire_frame_size(received, n_received)) == 0 || (size_t)size > n_received) {
		ssize_t n;

		(void)wait_for(CONTROL, 5000);
		n = read(CONTROL, received + n_received, sizeof(received) - n_received);
		if (size < 0 || n <= 0)
			_exit(6);
		n_received += (size_t)n;
	}
	if (wire_decode_response(received, (size_t)size, &response) < 0 ||
	    response.tag == WIRE_ERROR)
		_exit(7);
	snprintf(text, 128, "%.*s", (int)response.value.size, (const char *)response.value.bytes);
}

static void learn_mac(void)
{
	unsigned int octets[6];
	char text[128];

	ask(WIRE_READ, "/mac", "", text);
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &octets[0], &octets[1], &octets[2], &octets[3],
		   &octets[4], &octets[5]) != 6)
		_exit(8);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)octets[i];
}

/* Use the server's offer as our lease; repeat the request until it arrives. */
static void take_offer(void)
{
	static uint8_t frame[SIZE_MAX_SENT];
	char net[32], text[128];
	ssize_t size = 0;

	while (size < AT_COOKIE || memcmp(frame + AT_BOOTP_XID, XID, 4) != 0) {
		request(frame, 0, "ALLOWED broadcast");
		send_frame(frame, SIZE);
		say("a request to all", "out_accepted");
		memset(frame, 0, sizeof(frame));
		if (wait_for(FRAMES, 2000))
			size = read(FRAMES, frame, sizeof(frame));
	}
	memcpy(server, frame + AT_SOURCE, 4);
	memcpy(leased, frame + AT_YIADDR, 4);
	snprintf(net, sizeof(net), "%u.%u.%u.%u/24", leased[0], leased[1], leased[2], leased[3]);
	ask(WIRE_WRITE, "/ip", net, text);
}

int main(void)
{
	static uint8_t frame[SIZE_MAX_SENT];

	learn_mac();
	for (size_t i = 0; i < sizeof(before_lease) / sizeof(before_lease[0]); i++)
		send_row(&before_lease[i]);
	take_offer();
	for (size_t i = 0; i < sizeof(with_lease) / sizeof(with_lease[0]); i++)
		send_row(&with_lease[i]);
	say("all", "done");
	for (;;) {
		request(frame, 1, "ALLOWED unicast");
		send_frame(frame, SIZE);
		(void)wait_for(-1, 200);
	}
}
