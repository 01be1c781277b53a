/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of replies: each reply is let in once for each request of ours, and a
 * copy of it neither reaches the calf nor takes from the rate. What differs in
 * a bit that the calf judges by is no copy, so nobody can have a server's reply
 * taken for one.
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
#include "tests/bpf/support-frames.h"

#define FLOOD 100000

static struct frames_test test;

/* A request of ours leaves. */
static void ask(void)
{
	uint8_t request[FRAME_SIZE];

	frames_test_request(&test, request);
	cr_assert_eq(frames_test_run(frames_test_tap(&test), request, sizeof(request),
				     test.tap.ifindex, NULL),
		     TC_ACT_REDIRECT);
}

static void begin(void)
{
	frames_test_begin(&test, 1000000, 1000000);
	ask();
}

static void begin_slow(void)
{
	frames_test_begin(&test, 1, 4);
	ask();
}

static void end(void)
{
	frames_test_end(&test);
}

/* The checksum of a header without options. */
static void sum_header(uint8_t *frame)
{
	uint32_t sum = 0;

	frame[AT_IP_CHECKSUM] = frame[AT_IP_CHECKSUM + 1] = 0;
	for (int i = AT_IP; i < AT_UDP_SOURCE; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ((sum & 0xffff) + (sum >> 16)) ^ 0xffff;
	frame[AT_IP_CHECKSUM] = (uint8_t)(sum >> 8);
	frame[AT_IP_CHECKSUM + 1] = (uint8_t)sum;
}

static void make_reply(uint8_t *frame)
{
	frames_test_reply(&test, frame);
	sum_header(frame);
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
	sum_header(frame);
	expect(frames_test_tc(&test), frame, FRAME_SIZE, FRAME_IN_REPLAYED, "by another relay");
	ask();
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
		sum_header(frame);
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
	ask();
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
	sum_header(frame);
	expect(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED, "another server's");
}

/* No digest of this life is worth anything in the next. */
Test(frames_replies, keys_are_drawn, .init = begin, .fini = end)
{
	const uint64_t *keys = (const uint64_t *)test.frames.tc->rodata->reply_keys;
	const uint64_t *same = (const uint64_t *)test.frames.xdp->rodata->reply_keys;

	for (int i = 1; i < FRAME_REPLY_KEYS; i++) {
		cr_expect_neq(keys[i], keys[i - 1], "%d", i);
		cr_expect_eq(keys[i], same[i], "%d", i);
	}
}
