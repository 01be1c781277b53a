/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What arrives on the uplink: one row per rule, each run through the XDP and
 * through the tc program, verdict and counted reason compared.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames.h"

static struct frames_test test;

static void begin_mode(enum frame_mode mode)
{
	frames_test_begin_mode(&test, mode, 1000000, 1000000);
	/* our own egress makes the transaction known */
	frames_test_open(&test);
}

static void begin(void)
{
	begin_mode(FRAME_MODE_NATIVE);
}

static void begin_tc(void)
{
	begin_mode(FRAME_MODE_TC);
}

static void end(void)
{
	frames_test_end(&test);
}

struct row {
	const char *what;
	uint32_t at; /* bytes put over the good reply ... */
	const char *bytes;
	uint32_t n_bytes;
	uint32_t ip_options; /* octets of No Operation behind the IP header */
	uint32_t size;	     /* ... cut or padded to this size, 0: as it is */
	uint32_t reason;
};

#define PUT_IP_OPTIONS(n, at, bytes) at, bytes, sizeof(bytes) - 1, n
#define PUT(at, bytes) PUT_IP_OPTIONS(0, at, bytes)

static const struct row rows[] = {
	{ "a reply we wait for", PUT(0, ""), 0, FRAME_IN_ACCEPTED },
	{ "padding behind it (Q48)", PUT(0, ""), 400, FRAME_IN_ACCEPTED },
	{ "broadcast reply", PUT(AT_ETH_DESTINATION, "\xff\xff\xff\xff\xff\xff"), 0,
	  FRAME_IN_ACCEPTED },
	{ "bytes behind the UDP payload (Q48)", PUT(AT_UDP_LENGTH, "\x00\xfa"), 0,
	  FRAME_IN_ACCEPTED },
	{ "ARP that is none", PUT(AT_ETH_TYPE, "\x08\x06"), 0, FRAME_IN_NOT_OURS },
	{ "IPv6", PUT(AT_ETH_TYPE, "\x86\xdd"), 0, FRAME_IN_NOT_OURS },
	{ "TCP", PUT(AT_IP_PROTOCOL, "\x06"), 0, FRAME_IN_NOT_OURS },
	{ "other UDP port", PUT(AT_UDP_DESTINATION, "\x00\x45"), 0, FRAME_IN_NOT_OURS },
	{ "DNS reply", PUT(AT_UDP_SOURCE, "\x00\x35\x80\x00"), 0, FRAME_IN_NOT_OURS },
	{ "later fragment", PUT(AT_IP_FRAGMENT, "\x00\x10"), 0, FRAME_IN_NOT_OURS },
	{ "short TCP frame", PUT(AT_IP_PROTOCOL, "\x06"), 60, FRAME_IN_NOT_OURS },
	{ "IP options", PUT_IP_OPTIONS(4, 0, ""), 0, FRAME_IN_ACCEPTED },
	{ "the most IP options", PUT_IP_OPTIONS(40, 0, ""), 0, FRAME_IN_ACCEPTED },
	{ "IP options before another port", PUT_IP_OPTIONS(8, AT_UDP_DESTINATION, "\x00\x45"), 0,
	  FRAME_IN_NOT_OURS },
	{ "IP options before another client's reply", PUT_IP_OPTIONS(8, AT_CHADDR, "\x02\x99"), 0,
	  FRAME_IN_OTHER_CHADDR },
	{ "IP options in a fragment", PUT_IP_OPTIONS(8, AT_IP_FRAGMENT, "\x20\x00"), 0,
	  FRAME_IN_FRAGMENT },
	{ "IP options, cut inside them", PUT_IP_OPTIONS(8, 0, ""), 41, FRAME_IN_NOT_OURS },
	{ "IP options, cut behind them", PUT_IP_OPTIONS(8, 0, ""), 42, FRAME_IN_NOT_OURS },
	{ "IP options, cut behind the UDP header", PUT_IP_OPTIONS(8, 0, ""), 50,
	  FRAME_IN_TRUNCATED },
	{ "a header length that takes in the ports", PUT(AT_IP, "\x46"), 0, FRAME_IN_NOT_OURS },
	{ "don't fragment", PUT(AT_IP_FRAGMENT, "\x40\x00"), 0, FRAME_IN_ACCEPTED },
	{ "wrong IP checksum: the calf's to judge", PUT(AT_IP_CHECKSUM, "\xde\xad"), 0,
	  FRAME_IN_ACCEPTED },
	{ "wrong UDP checksum: the calf's to judge", PUT(AT_UDP_CHECKSUM, "\xde\xad"), 0,
	  FRAME_IN_ACCEPTED },
	{ "header length below 5 (C4_02)", PUT(AT_IP, "\x44"), 0, FRAME_IN_NOT_OURS },
	{ "cut behind Ethernet", PUT(0, ""), 15, FRAME_IN_NOT_OURS },
	{ "cut inside IP", PUT(0, ""), 33, FRAME_IN_NOT_OURS },
	{ "cut behind IP", PUT(0, ""), 34, FRAME_IN_NOT_OURS },
	{ "cut inside UDP", PUT(0, ""), 41, FRAME_IN_NOT_OURS },
	{ "cut inside the options", PUT(0, ""), 341, FRAME_IN_IP_HEADER },
	{ "802.1Q, cut behind the tag", PUT(AT_ETH_TYPE, "\x81\x00"), 20, FRAME_IN_VLAN },
	{ "802.1ad, cut behind the tag", PUT(AT_ETH_TYPE, "\x88\xa8"), 20, FRAME_IN_VLAN },
	{ "802.1Q", PUT(AT_ETH_TYPE, "\x81\x00"), 0, FRAME_IN_VLAN },
	{ "802.1ad", PUT(AT_ETH_TYPE, "\x88\xa8"), 0, FRAME_IN_VLAN },
	{ "another client's reply", PUT(AT_CHADDR, "\x02\x99"), 0, FRAME_IN_OTHER_CHADDR },
	{ "first fragment (Q49)", PUT(AT_IP_FRAGMENT, "\x20\x00"), 0, FRAME_IN_FRAGMENT },
	{ "cut before the cookie", PUT(0, ""), 281, FRAME_IN_TRUNCATED },
	{ "cut behind the UDP header", PUT(0, ""), 42, FRAME_IN_TRUNCATED },
	{ "IP version 6", PUT(AT_IP, "\x65"), 0, FRAME_IN_IP_HEADER },
	{ "total length past the frame", PUT(AT_IP_TOTAL, "\x01\x49"), 0, FRAME_IN_IP_HEADER },
	{ "total length below the headers", PUT(AT_IP_TOTAL, "\x00\x1b"), 0, FRAME_IN_IP_HEADER },
	{ "UDP length 0 (C4_02)", PUT(AT_UDP_LENGTH, "\x00\x00"), 0, FRAME_IN_UDP_LENGTH },
	{ "UDP length 7 (C4_03)", PUT(AT_UDP_LENGTH, "\x00\x07"), 0, FRAME_IN_UDP_LENGTH },
	{ "UDP length below BOOTP", PUT(AT_UDP_LENGTH, "\x00\xf7"), 0, FRAME_IN_UDP_LENGTH },
	{ "UDP length above IP's", PUT(AT_UDP_LENGTH, "\x01\x35"), 0, FRAME_IN_UDP_LENGTH },
	{ "longer than the rule allows", PUT(0, ""), 1515, FRAME_IN_TOO_LONG },
	{ "a request from another port", PUT(AT_UDP_SOURCE, "\x04\x2b\0\x44\x01\x34\0\0\x01"), 0,
	  FRAME_IN_NOT_REPLY },
	{ "a request", PUT(AT_OP, "\x01"), 0, FRAME_IN_NOT_REPLY },
	{ "hardware type", PUT(AT_HTYPE, "\x06"), 0, FRAME_IN_HARDWARE },
	{ "hardware length", PUT(AT_HLEN, "\x10"), 0, FRAME_IN_HARDWARE },
	{ "BOOTP without cookie", PUT(AT_COOKIE, "\0\0\0\0"), 0, FRAME_IN_COOKIE },
	{ "unknown xid", PUT(AT_XID, "\x11\x22\x33\x45"), 0, FRAME_IN_UNKNOWN_XID },
	{ "xid of the same slot", PUT(AT_XID, "\x99\x22\x33\x44"), 0, FRAME_IN_UNKNOWN_XID },
	{ "FORCERENEW (V4_64, C4_23)", PUT(AT_COOKIE + 4, "\x35\x01\x09\xff"), 0,
	  FRAME_IN_FORCERENEW },
	{ "FORCERENEW behind another option, its own xid", PUT(AT_XID, "\0\0\0\0"), 0,
	  FRAME_IN_UNKNOWN_XID },
	{ "a message type longer than one octet", PUT(AT_COOKIE + 4, "\x35\x02\x09\x09\xff"), 0,
	  FRAME_IN_ACCEPTED },
};

/* What BPF_PROG_RUN takes no shorter of, for a tc program. */
#define SKB_MIN AT_UDP_SOURCE

/*
 * Run through the program. `device_fd` (-1: not at all) takes what is too
 * short for BPF_PROG_RUN: then the counter alone tells the verdict.
 */
static void check(const struct row *row, int program_fd, int device_fd, const int verdicts[3])
{
	static uint8_t frame[2048];
	uint32_t size = row->size ? row->size : FRAME_SIZE + row->ip_options;
	int expected = row->reason < FRAME_IN_ACCEPTED	? verdicts[0] :
		       row->reason == FRAME_IN_ACCEPTED ? verdicts[1] :
							  verdicts[2];
	uint64_t before[_FRAME_REASON_N];
	int verdict;

	memset(frame, 0, sizeof(frame));
	frames_test_reply(&test, frame);
	memcpy(frame + row->at, row->bytes, row->n_bytes);
	if (row->ip_options)
		frames_test_ip_options(frame, row->ip_options);
	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		before[i] = frames_test_count(&test, i);
	if (device_fd >= 0 && size < SKB_MIN) {
		cr_assert_eq(write(device_fd, frame, size), (ssize_t)size);
		verdict = expected;
	} else {
		verdict = frames_test_run(program_fd, frame, size, 0, NULL);
	}
	cr_expect_eq(verdict, expected, "%s: verdict %d", row->what, verdict);
	for (uint32_t i = 0; i < _FRAME_REASON_N; i++) {
		uint64_t more = frames_test_count(&test, i) - before[i];

		cr_expect_eq(more, i == row->reason, "%s: counted %lu as reason %u", row->what,
			     more, i);
	}
}

static void check_by_xdp(const struct row *list, size_t n)
{
	static const int verdicts[] = { XDP_PASS, XDP_REDIRECT, XDP_DROP };

	for (size_t i = 0; i < n; i++)
		check(&list[i], frames_test_xdp(&test), -1, verdicts);
}

static void check_by_tc(const struct row *list, size_t n)
{
	static const int verdicts[] = { TC_ACT_UNSPEC, TC_ACT_REDIRECT, TC_ACT_SHOT };

	for (size_t i = 0; i < n; i++)
		check(&list[i], frames_test_tc(&test), test.uplink.fd, verdicts);
}

Test(frames_ingress, xdp_rows, .init = begin, .fini = end)
{
	check_by_xdp(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(frames_ingress, tc_rows, .init = begin_tc, .fini = end)
{
	check_by_tc(rows, sizeof(rows) / sizeof(rows[0]));
}

/* The source port proves nothing: a NAT or a relay may use its own. The xid
 * is asked for all the same. */
static const struct row source_ports[] = {
	{ "a NAT's", PUT(AT_UDP_SOURCE, "\x04\x2b"), 0, FRAME_IN_ACCEPTED },
	{ "none", PUT(AT_UDP_SOURCE, "\0\0"), 0, FRAME_IN_ACCEPTED },
	{ "the client's", PUT(AT_UDP_SOURCE, "\0\x44"), 0, FRAME_IN_ACCEPTED },
	{ "the last one", PUT(AT_UDP_SOURCE, "\xff\xff"), 0, FRAME_IN_ACCEPTED },
	{ "behind IP options", PUT_IP_OPTIONS(8, AT_UDP_SOURCE, "\x04\x2b"), 0, FRAME_IN_ACCEPTED },
};

Test(frames_ingress, U02_source_ports_by_xdp, .init = begin, .fini = end)
{
	check_by_xdp(source_ports, sizeof(source_ports) / sizeof(source_ports[0]));
}

Test(frames_ingress, U02_source_ports_by_tc, .init = begin_tc, .fini = end)
{
	check_by_tc(source_ports, sizeof(source_ports) / sizeof(source_ports[0]));
}

/* From any port, but not to any: nobody asked. */
Test(frames_ingress, U02_unsolicited_from_another_port)
{
	static const struct row row = { "unsolicited", PUT(AT_UDP_SOURCE, "\x04\x2b"), 0,
					FRAME_IN_UNKNOWN_XID };

	frames_test_begin(&test, 1000000, 1000000);
	check_by_xdp(&row, 1);
	check_by_tc(&row, 1);
	end();
}

/* No options at all: nothing to read behind the cookie. */
Test(frames_ingress, without_options, .init = begin, .fini = end)
{
	uint8_t frame[AT_COOKIE + 4];
	uint8_t whole[FRAME_SIZE];

	frames_test_reply(&test, whole);
	memcpy(frame, whole, sizeof(frame));
	frame[AT_IP_TOTAL] = (sizeof(frame) - AT_IP) >> 8;
	frame[AT_IP_TOTAL + 1] = (sizeof(frame) - AT_IP) & 0xff;
	frame[AT_UDP_LENGTH] = 0;
	frame[AT_UDP_LENGTH + 1] = sizeof(frame) - AT_UDP_SOURCE;
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.xdp->progs.frame_xdp), frame,
				     sizeof(frame), 0, NULL),
		     XDP_REDIRECT);
}

/*
 * Every length to which a frame can be cut has its reason: not ours before the
 * port is known, truncated inside BOOTP, shorter than IP says after it.
 */
Test(frames_ingress, every_truncation, .init = begin, .fini = end)
{
	int xdp = bpf_program__fd(test.frames.xdp->progs.frame_xdp);
	int tc = bpf_program__fd(test.frames.tc->progs.uplink_ingress);
	uint8_t frame[FRAME_SIZE];

	frames_test_reply(&test, frame);
	for (uint32_t size = 15; size < FRAME_SIZE; size++) {
		uint32_t reason = size < AT_OP	       ? FRAME_IN_NOT_OURS :
				  size < AT_COOKIE + 4 ? FRAME_IN_TRUNCATED :
							 FRAME_IN_IP_HEADER;
		bool is_dropped = reason != FRAME_IN_NOT_OURS;
		uint64_t before = frames_test_count(&test, reason);

		cr_expect_eq(frames_test_run(xdp, frame, size, 0, NULL),
			     is_dropped ? (int)XDP_DROP : (int)XDP_PASS, "XDP, %u bytes", size);
		cr_expect_eq(frames_test_count(&test, reason), before + 1, "XDP, %u bytes", size);
		if (size < SKB_MIN)
			continue;
		cr_expect_eq(frames_test_run(tc, frame, size, 0, NULL),
			     is_dropped ? (int)TC_ACT_SHOT : (int)TC_ACT_UNSPEC, "tc, %u bytes",
			     size);
		cr_expect_eq(frames_test_count(&test, reason), before + 2, "tc, %u bytes", size);
	}
}

/* A tag with VLAN id 0 is as if it were not there; any other is a VLAN's. */
static void check_tags(int (*run)(const uint8_t *frame, uint32_t size))
{
	uint8_t plain[FRAME_SIZE], frame[FRAME_SIZE + 8];

	frames_test_reply(&test, plain);
	for (size_t i = 0; i < FRAMES_TEST_TAGS_N; i++) {
		const struct frames_test_tags *tags = &frames_test_tags[i];
		uint64_t vlan = frames_test_count(&test, FRAME_IN_VLAN);
		uint64_t accepted = frames_test_count(&test, FRAME_IN_ACCEPTED);
		int verdict;

		frames_test_tag(frame, plain, tags->tags, tags->size);
		verdict = run(frame, FRAME_SIZE + tags->size);
		if (verdict >= 0)
			cr_expect_eq(verdict == (int)XDP_REDIRECT || verdict == TC_ACT_REDIRECT,
				     tags->is_priority, "%s: verdict %d", tags->what, verdict);
		cr_expect_eq(frames_test_count(&test, FRAME_IN_VLAN) - vlan, !tags->is_priority,
			     "%s", tags->what);
		cr_expect_eq(frames_test_count(&test, FRAME_IN_ACCEPTED) - accepted,
			     tags->is_priority, "%s", tags->what);
	}
}

static int run_xdp(const uint8_t *frame, uint32_t size)
{
	return frames_test_run(frames_test_xdp(&test), frame, size, 0, NULL);
}

static int run_tc(const uint8_t *frame, uint32_t size)
{
	return frames_test_run(frames_test_tc(&test), frame, size, 0, NULL);
}

/* On a real receive path the kernel moves the outer tag out of the bytes before
 * tc runs, which BPF_PROG_RUN cannot do. */
static int receive(const uint8_t *frame, uint32_t size)
{
	cr_assert_eq(write(test.uplink.fd, frame, size), (ssize_t)size);
	return -1;
}

Test(frames_ingress, U01_priority_tags_by_xdp, .init = begin, .fini = end)
{
	check_tags(run_xdp);
}

Test(frames_ingress, U01_priority_tags_by_tc, .init = begin_tc, .fini = end)
{
	check_tags(run_tc);
}

Test(frames_ingress, U01_priority_tags_out_of_the_bytes, .init = begin_tc, .fini = end)
{
	check_tags(receive);
}

#define PRIORITY_6 "\x81\0\xc0\0"
#define TAGS_SIZE 4

/* All rules apply behind a priority tag as they do without it. */
static void check_tagged(int program_fd, const int verdicts[3])
{
	static uint8_t plain[2048], frame[2048];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		uint32_t size = row->size ? row->size : FRAME_SIZE + row->ip_options;
		uint64_t before = frames_test_count(&test, row->reason);
		int expected = row->reason < FRAME_IN_ACCEPTED	? verdicts[0] :
			       row->reason == FRAME_IN_ACCEPTED ? verdicts[1] :
								  verdicts[2];

		memset(plain, 0, sizeof(plain));
		frames_test_reply(&test, plain);
		memcpy(plain + row->at, row->bytes, row->n_bytes);
		if (row->ip_options)
			frames_test_ip_options(plain, row->ip_options);
		memcpy(frame, plain, AT_ETH_TYPE);
		memcpy(frame + AT_ETH_TYPE, PRIORITY_6, TAGS_SIZE);
		memcpy(frame + AT_ETH_TYPE + TAGS_SIZE, plain + AT_ETH_TYPE,
		       sizeof(frame) - AT_ETH_TYPE - TAGS_SIZE);
		if (size + TAGS_SIZE < SKB_MIN)
			continue;
		cr_expect_eq(frames_test_run(program_fd, frame, size + TAGS_SIZE, 0, NULL),
			     expected, "%s", row->what);
		cr_expect_eq(frames_test_count(&test, row->reason), before + 1, "%s", row->what);
	}
}

Test(frames_ingress, U01_all_rules_behind_a_tag_by_xdp, .init = begin, .fini = end)
{
	static const int verdicts[] = { XDP_PASS, XDP_REDIRECT, XDP_DROP };

	check_tagged(frames_test_xdp(&test), verdicts);
}

Test(frames_ingress, U01_all_rules_behind_a_tag_by_tc, .init = begin_tc, .fini = end)
{
	static const int verdicts[] = { TC_ACT_UNSPEC, TC_ACT_REDIRECT, TC_ACT_SHOT };

	check_tagged(frames_test_tc(&test), verdicts);
}

/* The tag does not make another reply of a copy. */
Test(frames_ingress, U01_a_copy_with_a_tag, .init = begin, .fini = end)
{
	uint8_t plain[FRAME_SIZE], frame[FRAME_SIZE + TAGS_SIZE];
	uint32_t sum = 0;

	frames_test_reply(&test, plain);
	for (int i = AT_IP; i < AT_UDP_SOURCE; i += 2)
		sum += (uint32_t)(plain[i] << 8 | plain[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	plain[AT_IP_CHECKSUM] = (uint8_t)(sum >> 8);
	plain[AT_IP_CHECKSUM + 1] = (uint8_t)sum;
	frames_test_tag(frame, plain, PRIORITY_6, TAGS_SIZE);
	cr_expect_eq(run_xdp(frame, sizeof(frame)), XDP_REDIRECT);
	cr_expect_eq(run_xdp(plain, sizeof(plain)), XDP_DROP);
	cr_expect_eq(run_tc(frame, sizeof(frame)), TC_ACT_SHOT);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_REPLAYED), 2);
	frame[sizeof(frame) - 1] ^= 1;
	cr_expect_eq(run_tc(frame, sizeof(frame)), TC_ACT_REDIRECT, "its last octet counts");
}

/* Nothing has left yet: nothing is let in. */
Test(frames_ingress, unsolicited)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_begin(&test, 1000000, 1000000);
	frames_test_reply(&test, frame);
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.xdp->progs.frame_xdp), frame,
				     sizeof(frame), 0, NULL),
		     XDP_DROP);
	memset(frame + AT_XID, 0, 4);
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.xdp->progs.frame_xdp), frame,
				     sizeof(frame), 0, NULL),
		     XDP_DROP, "xid 0 is no empty slot");
	end();
}

/* The tap was deleted: only the host gets the frame. */
Test(frames_ingress, tap_gone, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_reply(&test, frame);
	tap_deinit(&test.tap);
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.xdp->progs.frame_xdp), frame,
				     sizeof(frame), 0, NULL),
		     XDP_PASS);
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.uplink_ingress), frame,
				     sizeof(frame), 0, NULL),
		     TC_ACT_UNSPEC);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_NO_TAP), 2);
	/* a new device may get the old index: still nothing goes there */
	cr_assert_eq(tap_init(&test.tap, test.netlink, "calfpen x y"), 0);
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.uplink_ingress), frame,
				     sizeof(frame), 0, NULL),
		     TC_ACT_UNSPEC);
}

/* Q47: a checksum is the calf's to judge, also the bare pseudo-header sum of a
 * sender with an offload: no program changes it. */
Test(frames_ingress, Q47_partial_checksum, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE], out[FRAME_SIZE];
	uint32_t sum = 0;

	frames_test_reply(&test, frame);
	for (int i = AT_IP_SOURCE; i < AT_IP_SOURCE + 8; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	sum += 17 + FRAME_SIZE - 34;
	sum = (sum & 0xffff) + (sum >> 16);
	frame[AT_UDP_CHECKSUM] = (uint8_t)(sum >> 8);
	frame[AT_UDP_CHECKSUM + 1] = (uint8_t)sum;
	cr_assert_eq(frames_test_run(frames_test_xdp(&test), frame, sizeof(frame), 0, out),
		     XDP_REDIRECT);
	cr_expect_arr_eq(out, frame, sizeof(frame));
	frame[AT_OP + 200] = 1; /* no copy */
	cr_assert_eq(frames_test_run(frames_test_tc(&test), frame, sizeof(frame), 0, out),
		     TC_ACT_REDIRECT);
	cr_expect_arr_eq(out, frame, sizeof(frame));
}

struct server_row {
	const char *what;
	const char *options; /* put behind the cookie */
	uint32_t n_options;
	uint32_t size; /* of the frame, 0: as it is */
	bool is_found; /* the server is a peer then */
	const char *file;
	bool has_address;
};

#define OPTIONS(bytes) bytes, sizeof(bytes) - 1
#define SERVER "\x36\x04\x0a\x09\0\x01"
#define SEVEN_SMALL \
	"\x01\x01\x01\x03\x01\x01\x06\x01\x01\x0f\x01\x61\x33\x01\x01\x3a\x01\x01\x3b\x01\x01"

static const struct server_row server_rows[] = {
	{ "behind the type", OPTIONS("\x35\x01\x05" SERVER "\xff"), .is_found = true },
	{ "first", OPTIONS(SERVER "\xff"), .is_found = true },
	{ "behind PAD", OPTIONS("\x35\x01\x05\0\0\0" SERVER "\xff"), .is_found = true },
	{ "behind 15 others", OPTIONS("\x35\x01\x05" SEVEN_SMALL SEVEN_SMALL SERVER "\xff"),
	  .is_found = true },
	{ "behind 16 others", OPTIONS("\x35\x01\x05\0" SEVEN_SMALL SEVEN_SMALL SERVER),
	  .is_found = true },
	{ "in two parts", OPTIONS("\x36\x03\x0a\x09\0\x0c\x01\x61\x36\x01\x01\xff"),
	  .is_found = true },
	{ "in the file", OPTIONS("\x35\x01\x05\x34\x01\x01\xff"), .is_found = true,
	  .file = SERVER "\xff" },
	{ "in a file without options", OPTIONS("\x35\x01\x05\xff"), .is_found = false,
	  .file = SERVER },
	{ "of an ACK for an address", OPTIONS("\x35\x01\x05" SERVER "\xff"), .is_found = true,
	  .has_address = true },
	{ "of a NAK", OPTIONS("\x35\x01\x06" SERVER "\xff"), .is_found = true },
	{ "sent twice in one (Q31)", OPTIONS("\x36\x08\x0a\x09\0\x01\x0a\x09\0\x02\xff"),
	  .is_found = true },
	{ "too short", OPTIONS("\x36\x03\x0a\x09\0\x01\xff"), .is_found = false },
	{ "behind END", OPTIONS("\x35\x01\x05\xff" SERVER), .is_found = false },
	{ "inside another option", OPTIONS("\x35\x01\x05\x0c\x06" SERVER "\xff"),
	  .is_found = false },
	{ "cut by an octet", OPTIONS("\x0c\x32"), .size = 281 + 53 + 5 },
	{ "a length past the frame", OPTIONS("\x35\x01\x05\x0c\xff" SERVER), .is_found = false },
	{ "none (Q17)", OPTIONS("\x35\x01\x05\xff"), .is_found = false },
};

static bool is_peer(uint32_t address)
{
	struct frame_peers peers;
	uint32_t zero = 0;

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(test.frames.tc->maps.frame_peers), &zero,
					 &peers),
		     0);
	for (int i = 0; i < FRAME_PEERS_MAX; i++)
		if (peers.address[i] == __builtin_bswap32(address))
			return true;
	return false;
}

/*
 * Q18, V4_15: a relay has sent the frame, the lease is the server's. The
 * programs are loaded once: each row has a relay 10.7.ROW.1 and a server
 * 10.9.ROW.1 of its own, which no row before it made a peer.
 */
static void check_server(const struct server_row *row, uint8_t n_row, bool by_tc, const char *tags,
			 uint32_t n_tags)
{
	uint32_t size = row->size ? row->size : FRAME_SIZE;
	uint8_t frame[FRAME_SIZE], tagged[FRAME_SIZE + 8];
	int program_fd = by_tc ? frames_test_tc(&test) : frames_test_xdp(&test);
	int verdict;

	frames_test_reply(&test, frame);
	frame[AT_IP_SOURCE + 2] = n_row;
	memset(frame + AT_COOKIE + 4, 0, sizeof(frame) - AT_COOKIE - 4);
	memcpy(frame + AT_COOKIE + 4, row->options, row->n_options);
	if (row->file)
		memcpy(frame + AT_FILE, row->file, sizeof(SERVER));
	memcpy(frame + AT_YIADDR, row->has_address ? "\x0a\x07\0\x05" : "\0\0\0", 4);
	if (row->size) {
		/* the option begins inside the last octets of a shorter frame */
		memcpy(frame + size - 5, SERVER, 5);
		frame[AT_IP_TOTAL] = (uint8_t)((size - AT_IP) >> 8);
		frame[AT_IP_TOTAL + 1] = (uint8_t)(size - AT_IP);
		frame[AT_UDP_LENGTH] = (uint8_t)((size - AT_UDP_SOURCE) >> 8);
		frame[AT_UDP_LENGTH + 1] = (uint8_t)(size - AT_UDP_SOURCE);
	}
	for (uint32_t i = AT_FILE; i + 2 < size; i++)
		if (frame[i] == 10 && frame[i + 1] == 9)
			frame[i + 2] = n_row;
	frames_test_tag(tagged, frame, tags, n_tags);
	verdict = frames_test_run(program_fd, tagged, size + n_tags, 0, NULL);
	cr_expect_eq(verdict, by_tc ? (int)TC_ACT_REDIRECT : (int)XDP_REDIRECT, "%s", row->what);
	cr_expect(is_peer(0x0a070001 | (uint32_t)n_row << 8), "%s: who sent it", row->what);
	cr_expect_eq(is_peer(0x0a090001 | (uint32_t)n_row << 8), row->is_found, "%s, by %s",
		     row->what, by_tc ? "tc" : "XDP");
}

Test(frames_ingress, V4_15_Q18_server_identifier_is_a_peer, .init = begin, .fini = end)
{
	for (size_t i = 0; i < sizeof(server_rows) / sizeof(server_rows[0]); i++) {
		check_server(&server_rows[i], (uint8_t)(2 * i + 1), false, "", 0);
		check_server(&server_rows[i], (uint8_t)(2 * i + 2), true, "", 0);
	}
}

/* The options are behind the tags, too. */
Test(frames_ingress, U01_server_identifier_behind_tags, .init = begin, .fini = end)
{
	for (size_t i = 0; i < sizeof(server_rows) / sizeof(server_rows[0]); i++) {
		check_server(&server_rows[i], (uint8_t)(2 * i + 1), false, PRIORITY_6, TAGS_SIZE);
		check_server(&server_rows[i], (uint8_t)(2 * i + 2), true, PRIORITY_6 PRIORITY_6,
			     2 * TAGS_SIZE);
	}
}

Test(frames_ingress, rate)
{
	uint8_t frame[FRAME_SIZE];
	int n = 0;

	frames_test_begin(&test, 0, 4);
	frames_test_request(&test, frame);
	frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress), frame, sizeof(frame),
			test.tap.ifindex, NULL);
	frames_test_reply(&test, frame);
	while (n < 100 && frames_test_run(bpf_program__fd(test.frames.xdp->progs.frame_xdp), frame,
					  sizeof(frame), 0, NULL) == XDP_REDIRECT)
		n++;
	cr_expect_eq(n, 5, "%d", n);
	cr_expect_eq(frames_test_count(&test, FRAME_IN_RATE), 1);
	end();
}
