/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARP through the filter: a row per rule and direction. What arrives is run
 * through XDP and tc, which must agree; state comes from replies and probes
 * that the programs themselves let through, since the maps are frozen.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames.h"

#define OURS 0x0a070005	 /* 10.7.0.5: a server gave it to us */
#define OLD 0x0a070006	 /* 10.7.0.6: so it did before */
#define OTHER 0x0a070009 /* 10.7.0.9: never offered to us */
#define REQUEST 1
#define REPLY 2

static const uint8_t theirs[6] = { 2, 0, 0, 0, 0, 0x99 };
static struct frames_test test;

static int tap_ingress(const uint8_t *frame, uint32_t size)
{
	return frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress), frame, size,
			       test.tap.ifindex, NULL);
}

static int xdp(const uint8_t *frame, uint32_t size)
{
	return frames_test_run(bpf_program__fd(test.frames.xdp->progs.frame_xdp), frame, size, 0,
			       NULL);
}

static int tc(const uint8_t *frame, uint32_t size)
{
	return frames_test_run(bpf_program__fd(test.frames.tc->progs.uplink_ingress), frame, size,
			       0, NULL);
}

/* A reply with this yiaddr, in by one of the two programs. */
static void offer(uint32_t yiaddr, bool by_tc)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_reply(&test, frame);
	for (int i = 0; i < 4; i++)
		frame[AT_YIADDR + i] = (uint8_t)(yiaddr >> (24 - 8 * i));
	if (by_tc)
		cr_assert_eq(tc(frame, sizeof(frame)), TC_ACT_REDIRECT);
	else
		cr_assert_eq(xdp(frame, sizeof(frame)), XDP_REDIRECT);
}

static void begin_at(uint32_t rate, uint32_t burst)
{
	frames_test_begin(&test, rate, burst);
	frames_test_open(&test);
}

static void begin(void)
{
	begin_at(1000000, 1000000);
	offer(OLD, false);
	offer(OURS, true);
}

static void end(void)
{
	frames_test_end(&test);
}

static void set_leased(const char *net)
{
	frames_test_applied(&test, net, NULL);
}

/* What the calf sends first in either case; an announcement ends probing. */
static void set_probing(bool probing)
{
	uint8_t frame[ARP_SIZE];

	frames_test_arp(frame, REQUEST, test.mac, probing ? 0 : OURS, OURS);
	cr_assert_eq(tap_ingress(frame, sizeof(frame)), TC_ACT_REDIRECT);
}

static struct frame_watched watched(void)
{
	struct frame_watched value;
	uint32_t zero = 0;

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(test.frames.tc->maps.frame_watched), &zero,
					 &value),
		     0);
	return value;
}

/* Where the address is watched, or NULL. */
static const struct frame_watched_address *find(const struct frame_watched *value, uint32_t address)
{
	for (int i = 0; i < FRAME_WATCHED_MAX; i++)
		if (value->slot[i].address == __builtin_bswap32(address))
			return &value->slot[i];
	return NULL;
}

struct counts {
	uint64_t packets[_FRAME_REASON_N];
};

static struct counts counts(void)
{
	struct counts counts;

	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		counts.packets[i] = frames_test_count(&test, i);
	return counts;
}

static void expect_counted(const struct counts *before, uint32_t reason, const char *what)
{
	const struct counts after = counts();

	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		cr_expect_eq(after.packets[i] - before->packets[i], i == reason,
			     "%s: counted %lu as reason %u", what,
			     after.packets[i] - before->packets[i], i);
}

/* in */

enum state {
	NEITHER, /* the address is watched, no more */
	LEASED,	 /* it is in /ip */
	PROBING, /* we have sent a probe */
	BOTH,	 /* conflict: parallel */
};

struct row_in {
	const char *what;
	enum state state;
	uint8_t operation;
	bool is_ours; /* sender's and frame's MAC */
	uint32_t sender, target;
	uint32_t at; /* bytes put over it ... */
	const char *bytes;
	uint32_t n_bytes;
	uint32_t size; /* ... cut or padded to this size, 0: as it is */
	uint32_t reason;
};

#define PUT(at, bytes) at, bytes, sizeof(bytes) - 1
#define AS_IT_IS 0, "", 0, 0

static const struct row_in rows_in[] = {
	/* another host says that it has our address */
	{ "announcement", LEASED, REQUEST, false, OURS, OURS, AS_IT_IS, FRAME_IN_ARP },
	{ "request", LEASED, REQUEST, false, OURS, OTHER, AS_IT_IS, FRAME_IN_ARP },
	{ "reply", LEASED, REPLY, false, OURS, OTHER, AS_IT_IS, FRAME_IN_ARP },
	{ "reply to a probe", PROBING, REPLY, false, OURS, 0, AS_IT_IS, FRAME_IN_ARP },
	{ "announcement, parallel", BOTH, REQUEST, false, OURS, OURS, AS_IT_IS, FRAME_IN_ARP },
	{ "padded to 60 octets", LEASED, REQUEST, false, OURS, OURS, PUT(0, ""), 60, FRAME_IN_ARP },
	{ "frame's MAC differs (Q50): the calf's to judge", LEASED, REQUEST, false, OURS, OURS,
	  PUT(AT_ETH_SOURCE, "\x02\x77"), 0, FRAME_IN_ARP },
	/* a probe for the address we probe */
	{ "probe while we probe", PROBING, REQUEST, false, 0, OURS, AS_IT_IS, FRAME_IN_ARP },
	/* the host's: it answers, and it must be able to speak to others */
	{ "probe for our address", LEASED, REQUEST, false, 0, OURS, AS_IT_IS, FRAME_IN_NOT_OURS },
	{ "probe, parallel", BOTH, REQUEST, false, 0, OURS, AS_IT_IS, FRAME_IN_NOT_OURS },
	{ "probe for a previous address", NEITHER, REQUEST, false, 0, OURS, AS_IT_IS,
	  FRAME_IN_NOT_OURS },
	{ "probe as a reply", PROBING, REPLY, false, 0, OURS, AS_IT_IS, FRAME_IN_NOT_OURS },
	{ "who has our address?", LEASED, REQUEST, false, OTHER, OURS, AS_IT_IS,
	  FRAME_IN_NOT_OURS },
	{ "who has another?", LEASED, REQUEST, false, OTHER, OLD, AS_IT_IS, FRAME_IN_NOT_OURS },
	{ "reply of another", LEASED, REPLY, false, OTHER, OURS, AS_IT_IS, FRAME_IN_NOT_OURS },
	{ "new owner of our previous address", LEASED, REPLY, false, OLD, OURS, AS_IT_IS,
	  FRAME_IN_NOT_OURS },
	{ "who has an address we declined", NEITHER, REPLY, false, OURS, OTHER, AS_IT_IS,
	  FRAME_IN_NOT_OURS },
	{ "no address at all", PROBING, REQUEST, false, 0, 0, AS_IT_IS, FRAME_IN_NOT_OURS },
	/* our own, looped back */
	{ "our announcement", LEASED, REQUEST, true, OURS, OURS, AS_IT_IS, FRAME_IN_NOT_OURS },
	{ "our probe", PROBING, REQUEST, true, 0, OURS, AS_IT_IS, FRAME_IN_NOT_OURS },
	{ "ours by way of a proxy", LEASED, REQUEST, true, OURS, OURS,
	  PUT(AT_ETH_SOURCE, "\x02\x77"), 0, FRAME_IN_NOT_OURS },
	/* not IPv4 over Ethernet (C4_19) */
	{ "hardware type", LEASED, REQUEST, false, OURS, OURS, PUT(AT_ARP, "\0\x06"), 0,
	  FRAME_IN_NOT_OURS },
	{ "protocol type", LEASED, REQUEST, false, OURS, OURS, PUT(AT_ARP + 2, "\x86\xdd"), 0,
	  FRAME_IN_NOT_OURS },
	{ "hardware size", LEASED, REQUEST, false, OURS, OURS, PUT(AT_ARP + 4, "\x08"), 0,
	  FRAME_IN_NOT_OURS },
	{ "protocol size", LEASED, REQUEST, false, OURS, OURS, PUT(AT_ARP + 5, "\x10"), 0,
	  FRAME_IN_NOT_OURS },
	{ "operation 0", LEASED, 0, false, OURS, OURS, AS_IT_IS, FRAME_IN_NOT_OURS },
	{ "inverse request", LEASED, 8, false, OURS, OURS, AS_IT_IS, FRAME_IN_NOT_OURS },
	{ "cut by an octet", LEASED, REQUEST, false, OURS, OURS, PUT(0, ""), 41,
	  FRAME_IN_NOT_OURS },
	{ "cut to its Ethernet header", LEASED, REQUEST, false, OURS, OURS, PUT(0, ""), 14,
	  FRAME_IN_NOT_OURS },
	{ "RARP", LEASED, REQUEST, false, OURS, OURS, PUT(AT_ETH_TYPE, "\x80\x35"), 0,
	  FRAME_IN_NOT_OURS },
	{ "tagged", LEASED, REQUEST, false, OURS, OURS, PUT(AT_ETH_TYPE, "\x81\0"), 0,
	  FRAME_IN_VLAN },
};

static void check_in(int (*run)(const uint8_t *frame, uint32_t size), int pass, int redirect)
{
	for (size_t i = 0; i < sizeof(rows_in) / sizeof(rows_in[0]); i++) {
		const struct row_in *row = &rows_in[i];
		uint8_t frame[64] = { 0 };
		struct counts before;
		int verdict;

		set_leased(row->state == LEASED || row->state == BOTH ? "10.7.0.5/24" : NULL);
		set_probing(row->state == PROBING || row->state == BOTH);
		frames_test_arp(frame, row->operation, row->is_ours ? test.mac : theirs,
				row->sender, row->target);
		memcpy(frame + row->at, row->bytes, row->n_bytes);
		before = counts();
		verdict = run(frame, row->size ? row->size : ARP_SIZE);
		cr_expect_eq(verdict, row->reason == FRAME_IN_ARP ? redirect : pass,
			     "%s: verdict %d", row->what, verdict);
		expect_counted(&before, row->reason, row->what);
	}
}

Test(frames_arp, rows_in_by_xdp, .init = begin, .fini = end)
{
	check_in(xdp, XDP_PASS, XDP_REDIRECT);
}

Test(frames_arp, rows_in_by_tc, .init = begin, .fini = end)
{
	check_in(tc, TC_ACT_UNSPEC, TC_ACT_REDIRECT);
}

/* What says that another host has our address says so with a priority, too. */
Test(frames_arp, U01_conflict_behind_a_priority_tag, .init = begin, .fini = end)
{
	uint8_t plain[ARP_SIZE], frame[ARP_SIZE + 4];

	set_leased("10.7.0.5/24");
	set_probing(false);
	frames_test_arp(plain, REPLY, theirs, OURS, OURS);
	memcpy(frame, plain, AT_ETH_TYPE);
	memcpy(frame + AT_ETH_TYPE, "\x81\0\xe0\0", 4);
	memcpy(frame + AT_ETH_TYPE + 4, plain + AT_ETH_TYPE, ARP_SIZE - AT_ETH_TYPE);
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_REDIRECT);
	cr_expect_eq(tc(frame, sizeof(frame)), TC_ACT_REDIRECT);
	cr_assert_eq(write(test.uplink.fd, frame, sizeof(frame)), (ssize_t)sizeof(frame));
	cr_expect_eq(frames_test_count(&test, FRAME_IN_ARP), 3);
	frame[AT_ETH_TYPE + 3] = 5;
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_PASS);
	cr_expect_eq(tc(frame, sizeof(frame)), TC_ACT_UNSPEC);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_VLAN), 2, "another network's");
}

/* What a server has just given is ours before the watcher has set it, but only as long as
 * we have no other: who forges an ACK for the gateway's address must not hide its ARP. */
Test(frames_arp, F6_claim_of_what_was_just_given, .init = begin, .fini = end)
{
	uint8_t frame[ARP_SIZE];

	frames_test_ack(&test, "10.7.0.7/24", NULL, NULL);
	frames_test_arp(frame, REPLY, theirs, OURS + 2, OURS + 2);
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_REDIRECT);
	set_leased("10.7.0.5/24");
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_PASS);
	cr_expect_eq(tc(frame, sizeof(frame)), TC_ACT_UNSPEC);
	set_leased(NULL);
	cr_expect_eq(tc(frame, sizeof(frame)), TC_ACT_REDIRECT);
	(void)usleep(FRAME_FRESH_NS / 1000 + 100000);
	cr_expect_eq(tc(frame, sizeof(frame)), TC_ACT_UNSPEC);
}

/* A calf that died while it probed takes no probe from the host for long. */
Test(frames_arp, probing_ends_by_itself, .init = begin, .fini = end)
{
	uint8_t frame[ARP_SIZE];

	set_probing(true);
	frames_test_arp(frame, REQUEST, theirs, 0, OURS);
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_REDIRECT);
	(void)usleep(FRAME_PROBING_NS / 1000 + 100000);
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_PASS);
	frames_test_arp(frame, REPLY, theirs, OURS, OTHER);
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_PASS);
}

Test(frames_arp, conflict_without_tap_is_the_hosts, .init = begin, .fini = end)
{
	uint8_t frame[ARP_SIZE];

	set_leased("10.7.0.5/24");
	frames_test_arp(frame, REQUEST, theirs, OURS, OURS);
	tap_deinit(&test.tap);
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_PASS);
	cr_expect_eq(tc(frame, sizeof(frame)), TC_ACT_UNSPEC);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_NO_TAP), 2);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_ARP), 0);
}

/* Over the rate the host gets it: ARP is never dropped. */
Test(frames_arp, rate_in)
{
	uint8_t frame[ARP_SIZE];
	int n = 0;

	begin_at(0, 4);
	offer(OURS, false);
	set_leased("10.7.0.5/24");
	frames_test_arp(frame, REQUEST, theirs, OURS, OURS);
	while (n < 100 && xdp(frame, sizeof(frame)) == XDP_REDIRECT)
		n++;
	cr_expect_eq(n, 5, "%d", n);
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_PASS);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_ARP_RATE), 2);
	end();
}

/* watched addresses */

Test(frames_arp, nothing_is_watched_before_a_reply)
{
	uint8_t frame[ARP_SIZE];

	begin_at(1000000, 1000000);
	set_leased("10.7.0.5/24");
	frames_test_arp(frame, REQUEST, theirs, OURS, OURS);
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_PASS);
	frames_test_arp(frame, REQUEST, test.mac, 0, OURS);
	cr_expect_eq(tap_ingress(frame, sizeof(frame)), TC_ACT_SHOT);
	/* no slot is empty in the sense of 0.0.0.0 */
	frames_test_arp(frame, REQUEST, test.mac, 0, 0);
	cr_expect_eq(tap_ingress(frame, sizeof(frame)), TC_ACT_SHOT);
	end();
}

Test(frames_arp, the_last_four_are_watched, .init = begin, .fini = end)
{
	struct frame_watched value;

	for (uint32_t i = 0; i < 2; i++)
		offer(OTHER + i, i % 2);
	value = watched();
	cr_expect(find(&value, OLD) && find(&value, OURS) && find(&value, OTHER) &&
		  find(&value, OTHER + 1));
	/* said again, or none: no slot is taken */
	for (uint32_t i = 0; i < 8; i++) {
		offer(OURS, i % 2);
		offer(0, i % 2);
	}
	cr_expect_eq(watched().next, 4);
	offer(OTHER + 2, false);
	value = watched();
	cr_expect(!find(&value, OLD) && find(&value, OURS) && find(&value, OTHER + 2));
	offer(OTHER + 3, true);
	value = watched();
	cr_expect(!find(&value, OURS) && find(&value, OTHER + 3));
}

/* Offers that a hostile server sends in a row do not end the defence. */
Test(frames_arp, the_address_in_use_stays_watched, .init = begin, .fini = end)
{
	struct frame_watched value;
	uint8_t frame[ARP_SIZE];

	set_leased("10.7.0.5/24");
	for (uint32_t i = 0; i < 100; i++)
		offer(0x0a070100 + i, i % 2);
	value = watched();
	cr_expect(find(&value, OURS) && find(&value, 0x0a070100 + 99));
	frames_test_arp(frame, REQUEST, theirs, OURS, OURS);
	cr_expect_eq(xdp(frame, sizeof(frame)), XDP_REDIRECT);
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

Test(frames_arp, a_slot_begins_unprobed, .init = begin, .fini = end)
{
	struct frame_watched value;
	uint64_t before_ns = boot_ns();

	set_probing(true);
	value = watched();
	cr_expect_geq(find(&value, OURS)->probing_until_ns, before_ns + FRAME_PROBING_NS);
	cr_expect_leq(find(&value, OURS)->probing_until_ns, boot_ns() + FRAME_PROBING_NS);
	cr_expect_eq(find(&value, OLD)->probing_until_ns, 0);
	for (uint32_t i = 0; i < 4; i++)
		offer(OTHER + i, false);
	value = watched();
	for (int i = 0; i < FRAME_WATCHED_MAX; i++)
		cr_expect_eq(value.slot[i].probing_until_ns, 0);
}

/* out */

struct row_out {
	const char *what;
	uint32_t sender, target;
	uint32_t at;
	const char *bytes;
	uint32_t n_bytes;
	uint32_t size;
	uint32_t reason;
};

static const struct row_out rows_out[] = {
	{ "probe", 0, OURS, AS_IT_IS, FRAME_OUT_ARP },
	{ "announcement", OURS, OURS, AS_IT_IS, FRAME_OUT_ARP },
	{ "of another watched address", 0, OLD, AS_IT_IS, FRAME_OUT_ARP },
	{ "probe of an address that no server gave", 0, OTHER, AS_IT_IS, FRAME_OUT_ARP_ADDRESS },
	{ "announcement of one", OTHER, OTHER, AS_IT_IS, FRAME_OUT_ARP_ADDRESS },
	{ "request from ours for another", OURS, OTHER, AS_IT_IS, FRAME_OUT_ARP_ADDRESS },
	{ "request from another for ours", OTHER, OURS, AS_IT_IS, FRAME_OUT_ARP_ADDRESS },
	{ "request from one watched for the other", OLD, OURS, AS_IT_IS, FRAME_OUT_ARP_ADDRESS },
	{ "0.0.0.0", 0, 0, AS_IT_IS, FRAME_OUT_ARP_ADDRESS },
	{ "a reply", OURS, OURS, PUT(AT_ARP_OPERATION, "\x02"), 0, FRAME_OUT_ARP_HEADER },
	{ "hardware type", 0, OURS, PUT(AT_ARP, "\0\x06"), 0, FRAME_OUT_ARP_HEADER },
	{ "protocol type", 0, OURS, PUT(AT_ARP + 2, "\x86\xdd"), 0, FRAME_OUT_ARP_HEADER },
	{ "hardware size", 0, OURS, PUT(AT_ARP + 4, "\x08"), 0, FRAME_OUT_ARP_HEADER },
	{ "protocol size", 0, OURS, PUT(AT_ARP + 5, "\x10"), 0, FRAME_OUT_ARP_HEADER },
	{ "another's MAC inside", OURS, OURS, PUT(AT_ARP_SENDER_MAC, "\x02\x99"), 0,
	  FRAME_OUT_ARP_HEADER },
	{ "something for a target MAC", 0, OURS, PUT(AT_ARP_TARGET_MAC + 5, "\x01"), 0,
	  FRAME_OUT_ARP_HEADER },
	{ "to one host", OURS, OURS, PUT(AT_ETH_DESTINATION, "\x02\0\0\0\0\x99"), 0,
	  FRAME_OUT_DESTINATION_MAC },
	{ "to a group", OURS, OURS, PUT(AT_ETH_DESTINATION, "\x01"), 0, FRAME_OUT_DESTINATION_MAC },
	{ "from another MAC", OURS, OURS, PUT(AT_ETH_SOURCE, "\x02\x99"), 0, FRAME_OUT_SOURCE_MAC },
	{ "cut by an octet", 0, OURS, PUT(0, ""), 41, FRAME_OUT_TRUNCATED },
	{ "an octet more", 0, OURS, PUT(0, ""), 43, FRAME_OUT_TOO_LONG },
	{ "padded", 0, OURS, PUT(0, ""), 60, FRAME_OUT_TOO_LONG },
	{ "tagged", 0, OURS, PUT(AT_ETH_TYPE, "\x81\0"), 0, FRAME_OUT_VLAN },
	{ "RARP", 0, OURS, PUT(AT_ETH_TYPE, "\x80\x35"), 0, FRAME_OUT_NO_RULE },
	{ "said to be IPv4", 0, OURS, PUT(AT_ETH_TYPE, "\x08\0"), 0, FRAME_OUT_NO_RULE },
};

Test(frames_arp, rows_out, .init = begin, .fini = end)
{
	for (size_t i = 0; i < sizeof(rows_out) / sizeof(rows_out[0]); i++) {
		const struct row_out *row = &rows_out[i];
		uint8_t frame[64] = { 0 };
		struct counts before;
		int verdict;

		frames_test_arp(frame, REQUEST, test.mac, row->sender, row->target);
		memcpy(frame + row->at, row->bytes, row->n_bytes);
		before = counts();
		verdict = tap_ingress(frame, row->size ? row->size : ARP_SIZE);
		cr_expect_eq(verdict, row->reason == FRAME_OUT_ARP ? TC_ACT_REDIRECT : TC_ACT_SHOT,
			     "%s: verdict %d", row->what, verdict);
		expect_counted(&before, row->reason, row->what);
	}
}

/* What was refused does not begin to probe. */
Test(frames_arp, refused_probe_changes_nothing, .init = begin, .fini = end)
{
	struct frame_watched value;
	uint8_t frame[ARP_SIZE];

	frames_test_arp(frame, REQUEST, test.mac, 0, OURS);
	frame[AT_ARP_TARGET_MAC] = 1;
	cr_expect_eq(tap_ingress(frame, sizeof(frame)), TC_ACT_SHOT);
	value = watched();
	cr_expect_eq(find(&value, OURS)->probing_until_ns, 0);
}

Test(frames_arp, rate_out)
{
	uint8_t frame[ARP_SIZE];
	int n = 0;

	begin_at(0, 4);
	offer(OURS, false);
	frames_test_arp(frame, REQUEST, test.mac, 0, OURS);
	while (n < 100 && tap_ingress(frame, sizeof(frame)) == TC_ACT_REDIRECT)
		n++;
	cr_expect_eq(n, 5, "%d", n);
	cr_expect_eq(frames_test_count(&test, FRAME_OUT_RATE), 1);
	end();
}
