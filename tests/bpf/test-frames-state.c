/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ingress remembers of egress: which transactions are the calf's and for
 * how long, in XDP and in tc.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <time.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames.h"

static struct frames_test test;

static void begin(void)
{
	frames_test_begin(&test, 1000000, 1000000);
}

static void begin_foreign(void)
{
	test.pass_foreign = true;
	begin();
}

static void end(void)
{
	frames_test_end(&test);
}

static void set_xid(uint8_t *frame, uint32_t xid)
{
	for (int i = 0; i < 4; i++)
		frame[AT_XID + i] = (uint8_t)(xid >> (24 - 8 * i));
}

static void ask(uint32_t xid)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_request(&test, frame);
	set_xid(frame, xid);
	cr_assert_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress), frame,
				     sizeof(frame), test.tap.ifindex, NULL),
		     TC_ACT_REDIRECT);
}

/* A reply with this xid through both programs, which must agree on its reason. */
static void expect_reply(uint32_t xid, uint32_t reason, const char *what)
{
	int xdp = bpf_program__fd(test.frames.xdp->progs.frame_xdp);
	int tc = bpf_program__fd(test.frames.tc->progs.uplink_ingress);
	uint64_t before = frames_test_count(&test, reason);
	bool is_passed = reason < FRAME_IN_ACCEPTED, is_accepted = reason == FRAME_IN_ACCEPTED;
	uint8_t frame[FRAME_SIZE];

	frames_test_reply(&test, frame);
	set_xid(frame, xid);
	cr_expect_eq(frames_test_run(xdp, frame, sizeof(frame), 0, NULL),
		     is_passed	 ? (int)XDP_PASS :
		     is_accepted ? (int)XDP_REDIRECT :
				   (int)XDP_DROP,
		     "%s: XDP", what);
	cr_expect_eq(frames_test_run(tc, frame, sizeof(frame), 0, NULL),
		     is_passed	 ? (int)TC_ACT_UNSPEC :
		     is_accepted ? (int)TC_ACT_REDIRECT :
				   (int)TC_ACT_SHOT,
		     "%s: tc", what);
	cr_expect_eq(frames_test_count(&test, reason), before + 2, "%s: counter", what);
}

/* 120 s after the last frame with it, not after the first. */
Test(frames_state, an_xid_expires, .init = begin, .fini = end)
{
	struct timespec now;
	struct frame_xid xid;
	uint32_t slot = TEST_XID % FRAME_XIDS_MAX;
	uint64_t left_ns;

	ask(TEST_XID);
	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(test.frames.tc->maps.frame_xids), &slot, &xid),
		     0);
	clock_gettime(CLOCK_BOOTTIME, &now);
	left_ns = xid.expires_ns - (uint64_t)now.tv_sec * 1000000000ull - (uint64_t)now.tv_nsec;
	cr_expect(left_ns <= 120000000000ull && left_ns > 110000000000ull, "%lu ns", left_ns);

	expect_reply(TEST_XID, FRAME_IN_ACCEPTED, "at once");
	frames_test_age_xids(&test, 100);
	expect_reply(TEST_XID, FRAME_IN_ACCEPTED, "after 100 s");
	ask(TEST_XID); /* retransmitted */
	frames_test_age_xids(&test, 100);
	expect_reply(TEST_XID, FRAME_IN_ACCEPTED, "100 s after the second");
	frames_test_age_xids(&test, 20);
	expect_reply(TEST_XID, FRAME_IN_UNKNOWN_XID, "120 s after the second");
	ask(TEST_XID);
	expect_reply(TEST_XID, FRAME_IN_ACCEPTED, "sent once more");
}

/* Accepted replies do not keep a transaction open. */
Test(frames_state, replies_do_not_prolong, .init = begin, .fini = end)
{
	ask(TEST_XID);
	for (int i = 0; i < 12; i++) {
		expect_reply(TEST_XID, FRAME_IN_ACCEPTED, "within 120 s");
		frames_test_age_xids(&test, 10);
	}
	expect_reply(TEST_XID, FRAME_IN_UNKNOWN_XID, "replayed after 120 s");
}

/* A later transaction in the same slot ends the earlier one. */
Test(frames_state, replay_of_a_replaced_transaction, .init = begin, .fini = end)
{
	ask(TEST_XID);
	ask(TEST_XID + 1);
	expect_reply(TEST_XID, FRAME_IN_ACCEPTED, "beside another");
	ask(TEST_XID + FRAME_XIDS_MAX);
	expect_reply(TEST_XID, FRAME_IN_UNKNOWN_XID, "replaced");
	expect_reply(TEST_XID + FRAME_XIDS_MAX, FRAME_IN_ACCEPTED, "the later one");
	expect_reply(TEST_XID + 1, FRAME_IN_ACCEPTED, "another's slot");
}

/* What was dropped by egress opens nothing. */
Test(frames_state, a_dropped_request_opens_nothing, .init = begin, .fini = end)
{
	static const struct {
		uint32_t at;
		uint8_t value;
		const char *what;
	} faults[] = {
		{ AT_ETH_SOURCE, 0x99, "source MAC" }, { AT_CHADDR, 0x99, "chaddr" },
		{ AT_OP, 2, "server role" },	       { AT_IP_SOURCE, 10, "source address" },
		{ AT_ETH_TYPE, 0x81, "tag" },
	};
	uint8_t frame[FRAME_SIZE];

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		frames_test_request(&test, frame);
		frame[faults[i].at] = faults[i].value;
		cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress),
					     frame, sizeof(frame), test.tap.ifindex, NULL),
			     TC_ACT_SHOT);
		expect_reply(TEST_XID, FRAME_IN_UNKNOWN_XID, faults[i].what);
	}
}

/* foreign: pass. To the host, never to the calf; everything else as ever. */
Test(frames_state, foreign_pass, .init = begin_foreign, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	expect_reply(TEST_XID, FRAME_IN_FOREIGN_XID, "not requested by the calf");
	ask(TEST_XID);
	expect_reply(TEST_XID, FRAME_IN_ACCEPTED, "ours");
	expect_reply(TEST_XID + 1, FRAME_IN_FOREIGN_XID, "another client's");
	frames_test_age_xids(&test, 120);
	expect_reply(TEST_XID, FRAME_IN_FOREIGN_XID, "replayed");

	frames_test_reply(&test, frame);
	memcpy(frame + AT_COOKIE + 4, "\x35\x01\x09\xff", 4);
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.xdp->progs.frame_xdp), frame,
				     sizeof(frame), 0, NULL),
		     XDP_DROP, "FORCERENEW");
	frames_test_reply(&test, frame);
	frame[AT_COOKIE] = 0;
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.xdp->progs.frame_xdp), frame,
				     sizeof(frame), 0, NULL),
		     XDP_DROP, "malformed");
}

/* foreign: drop, the default. */
Test(frames_state, foreign_drop, .init = begin, .fini = end)
{
	expect_reply(TEST_XID, FRAME_IN_UNKNOWN_XID, "not requested by the calf");
	ask(TEST_XID);
	expect_reply(TEST_XID + 1, FRAME_IN_UNKNOWN_XID, "another client's");
	cr_expect_eq(frames_test_count(&test, FRAME_IN_FOREIGN_XID), 0);
}
