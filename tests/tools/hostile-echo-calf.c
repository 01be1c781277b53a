/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attacker may run in the place of calf-echo, whose rule is for the ports 1068 and
 * 1067, beside a calf that has the host's lease: it tries to send DHCP, ARP, and requests
 * about that lease. Each frame is reported as "frame: WHAT: REASON" with the counter that
 * must count it. Frames that must not leave contain HOSTILE, the one that may ALLOWED. Then
 * it reports what it gets, until the end.
 */
#include "tests/tools/calf.h"

#define LOCAL 1068
#define REMOTE 1067
#define AT_CIADDR 54
#define AT_OPTIONS (AT_COOKIE + 4)
#define TYPE(type) AT_OPTIONS + 2, type, 1

struct row {
	const char *what, *reason;
	uint16_t from, to; /* ports */
	uint32_t at;	   /* where to put the octets */
	const char *octets;
	uint32_t n;
	enum { NO_ADDRESS, CIADDR, REQUESTED, SOURCE, UNICAST } place; /* of the host's address */
};

static const struct row rows[] = {
	{ "DHCP", "out_port", 68, 67, 0, "", 0, NO_ADDRESS },
	{ "DHCP from the own port", "out_port", LOCAL, 67, 0, "", 0, NO_ADDRESS },
	{ "DHCP to the own port", "out_port", 68, REMOTE, 0, "", 0, NO_ADDRESS },
	{ "as a server", "out_port", 67, 68, AT_OP, "\2", 1, NO_ADDRESS },
	{ "as a server, own ports", "out_port", REMOTE, LOCAL, AT_OP, "\2", 1, NO_ADDRESS },
	{ "as a server, ports of the rule", "out_not_request", LOCAL, REMOTE, AT_OP, "\2", 1,
	  NO_ADDRESS },
	{ "DHCP, a fragment", "out_fragment", 68, 67, AT_FRAGMENT, "\x20\0", 2, NO_ADDRESS },
	{ "DHCP behind IP options", "out_ip_header", 68, 67, AT_IP, "\x46", 1, NO_ADDRESS },
	{ "DHCP in a VLAN", "out_vlan", 68, 67, AT_TYPE, "\x81\0\0\5\x08\0", 6, NO_ADDRESS },
	{ "ARP", "out_no_rule", 68, 67, AT_TYPE, "\x08\x06\0\1\x08\0\6\4\0\1", 10, NO_ADDRESS },
	{ "IPv6", "out_no_rule", LOCAL, REMOTE, AT_TYPE, "\x86\xdd", 2, NO_ADDRESS },
	{ "another's chaddr", "out_hardware", LOCAL, REMOTE, AT_CHADDR, "\x02\x99", 2, NO_ADDRESS },
	{ "from the host's address", "out_source_address", LOCAL, REMOTE, 0, "", 0, SOURCE },
	{ "by unicast", "out_source_address", LOCAL, REMOTE, AT_TO, "\2\0\0\0\x77\1", 6, UNICAST },
	{ "renew the host's lease", "out_ciaddr", LOCAL, REMOTE, TYPE("\3"), CIADDR },
	{ "release the host's lease", "out_ciaddr", LOCAL, REMOTE, TYPE("\7"), CIADDR },
	{ "release no lease", "out_not_witnessed", LOCAL, REMOTE, TYPE("\7"), NO_ADDRESS },
	{ "decline the host's address", "out_not_witnessed", LOCAL, REMOTE, TYPE("\4"), REQUESTED },
	{ "inform with the host's address", "out_ciaddr", LOCAL, REMOTE, TYPE("\x08"), CIADDR },
};

static uint8_t address[4];

static void learn_address(void)
{
	unsigned int octets[4];
	char text[128];

	while (!try_to_ask(WIRE_READ, "/ip", "", text))
		(void)wait_for(-1, 100);
	if (sscanf(text, "%u.%u.%u.%u/", &octets[0], &octets[1], &octets[2], &octets[3]) != 4)
		_exit(8);
	for (int i = 0; i < 4; i++)
		address[i] = (uint8_t)octets[i];
}

static void send_row(const struct row *row)
{
	static uint8_t frame[SIZE_MAX_SENT];
	uint8_t *end;

	request(frame, 0, "HOSTILE");
	put16(frame + AT_PORTS, row->from);
	put16(frame + AT_PORTS + 2, row->to);
	if (row->place == CIADDR)
		memcpy(frame + AT_CIADDR, address, sizeof(address));
	if (row->place == SOURCE || row->place == UNICAST)
		memcpy(frame + AT_SOURCE, address, sizeof(address));
	if (row->place == UNICAST)
		memcpy(frame + AT_DESTINATION, "\x0a\x4d\0\1", 4);
	if (row->place == REQUESTED) {
		end = put_options(frame, 4, "HOSTILE");
		memcpy(end, "\x32\4", 2);
		memcpy(end + 2, address, sizeof(address));
		end[6] = 0xff;
	}
	set_lengths(frame, SIZE);
	memcpy(frame + row->at, row->octets, row->n);
	send_frame(frame, SIZE);
	say_frame(row->what, row->reason);
}

int main(void)
{
	static uint8_t frame[SIZE_MAX_SENT];

	learn_mac();
	learn_address();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		send_row(&rows[i]);
	request(frame, 0, "ALLOWED");
	put16(frame + AT_PORTS, LOCAL);
	put16(frame + AT_PORTS + 2, REMOTE);
	send_frame(frame, SIZE);
	say_frame("its own", "out_accepted");
	say_frame("all", "done");
	for (;;) {
		(void)wait_for(FRAMES, 60000);
		if (read(FRAMES, frame, sizeof(frame)) > 0)
			say_frame("got", frame[AT_PORTS + 2] == LOCAL >> 8 ? "own" : "foreign");
	}
}
