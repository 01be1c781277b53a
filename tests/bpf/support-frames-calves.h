/* SPDX-License-Identifier: Apache-2.0 */
/* Two calves with frame rules, and their frames */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_FRAMES_CALVES_H
#define CALFPEN_TESTS_BPF_SUPPORT_FRAMES_CALVES_H

#include <criterion/criterion.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames.h"

#define UNLIMITED                                                                          \
	.ingress_interval_ns = 1, .ingress_burst_ns = 1000000000, .egress_interval_ns = 1, \
	.egress_burst_ns = 1000000000

#define AT_CIADDR (AT_OP + 12)

static const struct frame_rule second_rule = {
	.check = FRAME_CHECK_DHCP4,
	.local_port = 1068,
	.remote_port = 1067,
	.max_frame = 1514,
	UNLIMITED,
};

static struct frames_test test;

static inline void begin_mode(enum frame_mode mode)
{
	test.second_rules = &second_rule;
	test.n_second_rules = 1;
	frames_test_begin_mode(&test, mode, 1000000000, 1000000000);
}

static inline void begin(void)
{
	begin_mode(FRAME_MODE_NATIVE);
}

static inline void begin_tc(void)
{
	begin_mode(FRAME_MODE_TC);
}

static inline void end(void)
{
	frames_test_end(&test);
}

static const struct tap *tap_of(uint32_t calf)
{
	return calf ? &test.second : &test.tap;
}

static inline void set_port(uint8_t *at, uint16_t port)
{
	at[0] = (uint8_t)(port >> 8);
	at[1] = (uint8_t)port;
}

static inline void set_xid(uint8_t *frame, uint32_t xid)
{
	xid = htonl(xid);
	memcpy(frame + AT_XID, &xid, sizeof(xid));
}

/* A request with the ports of this calf. */
static inline void make_request(uint8_t frame[FRAME_SIZE], uint32_t calf, uint32_t xid)
{
	frames_test_request(&test, frame);
	set_port(frame + AT_UDP_SOURCE, calf ? 1068 : 68);
	set_port(frame + AT_UDP_DESTINATION, calf ? 1067 : 67);
	set_xid(frame, xid);
}

static inline void make_reply(uint8_t frame[FRAME_SIZE], uint32_t calf, uint32_t xid)
{
	frames_test_reply(&test, frame);
	set_port(frame + AT_UDP_SOURCE, calf ? 1067 : 67);
	set_port(frame + AT_UDP_DESTINATION, calf ? 1068 : 68);
	set_xid(frame, xid);
}

static inline uint64_t counted(uint32_t owner, uint32_t reason)
{
	uint64_t packets = 0;

	cr_assert_eq(frames_count(&test.frames, owner, reason, &packets), 0);
	return packets;
}

/* What a calf writes to its tap, as the reason for which it was counted as this calf's. */
static inline void expect_out(uint32_t calf, const uint8_t *frame, uint32_t reason,
			      const char *what)
{
	uint64_t before = counted(1 + calf, reason);
	int is_sent = reason == FRAME_OUT_ACCEPTED || reason == FRAME_OUT_UNICAST;

	cr_expect_eq(frames_test_run(frames_test_tap(&test), frame, FRAME_SIZE,
				     tap_of(calf)->ifindex, NULL),
		     is_sent ? TC_ACT_REDIRECT : TC_ACT_SHOT, "%s: verdict", what);
	cr_expect_eq(counted(1 + calf, reason), before + 1, "%s: counter", what);
}

/* A reply by XDP and by tc, counted as this owner's. */
static inline void expect_in(uint32_t owner, const uint8_t *frame, uint32_t reason,
			     const char *what)
{
	uint64_t before = counted(owner, reason);

	(void)frames_test_run(frames_test_xdp(&test), frame, FRAME_SIZE, 0, NULL);
	(void)frames_test_run(frames_test_tc(&test), frame, FRAME_SIZE, 0, NULL);
	cr_expect_eq(counted(owner, reason), before + 2, "%s", what);
}

#endif
