/* SPDX-License-Identifier: Apache-2.0 */
/* Two calves on one uplink, with frames on the wire: nothing of one reaches the other. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames-header.h"
#include "tests/bpf/support-frames.h"
#include "tests/bpf/support-frames-calves.h"

#define N_FRAMES "1000" /* of each kind, unless CALFPEN_CALVES_FRAMES=N says how many */

TestSuite(frames_calves_live, .init = begin, .fini = end);
TestSuite(frames_calves_live_tc, .init = begin_tc, .fini = end);

static int read_frame(int fd, uint8_t frame[FRAME_SIZE + 1])
{
	ssize_t n = read(fd, frame, FRAME_SIZE + 1);

	return n < 0 ? -errno : (int)n;
}

static uint64_t state = 1;

static uint32_t random_number(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

/* Write a frame to one device and expect it, or nothing, from another. */
static void expect_passed(int from_fd, const uint8_t *frame, int size, int to_fd, bool is_passed,
			  const char *what)
{
	uint8_t got[FRAME_SIZE + 1];

	cr_assert_eq(write(from_fd, frame, (size_t)size), size, "%s", strerror(errno));
	cr_assert_eq(read_frame(to_fd, got), is_passed ? size : -EAGAIN, "%s", what);
	cr_assert(!is_passed || !memcmp(got, frame, (size_t)size), "%s", what);
}

/* Requests, and replies with the xid of the other calf or for its port. */
static void expect_own_dhcp4(uint32_t calf)
{
	int own_fd = tap_of(calf)->fd, other_fd = tap_of(!calf)->fd, uplink_fd = test.uplink.fd;
	uint8_t frame[FRAME_SIZE], got[FRAME_SIZE + 1];
	uint32_t xid = random_number();

	make_request(frame, calf, xid);
	expect_passed(other_fd, frame, FRAME_SIZE, uplink_fd, false, "request from the other");
	expect_passed(own_fd, frame, FRAME_SIZE, uplink_fd, true, "request");
	make_reply(frame, !calf, xid);
	expect_passed(uplink_fd, frame, FRAME_SIZE, other_fd, false, "reply to the other");
	make_reply(frame, calf, xid);
	expect_passed(uplink_fd, frame, FRAME_SIZE, own_fd, true, "reply");
	cr_assert_eq(read_frame(own_fd, got), -EAGAIN, "one more");
	cr_assert_eq(read_frame(other_fd, got), -EAGAIN, "it reached the other");
}

/* Probes, and what another host says about the address: for number 0 only. */
static void expect_own_arp(void)
{
	const uint8_t another[] = { 2, 0, 0, 0, 0, 1 };
	uint8_t arp[ARP_SIZE];

	frames_test_arp(arp, 1, test.mac, 0, 0x0a070009);
	expect_passed(test.second.fd, arp, ARP_SIZE, test.uplink.fd, false, "probe of the second");
	expect_passed(test.tap.fd, arp, ARP_SIZE, test.uplink.fd, true, "probe");
	frames_test_arp(arp, 2, another, 0x0a070009, 0x0a070009);
	expect_passed(test.uplink.fd, arp, ARP_SIZE, test.second.fd, false, "claim to the second");
	cr_assert_eq(read_frame(test.tap.fd, (uint8_t[FRAME_SIZE + 1]){ 0 }), ARP_SIZE, "claim");
}

/* Real frames through the kernel: what each calf writes and receives, and never what belongs
 * to the other one. */
static void expect_own_frames_only(void)
{
	unsigned long n = strtoul(getenv("CALFPEN_CALVES_FRAMES") ?: N_FRAMES, NULL, 10);
	uint8_t frame[FRAME_SIZE];

	/* an address that number 0 may probe */
	make_request(frame, 0, TEST_XID);
	expect_passed(test.tap.fd, frame, FRAME_SIZE, test.uplink.fd, true, "request");
	make_reply(frame, 0, TEST_XID);
	memcpy(frame + AT_YIADDR, "\x0a\x07\0\x09", 4);
	expect_passed(test.uplink.fd, frame, FRAME_SIZE, test.tap.fd, true, "offer");
	for (unsigned long i = 0; i < n; i++) {
		expect_own_dhcp4(0);
		expect_own_dhcp4(1);
		expect_own_arp();
	}
}

Test(frames_calves_live, frames_never_reach_another, .timeout = 300)
{
	expect_own_frames_only();
}

Test(frames_calves_live_tc, frames_never_reach_another, .timeout = 300)
{
	expect_own_frames_only();
}
