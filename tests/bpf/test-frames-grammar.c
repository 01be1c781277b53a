/* SPDX-License-Identifier: Apache-2.0 */
/* What the calf may say: one wrong thing in each row, and what the client says in each
 * state. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "tests/bpf/support-frames.h"

#define AT_HOPS (AT_OP + 3)
#define AT_SECS (AT_OP + 8)
#define AT_FLAGS (AT_OP + 10)
#define AT_CIADDR (AT_OP + 12)
#define AT_SIADDR (AT_OP + 20)
#define AT_GIADDR (AT_OP + 24)
#define AT_IP_TOS (AT_IP + 1)
#define AT_IP_ID (AT_IP + 4)
#define AT_IP_TTL (AT_IP + 8)

#define OCTETS(text) text, sizeof(text) - 1
#define N(list) (sizeof(list) / sizeof((list)[0]))

static struct frames_test test;
static struct frame_grammar grammar;

/* Without a client identifier, unless a test sets one before begin(). */
static void begin(void)
{
	if (!grammar.transaction_interval_ns)
		grammar = frames_test_grammar();
	test.grammar = &grammar;
	frames_test_begin_mode(&test, FRAME_MODE_TC, 1000000, 1000000);
}

static void end(void)
{
	frames_test_end(&test);
}

/* A request with these options. */
static void put(uint8_t *frame, const char *options, size_t n)
{
	frames_test_request(&test, frame);
	memset(frame + AT_OPTIONS, 0, FRAME_SIZE - AT_OPTIONS);
	memcpy(frame + AT_OPTIONS, options, n);
}

static void put_unicast(uint8_t *frame, const char *options, size_t n)
{
	put(frame, options, n);
	memset(frame + AT_ETH_DESTINATION, 0, 6);
	memcpy(frame + AT_IP_SOURCE, "\x0a\7\0\5\x0a\7\0\1", 8);
	memcpy(frame + AT_CIADDR, "\x0a\7\0\5", 4);
}

/* The IP header is the program's, the rest is the calf's. */
static void check_sent(const uint8_t *frame, const uint8_t *out)
{
	uint32_t sum = 0;

	for (int i = AT_IP; i < AT_UDP_SOURCE; i += 2)
		sum += (uint32_t)out[i] << 8 | out[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	cr_expect_eq((sum & 0xffff) + (sum >> 16), 0xffff, "the checksum of IP");
	cr_expect_eq(out[AT_IP_TTL], 64);
	cr_expect_eq(out[AT_IP_TOS], 0);
	cr_expect_arr_eq(out + AT_IP_ID, "\0\0\0\0", 4);
	cr_expect_arr_eq(out + AT_IP_SOURCE, frame + AT_IP_SOURCE, FRAME_SIZE - AT_IP_SOURCE);
}

/* Returns the reason that was counted. */
static uint32_t judge(const uint8_t *frame)
{
	uint64_t before[_FRAME_REASON_N];
	uint8_t out[FRAME_SIZE];
	uint32_t reason;
	int verdict;

	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		before[i] = frames_test_count(&test, i);
	verdict = frames_test_run(frames_test_tap(&test), frame, FRAME_SIZE, test.tap.ifindex, out);
	for (reason = 0; reason < _FRAME_REASON_N; reason++)
		if (frames_test_count(&test, reason) != before[reason])
			break;
	if (reason == FRAME_OUT_ACCEPTED || reason == FRAME_OUT_UNICAST) {
		cr_expect_eq(verdict, TC_ACT_REDIRECT);
		check_sent(frame, out);
	} else {
		cr_expect_eq(verdict, TC_ACT_SHOT);
	}
	return reason;
}

#define DISCOVER OCTETS("\x35\1\1\x39\2\5\xc0\x37\3\1\3\6\x50\0\xff")
#define REQUEST OCTETS("\x35\1\3\x36\4\x0a\7\0\1\x32\4\x0a\7\0\5\x39\2\5\xc0\x37\3\1\3\6\xff")

struct row {
	const char *what, *options;
	size_t n;
	uint32_t at; /* where to put the octets */
	const char *octets;
	size_t n_octets;
	uint32_t reason;
};

#define PUT(at, octets) at, OCTETS(octets)

static const struct row rows[] = {
	{ "DISCOVER", DISCOVER, PUT(0, ""), FRAME_OUT_ACCEPTED },
	{ "REQUEST", REQUEST, PUT(0, ""), FRAME_OUT_ACCEPTED },
	{ "DSCP", DISCOVER, PUT(AT_IP_TOS, "\xb8"), FRAME_OUT_ACCEPTED },
	{ "an IP identification", DISCOVER, PUT(AT_IP_ID, "xy"), FRAME_OUT_ACCEPTED },
	{ "TTL", DISCOVER, PUT(AT_IP_TTL, "\xff"), FRAME_OUT_ACCEPTED },
	{ "the checksum of IP", DISCOVER, PUT(AT_IP_CHECKSUM, "xy"), FRAME_OUT_ACCEPTED },
	{ "hops", DISCOVER, PUT(AT_HOPS, "\1"), FRAME_OUT_RELAY },
	{ "giaddr", DISCOVER, PUT(AT_GIADDR, "\x0a\7\0\x63"), FRAME_OUT_RELAY },
	{ "yiaddr", DISCOVER, PUT(AT_YIADDR, "\x0a"), FRAME_OUT_RELAY },
	{ "siaddr", DISCOVER, PUT(AT_SIADDR + 3, "\x0a"), FRAME_OUT_RELAY },
	{ "a flag", DISCOVER, PUT(AT_FLAGS, "\x80\1"), FRAME_OUT_RELAY },
	{ "another flag", DISCOVER, PUT(AT_FLAGS, "\x40"), FRAME_OUT_RELAY },
	{ "the flag BROADCAST", DISCOVER, PUT(AT_FLAGS, "\x80"), FRAME_OUT_ACCEPTED },
	{ "secs", DISCOVER, PUT(AT_SECS, "\1\2"), FRAME_OUT_ACCEPTED },
	{ "first octet behind the MAC", DISCOVER, PUT(AT_CHADDR + 6, "x"), FRAME_OUT_RELAY },
	{ "last octet of chaddr", DISCOVER, PUT(AT_CHADDR + 15, "x"), FRAME_OUT_RELAY },
	{ "first octet of sname", DISCOVER, PUT(AT_SNAME, "x"), FRAME_OUT_RELAY },
	{ "first octet of file", DISCOVER, PUT(AT_FILE, "x"), FRAME_OUT_RELAY },
	{ "last octet of file", DISCOVER, PUT(AT_COOKIE - 1, "x"), FRAME_OUT_RELAY },
	{ "first octet behind END", DISCOVER, PUT(AT_OPTIONS + 15, "x"), FRAME_OUT_MESSAGE },
	{ "END twice", DISCOVER, PUT(AT_OPTIONS + 15, "\xff"), FRAME_OUT_MESSAGE },
	{ "last octet", DISCOVER, PUT(FRAME_SIZE - 1, "x"), FRAME_OUT_MESSAGE },
	{ "the one before", DISCOVER, PUT(FRAME_SIZE - 8, "x"), FRAME_OUT_MESSAGE },
	{ "ciaddr in a DISCOVER", DISCOVER, PUT(AT_CIADDR, "\x0a\7\0\5"), FRAME_OUT_CIADDR },
	{ "ciaddr of another", REQUEST, PUT(AT_CIADDR, "\x0a\7\0\6"), FRAME_OUT_CIADDR },
	{ "a client identifier", OCTETS("\x35\1\1\x3d\2\1\2\xff"), PUT(0, ""),
	  FRAME_OUT_CLIENT_ID },
	{ "OFFER", DISCOVER, PUT(AT_OPTIONS + 2, "\2"), FRAME_OUT_MESSAGE },
	{ "ACK", DISCOVER, PUT(AT_OPTIONS + 2, "\5"), FRAME_OUT_MESSAGE },
	{ "NAK", DISCOVER, PUT(AT_OPTIONS + 2, "\6"), FRAME_OUT_MESSAGE },
	{ "LEASEQUERY", DISCOVER, PUT(AT_OPTIONS + 2, "\x0a"), FRAME_OUT_MESSAGE },
	{ "type 0", DISCOVER, PUT(AT_OPTIONS + 2, "\0"), FRAME_OUT_MESSAGE },
	{ "type 255", DISCOVER, PUT(AT_OPTIONS + 2, "\xff"), FRAME_OUT_MESSAGE },
	{ "no type at first", OCTETS("\x0c\1x\x35\1\1\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "no type", OCTETS("\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "a type of two octets", OCTETS("\x35\2\1\1\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "a type without an octet", OCTETS("\x35\0\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "two types", OCTETS("\x35\1\1\x35\1\3\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "PAD", OCTETS("\x35\1\1\0\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "option 82", OCTETS("\x35\1\1\x52\3\1\1\1\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "option 52", OCTETS("\x35\1\1\x34\1\1\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "option 43", OCTETS("\x35\1\1\x2b\1\1\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "option 254", OCTETS("\x35\1\1\xfe\1\1\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "two requested addresses", OCTETS("\x35\1\3\x32\4\x0a\7\0\5\x32\4\x0a\7\0\6\xff"),
	  PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "a requested address of five octets", OCTETS("\x35\1\3\x32\5\x0a\7\0\5x\xff"), PUT(0, ""),
	  FRAME_OUT_MESSAGE },
	{ "a server of three octets", OCTETS("\x35\1\3\x36\3\x0a\7\0\xff"), PUT(0, ""),
	  FRAME_OUT_MESSAGE },
	{ "a size of four octets", OCTETS("\x35\1\1\x39\4\5\xc0xy\xff"), PUT(0, ""),
	  FRAME_OUT_MESSAGE },
	{ "data in rapid commit", OCTETS("\x35\1\1\x50\1x\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "rapid commit twice", OCTETS("\x35\1\1\x50\0\x50\0\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "parts of an option", OCTETS("\x35\1\1\x4d\1\1\x4d\1x\xff"), PUT(0, ""),
	  FRAME_OUT_ACCEPTED },
	{ "no END", OCTETS("\x35\1\1\x0c\x37"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "an option beyond the end", OCTETS("\x35\1\1\x0c\xff"), PUT(0, ""), FRAME_OUT_MESSAGE },
	{ "DECLINE of what nobody gave", OCTETS("\x35\1\4\x36\4\x0a\7\0\1\x32\4\x0a\7\0\x09\xff"),
	  PUT(0, ""), FRAME_OUT_NOT_WITNESSED },
	{ "DECLINE of nothing", OCTETS("\x35\1\4\x36\4\x0a\7\0\1\xff"), PUT(0, ""),
	  FRAME_OUT_NOT_WITNESSED },
	{ "DECLINE", OCTETS("\x35\1\4\x36\4\x0a\7\0\1\x32\4\x0a\7\0\5\xff"), PUT(0, ""),
	  FRAME_OUT_ACCEPTED },
	{ "DECLINE with ciaddr", OCTETS("\x35\1\4\x32\4\x0a\7\0\5\xff"),
	  PUT(AT_CIADDR, "\x0a\7\0\5"), FRAME_OUT_CIADDR },
	{ "INFORM without address", OCTETS("\x35\1\x08\xff"), PUT(0, ""), FRAME_OUT_CIADDR },
	{ "INFORM with another's", OCTETS("\x35\1\x08\xff"), PUT(AT_CIADDR, "\x0a\7\0\5"),
	  FRAME_OUT_CIADDR },
	{ "RELEASE of what is not applied", OCTETS("\x35\1\7\xff"), PUT(AT_CIADDR, "\x0a\7\0\5"),
	  FRAME_OUT_CIADDR },
	{ "RELEASE of nothing", OCTETS("\x35\1\7\xff"), PUT(0, ""), FRAME_OUT_NOT_WITNESSED },
};

/* 10.7.0.5 was given, and is not applied yet. */
Test(frames_grammar, F5_rows, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_ack(&test, "10.7.0.5/24", NULL, NULL);
	for (size_t i = 0; i < N(rows); i++) {
		const struct row *row = &rows[i];
		uint32_t reason;

		put(frame, row->options, row->n);
		memcpy(frame + row->at, row->octets, row->n_octets);
		reason = judge(frame);
		cr_expect_eq(reason, row->reason, "%s: %u", row->what, reason);
	}
}

/* What the client says with a lease, as long as it is applied. */
Test(frames_grammar, F5_with_a_lease, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_ack(&test, "10.7.0.5/24", NULL, NULL);
	for (int is_applied = 1; is_applied >= 0; is_applied--) {
		frames_test_applied(&test, is_applied ? "10.7.0.5/24" : NULL, NULL);
		put_unicast(frame, OCTETS("\x35\1\3\x39\2\5\xc0\xff"));
		cr_expect_eq(judge(frame), is_applied ? FRAME_OUT_UNICAST : FRAME_OUT_CIADDR,
			     "renewal");
		memset(frame + AT_ETH_DESTINATION, 0xff, 6);
		memset(frame + AT_IP_DESTINATION, 0xff, 4);
		cr_expect_eq(judge(frame),
			     is_applied ? FRAME_OUT_ACCEPTED : FRAME_OUT_SOURCE_ADDRESS,
			     "rebinding");
		put_unicast(frame, OCTETS("\x35\1\7\x36\4\x0a\7\0\1\xff"));
		cr_expect_eq(judge(frame), is_applied ? FRAME_OUT_UNICAST : FRAME_OUT_CIADDR,
			     "release");
	}
	/* of an address that was applied without a server */
	frames_test_applied(&test, "10.7.0.9/24", NULL);
	put_unicast(frame, OCTETS("\x35\1\7\x36\4\x0a\7\0\1\xff"));
	frame[AT_IP_SOURCE + 3] = frame[AT_CIADDR + 3] = 9;
	cr_expect_eq(judge(frame), FRAME_OUT_NOT_WITNESSED);
}

Test(frames_grammar, F5_inform, .init = begin, .fini = end)
{
	const struct frame_host host = { .other = inet_addr("10.7.0.9") };
	uint8_t frame[FRAME_SIZE];

	frames_test_tell(&test, &host);
	put(frame, OCTETS("\x35\1\x08\xff"));
	memcpy(frame + AT_CIADDR, "\x0a\7\0\x09", 4);
	cr_expect_eq(judge(frame), FRAME_OUT_ACCEPTED);
	frame[AT_CIADDR + 3] = 8;
	cr_expect_eq(judge(frame), FRAME_OUT_CIADDR);
}

/* The first request of the tap is kept: the same, each octet another, shorter, longer,
 * none. */
Test(frames_grammar, F5_client_identifier)
{
	static const uint32_t sizes[] = { 0, 1, 2, 6, 7, 8, 9, 15, 16, 45 };
	uint8_t frame[FRAME_SIZE], *id = frame + AT_OPTIONS + 5;

	for (size_t i = 0; i < N(sizes); i++) {
		const uint32_t size = sizes[i];
		uint8_t options[64] = { 53, 1, 1, 61, (uint8_t)size };

		for (uint32_t j = 0; j < size; j++)
			options[5 + j] = (uint8_t)(j * 37 + 1);
		options[5 + size] = 0xff;
		begin();
		put(frame, OCTETS("\x35\1\1\x3d\2\7\7\x52\1\1\xff"));
		cr_expect_eq(judge(frame), FRAME_OUT_MESSAGE, "is not kept");
		put(frame, (const char *)options, size + 6);
		cr_expect_eq(judge(frame), FRAME_OUT_ACCEPTED, "%u octets", size);
		cr_expect_eq(judge(frame), FRAME_OUT_ACCEPTED, "%u octets again", size);
		for (uint32_t j = 0; j < size; j++) {
			id[j] ^= 1;
			cr_expect_eq(judge(frame), FRAME_OUT_CLIENT_ID, "octet %u of %u", j, size);
			id[j] ^= 1;
		}
		options[4]++;
		options[6 + size] = 0xff;
		put(frame, (const char *)options, size + 7);
		cr_expect_eq(judge(frame), FRAME_OUT_CLIENT_ID, "longer than %u", size);
		if (size) {
			options[4] = (uint8_t)(size - 1);
			options[4 + size] = 0xff;
			put(frame, (const char *)options, size + 5);
			cr_expect_eq(judge(frame), FRAME_OUT_CLIENT_ID, "shorter than %u", size);
		}
		put(frame, OCTETS("\x35\1\1\xff"));
		cr_expect_eq(judge(frame), FRAME_OUT_CLIENT_ID, "none");
		put(frame, OCTETS("\x35\1\1\x3d\1\1\x3d\1\1\xff"));
		cr_expect_eq(judge(frame), FRAME_OUT_MESSAGE, "in parts");
		end();
	}
}

/* That there is none is kept, too. */
Test(frames_grammar, F5_no_client_identifier, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	put(frame, DISCOVER);
	cr_expect_eq(judge(frame), FRAME_OUT_ACCEPTED);
	put(frame, OCTETS("\x35\1\1\x3d\0\xff"));
	cr_expect_eq(judge(frame), FRAME_OUT_CLIENT_ID, "empty");
	put(frame, OCTETS("\x35\1\1\x3d\2\1\1\xff"));
	cr_expect_eq(judge(frame), FRAME_OUT_CLIENT_ID);
	put(frame, DISCOVER);
	cr_expect_eq(judge(frame), FRAME_OUT_ACCEPTED);
}

/* Options that the operator's `send` names. */
Test(frames_grammar, F5_send)
{
	uint8_t frame[FRAME_SIZE];

	grammar = frames_test_grammar();
	grammar.codes[43] = FRAME_CODE_SENT;
	begin();
	put(frame, OCTETS("\x35\1\1\x2b\1\1\x2b\1\2\xff"));
	cr_expect_eq(judge(frame), FRAME_OUT_ACCEPTED);
	put(frame, OCTETS("\x35\1\1\x2c\1\1\xff"));
	cr_expect_eq(judge(frame), FRAME_OUT_MESSAGE);
	end();
}

static void begin_with_a_budget(void)
{
	grammar = frames_test_grammar();
	grammar.transaction_interval_ns = 30000000000ull;
	grammar.transaction_burst_ns = 59 * grammar.transaction_interval_ns;
	begin();
}

/* Otherwise a pool could be emptied in one transaction. */
Test(frames_grammar, F5_each_decline_and_release_is_a_transaction, .init = begin_with_a_budget,
     .fini = end)
{
	uint8_t frame[FRAME_SIZE];
	uint32_t n = 0;

	frames_test_ack(&test, "10.7.0.5/24", NULL, NULL); /* one */
	for (uint32_t i = 0; i < 100; i++) {
		frames_test_applied(&test, NULL, NULL);
		put(frame, OCTETS("\x35\1\4\x36\4\x0a\7\0\1\x32\4\x0a\7\0\5\xff"));
		n += judge(frame) == FRAME_OUT_ACCEPTED;
		frames_test_applied(&test, "10.7.0.5/24", NULL);
		put_unicast(frame, OCTETS("\x35\1\7\x36\4\x0a\7\0\1\xff"));
		n += judge(frame) == FRAME_OUT_UNICAST;
		put(frame, DISCOVER);
		cr_expect_eq(judge(frame), FRAME_OUT_ACCEPTED, "it is open");
	}
	cr_expect_eq(n, 59, "%u", n);
}

/* The shortest leases are renewed more often than a transaction is saved up. */
Test(frames_grammar, renewals_are_no_transactions, .init = begin_with_a_budget, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_ack(&test, "10.7.0.5/24", NULL, NULL);
	frames_test_applied(&test, "10.7.0.5/24", NULL);
	put_unicast(frame, OCTETS("\x35\1\3\x39\2\5\xc0\xff"));
	for (uint32_t i = 0; i < 200; i++) {
		frame[AT_XID + 3] = (uint8_t)i;
		cr_expect_eq(judge(frame), FRAME_OUT_UNICAST);
	}
	put(frame, DISCOVER);
	frame[AT_XID] ^= 1;
	cr_expect_eq(judge(frame), FRAME_OUT_ACCEPTED, "they took none");
}

/* Sixty transactions at once, then one in half a minute; an open one goes on. */
Test(frames_grammar, F5_transactions, .init = begin_with_a_budget, .fini = end)
{
	uint8_t frame[FRAME_SIZE];
	uint32_t n = 0;

	put(frame, DISCOVER);
	for (uint32_t i = 0; i < 200; i++) {
		frame[AT_XID + 3] = (uint8_t)i;
		n += judge(frame) == FRAME_OUT_ACCEPTED;
	}
	cr_expect_eq(n, 60, "%u", n);
	cr_expect_eq(frames_test_count(&test, FRAME_OUT_TRANSACTIONS), 140);
	frame[AT_XID + 3] = 59;
	cr_expect_eq(judge(frame), FRAME_OUT_ACCEPTED, "the last one is open");
	frames_test_age_xids(&test, 121);
	cr_expect_eq(judge(frame), FRAME_OUT_TRANSACTIONS, "it is over");
}
