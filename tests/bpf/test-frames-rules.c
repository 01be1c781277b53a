/* SPDX-License-Identifier: Apache-2.0 */
/* What a description says is what the filter does: other ports, another size,
 * other rates, several rules, none. */
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

static struct frames_test test;

static void begin(const struct frame_rule *rules, uint32_t n_rules)
{
	test.rules = rules;
	test.n_rules = n_rules;
	frames_test_begin(&test, 0, 1);
}

static void set_ports(uint8_t *frame, uint16_t source, uint16_t destination)
{
	frame[AT_UDP_SOURCE] = (uint8_t)(source >> 8);
	frame[AT_UDP_SOURCE + 1] = (uint8_t)source;
	frame[AT_UDP_DESTINATION] = (uint8_t)(destination >> 8);
	frame[AT_UDP_DESTINATION + 1] = (uint8_t)destination;
}

static void expect_out(uint16_t source, uint16_t destination, uint32_t size, uint32_t reason)
{
	uint8_t frame[FRAME_SIZE + 100] = { 0 };
	uint64_t before = frames_test_count(&test, reason);

	frames_test_request(&test, frame);
	set_ports(frame, source, destination);
	frame[AT_IP_TOTAL] = (uint8_t)((size - AT_IP) >> 8);
	frame[AT_IP_TOTAL + 1] = (uint8_t)(size - AT_IP);
	frame[AT_UDP_LENGTH] = (uint8_t)((size - AT_UDP_SOURCE) >> 8);
	frame[AT_UDP_LENGTH + 1] = (uint8_t)(size - AT_UDP_SOURCE);
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress), frame,
				     size, test.tap.ifindex, NULL),
		     reason == FRAME_OUT_ACCEPTED ? TC_ACT_REDIRECT : TC_ACT_SHOT,
		     "%u to %u, %u bytes", source, destination, size);
	cr_expect_eq(frames_test_count(&test, reason), before + 1, "%u to %u, %u bytes", source,
		     destination, size);
}

static void expect_in(uint16_t source, uint16_t destination, uint32_t size, uint32_t reason)
{
	uint8_t frame[FRAME_SIZE + 100] = { 0 };
	uint64_t before = frames_test_count(&test, reason);

	frames_test_reply(&test, frame);
	set_ports(frame, source, destination);
	(void)frames_test_run(bpf_program__fd(test.frames.xdp->progs.frame_xdp), frame, size, 0,
			      NULL);
	(void)frames_test_run(bpf_program__fd(test.frames.tc->progs.uplink_ingress), frame, size, 0,
			      NULL);
	cr_expect_eq(frames_test_count(&test, reason), before + 2, "%u to %u, %u bytes", source,
		     destination, size);
}

#define UNLIMITED                                                                          \
	.ingress_interval_ns = 1, .ingress_burst_ns = 1000000000, .egress_interval_ns = 1, \
	.egress_burst_ns = 1000000000

Test(frames_rules, other_ports_and_size)
{
	const struct frame_rule rule = {
		.check = FRAME_CHECK_DHCP4,
		.local_port = 1068,
		.remote_port = 1067,
		.max_frame = 400,
		UNLIMITED,
	};

	begin(&rule, 1);
	expect_out(68, 67, FRAME_SIZE, FRAME_OUT_PORT);
	expect_out(1068, 67, FRAME_SIZE, FRAME_OUT_PORT);
	expect_out(1068, 1067, 401, FRAME_OUT_TOO_LONG);
	expect_out(1068, 1067, 400, FRAME_OUT_ACCEPTED);
	expect_in(67, 68, FRAME_SIZE, FRAME_IN_NOT_OURS);
	expect_in(67, 1068, 400, FRAME_IN_ACCEPTED);
	expect_in(1067, 1068, 401, FRAME_IN_TOO_LONG);
	expect_in(1067, 1068, 400, FRAME_IN_ACCEPTED);
	frames_test_end(&test);
}

/* Each rule has its own ports, size and bucket, up to the last of the map. */
Test(frames_rules, as_many_as_fit)
{
	struct frame_rule rules[FRAME_RULES_MAX];

	for (uint16_t i = 0; i < FRAME_RULES_MAX; i++)
		rules[i] = (struct frame_rule){
			.check = FRAME_CHECK_DHCP4,
			.local_port = (uint16_t)(1000 + i),
			.remote_port = (uint16_t)(2000 + i),
			.max_frame = FRAME_SIZE + i,
			.ingress_interval_ns = 3600000000000ull,
			.ingress_burst_ns = 3600000000000ull, /* two at once */
			.egress_interval_ns = 3600000000000ull,
			.egress_burst_ns = 0, /* one */
		};
	begin(rules, FRAME_RULES_MAX);
	for (uint16_t i = 0; i < FRAME_RULES_MAX; i++) {
		expect_out(1000 + i, 2001 + i, FRAME_SIZE, FRAME_OUT_PORT);
		expect_out(1000 + i, 2000 + i, FRAME_SIZE + i + 1u, FRAME_OUT_TOO_LONG);
		expect_out(1000 + i, 2000 + i, FRAME_SIZE + i, FRAME_OUT_ACCEPTED);
		expect_out(1000 + i, 2000 + i, FRAME_SIZE + i, FRAME_OUT_RATE);
		expect_in(2000 + i, 1000 + i, FRAME_SIZE + i, FRAME_IN_ACCEPTED);
		expect_in(2000 + i, 1000 + i, FRAME_SIZE + i, FRAME_IN_RATE);
	}
	frames_test_end(&test);
}

/* Only ARP: DHCP is the host's, and the calf has none. */
Test(frames_rules, without_dhcp)
{
	const struct frame_rule rule = { .check = FRAME_CHECK_ARP, UNLIMITED };

	begin(&rule, 1);
	expect_out(68, 67, FRAME_SIZE, FRAME_OUT_NO_RULE);
	expect_in(67, 68, FRAME_SIZE, FRAME_IN_NOT_OURS);
	frames_test_end(&test);
}

/* Only DHCP: what would be a probe does not leave. */
Test(frames_rules, without_arp)
{
	const struct frame_rule rule = {
		.check = FRAME_CHECK_DHCP4,
		.local_port = 68,
		.remote_port = 67,
		.max_frame = 1514,
		UNLIMITED,
	};
	uint8_t frame[ARP_SIZE];

	begin(&rule, 1);
	frames_test_arp(frame, 1, test.mac, 0, 0x0a070005);
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress), frame,
				     sizeof(frame), test.tap.ifindex, NULL),
		     TC_ACT_SHOT);
	cr_expect_eq(frames_test_count(&test, FRAME_OUT_NO_RULE), 1);
	frames_test_end(&test);
}

Test(frames_rules, none)
{
	const struct frame_rule rule = { .check = FRAME_CHECK_NONE };

	begin(&rule, 0);
	expect_out(68, 67, FRAME_SIZE, FRAME_OUT_NO_RULE);
	expect_in(67, 68, FRAME_SIZE, FRAME_IN_NOT_OURS);
	frames_test_end(&test);
}
