/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of replies: each reply is admitted once for each request of the calf,
 * and a copy of it neither reaches the calf nor counts against the rate. A
 * reply that differs in a bit that matters to the calf is not a copy, so no
 * attacker can cause a server's reply to be treated as one.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames-header.h"
#include "tests/bpf/support-frames.h"

#define FLOOD 100000

static struct frames_test test;

static void begin(void)
{
	frames_test_begin(&test, 1000000, 1000000);
	frames_test_open(&test);
}

static void begin_slow(void)
{
	frames_test_begin(&test, 0, 4);
	frames_test_open(&test);
}

static void begin_long(void)
{
	static const struct frame_rule rule = {
		.check = FRAME_CHECK_DHCP4,
		.local_port = 68,
		.remote_port = 67,
		.max_frame = 4096,
		.ingress_interval_ns = 1,
		.ingress_burst_ns = 1000000000,
		.egress_interval_ns = 1,
		.egress_burst_ns = 1000000000,
	};

	test.rules = &rule;
	test.n_rules = 1;
	begin();
}

static void end(void)
{
	frames_test_end(&test);
}

static void make_reply(uint8_t *frame)
{
	frames_test_reply(&test, frame);
	frames_sum_header(frame);
}

static void expect(int program_fd, const uint8_t *frame, uint32_t size, uint32_t reason,
		   const char *what)
{
	bool is_tc = program_fd == frames_test_tc(&test);
	uint64_t before = frames_test_count(&test, reason);
	int verdict = frames_test_run(program_fd, frame, size, 0, NULL);

	if (reason == FRAME_IN_ACCEPTED)
		cr_expect_eq(verdict, is_tc ? TC_ACT_REDIRECT : (int)XDP_REDIRECT, "%s", what);
	else
		cr_expect_eq(verdict, is_tc ? TC_ACT_SHOT : (int)XDP_DROP, "%s", what);
	cr_expect_eq(frames_test_count(&test, reason), before + 1, "%s: reason %u", what, reason);
}

/* Whichever program sees it, and whatever is around the datagram. */
Test(frames_replies, once_for_each_request, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE + 60] = { 0 };

	make_reply(frame);
	expect(frames_test_xdp(&test), frame, FRAME_SIZE, FRAME_IN_ACCEPTED, "the reply");
	expect(frames_test_xdp(&test), frame, FRAME_SIZE, FRAME_IN_REPLAYED, "its copy");
	expect(frames_test_tc(&test), frame, FRAME_SIZE, FRAME_IN_REPLAYED, "its copy, in tc");
	expect(frames_test_xdp(&test), frame, FRAME_SIZE + 60, FRAME_IN_REPLAYED, "with padding");
	memset(frame + AT_ETH_DESTINATION, 0xff, 6);
	memset(frame + AT_ETH_SOURCE + 1, 0x33, 5);
	expect(frames_test_xdp(&test), frame, FRAME_SIZE, FRAME_IN_REPLAYED,
	       "by another sender, to all");
	frame[22] = 9;	/* TTL */
	frame[19] = 77; /* identification */
	frames_sum_header(frame);
	expect(frames_test_tc(&test), frame, FRAME_SIZE, FRAME_IN_REPLAYED, "by another relay");
	frames_test_open(&test);
	expect(frames_test_tc(&test), frame, FRAME_SIZE, FRAME_IN_ACCEPTED,
	       "the answer to a request sent again");
	expect(frames_test_xdp(&test), frame, FRAME_SIZE, FRAME_IN_REPLAYED, "its copy");
}

struct row {
	const char *what;
	uint32_t at;
	uint8_t value;
};

/* Each octet that decides: none of these is a copy of the first, nor of another. */
static const struct row rows[] = {
	{ "another server", AT_IP_SOURCE + 3, 2 },
	{ "another target", AT_IP_DESTINATION + 3, 9 },
	{ "another address", AT_YIADDR + 3, 7 },
	{ "another checksum", AT_UDP_CHECKSUM, 1 },
	{ "another type", AT_COOKIE + 4, 0x35 },
	{ "another last octet", FRAME_SIZE - 1, 1 },
	{ "another last octet but one", FRAME_SIZE - 2, 1 },
};

Test(frames_replies, what_differs_is_no_copy, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	make_reply(frame);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "the reply");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_reply(frame);
		frame[rows[i].at] = rows[i].value;
		frames_sum_header(frame);
		expect(i % 2 ? frames_test_tc(&test) : frames_test_xdp(&test), frame, sizeof(frame),
		       FRAME_IN_ACCEPTED, rows[i].what);
		expect(i % 2 ? frames_test_xdp(&test) : frames_test_tc(&test), frame, sizeof(frame),
		       FRAME_IN_REPLAYED, rows[i].what);
	}
	make_reply(frame);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_REPLAYED,
	       "the first, after seven more");
}

/* Of UDP payloads of every length modulo 4; a shorter one is no copy either. */
Test(frames_replies, lengths, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	for (uint32_t cut = 0; cut < 6; cut++) {
		uint32_t length = FRAME_SIZE - AT_UDP_SOURCE - cut;

		make_reply(frame);
		frame[AT_UDP_LENGTH] = (uint8_t)(length >> 8);
		frame[AT_UDP_LENGTH + 1] = (uint8_t)length;
		expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "cut");
		frame[FRAME_SIZE - 1] ^= cut ? 0xff : 0; /* behind the datagram */
		expect(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_REPLAYED, "cut");
	}
}

/* The calf does not take what has a wrong IP checksum; a server's reply that is
 * the same but right must not suffer for it. */
Test(frames_replies, junk_hides_no_reply, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	make_reply(frame);
	frame[AT_IP_CHECKSUM] ^= 1;
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED,
	       "a wrong IP checksum");
	expect(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED,
	       "again: the rate alone bounds it");
	make_reply(frame);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "the server's");
}

/* Two of our requests are under way: a copy is one of its own xid. */
Test(frames_replies, each_xid_for_itself, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE], request[FRAME_SIZE];

	frames_test_request(&test, request);
	request[AT_XID + 3] ^= 1;
	cr_assert_eq(frames_test_run(frames_test_tap(&test), request, sizeof(request),
				     test.tap.ifindex, NULL),
		     TC_ACT_REDIRECT);
	make_reply(frame);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "one");
	frame[AT_XID + 3] ^= 1;
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "the other");
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_REPLAYED, "the other's copy");
	frames_test_open(&test);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_REPLAYED,
	       "not opened by the first");
}

/* A flood of copies takes nothing from the rate: the next server is heard. */
Test(frames_replies, flood_of_copies_takes_no_rate, .init = begin_slow, .fini = end)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = FLOOD);
	uint8_t frame[FRAME_SIZE];

	make_reply(frame);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "the reply");
	opts.data_in = frame;
	opts.data_size_in = sizeof(frame);
	cr_assert_eq(bpf_prog_test_run_opts(frames_test_xdp(&test), &opts), 0);
	cr_assert_eq(bpf_prog_test_run_opts(frames_test_tc(&test), &opts), 0);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_REPLAYED), 2 * FLOOD);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_RATE), 0);
	frame[AT_IP_SOURCE + 3] = 2;
	frames_sum_header(frame);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "another server's");
}

/*
 * The same server, length and checksum (none), another octet somewhere: similar
 * replies are not the same, wherever they differ, and a copy of either is
 * recognised.
 */
Test(frames_replies, alike_is_no_copy, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	for (uint32_t at = AT_YIADDR; at < FRAME_SIZE; at += at < AT_COOKIE + 4 ? 45 : 1) {
		cr_assert(at < AT_CHADDR || at >= AT_CHADDR + 6, "an octet that is free");
		cr_assert(at < AT_COOKIE || at >= AT_COOKIE + 4, "an octet that is free");
		frames_test_open(&test);
		make_reply(frame);
		expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "one");
		frame[at] ^= 0x40;
		expect(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "another");
		expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_REPLAYED, "its copy");
		frame[at] ^= 0x40;
		expect(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_REPLAYED, "the one's");
	}
}

/* More replies than are kept: the oldest one is forgotten and limited by the
 * rate alone; no reply of another transaction is treated as one of this. */
Test(frames_replies, the_last_are_kept, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	for (uint8_t i = 0; i <= FRAME_REPLIES_MAX; i++) {
		make_reply(frame);
		frame[AT_YIADDR + 3] = (uint8_t)(100 + i);
		expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "new");
	}
	for (uint8_t i = FRAME_REPLIES_MAX; i > 0; i--) {
		frame[AT_YIADDR + 3] = (uint8_t)(100 + i);
		expect(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_REPLAYED, "kept");
	}
	frame[AT_YIADDR + 3] = 100;
	expect(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "forgotten");
}

/* Transactions share the room: what another has overwritten is no copy. */
Test(frames_replies, room_is_shared, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE], request[FRAME_SIZE];

	make_reply(frame);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "one");
	for (uint8_t i = 1; i < FRAME_REPLIES_KEPT / FRAME_REPLIES_MAX + 1; i++) {
		expect(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_REPLAYED, "kept");
		frames_test_request(&test, request);
		request[AT_XID + 3] = (uint8_t)(request[AT_XID + 3] + i);
		cr_assert_eq(frames_test_run(frames_test_tap(&test), request, sizeof(request),
					     test.tap.ifindex, NULL),
			     TC_ACT_REDIRECT);
		make_reply(frame);
		frame[AT_XID + 3] = request[AT_XID + 3];
		expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "another");
		make_reply(frame);
	}
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "overwritten");
	expect(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_REPLAYED, "and kept again");
}

/* Of what is not kept the rate alone bounds the copies. */
Test(frames_replies, options_of_ip_are_not_kept, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE + 4];

	frames_test_reply(&test, frame);
	frames_test_ip_options(frame, 4);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "with options");
	expect(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "again");
}

Test(frames_replies, too_long_is_not_kept, .init = begin_long, .fini = end)
{
	static uint8_t frame[AT_UDP_SOURCE + FRAME_REPLY_BYTES];

	for (uint32_t over = 0; over < 2; over++) {
		uint32_t size = AT_UDP_SOURCE + FRAME_REPLY_BYTES - 8 + over;

		make_reply(frame);
		frame[AT_IP_TOTAL] = (uint8_t)((size - AT_IP) >> 8);
		frame[AT_IP_TOTAL + 1] = (uint8_t)(size - AT_IP);
		frame[AT_UDP_LENGTH] = (uint8_t)((size - AT_UDP_SOURCE) >> 8);
		frame[AT_UDP_LENGTH + 1] = (uint8_t)(size - AT_UDP_SOURCE);
		frames_sum_header(frame);
		expect(frames_test_xdp(&test), frame, size, FRAME_IN_ACCEPTED, "long");
		frame[size - 1] ^= 1;
		expect(frames_test_tc(&test), frame, size, FRAME_IN_ACCEPTED, "its last octet");
		expect(frames_test_tc(&test), frame, size,
		       over ? FRAME_IN_ACCEPTED : FRAME_IN_REPLAYED, "a copy");
	}
}
