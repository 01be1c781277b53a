/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floods through the token buckets: what may pass is limited, the bucket is
 * full again afterwards, and junk takes nothing from it.
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

#define FLOOD 200000
#define RATE 20 /* per second */
#define BURST 4 /* saved up: one more passes at once */
#define NS_PER_S 1000000000ull
#define DHCP4 0 /* the rules' numbers */
#define ARP 1
#define OURS 0x0a070005

static const uint8_t theirs[6] = { 2, 0, 0, 0, 0, 0x99 };
static struct frames_test test;

/* One transaction is open; its request took one of the BURST + 1. */
static void begin_at(uint32_t rate)
{
	frames_test_begin(&test, rate, BURST);
	frames_test_open(&test);
}

static void begin(void)
{
	begin_at(RATE);
}

/* Within a test, nothing comes back. */
static void begin_slow(void)
{
	begin_at(0);
}

static void end(void)
{
	frames_test_end(&test);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static struct frame_bucket bucket(uint32_t rule)
{
	struct frame_bucket value;

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(test.frames.tc->maps.frame_buckets), &rule,
					 &value),
		     0);
	return value;
}

/* Of a flood passes what was saved up, in the interval before it at least one,
 * and what the time gave, all else is counted; and one interval later the next
 * one passes. */
static void expect_limited(int program_fd, const uint8_t *frame, uint32_t size, uint32_t passed,
			   uint32_t limited, int verdict)
{
	uint64_t n_passed = frames_test_count(&test, passed);
	uint64_t n_limited = frames_test_count(&test, limited);
	const struct timespec interval = { .tv_nsec = NS_PER_S / RATE };
	uint64_t start;

	nanosleep(&interval, NULL);
	start = now();
	frames_test_flood(&test, program_fd, frame, size, FLOOD);
	n_passed = frames_test_count(&test, passed) - n_passed;
	n_limited = frames_test_count(&test, limited) - n_limited;
	cr_expect_eq(n_passed + n_limited, FLOOD);
	cr_expect(n_passed >= 1 && n_passed <= BURST + 2 + (now() - start) / (NS_PER_S / RATE),
		  "%lu passed within %lu ns", n_passed, now() - start);
	nanosleep(&interval, NULL);
	cr_expect_eq(frames_test_run(program_fd, frame, size,
				     program_fd == frames_test_tap(&test) ? test.tap.ifindex : 0,
				     NULL),
		     verdict, "the next one after the flood");
}

/* Whoever knows the xid: the server's reply gets through when the flood ends. */
Test(frames_flood, replies, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_reply(&test, frame);
	expect_limited(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED,
		       FRAME_IN_RATE, XDP_REDIRECT);
	expect_limited(frames_test_tc(&test), frame, sizeof(frame), FRAME_IN_ACCEPTED,
		       FRAME_IN_RATE, TC_ACT_REDIRECT);
}

Test(frames_flood, requests, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_request(&test, frame);
	expect_limited(frames_test_tap(&test), frame, sizeof(frame), FRAME_OUT_ACCEPTED,
		       FRAME_OUT_RATE, TC_ACT_REDIRECT);
}

static void watch(void)
{
	uint8_t frame[FRAME_SIZE], probe[ARP_SIZE];

	frames_test_reply(&test, frame);
	memcpy(frame + AT_YIADDR, "\x0a\x07\0\x05", 4);
	cr_assert_eq(frames_test_run(frames_test_xdp(&test), frame, sizeof(frame), 0, NULL),
		     XDP_REDIRECT);
	frames_test_arp(probe, 1, test.mac, 0, OURS);
	cr_assert_eq(frames_test_run(frames_test_tap(&test), probe, sizeof(probe), test.tap.ifindex,
				     NULL),
		     TC_ACT_REDIRECT);
}

/* ARP has buckets of its own: it takes nothing from DHCP's. */
Test(frames_flood, arp, .init = begin, .fini = end)
{
	struct frame_bucket before;
	uint8_t frame[ARP_SIZE];

	watch();
	before = bucket(DHCP4);
	frames_test_arp(frame, 2, theirs, OURS, 0);
	expect_limited(frames_test_xdp(&test), frame, sizeof(frame), FRAME_IN_ARP,
		       FRAME_IN_ARP_RATE, XDP_REDIRECT);
	frames_test_arp(frame, 1, test.mac, 0, OURS);
	expect_limited(frames_test_tap(&test), frame, sizeof(frame), FRAME_OUT_ARP, FRAME_OUT_RATE,
		       TC_ACT_REDIRECT);
	cr_expect_eq(bucket(DHCP4).ingress_ns, before.ingress_ns);
	cr_expect_eq(bucket(DHCP4).egress_ns, before.egress_ns);
}

struct junk {
	const char *what;
	uint32_t at;
	const char *bytes;
	uint32_t n_bytes;
	uint32_t size; /* 0: FRAME_SIZE */
	uint32_t reason;
};

#define PUT(at, bytes) at, bytes, sizeof(bytes) - 1

static const struct junk junk_in[] = {
	{ "other port", PUT(AT_UDP_DESTINATION, "\0\x45"), 0, FRAME_IN_NOT_OURS },
	{ "another's chaddr", PUT(AT_CHADDR, "\x02\x99"), 0, FRAME_IN_OTHER_CHADDR },
	{ "tag", PUT(AT_ETH_TYPE, "\x81\0"), 0, FRAME_IN_VLAN },
	{ "fragment", PUT(AT_IP_FRAGMENT, "\x20\0"), 0, FRAME_IN_FRAGMENT },
	{ "cut", PUT(0, ""), 200, FRAME_IN_TRUNCATED },
	{ "IP length", PUT(AT_IP_TOTAL, "\x02"), 0, FRAME_IN_IP_HEADER },
	{ "UDP length", PUT(AT_UDP_LENGTH, "\x02"), 0, FRAME_IN_UDP_LENGTH },
	{ "too long", PUT(0, ""), 1600, FRAME_IN_TOO_LONG },
	{ "request", PUT(AT_OP, "\x01"), 0, FRAME_IN_NOT_REPLY },
	{ "hardware", PUT(AT_HLEN, "\x10"), 0, FRAME_IN_HARDWARE },
	{ "cookie", PUT(AT_COOKIE, "\0"), 0, FRAME_IN_COOKIE },
	{ "FORCERENEW", PUT(AT_COOKIE + 4, "\x35\x01\x09"), 0, FRAME_IN_FORCERENEW },
	{ "unknown xid", PUT(AT_XID, "\0\0\0\0"), 0, FRAME_IN_UNKNOWN_XID },
};

static const struct junk junk_out[] = {
	{ "source MAC", PUT(AT_ETH_SOURCE, "\x02\x99"), 0, FRAME_OUT_SOURCE_MAC },
	{ "tag", PUT(AT_ETH_TYPE, "\x88\xa8"), 0, FRAME_OUT_VLAN },
	{ "IPv6", PUT(AT_ETH_TYPE, "\x86\xdd"), 0, FRAME_OUT_NO_RULE },
	{ "fragment", PUT(AT_IP_FRAGMENT, "\x20\0"), 0, FRAME_OUT_FRAGMENT },
	{ "port", PUT(AT_UDP_DESTINATION, "\0\x35"), 0, FRAME_OUT_PORT },
	{ "too long",
	  PUT(AT_IP_TOTAL, "\x06\x32\0\0\0\0\x40\x11\0\0\0\0\0\0\xff\xff\xff\xff"
			   "\0\x44\0\x43\x06\x1e"),
	  1600, FRAME_OUT_TOO_LONG },
	{ "server role", PUT(AT_OP, "\x02"), 0, FRAME_OUT_NOT_REQUEST },
	{ "chaddr", PUT(AT_CHADDR, "\x02\x99"), 0, FRAME_OUT_HARDWARE },
	{ "source address", PUT(AT_IP_SOURCE, "\x0a\x07\0\x05"), 0, FRAME_OUT_SOURCE_ADDRESS },
};

static void flood_junk(int program_fd, const struct junk *junk, uint8_t *frame)
{
	uint64_t before = frames_test_count(&test, junk->reason);

	memcpy(frame + junk->at, junk->bytes, junk->n_bytes);
	frames_test_flood(&test, program_fd, frame, junk->size ? junk->size : FRAME_SIZE,
			  FLOOD / 20);
	cr_expect_eq(frames_test_count(&test, junk->reason) - before, FLOOD / 20, "%s", junk->what);
}

/* All that was saved up is there after any flood of junk; no time gave it. */
Test(frames_flood, junk_takes_no_reply, .init = begin_slow, .fini = end)
{
	static uint8_t frame[1600];

	for (size_t i = 0; i < 2 * sizeof(junk_in) / sizeof(junk_in[0]); i++) {
		memset(frame, 0, sizeof(frame));
		frames_test_reply(&test, frame);
		flood_junk(i % 2 ? frames_test_tc(&test) : frames_test_xdp(&test), &junk_in[i / 2],
			   frame);
		cr_expect_eq(bucket(DHCP4).ingress_ns, 0, "%s", junk_in[i / 2].what);
	}
	frames_test_reply(&test, frame);
	for (int i = 0; i < BURST + 1; i++)
		cr_expect_eq(frames_test_run(frames_test_xdp(&test), frame, FRAME_SIZE, 0, NULL),
			     XDP_REDIRECT, "reply %d", i);
}

Test(frames_flood, junk_takes_no_request, .init = begin_slow, .fini = end)
{
	static uint8_t frame[1600];
	uint64_t before = bucket(DHCP4).egress_ns;

	for (size_t i = 0; i < sizeof(junk_out) / sizeof(junk_out[0]); i++) {
		memset(frame, 0, sizeof(frame));
		frames_test_request(&test, frame);
		flood_junk(frames_test_tap(&test), &junk_out[i], frame);
		cr_expect_eq(bucket(DHCP4).egress_ns, before, "%s", junk_out[i].what);
	}
	frames_test_request(&test, frame);
	for (int i = 0; i < BURST; i++)
		cr_expect_eq(frames_test_run(frames_test_tap(&test), frame, FRAME_SIZE,
					     test.tap.ifindex, NULL),
			     TC_ACT_REDIRECT, "request %d", i);
}

Test(frames_flood, junk_takes_no_arp, .init = begin_slow, .fini = end)
{
	uint8_t frame[ARP_SIZE];
	struct frame_bucket before;

	watch();
	before = bucket(ARP);
	frames_test_arp(frame, 2, theirs, OURS + 1, 0); /* not watched */
	frames_test_flood(&test, frames_test_xdp(&test), frame, sizeof(frame), FLOOD / 20);
	frames_test_arp(frame, 2, test.mac, OURS, 0); /* ours, looped back */
	frames_test_flood(&test, frames_test_tc(&test), frame, sizeof(frame), FLOOD / 20);
	frames_test_arp(frame, 1, test.mac, 0, OURS + 1); /* not watched */
	frames_test_flood(&test, frames_test_tap(&test), frame, sizeof(frame), FLOOD / 20);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_NOT_OURS), FLOOD / 10);
	cr_expect_eq(frames_test_count(&test, FRAME_OUT_ARP_ADDRESS), FLOOD / 20);
	cr_expect_eq(bucket(ARP).ingress_ns, before.ingress_ns);
	cr_expect_eq(bucket(ARP).egress_ns, before.egress_ns);
}

/* In a flood the tap is looked for once a tick; that it has gone is noticed. */
Test(frames_flood, tap_gone, .init = begin_slow, .fini = end)
{
	const struct timespec some_ticks = { .tv_nsec = 50000000 };
	const struct junk *junk = &junk_in[sizeof(junk_in) / sizeof(junk_in[0]) - 1];
	const int programs[] = { frames_test_xdp(&test), frames_test_tc(&test) };
	uint8_t frame[FRAME_SIZE];

	cr_assert_eq(junk->reason, FRAME_IN_UNKNOWN_XID);
	frames_test_reply(&test, frame);
	for (int i = 0; i < 2; i++)
		flood_junk(programs[i], junk, frame);
	tap_deinit(&test.tap);
	nanosleep(&some_ticks, NULL);
	for (int i = 0; i < 2; i++)
		frames_test_flood(&test, programs[i], frame, FRAME_SIZE, FLOOD / 20);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_UNKNOWN_XID), 2 * (FLOOD / 20));
	cr_expect_eq(frames_test_count(&test, FRAME_IN_NO_TAP), 2 * (FLOOD / 20));
}
