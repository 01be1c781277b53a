/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compromised calf that has a lease and sends requests with one thing in each that a
 * client does not say, reported as "frame: WHAT: REASON" with the counter that must count
 * it. Their xid is EVIL. In the end it begins more transactions than a client needs.
 */
#include "tests/tools/calf.h"

#define AT_HOPS 45
#define AT_FLAGS 52
#define AT_CIADDR 54
#define AT_SIADDR 62
#define AT_GIADDR 66
#define AT_FILE 150
#define AT_OPTIONS 282

#define FORGED_XID "EVIL"

struct row {
	const char *what, *reason;
	const char *options; /* behind the type */
	uint32_t n_options;
	uint8_t type;
	uint32_t at;
	const char *octets;
	uint32_t n;
	uint32_t size; /* 0: SIZE */
};

#define OCTETS(text) text, sizeof(text) - 1
#define END_ONLY OCTETS("\xff")
#define PUT(at, octets) at, octets, sizeof(octets) - 1, 0
#define NOTHING 0, "", 0, 0

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM, FORCERENEW };

static const struct row rows[] = {
	/* a relay's and a server's fields */
	{ "hops", "out_relay", END_ONLY, DISCOVER, PUT(AT_HOPS, "\1") },
	{ "16 hops", "out_relay", END_ONLY, DISCOVER, PUT(AT_HOPS, "\x10") },
	{ "giaddr", "out_relay", END_ONLY, DISCOVER, PUT(AT_GIADDR, "\x0a\x4d\0\x63") },
	{ "giaddr of the server", "out_relay", END_ONLY, REQUEST, PUT(AT_GIADDR, "\x0a\x4d\0\1") },
	{ "siaddr", "out_relay", END_ONLY, DISCOVER, PUT(AT_SIADDR, "\x0a\x4d\0\1") },
	{ "yiaddr", "out_relay", END_ONLY, DISCOVER, PUT(AT_YIADDR, "\x0a\x4d\0\1") },
	{ "reserved flags", "out_relay", END_ONLY, DISCOVER, PUT(AT_FLAGS, "\x7f\xff") },
	/* room for data */
	{ "data behind chaddr", "out_relay", END_ONLY, DISCOVER, PUT(AT_CHADDR + 6, "0123456789") },
	{ "data in sname", "out_relay", END_ONLY, DISCOVER, PUT(AT_SNAME, "covert") },
	{ "data in file", "out_relay", END_ONLY, DISCOVER, PUT(AT_FILE, "covert") },
	{ "data at the end of file", "out_relay", END_ONLY, DISCOVER, PUT(AT_COOKIE - 1, "c") },
	{ "data behind END", "out_message", END_ONLY, DISCOVER, PUT(AT_OPTIONS + 4, "covert") },
	{ "data in the last octet", "out_message", END_ONLY, DISCOVER, PUT(SIZE - 1, "c") },
	{ "1,200 octets", "out_too_long", END_ONLY, DISCOVER, 0, "", 0, 1242 },
	{ "549 octets", "out_too_long", END_ONLY, DISCOVER, 0, "", 0, 591 },
	/* options that are not a client's */
	{ "relay agent (82)", "out_message", OCTETS("\x52\3\1\1\1\xff"), DISCOVER, NOTHING },
	{ "vendor's (43)", "out_message", OCTETS("\x2b\4data\xff"), DISCOVER, NOTHING },
	{ "overload (52)", "out_message", OCTETS("\x34\1\3\xff"), DISCOVER, NOTHING },
	{ "lease time (51)", "out_message", OCTETS("\x33\4\xff\xff\xff\xff\xff"), DISCOVER,
	  NOTHING },
	{ "router (3)", "out_message", OCTETS("\3\4\x0a\x4d\0\x42\xff"), REQUEST, NOTHING },
	{ "routes (121)", "out_message", OCTETS("\x79\5\0\x0a\x4d\0\x42\xff"), REQUEST, NOTHING },
	{ "private (224)", "out_message", OCTETS("\xe0\4data\xff"), DISCOVER, NOTHING },
	{ "authentication (90)", "out_message", OCTETS("\x5a\4data\xff"), DISCOVER, NOTHING },
	{ "nonce (145)", "out_message", OCTETS("\x91\1\1\xff"), REQUEST, NOTHING },
	{ "PAD in between", "out_message", OCTETS("\0\0\0\0\xff"), DISCOVER, NOTHING },
	{ "no END", "out_message", OCTETS("\x0c\x34"), DISCOVER, NOTHING },
	{ "an option beyond the end", "out_message", OCTETS("\x0c\xff"), DISCOVER, NOTHING },
	{ "requested twice", "out_message", OCTETS("\x32\4\x0a\x4d\0\x42\x32\4\x0a\x4d\0\x43\xff"),
	  REQUEST, NOTHING },
	{ "requested, too long", "out_message", OCTETS("\x32\6\x0a\x4d\0\x42xy\xff"), REQUEST,
	  NOTHING },
	{ "server, too long", "out_message", OCTETS("\x36\5\x0a\x4d\0\1x\xff"), REQUEST, NOTHING },
	{ "size, too long", "out_message", OCTETS("\x39\4\5\xc0xy\xff"), DISCOVER, NOTHING },
	{ "data in rapid commit", "out_message", OCTETS("\x50\4data\xff"), DISCOVER, NOTHING },
	/* message types */
	{ "OFFER", "out_message", END_ONLY, OFFER, NOTHING },
	{ "ACK", "out_message", END_ONLY, ACK, NOTHING },
	{ "NAK", "out_message", END_ONLY, NAK, NOTHING },
	{ "FORCERENEW", "out_message", END_ONLY, FORCERENEW, NOTHING },
	{ "LEASEQUERY", "out_message", END_ONLY, 10, NOTHING },
	{ "type 0", "out_message", END_ONLY, 0, NOTHING },
	{ "two types", "out_message", OCTETS("\x35\1\3\xff"), DISCOVER, NOTHING },
	{ "no type at first", "out_message", END_ONLY, DISCOVER,
	  PUT(AT_OPTIONS, "\x0c\1x\x35\1\1\xff") },
	{ "plain BOOTP", "out_message", END_ONLY, DISCOVER, PUT(AT_OPTIONS, "\xff\0\0\0") },
	/* another's identity */
	{ "another client", "out_client_id", OCTETS("\x3d\7\1\2\0\0\0\x99\2\xff"), DISCOVER,
	  NOTHING },
	{ "a client of names", "out_client_id", OCTETS("\x3d\5\0ldap\xff"), REQUEST, NOTHING },
	{ "two identities", "out_message", OCTETS("\x3d\2\1\2\x3d\2\3\4\xff"), DISCOVER, NOTHING },
	/* another's address */
	{ "ciaddr in a DISCOVER", "out_ciaddr", END_ONLY, DISCOVER,
	  PUT(AT_CIADDR, "\x0a\x4d\0\x42") },
	{ "renewal of another's address", "out_ciaddr", END_ONLY, REQUEST,
	  PUT(AT_CIADDR, "\x0a\x4d\0\x42") },
	{ "INFORM for another's address", "out_ciaddr", END_ONLY, INFORM,
	  PUT(AT_CIADDR, "\x0a\x4d\0\x42") },
	{ "RELEASE of another's address", "out_ciaddr", OCTETS("\x36\4\x0a\x4d\0\1\xff"), RELEASE,
	  PUT(AT_CIADDR, "\x0a\x4d\0\x42") },
	{ "DECLINE of another's address", "out_not_witnessed",
	  OCTETS("\x36\4\x0a\x4d\0\1\x32\4\x0a\x4d\0\x42\xff"), DECLINE, NOTHING },
	{ "DECLINE of the server's address", "out_not_witnessed",
	  OCTETS("\x36\4\x0a\x4d\0\1\x32\4\x0a\x4d\0\1\xff"), DECLINE, NOTHING },
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) == 50, "the test counts them");

static void on_sent(void)
{
	say_frame("a request to all", "out_accepted");
}

static void send_row(const struct row *row)
{
	static uint8_t frame[SIZE_MAX_SENT];
	size_t size = row->size ? row->size : SIZE;

	request(frame, 0, "");
	memcpy(frame + AT_BOOTP_XID, FORGED_XID, 4);
	frame[AT_OPTIONS + 2] = row->type;
	memcpy(frame + AT_OPTIONS + 3, row->options, row->n_options);
	memcpy(frame + row->at, row->octets, row->n);
	set_lengths(frame, size);
	send_frame(frame, size);
	say_frame(row->what, row->reason);
}

static void send_many(void)
{
	static uint8_t frame[SIZE_MAX_SENT];

	for (int i = 0; i < 200; i++) {
		request(frame, 0, "");
		memcpy(frame + AT_BOOTP_XID, "MNY", 3);
		frame[AT_BOOTP_XID + 3] = (uint8_t)i;
		send_frame(frame, SIZE);
	}
}

int main(void)
{
	learn_mac();
	get_lease("", on_sent);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		send_row(&rows[i]);
	say_frame("all", "done");
	send_many();
	say_frame("many", "done");
	for (;;)
		(void)wait_for(-1, 1000);
}
