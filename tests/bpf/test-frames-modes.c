/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the uplink's program may sit: each mode with real frames, how auto
 * chooses, and what it leaves alone.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/pins.h"
#include "skel/frame_tc.skel.h"
#include "tests/bpf/support-uplink.h"
#include "userspace/priv/frames_clsact.h"
#include "userspace/priv/frames_device.h"
#include "userspace/priv/probe.h"

static const enum frame_mode modes[] = { FRAME_MODE_NATIVE, FRAME_MODE_TC, FRAME_MODE_GENERIC };
#define N_MODES (sizeof(modes) / sizeof(modes[0]))

static struct frames_test test;

static bool has_tcx(void)
{
	static struct probe_kernel kernel;

	cr_assert_eq(probe_kernel(&kernel), 0);
	return kernel.error[PROBE_TCX] == 0;
}

static void begin_on(const char *uplink)
{
	frames_test_begin_on(&test, uplink, 1000000, 1000000);
}

static void begin(void)
{
	uplink_make();
	begin_on("up0");
}

/* The host's stack wants it right. */
static void put_ip_checksum(uint8_t *frame)
{
	uint32_t sum = 0;

	frame[AT_IP_CHECKSUM] = frame[AT_IP_CHECKSUM + 1] = 0;
	for (int at = AT_IP; at < AT_UDP_SOURCE; at += 2)
		sum += (uint32_t)frame[at] << 8 | frame[at + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	frame[AT_IP_CHECKSUM] = (uint8_t)(sum >> 8);
	frame[AT_IP_CHECKSUM + 1] = (uint8_t)sum;
}

/* The reply to a transaction that egress has seen, to us by name. */
static void make_reply(uint8_t frame[FRAME_SIZE])
{
	uint8_t request[FRAME_SIZE];

	frames_test_request(&test, request);
	cr_assert_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress), request,
				     sizeof(request), test.tap.ifindex, NULL),
		     TC_ACT_REDIRECT);
	frames_test_reply(&test, frame);
	put_ip_checksum(frame);
}

static void expect_reply_at_calf(int wire, const char *what)
{
	uint8_t frame[FRAME_SIZE], got[2048];
	uint64_t before = frames_test_count(&test, FRAME_IN_ACCEPTED);

	make_reply(frame);
	uplink_send(wire, false, frame, sizeof(frame));
	cr_expect_eq(uplink_wait_count(&test, FRAME_IN_ACCEPTED, before + 1), before + 1, "%s",
		     what);
	cr_expect_eq(uplink_receive(test.tap.fd, got, sizeof(got)), (uint32_t)FRAME_SIZE, "%s",
		     what);
	cr_expect_arr_eq(got, frame, FRAME_SIZE, "%s", what);
}

static const char *mode_name(size_t i)
{
	return frames_mode_name(modes[i]);
}

/* The reply reaches the calf and nobody else, what nobody asked for reaches
 * nobody, the rest is the host's. */
Test(frames_modes, each_brings_replies_to_the_calf)
{
	for (size_t i = 0; i < N_MODES; i++) {
		uint8_t frame[FRAME_SIZE], got[2048];
		int wire, host;

		begin();
		cr_assert_eq(frames_test_attach(&test, modes[i]), 0);
		cr_expect_eq(test.frames.mode, modes[i]);
		cr_expect_str_eq(frames_hook_name(test.frames.hook),
				 modes[i] == FRAME_MODE_NATIVE	? "native XDP" :
				 modes[i] == FRAME_MODE_GENERIC ? "generic XDP" :
				 has_tcx()			? "tcx" :
								  "clsact");
		wire = uplink_wire("wire0", false);
		host = uplink_host();
		expect_reply_at_calf(wire, mode_name(i));
		make_reply(frame);
		frame[AT_XID] ^= 1;
		uplink_send(wire, false, frame, sizeof(frame));
		cr_expect_eq(uplink_wait_count(&test, FRAME_IN_UNKNOWN_XID, 1), 1);
		frame[AT_CHADDR] ^= 1;
		uplink_send(wire, false, frame, sizeof(frame));
		cr_expect_eq(uplink_receive(host, got, sizeof(got)), FRAME_SIZE - 42u,
			     "%s: another client's goes to the host", mode_name(i));
		cr_expect_eq(uplink_receive(host, got, sizeof(got)), 0, "%s: and no other",
			     mode_name(i));
		cr_expect_eq(uplink_receive(test.tap.fd, got, sizeof(got)), 0, "%s", mode_name(i));
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
	for (size_t i = 0; i < N_MODES; i++) {
		uint8_t frame[FRAME_SIZE], tagged[FRAME_SIZE + 4], got[2048];
		uint32_t size;
		int wire;

		begin();
		cr_assert_eq(frames_test_attach(&test, modes[i]), 0);
		wire = uplink_wire("wire0", false);
		make_reply(frame);
		frames_test_tag(tagged, frame, "\x81\0\0\x05", 4);
		uplink_send(wire, false, tagged, sizeof(tagged));
		cr_expect_eq(uplink_wait_count(&test, FRAME_IN_VLAN, 1), 1, "%s", mode_name(i));
		cr_expect_eq(uplink_receive(test.tap.fd, got, sizeof(got)), 0, "%s", mode_name(i));

		uplink_tag_egress("wire0");
		uplink_send(wire, false, frame, sizeof(frame));
		size = uplink_receive(test.tap.fd, got, sizeof(got));
		if (modes[i] == FRAME_MODE_TC) {
			cr_expect_eq(uplink_wait_count(&test, FRAME_IN_VLAN, 2), 2);
			cr_expect_eq(size, 0);
		} else if (modes[i] == FRAME_MODE_GENERIC) {
			cr_expect_eq(size, sizeof(tagged));
			cr_expect_arr_eq(got, tagged, size);
		} else {
			cr_expect_eq(size, sizeof(frame));
		}
		cr_expect_eq(strstr(test.frames.mode_reason, "VLAN tags") != NULL,
			     modes[i] != FRAME_MODE_TC, "%s", test.frames.mode_reason);
		close(wire);
		frames_test_end(&test);
	}
}

/* Q47: the checksum of a local server, left to offload, which no device on the
 * way completed. The calf takes 0 or a correct one. */
Test(frames_modes, Q47_partial_checksum)
{
	for (size_t i = 0; i < N_MODES; i++) {
		uint8_t frame[FRAME_SIZE], got[2048];
		uint32_t sum = 17 + FRAME_SIZE - 34;
		int wire;

		begin();
		cr_assert_eq(frames_test_attach(&test, modes[i]), 0);
		wire = uplink_wire("wire0", true);
		make_reply(frame);
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
		if (modes[i] == FRAME_MODE_TC)
			cr_expect_eq(sum, 0xffff, "tc: complete");
		else
			cr_expect(!got[AT_UDP_CHECKSUM] && !got[AT_UDP_CHECKSUM + 1], "%s: 0",
				  mode_name(i));
		close(wire);
		frames_test_end(&test);
	}
}

/* A frame in pieces, of which the first is an Ethernet header: what the program
 * looks at is pulled together. XDP in the driver of a tap gets such frames by
 * the generic path, too. */
Test(frames_modes, frames_in_pieces)
{
	for (size_t i = 0; i < N_MODES; i++) {
		struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_NAPI |
						      IFF_NAPI_FRAGS,
					 .ifr_name = "up0" };
		uint8_t frame[FRAME_SIZE], got[2048];
		struct iovec pieces[] = { { frame, 64 },
					  { frame + 64, 100 },
					  { frame + 164, FRAME_SIZE - 164 } };
		int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

		cr_assert_eq(unshare(CLONE_NEWNET), 0);
		close(fd);
		fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
		cr_assert_eq(ioctl(fd, TUNSETIFF, &request), 0);
		uplink_sh("ip link set up0 up");
		begin_on("up0");
		cr_assert_eq(frames_test_attach(&test, modes[i]), 0);
		make_reply(frame);
		cr_assert_eq(writev(fd, pieces, 3), FRAME_SIZE);
		cr_expect_eq(uplink_wait_count(&test, FRAME_IN_ACCEPTED, 1), 1, "%s", mode_name(i));
		cr_expect_eq(uplink_receive(test.tap.fd, got, sizeof(got)), FRAME_SIZE, "%s",
			     mode_name(i));
		cr_expect_arr_eq(got, frame, FRAME_SIZE);
		frames_test_end(&test);
		close(fd);
	}
}

/* --- auto --- */

static void expect_auto(const char *device, enum frame_mode mode, const char *reason)
{
	static struct frames_device before, after;

	begin_on(device);
	cr_assert_eq(frames_device_get(device, &before), 0);
	cr_assert_eq(frames_test_attach(&test, FRAME_MODE_AUTO), 0, "%s", device);
	cr_assert_eq(frames_device_get(device, &after), 0);
	cr_expect_eq(test.frames.mode, mode, "%s: %s", device, test.frames.mode_reason);
	cr_expect(strstr(test.frames.mode_reason, reason), "%s: %s", device,
		  test.frames.mode_reason);
	cr_expect_null(frames_device_change(&before, &after), "%s: %s changed", device,
		       frames_device_change(&before, &after));
	frames_test_end(&test);
}

Test(frames_modes, auto_takes_what_changes_nothing)
{
	struct netlink *netlink;
	struct tap tap;

	uplink_make();
	expect_auto("up0", FRAME_MODE_TC, "native XDP on veth changes the offloads of its peer");
	uplink_sh("ip link add bridge0 type bridge && ip link set bridge0 up");
	expect_auto("bridge0", FRAME_MODE_TC, "the driver has no native XDP");
	uplink_sh("ip link add macvlan0 link wire0 type macvlan && ip link set macvlan0 up");
	expect_auto("macvlan0", FRAME_MODE_TC, "native XDP");
	cr_assert_eq(netlink_new(&netlink), 0);
	cr_assert_eq(tap_init(&tap, netlink), 0);
	cr_assert_eq(tap_up(&tap, netlink), 0);
	expect_auto(tap.name, FRAME_MODE_NATIVE, "offloads, MTU and queues stayed as they were");
	tap_deinit(&tap);
	netlink_free(netlink);
}

/* Turn a feature on or off in what was read, by the bit that stands for it. */
static void flip(struct frames_device *device, const char *feature)
{
	bool was = frames_device_has(device, feature);

	for (uint32_t bit = 0; bit < FRAMES_FEATURES_MAX; bit++) {
		device->features[bit / 32] ^= 1u << (bit % 32);
		if (frames_device_has(device, feature) != was)
			return;
		device->features[bit / 32] ^= 1u << (bit % 32);
	}
	cr_assert_fail("no %s", feature);
}

/* Whose features, queues and MTU are read right, and a change is named. */
Test(frames_modes, device_facts)
{
	static struct frames_device before, after;

	cr_expect_eq(frames_device_get("none0", &before), -ENODEV);
	uplink_make();
	cr_assert_eq(frames_device_get("up0", &before), 0);
	cr_expect_str_eq(before.driver, "veth");
	cr_expect_eq(before.mtu, 1500);
	cr_expect(frames_device_has(&before, "rx-vlan-hw-parse"));
	cr_expect_not(frames_device_has(&before, "rx-lro"));
	cr_expect_not(frames_device_has(&before, "no-such-feature"));
	after = before;
	cr_expect_null(frames_device_change(&before, &after));
	uplink_sh("ip link set up0 mtu 1400");
	cr_assert_eq(frames_device_get("up0", &after), 0);
	cr_expect_str_eq(frames_device_change(&before, &after), "the MTU");
	uplink_sh("ip link set up0 mtu 1500");
	cr_assert_eq(frames_device_get("up0", &after), 0);
	after.channels[1]++;
	cr_expect_str_eq(frames_device_change(&before, &after), "the number of queues");
	cr_assert_eq(frames_device_get("up0", &after), 0);
	flip(&after, "rx-vlan-hw-parse");
	cr_expect_str_eq(frames_device_change(&before, &after), "rx-vlan-hw-parse");
}

/* As a driver of hardware would look. */
Test(frames_modes, what_speaks_against_native)
{
	static struct frames_device device;
	char text[96];

	uplink_make();
	cr_assert_eq(frames_device_get("up0", &device), 0);
	cr_expect(frames_device_objection(&device, text, sizeof(text)));
	cr_expect_str_eq(text, "on veth changes the offloads of its peer");
	strcpy(device.driver, "ixgbe");
	cr_expect(frames_device_hides_tags(&device));
	cr_expect(frames_device_objection(&device, text, sizeof(text)));
	cr_expect_str_eq(text, "would not see VLAN tags, which ixgbe takes off (rx-vlan-hw-parse)");
	flip(&device, "rx-vlan-hw-parse");
	cr_expect(frames_device_hides_tags(&device), "802.1ad");
	flip(&device, "rx-vlan-stag-hw-parse");
	cr_expect_not(frames_device_hides_tags(&device));
	cr_expect_not(frames_device_objection(&device, text, sizeof(text)));
	cr_expect_null(frames_device_excluded(&device));
	flip(&device, "rx-gro-hw");
	cr_expect(frames_device_objection(&device, text, sizeof(text)));
	cr_expect_str_eq(text, "does not go with rx-gro-hw");
	flip(&device, "rx-lro");
	cr_expect_str_eq(frames_device_excluded(&device), "rx-lro");
}

/* So many programs of others that tcx on up0 has no room, where it exists. */
static void fill_tcx(void)
{
	int link = 0, n = 0;

	if (!has_tcx())
		return;
	for (; link >= 0; n++) {
		struct foreign one = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);

		link = foreign_tcx(&one, "up0");
		foreign_close(&one);
	}
	cr_assert(n > 32 && link == -ERANGE, "%d: %s", n, strerror(-link));
}

/* Each step that fails is told; what is in the way stays. */
Test(frames_modes, auto_comes_to_generic_last)
{
	struct foreign filter = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);
	int wire;

	begin();
	fill_tcx();
	for (uint32_t priority = 1; priority <= 16; priority++)
		cr_assert_eq(foreign_clsact(&filter, "up0", priority, FRAMES_CLSACT_HANDLE), 0);
	cr_assert_eq(frames_test_attach(&test, FRAME_MODE_AUTO), 0, "%s", test.frames.mode_reason);
	cr_expect_eq(test.frames.hook, FRAME_HOOK_GENERIC_XDP);
	cr_expect(strstr(test.frames.mode_reason, "veth"), "%s", test.frames.mode_reason);
	cr_expect(strstr(test.frames.mode_reason, "tcx"), "%s", test.frames.mode_reason);
	cr_expect(strstr(test.frames.mode_reason, "clsact"), "%s", test.frames.mode_reason);
	wire = uplink_wire("wire0", false);
	expect_reply_at_calf(wire, "generic");
	frames_detach(&test.gate.pins, test.uplink.ifindex);
	cr_expect_eq(uplink_clsact_filters("up0"), 16, "of somebody else: they stay");
	cr_expect_eq(frames_test_attach(&test, FRAME_MODE_TC), -EEXIST);
	close(wire);
	frames_test_end(&test);
	foreign_close(&filter);
}

/* The one device with LRO that needs no hardware is a bond. auto never costs it
 * that; who asks for XDP is told. */
Test(frames_modes, lro_is_not_turned_off_unasked)
{
	static struct frames_device device;

	uplink_make();
	if (system("ip link add up1 type bond mode active-backup" /* NOLINT(cert-env33-c) */
		   " && ip link set up1 up"))
		cr_skip_test("no bonding");
	cr_assert_eq(frames_device_get("up1", &device), 0);
	cr_assert(frames_device_has(&device, "rx-lro"));
	expect_auto("up1", FRAME_MODE_TC, "native XDP on a bond changes its ports");
	begin_on("up1");
	for (uint32_t priority = 1; priority <= 16; priority++) {
		struct foreign filter = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);

		cr_assert_eq(foreign_clsact(&filter, "up1", priority, FRAMES_CLSACT_HANDLE), 0);
		foreign_close(&filter);
	}
	if (!has_tcx()) {
		cr_expect_eq(frames_test_attach(&test, FRAME_MODE_AUTO), -EOPNOTSUPP);
		cr_expect(strstr(test.frames.mode_reason, "generic XDP would turn off rx-lro"));
	}
	cr_assert_eq(frames_test_attach(&test, FRAME_MODE_GENERIC), 0);
	cr_expect(strstr(test.frames.mode_reason, "it changed rx-lro"), "%s",
		  test.frames.mode_reason);
	frames_test_end(&test);
}

/* --- others on the uplink --- */

static uint32_t xdp_id(const char *device)
{
	uint32_t id = 0;

	cr_assert_eq(bpf_xdp_query_id((int)if_nametoindex(device), 0, &id), 0);
	return id;
}

/* By link or by netlink, in the driver or in the stack: it is not displaced. */
Test(frames_modes, another_xdp_program_stays)
{
	static const struct {
		const char *what;
		uint32_t flags;
		bool by_link;
	} rows[] = {
		{ "native", XDP_FLAGS_DRV_MODE, true },
		{ "native", XDP_FLAGS_DRV_MODE, false },
		{ "generic", XDP_FLAGS_SKB_MODE, true },
		{ "generic", XDP_FLAGS_SKB_MODE, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct foreign foreign = foreign_load(BPF_PROG_TYPE_XDP, XDP_PASS);
		LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = rows[i].flags);
		int up0, wire, link = -1;
		char reason[96];

		begin();
		up0 = test.uplink.ifindex;
		if (rows[i].by_link)
			link = bpf_link_create(foreign.program_fd, up0, BPF_XDP, &opts);
		else
			link = bpf_xdp_attach(up0, foreign.program_fd, rows[i].flags, NULL);
		cr_assert(link >= 0, "%zu: %s", i, strerror(-link));
		for (size_t k = 0; k < N_MODES; k++) {
			int error = frames_test_attach(&test, modes[k]);

			if (modes[k] == FRAME_MODE_TC)
				frames_detach(&test.gate.pins, up0);
			else
				cr_expect(error == -EBUSY || error == -EEXIST, "%zu %s: %d", i,
					  mode_name(k), error);
			cr_expect_eq(xdp_id("up0"), foreign.id, "%zu %s", i, mode_name(k));
		}
		cr_expect_eq(frames_attach_tap(&test.frames, test.tap.ifindex), 0);
		cr_assert_eq(frames_test_attach(&test, FRAME_MODE_AUTO), 0);
		cr_expect_eq(test.frames.mode, FRAME_MODE_TC);
		snprintf(reason, sizeof(reason), "another XDP program is on the uplink (%s, id %u)",
			 rows[i].what, foreign.id);
		cr_expect_eq(strncmp(test.frames.mode_reason, reason, strlen(reason)), 0, "%s",
			     test.frames.mode_reason);
		wire = uplink_wire("wire0", false);
		expect_reply_at_calf(wire, "tc beside XDP");
		cr_expect(foreign_runs(&foreign) > 0);
		frames_test_end(&test);
		cr_expect_eq(xdp_id("up0"), foreign.id, "%zu: it outlives us", i);
		close(wire);
		if (rows[i].by_link)
			close(link);
		foreign_close(&foreign);
	}
}

/* Neither do we break who comes later, nor he us. */
Test(frames_modes, a_later_xdp_program_works)
{
	for (size_t i = 0; i < N_MODES; i++) {
		struct foreign foreign = foreign_load(BPF_PROG_TYPE_XDP, XDP_PASS);
		int wire, error;

		begin();
		cr_assert_eq(frames_test_attach(&test, modes[i]), 0);
		wire = uplink_wire("wire0", false);
		error = bpf_xdp_attach(test.uplink.ifindex, foreign.program_fd, XDP_FLAGS_SKB_MODE,
				       NULL);
		if (modes[i] == FRAME_MODE_TC)
			cr_expect_eq(error, 0);
		else
			cr_expect(error == -EBUSY || error == -EEXIST, "%s: %d", mode_name(i),
				  error);
		expect_reply_at_calf(wire, mode_name(i));
		frames_test_end(&test);
		if (modes[i] == FRAME_MODE_TC)
			cr_expect_eq(xdp_id("up0"), foreign.id);
		else
			cr_expect_eq(xdp_id("up0"), 0);
		close(wire);
		foreign_close(&foreign);
	}
}

/* A program that ends the chain, there before us: replies come all the same,
 * everything else is its own. */
Test(frames_modes, tc_programs_of_others_run)
{
	struct foreign tcx = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_ACCEPTS);
	struct foreign filter = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_ACCEPTS);
	uint8_t frame[FRAME_SIZE] = { 0 };
	int wire, link = -1;

	begin();
	cr_assert_eq(foreign_clsact(&filter, "up0", 1, 1), 0);
	for (int i = 0; i < 2; i++) {
		struct foreign *foreign = i ? &tcx : &filter;
		uint64_t before;

		if (i && !has_tcx())
			break;
		if (i)
			link = foreign_tcx(&tcx, "up0");
		cr_assert_eq(frames_test_attach(&test, FRAME_MODE_TC), 0);
		wire = uplink_wire("wire0", false);
		before = foreign_runs(foreign);
		expect_reply_at_calf(wire, "first");
		frame[AT_ETH_TYPE] = 0x88;
		frame[AT_ETH_TYPE + 1] = 0xb5;
		uplink_send(wire, false, frame, sizeof(frame));
		cr_expect(uplink_wait_count(&test, FRAME_IN_NOT_OURS, 1) >= 1);
		cr_expect(foreign_runs(foreign) > before);
		close(wire);
		frames_detach(&test.gate.pins, test.uplink.ifindex);
		cr_expect_eq(foreign_clsact_id("up0", 1, 1), filter.id);
		cr_assert_eq(frames_attach_tap(&test.frames, test.tap.ifindex), 0);
	}
	frames_test_end(&test);
	cr_expect_eq(foreign_clsact_id("up0", 1, 1), filter.id);
	if (link >= 0)
		close(link);
	foreign_close(&tcx);
	foreign_close(&filter);
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

	begin();
	fill_tcx();
	cr_assert_eq(foreign_clsact(&foreign, "up0", 1, 1), 0);
	attach_clsact();
	cr_expect(strstr(test.frames.mode_reason, has_tcx() ?
							  "as asked for; tcx: too many programs" :
							  "as asked for; this kernel has no tcx"),
		  "%s", test.frames.mode_reason);
	cr_expect_eq(uplink_clsact_filters("up0"), 1);
	wire = uplink_wire("wire0", false);
	expect_reply_at_calf(wire, "clsact");
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

	begin();
	fill_tcx();
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
	begin();
	fill_tcx();
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

/* --- kill -9 --- */

static void expect_reply_at_host(int wire, int host, uint8_t xid, const char *what)
{
	uint8_t frame[FRAME_SIZE], got[2048];

	frames_test_reply(&test, frame);
	frame[AT_XID] ^= xid;
	put_ip_checksum(frame);
	uplink_send(wire, false, frame, sizeof(frame));
	cr_expect_eq(uplink_receive(host, got, sizeof(got)), FRAME_SIZE - 42u, "%s", what);
}

/* The program stays, nothing else gets the frames that were the calf's: the
 * host does, whoever asked. The next start replaces it, in any mode. */
Test(frames_modes, kill_leaves_the_filter_and_frames_pass)
{
	for (size_t i = 0; i < N_MODES + 1; i++) {
		bool clsact = i == N_MODES;
		enum frame_mode mode = clsact ? FRAME_MODE_TC : modes[i];
		const char *what = clsact ? "clsact" : mode_name(i);
		int wire, host;

		begin();
		if (clsact)
			fill_tcx();
		cr_assert_eq(frames_test_attach(&test, mode), 0);
		wire = uplink_wire("wire0", false);
		host = uplink_host();
		expect_reply_at_calf(wire, what);
		frames_test_kill(&test);
		if (mode == FRAME_MODE_TC && (clsact || !has_tcx()))
			cr_expect_eq(uplink_clsact_filters("up0"), 1, "%s", what);
		else if (mode != FRAME_MODE_TC)
			cr_expect_neq(xdp_id("up0"), 0, "%s", what);
		expect_reply_at_host(wire, host, 0, what);
		expect_reply_at_host(wire, host, 1, what);
		for (size_t k = 0; k < N_MODES; k++) {
			frames_test_restart(&test, 1000000, 1000000);
			cr_assert_eq(frames_test_attach(&test, modes[k]), 0, "%s after %s",
				     mode_name(k), what);
			expect_reply_at_calf(wire, what);
			frames_test_kill(&test);
		}
		frames_test_restart(&test, 1000000, 1000000);
		cr_expect_eq(xdp_id("up0"), 0);
		cr_expect_eq(uplink_clsact_filters("up0"), 0);
		close(wire);
		close(host);
		frames_test_end(&test);
	}
}
