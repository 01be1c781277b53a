/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How auto chooses, what it leaves alone, and others on the uplink.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "tests/bpf/support-uplink.h"
#include "userspace/priv/frames/clsact.h"
#include "userspace/priv/frames/device.h"

static struct frames_test test;

static const char *mode_name(size_t i)
{
	return frames_mode_name(uplink_modes[i]);
}

static void expect_auto(const char *device, enum frame_mode mode, const char *reason)
{
	static struct frames_device before, after;

	uplink_begin_on(&test, device);
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

Test(frames_auto, auto_takes_what_changes_nothing)
{
	struct netlink *netlink;
	struct tap tap;

	uplink_make();
	expect_auto("up0", FRAME_MODE_TC, "native XDP on veth changes the offloads of its peer");
	uplink_sh("ip link add bridge0 type bridge && ip link set bridge0 up");
	expect_auto("bridge0", FRAME_MODE_TC, "the driver does not support native XDP");
	uplink_sh("ip link add macvlan0 link wire0 type macvlan && ip link set macvlan0 up");
	expect_auto("macvlan0", FRAME_MODE_TC, "native XDP");
	cr_assert_eq(netlink_new(&netlink), 0);
	cr_assert_eq(tap_init(&tap, netlink, "calfpen x y"), 0);
	cr_assert_eq(tap_up(&tap, netlink), 0);
	expect_auto(tap.name, FRAME_MODE_NATIVE, "it does not change offloads, MTU or queues");
	tap_deinit(&tap);
	netlink_free(netlink);
}

/* Turn a feature on or off in the features read, by its bit. */
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
Test(frames_auto, device_facts)
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
Test(frames_auto, what_speaks_against_native)
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
	cr_expect_str_eq(text, "would not see VLAN tags, which ixgbe strips (rx-vlan-hw-parse)");
	flip(&device, "rx-vlan-hw-parse");
	cr_expect(frames_device_hides_tags(&device), "802.1ad");
	flip(&device, "rx-vlan-stag-hw-parse");
	cr_expect_not(frames_device_hides_tags(&device));
	cr_expect_not(frames_device_objection(&device, text, sizeof(text)));
	cr_expect_null(frames_device_excluded(&device));
	flip(&device, "rx-gro-hw");
	cr_expect(frames_device_objection(&device, text, sizeof(text)));
	cr_expect_str_eq(text, "is not possible with rx-gro-hw");
	flip(&device, "rx-lro");
	cr_expect_str_eq(frames_device_excluded(&device), "rx-lro");
}

/* Each failing step is reported; the program that is in the way stays. */
Test(frames_auto, auto_comes_to_generic_last)
{
	struct foreign filter = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);
	int wire;

	uplink_begin(&test);
	uplink_fill_tcx();
	for (uint32_t priority = 1; priority <= 16; priority++)
		cr_assert_eq(foreign_clsact(&filter, "up0", priority, FRAMES_CLSACT_HANDLE), 0);
	cr_assert_eq(frames_test_attach(&test, FRAME_MODE_AUTO), 0, "%s", test.frames.mode_reason);
	cr_expect_eq(test.frames.hook, FRAME_HOOK_GENERIC_XDP);
	cr_expect(strstr(test.frames.mode_reason, "veth"), "%s", test.frames.mode_reason);
	cr_expect(strstr(test.frames.mode_reason, "tcx"), "%s", test.frames.mode_reason);
	cr_expect(strstr(test.frames.mode_reason, "clsact"), "%s", test.frames.mode_reason);
	wire = uplink_wire("wire0", false);
	uplink_expect_at_calf(&test, wire, "generic");
	frames_detach(&test.gate.pins, test.uplink.ifindex);
	cr_expect_eq(uplink_clsact_filters("up0"), 16, "of other programs: they stay");
	cr_expect_eq(frames_test_attach(&test, FRAME_MODE_TC), -EEXIST);
	close(wire);
	frames_test_end(&test);
	foreign_close(&filter);
}

/* The only device with LRO that needs no hardware is a bond. Mode auto never
 * disables its LRO; an operator who requests XDP gets a message. */
Test(frames_auto, lro_is_not_turned_off_unasked)
{
	static struct frames_device device;

	uplink_make();
	if (system("ip link add up1 type bond mode active-backup" /* NOLINT(cert-env33-c) */
		   " && ip link set up1 up"))
		cr_skip_test("no bonding");
	cr_assert_eq(frames_device_get("up1", &device), 0);
	cr_assert(frames_device_has(&device, "rx-lro"));
	expect_auto("up1", FRAME_MODE_TC, "native XDP on a bond changes its ports");
	uplink_begin_on(&test, "up1");
	for (uint32_t priority = 1; priority <= 16; priority++) {
		struct foreign filter = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_PASSES_ON);

		cr_assert_eq(foreign_clsact(&filter, "up1", priority, FRAMES_CLSACT_HANDLE), 0);
		foreign_close(&filter);
	}
	if (!uplink_has_tcx()) {
		cr_expect_eq(frames_test_attach(&test, FRAME_MODE_AUTO), -EOPNOTSUPP);
		cr_expect(strstr(test.frames.mode_reason, "generic XDP would turn off rx-lro"));
	}
	cr_assert_eq(frames_test_attach(&test, FRAME_MODE_GENERIC), 0);
	cr_expect(strstr(test.frames.mode_reason, "it changed rx-lro"), "%s",
		  test.frames.mode_reason);
	frames_test_end(&test);
}

/* --- others on the uplink --- */

/* By link or by netlink, in the driver or in the stack: it is not displaced. */
Test(frames_auto, another_xdp_program_stays)
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

		uplink_begin(&test);
		up0 = test.uplink.ifindex;
		if (rows[i].by_link)
			link = bpf_link_create(foreign.program_fd, up0, BPF_XDP, &opts);
		else
			link = bpf_xdp_attach(up0, foreign.program_fd, rows[i].flags, NULL);
		cr_assert(link >= 0, "%zu: %s", i, strerror(-link));
		for (size_t k = 0; k < UPLINK_MODES_N; k++) {
			int error = frames_test_attach(&test, uplink_modes[k]);

			if (uplink_modes[k] == FRAME_MODE_TC)
				frames_detach(&test.gate.pins, up0);
			else
				cr_expect(error == -EBUSY || error == -EEXIST, "%zu %s: %d", i,
					  mode_name(k), error);
			cr_expect_eq(uplink_xdp_id("up0"), foreign.id, "%zu %s", i, mode_name(k));
		}
		cr_assert_eq(frames_test_attach(&test, FRAME_MODE_AUTO), 0);
		cr_expect_eq(test.frames.mode, FRAME_MODE_TC);
		snprintf(reason, sizeof(reason), "another XDP program is on the uplink (%s, id %u)",
			 rows[i].what, foreign.id);
		cr_expect_eq(strncmp(test.frames.mode_reason, reason, strlen(reason)), 0, "%s",
			     test.frames.mode_reason);
		wire = uplink_wire("wire0", false);
		uplink_expect_at_calf(&test, wire, "tc beside XDP");
		cr_expect(foreign_runs(&foreign) > 0);
		frames_test_end(&test);
		cr_expect_eq(uplink_xdp_id("up0"), foreign.id, "%zu: it outlives us", i);
		close(wire);
		if (rows[i].by_link)
			close(link);
		foreign_close(&foreign);
	}
}

/* The kernel lets no program under one of a device above. */
Test(frames_auto, a_program_above_the_uplink)
{
	struct foreign foreign = foreign_load(BPF_PROG_TYPE_XDP, XDP_PASS);

	uplink_make();
	uplink_sh("ip link add above0 link up0 type macvlan && ip link set above0 up");
	cr_assert_eq(bpf_xdp_attach((int)if_nametoindex("above0"), foreign.program_fd,
				    XDP_FLAGS_SKB_MODE, NULL),
		     0);
	uplink_begin_on(&test, "up0");
	cr_expect_eq(frames_test_attach(&test, FRAME_MODE_NATIVE), -EEXIST);
	cr_expect_str_eq(test.frames.mode_reason, "a device above the uplink has an XDP program");
	cr_expect_eq(frames_test_attach(&test, FRAME_MODE_AUTO), 0);
	cr_expect_eq(test.frames.mode, FRAME_MODE_TC);
	cr_expect_eq(uplink_xdp_id("above0"), foreign.id);
	frames_test_end(&test);
	foreign_close(&foreign);
}

/* Neither do we break who comes later, nor he us. */
Test(frames_auto, a_later_xdp_program_works)
{
	for (size_t i = 0; i < UPLINK_MODES_N; i++) {
		struct foreign foreign = foreign_load(BPF_PROG_TYPE_XDP, XDP_PASS);
		int wire, error;

		uplink_begin(&test);
		cr_assert_eq(frames_test_attach(&test, uplink_modes[i]), 0);
		wire = uplink_wire("wire0", false);
		error = bpf_xdp_attach(test.uplink.ifindex, foreign.program_fd, XDP_FLAGS_SKB_MODE,
				       NULL);
		if (uplink_modes[i] == FRAME_MODE_TC)
			cr_expect_eq(error, 0);
		else
			cr_expect(error == -EBUSY || error == -EEXIST, "%s: %d", mode_name(i),
				  error);
		uplink_expect_at_calf(&test, wire, mode_name(i));
		frames_test_end(&test);
		if (uplink_modes[i] == FRAME_MODE_TC)
			cr_expect_eq(uplink_xdp_id("up0"), foreign.id);
		else
			cr_expect_eq(uplink_xdp_id("up0"), 0);
		close(wire);
		foreign_close(&foreign);
	}
}

/* A program that ends the chain, there before us: replies come all the same,
 * everything else is its own. */
Test(frames_auto, tc_programs_of_others_run)
{
	struct foreign tcx = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_ACCEPTS);
	struct foreign filter = foreign_load(BPF_PROG_TYPE_SCHED_CLS, FOREIGN_ACCEPTS);
	uint8_t frame[FRAME_SIZE] = { 0 };
	int wire, link = -1;

	uplink_begin(&test);
	cr_assert_eq(foreign_clsact(&filter, "up0", 1, 1), 0);
	for (int i = 0; i < 2; i++) {
		struct foreign *foreign = i ? &tcx : &filter;
		uint64_t before;

		if (i && !uplink_has_tcx())
			break;
		if (i)
			link = foreign_tcx(&tcx, "up0");
		cr_assert_eq(frames_test_attach(&test, FRAME_MODE_TC), 0);
		wire = uplink_wire("wire0", false);
		before = foreign_runs(foreign);
		uplink_expect_at_calf(&test, wire, "first");
		frame[AT_ETH_TYPE] = 0x88;
		frame[AT_ETH_TYPE + 1] = 0xb5;
		uplink_send(wire, false, frame, sizeof(frame));
		cr_expect(uplink_wait_count(&test, FRAME_IN_NOT_OURS, 1) >= 1);
		cr_expect(foreign_runs(foreign) > before);
		close(wire);
		frames_detach(&test.gate.pins, test.uplink.ifindex);
		cr_expect_eq(foreign_clsact_id("up0", 1, 1), filter.id);
	}
	frames_test_end(&test);
	cr_expect_eq(foreign_clsact_id("up0", 1, 1), filter.id);
	if (link >= 0)
		close(link);
	foreign_close(&tcx);
	foreign_close(&filter);
}
