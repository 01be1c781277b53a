/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel records of a DHCPACK, and what the record survives. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/pins.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames.h"
#include "userspace/common/clock.h"

static struct frames_test test;

static void begin(void)
{
	frames_test_begin(&test, 1000000, 1000000);
}

static void end(void)
{
	frames_test_end(&test);
}

TestSuite(frames_witness, .init = begin, .fini = end);

static struct frame_witness witness(void)
{
	struct frame_witness seen;

	cr_assert_eq(bpf_map_lookup_elem(test.witness_fd, &(uint32_t){ 0 }, &seen), 0);
	return seen;
}

/* The newest record of the address, NULL: none; borrowed until the next call. */
static const struct frame_witnessed *find(uint32_t address)
{
	static struct frame_witness seen;
	const struct frame_witnessed *found = NULL;

	seen = witness();
	for (int i = 0; i < FRAME_WITNESSED_MAX; i++) {
		const struct frame_witnessed *slot = &seen.slot[i];

		cr_expect_not(slot->version & 1);
		if (slot->ack_ns && ntohl(slot->address) == address &&
		    (!found || slot->ack_ns > found->ack_ns))
			found = slot;
	}
	return found;
}

static unsigned int count(uint32_t address)
{
	struct frame_witness seen = witness();
	unsigned int n = 0;

	for (int i = 0; i < FRAME_WITNESSED_MAX; i++)
		n += seen.slot[i].ack_ns && (!address || ntohl(seen.slot[i].address) == address);
	return n;
}

#define OCTETS(octets) octets, sizeof(octets) - 1
#define NONE "", 0
#define BIT(name) (1u << FRAME_OPTION_##name)
#define ADDRESS 0x0a070005u

/* The checksum of an IP header without options: a copy is recognised only with it. */
static void sum_header(uint8_t *frame)
{
	uint32_t sum = 0;

	for (int i = AT_IP; i < AT_UDP_SOURCE; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	frame[AT_IP_CHECKSUM] = (uint8_t)(sum >> 8);
	frame[AT_IP_CHECKSUM + 1] = (uint8_t)sum;
}

/* Build an ACK (or what the options make of it) for this address. */
static void build(uint8_t frame[FRAME_SIZE], uint32_t address, const char *options, size_t size)
{
	uint32_t network = htonl(address);

	frames_test_reply(&test, frame);
	memcpy(frame + AT_YIADDR, &network, sizeof(network));
	memset(frame + AT_OPTIONS, 0, FRAME_SIZE - AT_OPTIONS);
	memcpy(frame + AT_OPTIONS, options, size);
	sum_header(frame);
}

static int run(const uint8_t frame[FRAME_SIZE])
{
	return frames_test_run(frames_test_xdp(&test), frame, FRAME_SIZE, 0, NULL);
}

/* A request leaves, and this comes in. */
static void answer(uint32_t address, const char *options, size_t size)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_open(&test);
	build(frame, address, options, size);
	cr_assert_eq(run(frame), XDP_REDIRECT);
}

static const struct row {
	const char *what;
	const char *options;
	size_t n_options;
	const char *file;
	size_t n_file;
	const char *sname;
	size_t n_sname;
	bool is_recorded;
	uint32_t said;
	uint32_t mask, router, time_s, server; /* host order */
} rows[] = {
	{ "all, in order",
	  OCTETS("\x35\1\5\x36\4\x0a\7\0\1\x33\4\0\0\x0e\x10\1\4\xff\xff\xff\0\3\4\x0a\7\0\1\xff"),
	  NONE, NONE, true, BIT(MASK) | BIT(ROUTER) | BIT(TIME) | BIT(SERVER), 0xffffff00,
	  0x0a070001, 3600, 0x0a070001 },
	{ "an OFFER", OCTETS("\x35\1\2\x36\4\x0a\7\0\1\x33\4\0\0\x0e\x10\xff"), NONE, NONE, false,
	  0, 0, 0, 0, 0 },
	{ "a NAK", OCTETS("\x35\1\6\xff"), NONE, NONE, false, 0, 0, 0, 0, 0 },
	{ "BOOTP: no type", OCTETS("\1\4\xff\xff\xff\0\xff"), NONE, NONE, false, 0, 0, 0, 0, 0 },
	{ "an empty type", OCTETS("\x35\0\xff"), NONE, NONE, false, 0, 0, 0, 0, 0 },
	{ "a type of two octets", OCTETS("\x35\2\5\1\xff"), NONE, NONE, true, 0, 0, 0, 0, 0 },
	{ "a type in two parts", OCTETS("\x35\0\x35\1\5\xff"), NONE, NONE, true, 0, 0, 0, 0, 0 },
	{ "the first of two types", OCTETS("\x35\1\2\x35\1\5\xff"), NONE, NONE, false, 0, 0, 0, 0,
	  0 },
	{ "only a type", OCTETS("\x35\1\5\xff"), NONE, NONE, true, 0, 0, 0, 0, 0 },
	{ "the type last, behind padding", OCTETS("\0\0\0\x33\4\0\0\0\x3c\0\x35\1\5\xff"), NONE,
	  NONE, true, BIT(TIME), 0, 0, 60, 0 },
	{ "no END", OCTETS("\x35\1\5\x33\4\0\0\0\x3c"), NONE, NONE, true, BIT(TIME), 0, 0, 60, 0 },
	{ "an option behind END", OCTETS("\x35\1\5\xff\x33\4\0\0\0\x3c"), NONE, NONE, true, 0, 0, 0,
	  0, 0 },
	{ "a time in two parts (RFC 3396)", OCTETS("\x35\1\5\x33\2\0\0\x33\2\x0e\x10\xff"), NONE,
	  NONE, true, BIT(TIME), 0, 0, 3600, 0 },
	{ "time 0 (Q25)", OCTETS("\x35\1\5\x33\4\0\0\0\0\xff"), NONE, NONE, true, 0, 0, 0, 0, 0 },
	{ "for ever", OCTETS("\x35\1\5\x33\4\xff\xff\xff\xff\xff"), NONE, NONE, true, BIT(TIME), 0,
	  0, 0xffffffff, 0 },
	{ "the server twice (Q31)", OCTETS("\x35\1\5\x36\4\x0a\7\0\1\x36\4\x0a\7\0\1\xff"), NONE,
	  NONE, true, BIT(SERVER), 0, 0, 0, 0x0a070001 },
	{ "two routers", OCTETS("\x35\1\5\3\x08\x0a\7\0\2\x0a\7\0\3\xff"), NONE, NONE, true,
	  BIT(ROUTER), 0, 0x0a070002, 0, 0 },
	{ "a mask that is too short", OCTETS("\x35\1\5\1\3\xff\xff\xff\xff"), NONE, NONE, true, 0,
	  0, 0, 0, 0 },
	{ "a mask with holes", OCTETS("\x35\1\5\1\4\xff\0\xff\0\xff"), NONE, NONE, true, 0, 0, 0, 0,
	  0 },
	{ "mask 0", OCTETS("\x35\1\5\1\4\0\0\0\0\xff"), NONE, NONE, true, 0, 0, 0, 0, 0 },
	{ "mask /32", OCTETS("\x35\1\5\1\4\xff\xff\xff\xff\xff"), NONE, NONE, true, BIT(MASK),
	  0xffffffff, 0, 0, 0 },
	{ "121 and 249 (Q41)",
	  OCTETS("\x35\1\5\x79\5\0\x0a\7\0\1\xf9\x08\x18\x0a\x08\0\x0a\7\0\1\xff"), NONE, NONE,
	  true, BIT(CLASSLESS) | BIT(CLASSLESS_MICROSOFT), 0, 0, 0, 0 },
	{ "an empty 121", OCTETS("\x35\1\5\x79\0\xff"), NONE, NONE, true, 0, 0, 0, 0, 0 },
	{ "type and time in file (overload 1)", OCTETS("\x34\1\1\xff"),
	  OCTETS("\x35\1\5\x33\4\0\0\0\x3c\xff"), NONE, true, BIT(TIME), 0, 0, 60, 0 },
	{ "type in sname (overload 2)", OCTETS("\x34\1\2\xff"), OCTETS("\x33\4\0\0\0\x3c\xff"),
	  OCTETS("\x35\1\5\xff"), true, 0, 0, 0, 0, 0 },
	{ "in options, file, sname (overload 3)", OCTETS("\x34\1\3\x35\1\5\x33\1\0\xff"),
	  OCTETS("\x33\1\0\xff"), OCTETS("\x33\2\0\x3c\xff"), true, BIT(TIME), 0, 0, 60, 0 },
	{ "overload 4 is none", OCTETS("\x34\1\4\xff"), OCTETS("\x35\1\5\xff"), NONE, false, 0, 0,
	  0, 0, 0 },
	{ "overload in file counts for nothing", OCTETS("\x34\1\1\x35\1\5\xff"),
	  OCTETS("\x34\1\3\xff"), OCTETS("\x33\4\0\0\0\x3c\xff"), true, 0, 0, 0, 0, 0 },
	{ "an option beyond the end", OCTETS("\x35\1\5\x33\4\0\0\0\x3c\1\xf0"), NONE, NONE, true,
	  BIT(TIME), 0, 0, 60, 0 },
};

static void check_row(uint32_t i, int program, bool is_xdp)
{
	const uint32_t address = 0x0a070000u | (uint32_t)is_xdp << 8 | (i + 10);
	const struct row *row = &rows[i];
	const struct frame_witnessed *found;
	uint8_t frame[FRAME_SIZE];

	frames_test_open(&test);
	build(frame, address, row->options, row->n_options);
	memcpy(frame + AT_FILE, row->file, row->n_file);
	memcpy(frame + AT_SNAME, row->sname, row->n_sname);
	cr_expect_eq(frames_test_run(program, frame, FRAME_SIZE, 0, NULL),
		     is_xdp ? (int)XDP_REDIRECT : TC_ACT_REDIRECT, "%s", row->what);
	found = find(address);
	cr_expect_eq(found != NULL, row->is_recorded, "%s", row->what);
	if (!found || !row->is_recorded)
		return;
	cr_expect_eq(found->said, row->said, "%s: said %#x", row->what, found->said);
	cr_expect_eq(found->kept, 0, "%s", row->what);
	cr_expect(!(row->said & BIT(MASK)) || ntohl(found->mask) == row->mask, "%s", row->what);
	cr_expect(!(row->said & BIT(ROUTER)) || ntohl(found->routers[0]) == row->router, "%s",
		  row->what);
	cr_expect(!(row->said & BIT(TIME)) || found->time_s == row->time_s, "%s: %u", row->what,
		  found->time_s);
	cr_expect(!(row->said & BIT(SERVER)) || ntohl(found->server) == row->server, "%s",
		  row->what);
}

Test(frames_witness, F6_rows)
{
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row(i, frames_test_xdp(&test), true);
		check_row(i, frames_test_tc(&test), false);
	}
}

/* The calf takes the first router that can be one. */
Test(frames_witness, routers)
{
	const struct frame_witnessed *found;

	answer(ADDRESS, OCTETS("\x35\1\5\3\x14\0\0\0\0\x0a\7\0\2\x0a\7\0\3\x0a\7\0\4\x0a\7\0\5"));
	found = find(ADDRESS);
	cr_assert_not_null(found);
	cr_expect_eq(ntohl(found->routers[0]), 0);
	cr_expect_eq(ntohl(found->routers[1]), 0x0a070002);
	cr_expect_eq(ntohl(found->routers[2]), 0x0a070003);
	cr_expect_eq(ntohl(found->routers[3]), 0x0a070004);
	answer(ADDRESS, OCTETS("\x35\1\5\3\x0a\x0a\7\0\2\x0a\7\0\3\x0a\7"));
	found = find(ADDRESS);
	cr_expect_eq(ntohl(found->routers[1]), 0x0a070003);
	cr_expect_eq(ntohl(found->routers[2]), 0);
	cr_expect_eq(ntohl(found->routers[3]), 0);
}

static uint64_t boot_ns(void)
{
	return clock_now_ns(CLOCK_BOOTTIME);
}

/* Nobody asked; nobody's address; a copy; over the rate. */
Test(frames_witness, F6_only_what_goes_to_the_calf)
{
	uint64_t before_ns, after_ns;
	uint8_t frame[FRAME_SIZE];

	build(frame, ADDRESS, OCTETS("\x35\1\5\xff"));
	cr_expect_eq(run(frame), XDP_DROP);
	cr_expect_eq(count(0), 0);
	frames_test_open(&test);
	before_ns = boot_ns();
	frames_test_open(&test);
	after_ns = boot_ns();
	cr_expect_eq(run(frame), XDP_REDIRECT);
	cr_expect_eq(count(0), 1);
	cr_assert_not_null(find(ADDRESS));
	cr_expect_geq(find(ADDRESS)->request_ns, before_ns, "the last request with the xid");
	cr_expect_leq(find(ADDRESS)->request_ns, after_ns);
	cr_expect_geq(find(ADDRESS)->ack_ns, after_ns);
	after_ns = find(ADDRESS)->ack_ns;
	cr_expect_eq(run(frame), XDP_DROP, "a copy");
	cr_expect_eq(find(ADDRESS)->ack_ns, after_ns);
	answer(0, OCTETS("\x35\1\5\xff"));
	cr_expect_eq(count(0), 1, "the answer to DHCPINFORM");
	frames_test_age_xids(&test, 120);
	cr_expect_eq(run(frame), XDP_DROP, "the transaction is over");
	cr_expect_eq(find(ADDRESS)->ack_ns, after_ns);
}

/* Who sees our xid can send ACKs, too: that takes nothing away. */
Test(frames_witness, F6_another_ack_changes_no_record)
{
	const struct frame_witnessed *found;

	answer(ADDRESS, OCTETS("\x35\1\5\x33\4\0\0\x0e\x10\1\4\xff\xff\xff\0\3\4\x0a\7\0\1\xff"));
	answer(ADDRESS, OCTETS("\x35\1\5\x33\4\0\0\0\1\1\4\xff\xff\xff\xff\3\4\x0a\7\0\x66\xff"));
	cr_expect_eq(count(ADDRESS), 2);
	found = find(ADDRESS);
	cr_expect_eq(found->time_s, 1);
	answer(ADDRESS, OCTETS("\x35\1\5\x33\4\0\0\x0e\x10\1\4\xff\xff\xff\0\3\4\x0a\7\0\1\xff"));
	cr_expect_eq(count(ADDRESS), 3);
}

Test(frames_witness, the_same_once_more_renews_the_record)
{
	uint64_t request_ns;

	answer(ADDRESS, OCTETS("\x35\1\5\x33\4\0\0\x0e\x10\xff"));
	request_ns = find(ADDRESS)->request_ns;
	for (int i = 0; i < 40; i++)
		answer(ADDRESS, OCTETS("\x35\1\5\x33\4\0\0\x0e\x10\xff"));
	cr_expect_eq(count(0), 1);
	cr_expect_gt(find(ADDRESS)->request_ns, request_ns);
}

/* An ACK to a renewal leaves out what did not change (U03). */
Test(frames_witness, U03_what_an_ack_leaves_out_is_kept)
{
	const struct frame_witnessed *found;

	answer(ADDRESS, OCTETS("\x35\1\5\x36\4\x0a\7\0\1\x33\4\0\0\x0e\x10\1\4\xff\xff\xff\0"
			       "\3\x08\x0a\7\0\1\x0a\7\0\2\x79\5\0\x0a\7\0\1\xff"));
	for (int i = 0; i < 3; i++) {
		answer(ADDRESS, OCTETS("\x35\1\5\xff"));
		found = find(ADDRESS);
		cr_expect_eq(found->said, 0);
		cr_expect_eq(found->kept,
			     BIT(MASK) | BIT(ROUTER) | BIT(TIME) | BIT(SERVER) | BIT(CLASSLESS));
		cr_expect_eq(ntohl(found->mask), 0xffffff00);
		cr_expect_eq(ntohl(found->routers[0]), 0x0a070001);
		cr_expect_eq(ntohl(found->routers[1]), 0x0a070002);
		cr_expect_eq(ntohl(found->server), 0x0a070001);
		cr_expect_eq(found->time_s, 3600);
	}
	cr_expect_eq(count(0), 2);
	/* the new router replaces all routes */
	answer(ADDRESS, OCTETS("\x35\1\5\3\4\x0a\7\0\3\xff"));
	found = find(ADDRESS);
	cr_expect_eq(found->said, BIT(ROUTER));
	cr_expect_eq(found->kept, BIT(MASK) | BIT(TIME) | BIT(SERVER));
	cr_expect_eq(ntohl(found->routers[0]), 0x0a070003);
	cr_expect_eq(ntohl(found->routers[1]), 0);
	/* another address has nothing to keep */
	answer(ADDRESS + 1, OCTETS("\x35\1\5\xff"));
	cr_expect_eq(find(ADDRESS + 1)->kept, 0);
}

Test(frames_witness, the_oldest_record_is_replaced)
{
	for (uint32_t i = 0; i < FRAME_WITNESSED_MAX + 3; i++) {
		answer(ADDRESS + i, OCTETS("\x35\1\5\xff"));
		cr_expect_eq(count(0), i < FRAME_WITNESSED_MAX ? i + 1 : FRAME_WITNESSED_MAX);
	}
	for (uint32_t i = 0; i < FRAME_WITNESSED_MAX + 3; i++)
		cr_expect_eq(count(ADDRESS + i), i >= 3, "%u", i);
	/* that it was renewed makes a record younger */
	answer(ADDRESS + 3, OCTETS("\x35\1\5\xff"));
	answer(ADDRESS + 0x100, OCTETS("\x35\1\5\xff"));
	cr_expect_eq(count(ADDRESS + 3), 1);
	cr_expect_eq(count(ADDRESS + 4), 0);
}

Test(frames_witness, F6_records_of_the_address_in_use_stay)
{
	answer(ADDRESS, OCTETS("\x35\1\5\x33\4\0\0\x0e\x10\xff"));
	answer(ADDRESS, OCTETS("\x35\1\5\x33\4\0\0\0\1\xff"));
	frames_test_applied(&test, "10.7.0.5/24", NULL);
	for (uint32_t i = 1; i < 60; i++)
		answer(ADDRESS + i, OCTETS("\x35\1\5\xff"));
	cr_expect_eq(count(ADDRESS), 2);
	cr_expect_eq(count(ADDRESS + 59), 1);
	cr_expect_eq(count(0), FRAME_WITNESSED_MAX);
	/* if all are the address's own, the oldest goes */
	for (uint8_t i = 1; i < 2 * FRAME_WITNESSED_MAX; i++) {
		char options[] = "\x35\1\5\x33\4\0\0\1\0\xff";

		options[8] = (char)i;
		answer(ADDRESS, options, sizeof(options) - 1);
	}
	cr_expect_eq(count(ADDRESS), FRAME_WITNESSED_MAX);
	answer(ADDRESS + 1, OCTETS("\x35\1\5\xff"));
	cr_expect_eq(count(ADDRESS + 1), 1);
}

static uint32_t id_of(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	cr_assert_eq(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info.id;
}

/* It is closed to user space, and belongs to the instance. */
Test(frames_witness, F6_frozen_and_carried_over)
{
	struct frame_witness seen;
	uint32_t id = id_of(test.witness_fd);
	int pinned;

	answer(ADDRESS, OCTETS("\x35\1\5\x33\4\0\0\x0e\x10\xff"));
	seen = witness();
	cr_expect_eq(bpf_map_update_elem(test.witness_fd, &(uint32_t){ 0 }, &seen, BPF_ANY),
		     -EPERM);
	/* kill -9, and the start after it; programs are loaded anew for another device, too */
	frames_test_kill(&test);
	frames_test_restart(&test, 1000000, 1000000);
	cr_assert_eq(frames_test_attach(&test, FRAME_MODE_NATIVE), 0);
	cr_expect_eq(id_of(test.witness_fd), id);
	cr_expect_eq(count(ADDRESS), 1);
	answer(ADDRESS + 1, OCTETS("\x35\1\5\xff"));
	cr_expect_eq(count(0), 2);
	pinned = pins_get(&test.gate.pins, PIN_FRAME_WITNESS);
	cr_assert_geq(pinned, 0);
	cr_expect_eq(id_of(pinned), id);
	close(pinned);
}

/* A map of another version is not used, nor is one that somebody could write to. */
Test(frames_witness, F6_other_maps_are_replaced)
{
	enum { ARRAY = BPF_MAP_TYPE_ARRAY, HASH = BPF_MAP_TYPE_HASH };
	const uint32_t size = sizeof(struct frame_witness);
	const struct {
		int type;
		uint32_t value_size, n_entries, flags;
		bool is_frozen, is_adopted;
	} maps[] = {
		{ ARRAY, size, 1, 0, true, true },
		{ ARRAY, size, 1, 0, false, false },
		{ ARRAY, size, 1, BPF_F_MMAPABLE, true, false },
		{ ARRAY, 64, 1, 0, true, false },
		{ ARRAY, size, 2, 0, true, false },
		{ HASH, size, 1, 0, true, false },
	};
	struct frame_witness initial = { .slot[3] = { .ack_ns = 1, .address = 7 } };

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = maps[i].flags);
		int other = bpf_map_create((enum bpf_map_type)maps[i].type, "other", 4,
					   maps[i].value_size, maps[i].n_entries, &options);

		cr_assert_geq(other, 0);
		if (maps[i].is_frozen)
			cr_assert_eq(bpf_map_freeze(other), 0);
		cr_assert_eq(pins_put(&test.gate.pins, "", PIN_FRAME_WITNESS, other), 0);
		close(test.witness_fd);
		test.witness_fd = frames_witness_open(&test.gate.pins, &initial);
		cr_assert_geq(test.witness_fd, 0);
		cr_expect_eq(id_of(test.witness_fd) == id_of(other), maps[i].is_adopted, "row %zu",
			     i);
		cr_expect_eq(witness().slot[3].address, maps[i].is_adopted ? 0 : 7, "row %zu", i);
		cr_expect_eq(bpf_map_update_elem(test.witness_fd, &(uint32_t){ 0 }, &initial,
						 BPF_ANY),
			     -EPERM);
		close(other);
	}
}

static uint32_t note_verified(const char *name, const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	cr_assert_eq(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), 0);
	printf("note: %s: verified %u, translated %u\n", name, info.verified_insns,
	       info.xlated_prog_len / 8);
	return info.verified_insns;
}

/* Load time follows what the verifier explores. */
Test(frames_witness, verified_instructions)
{
	const struct bpf_program *const programs[] = { test.frames.xdp->progs.frame_xdp,
						       test.frames.tc->progs.uplink_ingress,
						       test.frames.tc->progs.tap_ingress,
						       test.frames.tc->progs.tap_egress };

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		cr_expect_leq(note_verified(bpf_program__name(programs[i]), programs[i]), 12000);
}
