/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples of frames: what is kept of which, how many, and for how long; and
 * that readers see whole ones only.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames.h"

#define FLOOD 200000
#define AT_ONCE 7     /* samples of a reason, after a while without one */
#define OFTEN 1000000 /* frames per second: no rule's rate is in the way */

static struct frames_test test;

static void begin(void)
{
	frames_test_begin(&test, OFTEN, OFTEN);
}

static void begin_tc(void)
{
	frames_test_begin_mode(&test, FRAME_MODE_TC, OFTEN, OFTEN);
}

static void end(void)
{
	frames_test_end(&test);
}

static int egress(void)
{
	return bpf_program__fd(test.frames.tc->progs.tap_egress);
}

static int samples_fd(void)
{
	return bpf_map__fd(test.frames.tc->maps.frame_samples);
}

static uint64_t n_samples(uint32_t reason)
{
	uint32_t index = reason - FRAME_SAMPLED_FIRST;
	struct frame_sampler sampler;

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(test.frames.tc->maps.frame_samplers), &index,
					 &sampler),
		     0);
	return sampler.n_samples;
}

static uint64_t n_samples_of_all(void)
{
	uint64_t n = 0;

	for (uint32_t i = FRAME_SAMPLED_FIRST; i < _FRAME_REASON_N; i++)
		n += n_samples(i);
	return n;
}

static struct frame_sample sample_of(uint32_t reason, uint64_t number)
{
	uint32_t slot = FRAME_SAMPLE_SLOT(reason, number);
	struct frame_sample sample;

	cr_assert_eq(bpf_map_lookup_elem(samples_fd(), &slot, &sample), 0);
	return sample;
}

static int run(int program_fd, const uint8_t *frame, uint32_t size)
{
	return frames_test_run(program_fd, frame, size,
			       program_fd == frames_test_tap(&test) || program_fd == egress() ?
				       test.tap.ifindex :
				       0,
			       NULL);
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* The newest of its reason is this frame, whole or its beginning. */
static void expect_sample(uint32_t reason, const uint8_t *frame, uint32_t size, uint64_t since,
			  const char *what)
{
	struct frame_sample sample = sample_of(reason, n_samples(reason));
	uint32_t captured = size < FRAME_SAMPLE_BYTES ? size : FRAME_SAMPLE_BYTES;

	cr_expect_eq(sample.version & 1, 0, "%s: is finished", what);
	cr_expect_gt(sample.version, 0, "%s", what);
	cr_expect_eq(sample.number, n_samples(reason), "%s", what);
	cr_expect_eq(sample.reason, reason, "%s: reason %u", what, sample.reason);
	cr_expect_eq(sample.size, size, "%s: %u bytes", what, sample.size);
	cr_expect_eq(sample.captured, captured, "%s: %u bytes kept", what, sample.captured);
	cr_expect(sample.boot_ns >= since && sample.boot_ns <= boot_ns(), "%s: time", what);
	cr_expect_eq(sample.vlan_type, 0, "%s", what);
	cr_expect_arr_eq(sample.bytes, frame, captured, "%s", what);
}

#define NOTHING_4 "\0\0\0\0"
#define NOTHING_16 NOTHING_4 NOTHING_4 NOTHING_4 NOTHING_4

enum program { XDP, TC, TAP, EGRESS };
enum kind { REQUEST, REPLY, ARP };

/* What is sampled: the frame with these bytes put at this place. */
static const struct row {
	const char *what;
	enum program program;
	enum kind kind;
	uint32_t at;
	const char *bytes;
	uint32_t n_bytes;
	uint32_t reason;
	bool is_not_sampled;
} rows[] = {
	{ "what the calf sends", TAP, REQUEST, 0, "", 0, FRAME_OUT_ACCEPTED, false },
	{ "what the calf may not send", TAP, REQUEST, AT_OP, "\2", 1, FRAME_OUT_NOT_REQUEST,
	  false },
	{ "with another's address", TAP, REQUEST, AT_ETH_SOURCE, "\2\1\1\1\1\1", 6,
	  FRAME_OUT_SOURCE_MAC, false },
	{ "a reply", XDP, REPLY, 0, "", 0, FRAME_IN_ACCEPTED, false },
	{ "a reply by tc", TC, REPLY, 0, "", 0, FRAME_IN_ACCEPTED, false },
	{ "unsolicited", XDP, REPLY, AT_XID, "\xba\xdc\xaf\xfe", 4, FRAME_IN_UNKNOWN_XID, false },
	{ "unsolicited, by tc", TC, REPLY, AT_XID, "\xba\xdc\xaf\xfe", 4, FRAME_IN_UNKNOWN_XID,
	  false },
	{ "no cookie", XDP, REPLY, AT_COOKIE, "\0\0\0\0", 4, FRAME_IN_COOKIE, false },
	{ "no cookie, by tc", TC, REPLY, AT_COOKIE, "\0\0\0\0", 4, FRAME_IN_COOKIE, false },
	{ "the host's own", EGRESS, REPLY, 0, "", 0, FRAME_HOST_NOISE, false },
	{ "ARP of an address that no server gave", TAP, ARP, 0, "", 0, FRAME_OUT_ARP_ADDRESS,
	  false },
	{ "other protocols", XDP, REPLY, AT_IP_PROTOCOL, "\6", 1, FRAME_IN_NOT_OURS, true },
	{ "other protocols, by tc", TC, REPLY, AT_IP_PROTOCOL, "\6", 1, FRAME_IN_NOT_OURS, true },
	{ "of a VLAN", XDP, REPLY, AT_ETH_TYPE, "\x81\0\0\5", 4, FRAME_IN_VLAN, true },
	{ "of a VLAN, by tc", TC, REPLY, AT_ETH_TYPE, "\x81\0\0\5", 4, FRAME_IN_VLAN, true },
	{ "another client's", XDP, REPLY, AT_XID, "\1\2\3\4" NOTHING_16 NOTHING_4 "\2\1\1\1\1\1",
	  30, FRAME_IN_OTHER_CHADDR, true },
	{ "the host's ARP", XDP, ARP, 0, "", 0, FRAME_IN_NOT_OURS, true },
	{ "U45: with our xid, another's chaddr", XDP, REPLY, AT_CHADDR, "\2\1\1\1\1\1", 6,
	  FRAME_IN_OTHER_CHADDR, false },
	{ "U45: the same by tc", TC, REPLY, AT_CHADDR, "\2\1\1\1\1\1", 6, FRAME_IN_OTHER_CHADDR,
	  false },
};

Test(frames_samples, rows, .init = begin, .fini = end)
{
	const int programs[] = { [XDP] = frames_test_xdp(&test),
				 [TC] = frames_test_tc(&test),
				 [TAP] = frames_test_tap(&test),
				 [EGRESS] = egress() };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		uint64_t before = n_samples_of_all(), since = boot_ns();
		uint64_t counted = frames_test_count(&test, row->reason);
		uint32_t size = row->kind == ARP ? ARP_SIZE : FRAME_SIZE;
		uint8_t frame[FRAME_SIZE];

		if (row->kind == REQUEST)
			frames_test_request(&test, frame);
		else if (row->kind == REPLY)
			frames_test_reply(&test, frame);
		else
			frames_test_arp(frame, 1, test.mac, 0, 0x0a070005);
		memcpy(frame + row->at, row->bytes, row->n_bytes);
		run(programs[row->program], frame, size);
		cr_expect_eq(frames_test_count(&test, row->reason), counted + 1, "%s", row->what);
		if (row->is_not_sampled) {
			cr_expect_eq(n_samples_of_all(), before, "%s: not sampled", row->what);
			continue;
		}
		cr_expect_eq(n_samples_of_all(), before + 1, "%s", row->what);
		expect_sample(row->reason, frame, size, since, row->what);
	}
}

/*
 * Replies to us in a VLAN are kept with their tags, and nothing else of it: in
 * the bytes, and where the kernel has moved the outer tag out of them.
 */
static const struct vlan_row {
	const char *what, *tags;
	uint32_t n_tags, at;
	const char *bytes;
	uint32_t n_bytes;
	bool is_sampled;
} vlan_rows[] = {
#define VLAN_7 "\x81\0\0\7"
	{ "a reply", VLAN_7, 4, 0, "", 0, true },
	{ "a service provider's", "\x88\xa8\xa0\7", 4, 0, "", 0, true },
	{ "unsolicited", VLAN_7, 4, AT_XID, "\xba\xdc\xaf\xfe", 4, true },
	{ "from another port", VLAN_7, 4, AT_UDP_SOURCE, "\4\x2b", 2, true },
	{ "in a VLAN of a VLAN", "\x88\xa8\0\x09" VLAN_7, 8, 0, "", 0, true },
	{ "behind a priority", "\x81\0\xc0\0" VLAN_7, 8, 0, "", 0, true },
	{ "another client's", VLAN_7, 4, AT_CHADDR, "\2\1\1\1\1\1", 6, false },
	{ "to another port", VLAN_7, 4, AT_UDP_DESTINATION, "\0\x45", 2, false },
	{ "TCP", VLAN_7, 4, AT_IP_PROTOCOL, "\6", 1, false },
	{ "IPv6", VLAN_7, 4, AT_ETH_TYPE, "\x86\xdd", 2, false },
	{ "a later fragment", VLAN_7, 4, AT_IP_FRAGMENT, "\0\x10", 2, false },
};

static void check_vlan_rows(int program_fd)
{
	uint8_t plain[FRAME_SIZE], frame[FRAME_SIZE + 8];

	for (size_t i = 0; i < sizeof(vlan_rows) / sizeof(vlan_rows[0]); i++) {
		const struct vlan_row *row = &vlan_rows[i];
		uint64_t before = n_samples_of_all(), since = boot_ns();
		uint64_t counted = frames_test_count(&test, FRAME_IN_VLAN);
		uint32_t size = FRAME_SIZE + row->n_tags;

		frames_test_reply(&test, plain);
		memcpy(plain + row->at, row->bytes, row->n_bytes);
		frames_test_tag(frame, plain, row->tags, row->n_tags);
		cr_expect_eq(run(program_fd, frame, size),
			     program_fd == frames_test_tc(&test) ? TC_ACT_UNSPEC : (int)XDP_PASS,
			     "%s", row->what);
		cr_expect_eq(frames_test_count(&test, FRAME_IN_VLAN), counted + 1, "%s", row->what);
		cr_assert_eq(n_samples_of_all() - before, row->is_sampled, "%s", row->what);
		if (row->is_sampled)
			expect_sample(FRAME_IN_VLAN, frame, size, since, row->what);
	}
}

Test(frames_samples, U45_replies_in_a_vlan_by_xdp, .init = begin, .fini = end)
{
	check_vlan_rows(frames_test_xdp(&test));
}

Test(frames_samples, U45_replies_in_a_vlan_by_tc, .init = begin, .fini = end)
{
	check_vlan_rows(frames_test_tc(&test));
}

Test(frames_samples, U45_replies_in_a_vlan_out_of_the_bytes, .init = begin_tc, .fini = end)
{
	uint8_t plain[FRAME_SIZE], frame[FRAME_SIZE + 8];

	for (size_t i = 0; i < sizeof(vlan_rows) / sizeof(vlan_rows[0]); i++) {
		const struct vlan_row *row = &vlan_rows[i];
		uint64_t before = n_samples(FRAME_IN_VLAN);
		uint32_t size = FRAME_SIZE + row->n_tags;
		struct frame_sample sample;

		frames_test_reply(&test, plain);
		memcpy(plain + row->at, row->bytes, row->n_bytes);
		frames_test_tag(frame, plain, row->tags, row->n_tags);
		cr_assert_eq(write(test.uplink.fd, frame, size), (ssize_t)size);
		cr_assert_eq(n_samples(FRAME_IN_VLAN) - before, row->is_sampled, "%s", row->what);
		if (!row->is_sampled)
			continue;
		sample = sample_of(FRAME_IN_VLAN, before + 1);
		cr_expect_arr_eq(&sample.vlan_type, row->tags, 2, "%s", row->what);
		cr_expect_eq(sample.vlan_tci, (uint8_t)row->tags[2] << 8 | (uint8_t)row->tags[3]);
		cr_expect_eq(sample.size, size - 4);
		cr_expect_arr_eq(sample.bytes + AT_ETH_TYPE, frame + AT_ETH_TYPE + 4,
				 size - AT_ETH_TYPE - 4, "%s", row->what);
	}
}

/* Other frames that pass although they look like ours. */
Test(frames_samples, U45_replies_without_a_tap, .init = begin, .fini = end)
{
	uint64_t since = boot_ns();
	uint8_t frame[FRAME_SIZE];

	frames_test_open(&test);
	frames_test_reply(&test, frame);
	tap_deinit(&test.tap);
	cr_assert_eq(run(frames_test_xdp(&test), frame, FRAME_SIZE), XDP_PASS);
	expect_sample(FRAME_IN_NO_TAP, frame, FRAME_SIZE, since, "XDP");
	cr_assert_eq(run(frames_test_tc(&test), frame, FRAME_SIZE), TC_ACT_UNSPEC);
	cr_expect_eq(n_samples(FRAME_IN_NO_TAP), 2);
}

Test(frames_samples, U45_replies_to_another_client_of_the_host)
{
	uint64_t since = boot_ns();
	uint8_t frame[FRAME_SIZE];

	test.pass_foreign = true;
	begin();
	frames_test_reply(&test, frame);
	cr_assert_eq(run(frames_test_xdp(&test), frame, FRAME_SIZE), XDP_PASS);
	expect_sample(FRAME_IN_FOREIGN_XID, frame, FRAME_SIZE, since, "XDP");
	cr_assert_eq(run(frames_test_tc(&test), frame, FRAME_SIZE), TC_ACT_UNSPEC);
	cr_expect_eq(n_samples(FRAME_IN_FOREIGN_XID), 2);
	end();
}

/* The calf's ARP, and the conflict that answers it. */
Test(frames_samples, arp, .init = begin, .fini = end)
{
	static const uint8_t other[6] = { 2, 0, 0, 0, 0, 9 };
	uint64_t since = boot_ns();
	uint8_t frame[FRAME_SIZE];

	frames_test_request(&test, frame);
	run(frames_test_tap(&test), frame, FRAME_SIZE);
	frames_test_reply(&test, frame);
	memcpy(frame + AT_YIADDR, "\x0a\x07\0\x05", 4);
	cr_assert_eq(run(frames_test_xdp(&test), frame, FRAME_SIZE), XDP_REDIRECT);
	frames_test_arp(frame, 1, test.mac, 0, 0x0a070005);
	cr_assert_eq(run(frames_test_tap(&test), frame, ARP_SIZE), TC_ACT_REDIRECT);
	expect_sample(FRAME_OUT_ARP, frame, ARP_SIZE, since, "probe");
	frames_test_arp(frame, 2, other, 0x0a070005, 0x0a070005);
	cr_assert_eq(run(frames_test_xdp(&test), frame, ARP_SIZE), XDP_REDIRECT);
	expect_sample(FRAME_IN_ARP, frame, ARP_SIZE, since, "conflict");
}

/* One at the limit of what is kept, and longer ones; in XDP and in tc. */
Test(frames_samples, long_frames, .init = begin, .fini = end)
{
	static const uint32_t sizes[] = { FRAME_SAMPLE_BYTES - 1, FRAME_SAMPLE_BYTES,
					  FRAME_SAMPLE_BYTES + 1, 1514, 1600 };
	static uint8_t frame[1600];

	for (uint32_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t since = boot_ns();

		frames_test_reply(&test, frame);
		memset(frame + AT_COOKIE, 0, 4);
		run(i & 1 ? frames_test_tc(&test) : frames_test_xdp(&test), frame, sizes[i]);
		expect_sample(sizes[i] > 1514 ? FRAME_IN_TOO_LONG : FRAME_IN_COOKIE, frame,
			      sizes[i], since, "reply");
		frames_test_request(&test, frame);
		run(frames_test_tap(&test), frame, sizes[i]);
		expect_sample(FRAME_OUT_IP_HEADER, frame, sizes[i], since, "request");
	}
}

/* The shortest frames that the tap takes: nothing is read behind them. */
Test(frames_samples, short_frames, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];
	uint64_t since = boot_ns();

	frames_test_request(&test, frame);
	for (uint32_t size = 14; size < 14 + AT_ONCE; size++) {
		cr_assert_eq(write(test.tap.fd, frame, size), (ssize_t)size);
		expect_sample(FRAME_OUT_TRUNCATED, frame, size, since, "truncated");
	}
}

/* A tag that the kernel removed from the bytes is stored separately. */
Test(frames_samples, tag_out_of_the_bytes, .init = begin, .fini = end)
{
	uint8_t plain[FRAME_SIZE], frame[FRAME_SIZE + 4];
	struct frame_sample sample;

	frames_test_request(&test, plain);
	frames_test_tag(frame, plain, "\x88\xa8\x60\x05", 4);
	cr_assert_eq(write(test.tap.fd, frame, sizeof(frame)), (ssize_t)sizeof(frame));
	cr_assert_eq(n_samples(FRAME_OUT_VLAN), 1u);
	sample = sample_of(FRAME_OUT_VLAN, 1);
	cr_expect_arr_eq(&sample.vlan_type, "\x88\xa8", 2);
	cr_expect_eq(sample.vlan_tci, 0x6005, "%x", sample.vlan_tci);
	cr_expect_eq(sample.size, FRAME_SIZE);
	cr_expect_eq(sample.captured, FRAME_SIZE);
	cr_expect_arr_eq(sample.bytes, plain, FRAME_SIZE);
}

/*
 * A flood is sampled at its rate, whatever the number of frames; another
 * reason's samples stay, and its next frame is sampled.
 */
static void expect_limited(int program_fd, const uint8_t *frame, uint32_t reason)
{
	uint64_t before = n_samples(reason), counted = frames_test_count(&test, reason);
	uint64_t start = boot_ns(), n, most;

	frames_test_flood(&test, program_fd, frame, FRAME_SIZE, FLOOD);
	n = n_samples(reason) - before;
	most = AT_ONCE + 1 + (boot_ns() - start) / FRAME_SAMPLE_INTERVAL_NS;
	cr_expect_eq(frames_test_count(&test, reason), counted + FLOOD, "all are counted");
	cr_expect(n >= AT_ONCE && n <= most, "%lu of at most %lu", n, most);
}

Test(frames_samples, floods, .init = begin, .fini = end)
{
	uint8_t unknown[FRAME_SIZE], junk[FRAME_SIZE], bad[FRAME_SIZE];
	uint64_t since = boot_ns();

	frames_test_reply(&test, unknown);
	run(frames_test_xdp(&test), unknown, FRAME_SIZE);
	memcpy(junk, unknown, FRAME_SIZE);
	memset(junk + AT_COOKIE, 0, 4);
	frames_test_request(&test, bad);
	bad[AT_OP] = 2;
	expect_limited(frames_test_xdp(&test), junk, FRAME_IN_COOKIE);
	junk[AT_HTYPE] = 6;
	expect_limited(frames_test_tc(&test), junk, FRAME_IN_HARDWARE);
	expect_limited(frames_test_tap(&test), bad, FRAME_OUT_NOT_REQUEST);
	cr_expect_eq(n_samples(FRAME_IN_UNKNOWN_XID), 1u);
	expect_sample(FRAME_IN_UNKNOWN_XID, unknown, FRAME_SIZE, since, "of before the floods");
	run(frames_test_xdp(&test), unknown, FRAME_SIZE);
	cr_expect_eq(n_samples(FRAME_IN_UNKNOWN_XID), 2u, "not limited by others");
}

/* After a flood the rate comes back. */
Test(frames_samples, after_a_flood, .init = begin, .fini = end)
{
	const struct timespec interval = { .tv_nsec = FRAME_SAMPLE_INTERVAL_NS + 20000000 };
	uint8_t junk[FRAME_SIZE];
	uint64_t before;

	frames_test_reply(&test, junk);
	memset(junk + AT_COOKIE, 0, 4);
	frames_test_flood(&test, frames_test_xdp(&test), junk, FRAME_SIZE, FLOOD);
	for (int i = 0; i < 3; i++) {
		before = n_samples(FRAME_IN_COOKIE);
		nanosleep(&interval, NULL);
		run(frames_test_xdp(&test), junk, FRAME_SIZE);
		cr_expect_eq(n_samples(FRAME_IN_COOKIE), before + 1);
	}
}

/* The ring holds the last ones, each at its place. */
Test(frames_samples, ring, .init = begin, .fini = end)
{
	const struct timespec interval = { .tv_nsec = FRAME_SAMPLE_INTERVAL_NS + 20000000 };
	const uint32_t n = 2 * FRAME_SAMPLES_EACH + 3;
	uint8_t junk[FRAME_SIZE];

	frames_test_reply(&test, junk);
	memset(junk + AT_COOKIE, 0, 4);
	for (uint32_t i = 1; i <= n; i++) {
		junk[FRAME_SIZE - 1] = (uint8_t)i;
		run(frames_test_xdp(&test), junk, FRAME_SIZE);
		if (i >= AT_ONCE)
			nanosleep(&interval, NULL);
	}
	cr_assert_eq(n_samples(FRAME_IN_COOKIE), n);
	for (uint64_t number = n - FRAME_SAMPLES_EACH + 1; number <= n; number++) {
		struct frame_sample sample = sample_of(FRAME_IN_COOKIE, number);

		cr_expect_eq(sample.number, number);
		cr_expect_eq(sample.bytes[FRAME_SIZE - 1], number);
	}
}

/* Root may read them, and nothing else. */
Test(frames_samples, frozen, .init = begin, .fini = end)
{
	struct frame_sample sample = { 0 };
	struct frame_sampler sampler = { 0 };
	uint32_t zero = 0;

	cr_expect_eq(bpf_map_update_elem(samples_fd(), &zero, &sample, BPF_ANY), -1);
	cr_expect_eq(errno, EPERM);
	cr_expect_eq(bpf_map_update_elem(bpf_map__fd(test.frames.tc->maps.frame_samplers), &zero,
					 &sampler, BPF_ANY),
		     -1);
	cr_expect_eq(errno, EPERM);
	cr_expect_eq(bpf_map_lookup_elem(samples_fd(), &zero, &sample), 0);
}

/* User space cannot write to a frozen map, a program can: add to a version. */
static void add_to_version(uint32_t slot, int32_t n)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = (int)slot },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = samples_fd() },
		{ 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = n },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
		  .dst_reg = 0,
		  .src_reg = 1,
		  .off = offsetof(struct frame_sample, version),
		  .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const uint8_t frame[AT_UDP_SOURCE] = { 0 };
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, NULL, "GPL", instructions,
			       sizeof(instructions) / sizeof(instructions[0]), NULL);

	cr_assert(fd >= 0, "%s", strerror(errno));
	(void)frames_test_run(fd, frame, sizeof(frame), 0, NULL);
	close(fd);
}

/* Whoever finds a slot being written leaves it alone, and does not wait. */
Test(frames_samples, slot_that_is_being_written, .init = begin, .fini = end)
{
	const uint32_t slot = FRAME_SAMPLE_SLOT(FRAME_IN_COOKIE, 1);
	struct frame_sample before, after;
	uint8_t junk[FRAME_SIZE];

	frames_test_reply(&test, junk);
	memset(junk + AT_COOKIE, 0, 4);
	add_to_version(slot, 1);
	before = sample_of(FRAME_IN_COOKIE, 1);
	cr_assert_eq(before.version, 1u);
	cr_expect_eq(run(frames_test_xdp(&test), junk, FRAME_SIZE), XDP_DROP);
	after = sample_of(FRAME_IN_COOKIE, 1);
	cr_expect_arr_eq(&after, &before, sizeof(after));
	cr_expect_eq(frames_test_count(&test, FRAME_IN_COOKIE), 1u);
	cr_expect_eq(n_samples(FRAME_IN_COOKIE), 1u, "its number is not another's");
	add_to_version(slot, 1);
	cr_expect_eq(run(frames_test_xdp(&test), junk, FRAME_SIZE), XDP_DROP);
	cr_expect_eq(sample_of(FRAME_IN_COOKIE, 2).number, 2u, "the next one is sampled");
}

/* Frames of one byte repeated, from all CPUs at once, as long as `stop` is not set. */
struct writer {
	pthread_t thread;
	int cpu;
	int program_fd;
	int *stop;
};

static void *write_frames(void *data)
{
	const struct writer *writer = data;
	uint8_t frame[FRAME_SIZE];
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(writer->cpu, &cpus);
	cr_assert_eq(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
	for (int i = 0; !__atomic_load_n(writer->stop, __ATOMIC_RELAXED); i++) {
		frames_test_reply(&test, frame);
		memset(frame + AT_COOKIE, 0, 4);
		memset(frame + AT_COOKIE + 4, i, FRAME_SIZE - AT_COOKIE - 4);
		frames_test_flood(&test, writer->program_fd, frame, FRAME_SIZE, 50);
	}
	return NULL;
}

/* What has an even version is one frame, and the CPUs share one rate. */
Test(frames_samples, several_cpus, .init = begin, .fini = end)
{
	struct writer writers[4];
	int n_writers = get_nprocs() < 4 ? get_nprocs() : 4, stop = 0;
	uint64_t start = boot_ns(), most;

	for (int i = 0; i < n_writers; i++) {
		writers[i] = (struct writer){ .cpu = i,
					      .program_fd = i & 1 ? frames_test_tc(&test) :
								    frames_test_xdp(&test),
					      .stop = &stop };
		cr_assert_eq(pthread_create(&writers[i].thread, NULL, write_frames, &writers[i]),
			     0);
	}
	while (boot_ns() - start < 1000000000ull) {
		for (uint64_t number = 1; number <= FRAME_SAMPLES_EACH; number++) {
			struct frame_sample sample = sample_of(FRAME_IN_COOKIE, number);

			/* one lookup may be torn: the reader's three are test-cli-frames's */
			if (sample.version & 1 || sample.number == 0)
				continue;
			cr_expect_eq(sample.number % FRAME_SAMPLES_EACH,
				     number % FRAME_SAMPLES_EACH);
		}
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < n_writers; i++)
		pthread_join(writers[i].thread, NULL);
	most = AT_ONCE + 1 + (boot_ns() - start) / FRAME_SAMPLE_INTERVAL_NS;
	cr_expect(n_samples(FRAME_IN_COOKIE) <= most, "%lu of at most %lu",
		  n_samples(FRAME_IN_COOKIE), most);
	cr_expect_gt(n_samples(FRAME_IN_COOKIE), AT_ONCE);
	for (uint64_t number = 1; number <= FRAME_SAMPLES_EACH; number++) {
		struct frame_sample sample = sample_of(FRAME_IN_COOKIE, number);

		cr_expect_eq(sample.version & 1, 0);
		for (uint32_t i = AT_COOKIE + 4; i < FRAME_SIZE; i++)
			cr_expect_eq(sample.bytes[i], sample.bytes[AT_COOKIE + 4]);
	}
}
