/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the uplink's program may sit: each mode with real frames, and what a
 * killed instance leaves there.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/pins.h"
#include "tests/bpf/support-uplink.h"
#include "tests/bpf/support-pins.h"
#include "userspace/priv/frames/clsact.h"

static struct frames_test test;

static const char *mode_name(size_t i)
{
	return frames_mode_name(uplink_modes[i]);
}

/* Replies reach only the calf, unsolicited replies reach nobody, everything
 * else reaches the host. */
Test(frames_modes, each_brings_replies_to_the_calf)
{
	for (size_t i = 0; i < UPLINK_MODES_N; i++) {
		uint8_t frame[FRAME_SIZE], got[2048];
		int wire, host;

		uplink_begin(&test);
		cr_assert_eq(frames_test_attach(&test, uplink_modes[i]), 0);
		cr_expect_eq(test.frames.mode, uplink_modes[i]);
		cr_expect_str_eq(frames_hook_name(test.frames.hook),
				 uplink_modes[i] == FRAME_MODE_NATIVE  ? "native XDP" :
				 uplink_modes[i] == FRAME_MODE_GENERIC ? "generic XDP" :
				 uplink_has_tcx()		       ? "tcx" :
									 "clsact");
		wire = uplink_wire("wire0", false);
		host = uplink_host();
		uplink_expect_at_calf(&test, wire, mode_name(i));
		uplink_make_reply(&test, frame);
		frame[AT_XID] ^= 1;
		uplink_send(wire, false, frame, sizeof(frame));
		cr_expect_eq(uplink_wait_count(&test, FRAME_IN_UNKNOWN_XID, 1), 1);
		frame[AT_CHADDR] ^= 1;
		uplink_send(wire, false, frame, sizeof(frame));
		cr_expect_eq(uplink_receive(host, got, sizeof(got)), FRAME_SIZE - 42u,
			     "%s: another client's goes to the host", mode_name(i));
		cr_expect(uplink_is_silent(host), "%s: and no other", mode_name(i));
		cr_expect(uplink_is_silent(test.tap.fd), "%s", mode_name(i));
		close(wire);
		close(host);
		frames_test_end(&test);
	}
}

/*
 * Tags in the bytes, and tags that a device has moved out of them, of which
 * native XDP cannot know (so auto does not take it there), and which the kernel
 * puts back behind generic XDP: the calf sees what is no frame of its own.
 */
Test(frames_modes, tagged_frames_are_the_hosts)
{
	for (size_t i = 0; i < UPLINK_MODES_N; i++) {
		uint8_t frame[FRAME_SIZE], tagged[FRAME_SIZE + 4], got[2048];
		uint32_t size;
		int wire;

		uplink_begin(&test);
		cr_assert_eq(frames_test_attach(&test, uplink_modes[i]), 0);
		wire = uplink_wire("wire0", false);
		uplink_make_reply(&test, frame);
		frames_test_tag(tagged, frame, "\x81\0\0\x05", 4);
		uplink_send(wire, false, tagged, sizeof(tagged));
		cr_expect_eq(uplink_wait_count(&test, FRAME_IN_VLAN, 1), 1, "%s", mode_name(i));
		cr_expect(uplink_is_silent(test.tap.fd), "%s", mode_name(i));

		uplink_tag_egress("wire0", 5);
		uplink_send(wire, false, frame, sizeof(frame));
		if (uplink_modes[i] == FRAME_MODE_TC) {
			cr_expect_eq(uplink_wait_count(&test, FRAME_IN_VLAN, 2), 2);
			cr_expect(uplink_is_silent(test.tap.fd));
		} else if (uplink_modes[i] == FRAME_MODE_GENERIC) {
			size = uplink_receive(test.tap.fd, got, sizeof(got));
			cr_expect_eq(size, sizeof(tagged));
			cr_expect_arr_eq(got, tagged, size);
		} else {
			size = uplink_receive(test.tap.fd, got, sizeof(got));
			cr_expect_eq(size, sizeof(frame));
		}
		cr_expect_eq(strstr(test.frames.mode_reason, "VLAN tags") != NULL,
			     uplink_modes[i] != FRAME_MODE_TC, "%s", test.frames.mode_reason);
		close(wire);
		frames_test_end(&test);
	}
}

/* A reply with a priority gets to the calf in every mode, with its tag or
 * without; so does one whose tag a device has moved out of the bytes. */
Test(frames_modes, U01_priority_tagged_replies_are_the_calfs)
{
	for (size_t i = 0; i < UPLINK_MODES_N; i++) {
		uint8_t frame[FRAME_SIZE], tagged[FRAME_SIZE + 4], got[2048];
		uint32_t size;
		int wire;

		uplink_begin(&test);
		cr_assert_eq(frames_test_attach(&test, uplink_modes[i]), 0);
		wire = uplink_wire("wire0", false);
		uplink_make_reply(&test, frame);
		frames_test_tag(tagged, frame, "\x81\0\xc0\0", 4);
		uplink_send(wire, false, tagged, sizeof(tagged));
		cr_assert_eq(uplink_receive(test.tap.fd, got, sizeof(got)), sizeof(tagged), "%s",
			     mode_name(i));
		cr_expect_arr_eq(got, tagged, sizeof(tagged), "%s", mode_name(i));

		uplink_tag_egress("wire0", 0xc000);
		frame[FRAME_SIZE - 1] ^= 1;
		frames_test_tag(tagged, frame, "\x81\0\xc0\0", 4);
		uplink_send(wire, false, frame, sizeof(frame));
		size = uplink_receive(test.tap.fd, got, sizeof(got));
		cr_expect(size == sizeof(tagged) || uplink_modes[i] == FRAME_MODE_NATIVE, "%s",
			  mode_name(i));
		cr_expect_arr_eq(got, size == sizeof(tagged) ? tagged : frame, size, "%s",
				 mode_name(i));
		cr_expect_eq(frames_test_count(&test, FRAME_IN_ACCEPTED), 2, "%s", mode_name(i));
		cr_expect_eq(frames_test_count(&test, FRAME_IN_VLAN), 0, "%s", mode_name(i));
		close(wire);
		frames_test_end(&test);
	}
}

/* Q47: the checksum of a local server, left to offload, which no device on the
 * way completed. The kernel completes it if it can see the mark, otherwise the
 * calf gets the bare sum. */
Test(frames_modes, Q47_partial_checksum)
{
	for (size_t i = 0; i < UPLINK_MODES_N; i++) {
		uint8_t frame[FRAME_SIZE], got[2048];
		uint32_t sum = 17 + FRAME_SIZE - 34;
		int wire;

		uplink_begin(&test);
		cr_assert_eq(frames_test_attach(&test, uplink_modes[i]), 0);
		wire = uplink_wire("wire0", true);
		uplink_make_reply(&test, frame);
		for (int at = AT_IP_SOURCE; at < AT_UDP_SOURCE; at += 2)
			sum += (uint32_t)frame[at] << 8 | frame[at + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		frame[AT_UDP_CHECKSUM] = (uint8_t)(sum >> 8);
		frame[AT_UDP_CHECKSUM + 1] = (uint8_t)sum;
		uplink_send(wire, true, frame, sizeof(frame));
		cr_expect_eq(uplink_wait_count(&test, FRAME_IN_ACCEPTED, 1), 1, "%s", mode_name(i));
		cr_assert_eq(uplink_receive(test.tap.fd, got, sizeof(got)), sizeof(frame), "%s",
			     mode_name(i));
		/* the sum over the pseudo-header and all of UDP is 0xffff if correct */
		sum = 17 + FRAME_SIZE - 34;
		for (int at = AT_IP_SOURCE; at < FRAME_SIZE; at += 2)
			sum += (uint32_t)got[at] << 8 | got[at + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		if (uplink_modes[i] == FRAME_MODE_TC)
			cr_expect_eq(sum, 0xffff, "tc: complete");
		else
			cr_expect_arr_eq(got, frame, sizeof(frame), "%s: as it was", mode_name(i));
		close(wire);
		frames_test_end(&test);
	}
}

/* A frame in pieces, of which the first is an Ethernet header: what the program
 * looks at is pulled together. XDP in the driver of a tap gets such frames by
 * the generic path, too. */
Test(frames_modes, frames_in_pieces)
{
	for (size_t i = 0; i < UPLINK_MODES_N; i++) {
		struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_NAPI |
						      IFF_NAPI_FRAGS,
					 .ifr_name = "up0" };
		uint8_t frame[FRAME_SIZE], got[2048];
		struct iovec pieces[] = { { frame, 64 },
					  { frame + 64, 100 },
					  { frame + 164, FRAME_SIZE - 164 } };
		int fd;

		cr_assert_eq(unshare(CLONE_NEWNET), 0);
		fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
		cr_assert_eq(ioctl(fd, TUNSETIFF, &request), 0);
		uplink_sh("ip link set up0 up");
		uplink_begin_on(&test, "up0");
		cr_assert_eq(frames_test_attach(&test, uplink_modes[i]), 0);
		uplink_make_reply(&test, frame);
		cr_assert_eq(writev(fd, pieces, 3), FRAME_SIZE);
		cr_expect_eq(uplink_wait_count(&test, FRAME_IN_ACCEPTED, 1), 1, "%s", mode_name(i));
		cr_expect_eq(uplink_receive(test.tap.fd, got, sizeof(got)), FRAME_SIZE, "%s",
			     mode_name(i));
		cr_expect_arr_eq(got, frame, FRAME_SIZE);
		frames_test_end(&test);
		close(fd);
	}
}

/* --- clsact --- */

static void attach_clsact(void)
{
	cr_assert_eq(frames_test_attach(&test, FRAME_MODE_TC), 0, "%s", test.frames.mode_reason);
	cr_assert_eq(test.frames.hook, FRAME_HOOK_CLSACT, "%s", test.frames.mode_reason);
}

/* Where tcx cannot be used; another's filter before it, and the qdisc, stay. */
Test(frames_modes, clsact_is_used_and_left_alone)
{
	struct foreign foreign = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);
	int wire;

	uplink_begin(&test);
	uplink_fill_tcx();
	cr_assert_eq(foreign_clsact(&foreign, "up0", 1, 1), 0);
	attach_clsact();
	cr_expect(strstr(test.frames.mode_reason, uplink_has_tcx() ?
							  "as requested; tcx: too many programs" :
							  "as requested; this kernel has no tcx"),
		  "%s", test.frames.mode_reason);
	cr_expect_eq(uplink_clsact_filters("up0"), 1);
	wire = uplink_wire("wire0", false);
	uplink_expect_at_calf(&test, wire, "clsact");
	close(wire);
	frames_test_end(&test);
	cr_expect_eq(uplink_clsact_filters("up0"), 0);
	cr_expect_eq(foreign_clsact_id("up0", 1, 1), foreign.id);
	foreign_close(&foreign);
}

/* Another instance on the uplink has a filter of the same handle. */
Test(frames_modes, clsact_of_two_instances)
{
	struct foreign foreign = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);

	uplink_begin(&test);
	uplink_fill_tcx();
	cr_assert_eq(frames_clsact_attach(foreign.program_fd, test.uplink.ifindex, true), 0);
	attach_clsact();
	cr_expect_eq(uplink_clsact_filters("up0"), 2, "two instances");
	frames_clsact_detach(foreign.program_fd, test.uplink.ifindex);
	cr_expect_eq(uplink_clsact_filters("up0"), 1, "each deletes its own");
	frames_clsact_detach(-1, test.uplink.ifindex);
	cr_expect_eq(uplink_clsact_filters("up0"), 1, "ours has its tap");
	frames_test_end(&test);
	foreign_close(&foreign);
}

/* The pins went with their file system, the filter did not: a filter for a tap
 * that is gone is cleared away. */
Test(frames_modes, clsact_filter_without_pin)
{
	uplink_begin(&test);
	uplink_fill_tcx();
	attach_clsact();
	frames_test_kill(&test);
	pins_remove(&test.gate.pins, PIN_FILTER_UPLINK);
	cr_expect_eq(uplink_clsact_filters("up0"), 1);
	frames_test_restart(&test, 1000000, 1000000);
	cr_expect_eq(uplink_clsact_filters("up0"), 0);
	attach_clsact();
	cr_expect_eq(uplink_clsact_filters("up0"), 1);
	frames_test_end(&test);
}

static bool has_program(int ifindex, enum bpf_tc_attach_point point, const char *name)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FRAMES_CLSACT_HANDLE, .priority = 1);
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = bpf_tc_query(&hook, &filter) ? -1 : bpf_prog_get_fd_by_id(filter.prog_id), r;

	if (fd < 0)
		return false;
	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	close(fd);
	return !r && !strncmp(info.name, name, BPF_OBJ_NAME_LEN - 1);
}

static bool is_filtered(int ifindex)
{
	return has_program(ifindex, BPF_TC_INGRESS, "tap_ingress") &&
	       has_program(ifindex, BPF_TC_EGRESS, "tap_egress");
}

/* Once the tap is deleted, nothing is left of it, and a start is possible. */
static void expect_free_without_tap(int held)
{
	cr_expect_eq(taps_delete(test.netlink, "calfpen x "), 0);
	cr_expect_eq(frames_detach_taps(&test.gate.pins, test.netlink), 0);
	cr_expect(!frames_have_taps(&test.gate.pins));
	close(held);
	frames_test_restart(&test, 1000000, 1000000);
	frames_test_end(&test);
}

/* As long as a process holds the tap, what it writes is filtered. */
Test(frames_modes, tap_that_is_held_keeps_its_programs)
{
	int held, ifindex;

	uplink_begin(&test);
	ifindex = test.tap.ifindex;
	held = dup(test.tap.fd);
	cr_assert_geq(held, 0);
	frames_test_kill(&test);
	cr_expect_eq(frames_detach_taps(&test.gate.pins, test.netlink), -EBUSY);
	cr_expect(frames_have_taps(&test.gate.pins));
	cr_expect(is_filtered(ifindex));
	expect_free_without_tap(held);
}

/* It has a filter with the same handle, but not our program. */
Test(frames_modes, tap_of_another_instance)
{
	struct foreign foreign = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);
	struct tap other;

	uplink_begin(&test);
	cr_assert_eq(tap_init(&other, test.netlink, "calfpen z y"), 0);
	cr_assert_eq(frames_clsact_attach(foreign.program_fd, other.ifindex, true), 0);
	frames_test_kill(&test);
	cr_expect_eq(frames_detach_taps(&test.gate.pins, test.netlink), 0);
	cr_expect(!frames_have_taps(&test.gate.pins));
	tap_deinit(&other);
	foreign_close(&foreign);
	frames_test_restart(&test, 1000000, 1000000);
	frames_test_end(&test);
}

/* Attach to the tap as an instance does without clsact: every priority is taken. */
static void attach_by_links(void)
{
	struct foreign foreign = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);

	for (int i = 0; i < 15; i++) {
		cr_assert_eq(frames_clsact_attach(foreign.program_fd, test.tap.ifindex, true), 0);
		cr_assert_eq(frames_clsact_attach(foreign.program_fd, test.tap.ifindex, false), 0);
	}
	foreign_close(&foreign);
	cr_assert_eq(frames_attach_taps(&test.frames), 0);
}

/* What it writes is filtered as long as a process holds the tap, in whatever network
 * namespace. */
Test(frames_modes, tap_with_links_keeps_its_programs)
{
	int held;

	uplink_begin(&test);
	if (!uplink_has_tcx())
		cr_skip_test("no links");
	attach_by_links();
	held = dup(test.tap.fd);
	cr_assert_geq(held, 0);
	frames_test_kill(&test);
	cr_expect_eq(frames_detach_taps(&test.gate.pins, test.netlink), -EBUSY);
	cr_expect(is_pinned(&test.gate.pins, PIN_LINK_TAP_INGRESS_PREFIX "0"));
	cr_expect(is_pinned(&test.gate.pins, PIN_LINK_TAP_EGRESS_PREFIX "0"));
	expect_free_without_tap(held);
}

/* Its taps had no numbers, and links. */
Test(frames_modes, tap_of_an_older_version)
{
	uplink_begin(&test);
	if (!uplink_has_tcx())
		cr_skip_test("no links");
	attach_by_links();
	cr_assert_eq(pins_rename(&test.gate.pins, PIN_LINK_TAP_INGRESS_PREFIX "0",
				 "link_tap_ingress"),
		     0);
	cr_assert_eq(
		pins_rename(&test.gate.pins, PIN_LINK_TAP_EGRESS_PREFIX "0", "link_tap_egress"), 0);
	cr_expect_eq(frames_detach_taps(&test.gate.pins, test.netlink), -EBUSY);
	cr_expect(is_pinned(&test.gate.pins, "link_tap_ingress") &&
		  is_pinned(&test.gate.pins, "link_tap_egress"));
	frames_test_kill(&test);
	frames_test_restart(&test, 1000000, 1000000);
	cr_expect(!is_pinned(&test.gate.pins, "link_tap_ingress") &&
		  !is_pinned(&test.gate.pins, "link_tap_egress"));
	frames_test_end(&test);
}

/* Killed between closing the uplink and opening it. */
Test(frames_modes, clsact_filter_of_a_quarantine)
{
	struct timespec now;

	uplink_make();
	uplink_fill_tcx();
	clock_gettime(CLOCK_BOOTTIME, &now);
	test.quarantine.deadline_ns = (uint64_t)(now.tv_sec + 600) * 1000000000;
	uplink_begin_on(&test, "up0");
	cr_expect_eq(uplink_clsact_filters("up0"), 1);
	/* what a kill leaves: the filter and its pin */
	test.frames.is_closed_by_clsact = false;
	frames_test_kill(&test);
	cr_expect_eq(uplink_clsact_filters("up0"), 1);
	frames_test_restart(&test, 1000000, 1000000);
	cr_expect_eq(uplink_clsact_filters("up0"), 1, "the new one only");
	attach_clsact();
	cr_expect_eq(uplink_clsact_filters("up0"), 1, "opened: the uplink's program only");
	frames_test_kill(&test);
	/* and a life without */
	test.quarantine.deadline_ns = 0;
	frames_test_restart(&test, 1000000, 1000000);
	cr_expect_eq(uplink_clsact_filters("up0"), 0);
	frames_test_end(&test);
}

/* --- kill -9 --- */

static void expect_reply_at_host(int wire, int host, uint8_t xid, const char *what)
{
	uint8_t frame[FRAME_SIZE], got[2048];

	frames_test_reply(&test, frame);
	frame[AT_XID] ^= xid;
	uplink_put_ip_checksum(frame);
	uplink_send(wire, false, frame, sizeof(frame));
	cr_expect_eq(uplink_receive(host, got, sizeof(got)), FRAME_SIZE - 42u, "%s", what);
}

/* The program stays. The calf's frames pass to the host, whoever sent the
 * request. The next start replaces the program, in any mode. */
Test(frames_modes, kill_leaves_the_filter_and_frames_pass)
{
	for (size_t i = 0; i < UPLINK_MODES_N + 1; i++) {
		bool clsact = i == UPLINK_MODES_N;
		enum frame_mode mode = clsact ? FRAME_MODE_TC : uplink_modes[i];
		const char *what = clsact ? "clsact" : mode_name(i);
		int wire, host;

		uplink_begin(&test);
		if (clsact)
			uplink_fill_tcx();
		cr_assert_eq(frames_test_attach(&test, mode), 0);
		wire = uplink_wire("wire0", false);
		host = uplink_host();
		uplink_expect_at_calf(&test, wire, what);
		frames_test_kill(&test);
		if (mode == FRAME_MODE_TC && (clsact || !uplink_has_tcx()))
			cr_expect_eq(uplink_clsact_filters("up0"), 1, "%s", what);
		else if (mode != FRAME_MODE_TC)
			cr_expect_neq(uplink_xdp_id("up0"), 0, "%s", what);
		expect_reply_at_host(wire, host, 0, what);
		expect_reply_at_host(wire, host, 1, what);
		for (size_t k = 0; k < UPLINK_MODES_N; k++) {
			frames_test_restart(&test, 1000000, 1000000);
			cr_assert_eq(frames_test_attach(&test, uplink_modes[k]), 0, "%s after %s",
				     mode_name(k), what);
			uplink_expect_at_calf(&test, wire, what);
			frames_test_kill(&test);
		}
		frames_test_restart(&test, 1000000, 1000000);
		cr_expect_eq(uplink_xdp_id("up0"), 0);
		cr_expect_eq(uplink_clsact_filters("up0"), 0);
		close(wire);
		close(host);
		frames_test_end(&test);
	}
}
