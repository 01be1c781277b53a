/* SPDX-License-Identifier: Apache-2.0 */
/* What is logged about calves that begin too many transactions. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>

#include "tests/bpf/support-frames.h"
#include "tests/unit/capture.h"
#include "userspace/common/clock.h"
#include "userspace/priv/supervisor/supervisor-private.h"

static const struct frame_rule rules[] = {
	{
		.check = FRAME_CHECK_DHCP4,
		.local_port = 68,
		.remote_port = 67,
		.max_frame = 1514,
		.egress_interval_ns = 1,
		.egress_burst_ns = NS_PER_S,
	},
	{
		.check = FRAME_CHECK_DHCP4,
		.local_port = 1068,
		.remote_port = 1067,
		.max_frame = 1514,
		.egress_interval_ns = 1,
		.egress_burst_ns = NS_PER_S,
	},
};

static struct frames_test test;
static struct supervisor s;
static struct description calves[2];
static struct frame_grammar grammar;
static uint64_t clock_ns = NS_PER_S;

static uint64_t test_clock(void)
{
	return clock_ns;
}

/* Two calves that may begin one transaction each. */
static void begin(void)
{
	static const char *const names[] = { "first", "second" };

	grammar = frames_test_grammar();
	grammar.transaction_interval_ns = 3600 * NS_PER_S;
	grammar.transaction_burst_ns = 0;
	test.rules = &rules[0];
	test.second_rules = &rules[1];
	test.n_rules = test.n_second_rules = 1;
	test.grammar = test.second_grammar = &grammar;
	frames_test_begin_mode(&test, FRAME_MODE_TC, 0, 0);
	for (uint32_t calf = 0; calf < 2; calf++) {
		(void)snprintf(calves[calf].name, sizeof(calves[calf].name), "%s", names[calf]);
		s.framed[calf] = &calves[calf];
	}
	s.frames = test.frames;
	s.configuration.transactions_per_hour = 1;
	strcpy(s.uplink.name, "up0");
	loop_init(&s.loop);
	s.loop.now_ns = test_clock;
	cr_assert_eq(supervisor_watch_transactions(&s), 0);
	capture_begin();
}

static void end(void)
{
	frames_test_end(&test);
}

TestSuite(supervisor_transactions, .init = begin, .fini = end);

/* A calf begins `n` transactions. */
static void ask(uint32_t calf, uint32_t n)
{
	const struct tap *tap = calf ? &test.second : &test.tap;
	static uint8_t xid;
	uint8_t frame[FRAME_SIZE];

	frames_test_request(&test, frame);
	memcpy(frame + AT_UDP_SOURCE,
	       (uint16_t[]){ htons(rules[calf].local_port), htons(rules[calf].remote_port) }, 4);
	for (uint32_t i = 0; i < n; i++) {
		frame[AT_XID] = xid++;
		(void)frames_test_run(frames_test_tap(&test), frame, FRAME_SIZE, tap->ifindex,
				      NULL);
	}
}

/* After this many seconds, what is logged since the last call. */
static void expect_logged(uint64_t seconds, const char *text)
{
	clock_ns += seconds * NS_PER_S;
	cr_assert_eq(loop_run_once(&s.loop, clock_ns), 0);
	cr_expect_str_eq(capture_text(), text, "%s", capture_text());
	capture_begin();
}

#define LINE(_n, _calf)                                                                         \
	"up0: " _n " requests of the calf " _calf " dropped: more than 1 new transactions an "  \
	"hour; a server may refuse each lease, or the calf was taken over: see calfpen frames " \
	"--reason out_transactions, and transactions_per_hour\n"

Test(supervisor_transactions, one_calf_at_a_time)
{
	ask(0, 1);
	ask(1, 1);
	expect_logged(11, "");
	ask(0, 3);
	expect_logged(11, LINE("3", "first"));
	/* which is no reason not to tell about the other */
	ask(0, 1);
	ask(1, 2);
	expect_logged(11, LINE("2", "second"));
	ask(0, 1);
	ask(1, 1);
	expect_logged(11, "");
	/* 3,600 s after the line */
	expect_logged(3600 - 22, LINE("2", "first"));
	expect_logged(11, LINE("1", "second"));
	expect_logged(4000, "");
}

/* The uplink is gone, and comes back. */
Test(supervisor_transactions, programs_that_are_not_there)
{
	ask(0, 3);
	s.frames = FRAMES_NULL(s.frames);
	expect_logged(11, "");
	s.frames = test.frames;
	expect_logged(11, LINE("2", "first"));
}
