/* SPDX-License-Identifier: Apache-2.0 */
/* What the calf writes to its tap: one row per rule of the write filter. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames.h"

static struct frames_test test;

static void begin(void)
{
	frames_test_begin(&test, 1000000, 1000000);
}

static void end(void)
{
	frames_test_end(&test);
}

/* BPF_PROG_RUN accepts no frame that ends inside IP, but the tap does. Then
 * only the counter shows the verdict, and TC_ACT_SHOT is returned for it. */
static int run(const uint8_t *frame, uint32_t size)
{
	if (size < AT_UDP_SOURCE) {
		cr_assert_eq(write(test.tap.fd, frame, size), (ssize_t)size);
		return TC_ACT_SHOT;
	}
	return frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress), frame, size,
			       test.tap.ifindex, NULL);
}

struct row {
	const char *what;
	uint32_t at;
	const char *bytes;
	uint32_t n_bytes;
	uint32_t ip_options; /* octets of No Operation behind the IP header */
	uint32_t size;
	uint32_t reason;
};

#define PUT_IP_OPTIONS(n, at, bytes) at, bytes, sizeof(bytes) - 1, n
#define PUT(at, bytes) PUT_IP_OPTIONS(0, at, bytes)

static const struct row rows[] = {
	{ "a broadcast request", PUT(0, ""), 0, FRAME_OUT_ACCEPTED },
	{ "802.1Q in the bytes", PUT(AT_ETH_TYPE, "\x81\x00"), 0, FRAME_OUT_VLAN },
	{ "802.1ad in the bytes", PUT(AT_ETH_TYPE, "\x88\xa8"), 0, FRAME_OUT_VLAN },
	{ "ARP that is none", PUT(AT_ETH_TYPE, "\x08\x06"), 0, FRAME_OUT_TOO_LONG },
	{ "IPv6", PUT(AT_ETH_TYPE, "\x86\xdd"), 0, FRAME_OUT_NO_RULE },
	{ "LLDP", PUT(AT_ETH_TYPE, "\x88\xcc"), 0, FRAME_OUT_NO_RULE },
	{ "TCP", PUT(AT_IP_PROTOCOL, "\x06"), 0, FRAME_OUT_NO_RULE },
	{ "ICMP", PUT(AT_IP_PROTOCOL, "\x01"), 0, FRAME_OUT_NO_RULE },
	{ "another source MAC", PUT(AT_ETH_SOURCE, "\x02\x99"), 0, FRAME_OUT_SOURCE_MAC },
	{ "broadcast IP to one MAC", PUT(AT_ETH_DESTINATION, "\x02\0\0\0\0\x01"), 0,
	  FRAME_OUT_DESTINATION_MAC },
	{ "unicast IP to a group MAC", PUT(AT_IP_DESTINATION, "\x0a\x07\0\x01"), 0,
	  FRAME_OUT_DESTINATION_MAC },
	{ "cut behind Ethernet", PUT(0, ""), 15, FRAME_OUT_TRUNCATED },
	{ "cut inside IP", PUT(0, ""), 33, FRAME_OUT_TRUNCATED },
	{ "cut behind IP", PUT(0, ""), 34, FRAME_OUT_TRUNCATED },
	{ "cut inside BOOTP", PUT(0, ""), 281, FRAME_OUT_IP_HEADER },
	{ "cut inside the options", PUT(0, ""), 341, FRAME_OUT_IP_HEADER },
	{ "cut inside UDP", PUT(0, ""), 41, FRAME_OUT_TRUNCATED },
	{ "first fragment", PUT(AT_IP_FRAGMENT, "\x20\x00"), 0, FRAME_OUT_FRAGMENT },
	{ "later fragment", PUT(AT_IP_FRAGMENT, "\x00\x10"), 0, FRAME_OUT_FRAGMENT },
	{ "IP options", PUT_IP_OPTIONS(4, 0, ""), 0, FRAME_OUT_IP_HEADER },
	{ "a header length that takes in the ports", PUT(AT_IP, "\x46"), 0, FRAME_OUT_IP_HEADER },
	{ "header length below 5", PUT(AT_IP, "\x44"), 0, FRAME_OUT_IP_HEADER },
	{ "don't fragment", PUT(AT_IP_FRAGMENT, "\x40\x00"), 0, FRAME_OUT_ACCEPTED },
	{ "wrong IP checksum: it is written anew", PUT(AT_IP_CHECKSUM, "\xde\xad"), 0,
	  FRAME_OUT_ACCEPTED },
	{ "wrong UDP checksum: the receiver's to judge", PUT(AT_UDP_CHECKSUM, "\xde\xad"), 0,
	  FRAME_OUT_ACCEPTED },
	{ "IP version", PUT(AT_IP, "\x65"), 0, FRAME_OUT_IP_HEADER },
	{ "bytes behind the packet", PUT(0, ""), 343, FRAME_OUT_IP_HEADER },
	{ "packet longer than the frame", PUT(AT_IP_TOTAL, "\x01\x49"), 0, FRAME_OUT_IP_HEADER },
	{ "from another port", PUT(AT_UDP_SOURCE, "\x00\x43"), 0, FRAME_OUT_PORT },
	{ "to another port", PUT(AT_UDP_DESTINATION, "\x00\x35"), 0, FRAME_OUT_PORT },
	{ "UDP length", PUT(AT_UDP_LENGTH, "\x01\x33"), 0, FRAME_OUT_UDP_LENGTH },
	{ "server role", PUT(AT_OP, "\x02"), 0, FRAME_OUT_NOT_REQUEST },
	{ "hardware type", PUT(AT_HTYPE, "\x06"), 0, FRAME_OUT_HARDWARE },
	{ "hardware length", PUT(AT_HLEN, "\x10"), 0, FRAME_OUT_HARDWARE },
	{ "spoofed chaddr", PUT(AT_CHADDR, "\x02\x99"), 0, FRAME_OUT_HARDWARE },
	{ "no cookie", PUT(AT_COOKIE, "\0\0\0\0"), 0, FRAME_OUT_COOKIE },
	{ "broadcast from an address that is not ours", PUT(AT_IP_SOURCE, "\x0a\x07\0\x05"), 0,
	  FRAME_OUT_SOURCE_ADDRESS },
};

Test(frames_egress, rows, .init = begin, .fini = end)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		uint8_t frame[1024] = { 0 };
		uint64_t before[_FRAME_REASON_N];
		int verdict;

		frames_test_request(&test, frame);
		memcpy(frame + row->at, row->bytes, row->n_bytes);
		if (row->ip_options)
			frames_test_ip_options(frame, row->ip_options);
		for (uint32_t j = 0; j < _FRAME_REASON_N; j++)
			before[j] = frames_test_count(&test, j);
		verdict = run(frame, row->size ? row->size : FRAME_SIZE + row->ip_options);
		cr_expect_eq(verdict,
			     row->reason == FRAME_OUT_ACCEPTED ? TC_ACT_REDIRECT : TC_ACT_SHOT,
			     "%s: verdict %d", row->what, verdict);
		for (uint32_t j = 0; j < _FRAME_REASON_N; j++)
			cr_expect_eq(frames_test_count(&test, j) - before[j], j == row->reason,
				     "%s: reason %u", row->what, j);
	}
}

static void set_lengths(uint8_t *frame, uint32_t size)
{
	frame[AT_IP_TOTAL] = (uint8_t)((size - AT_IP) >> 8);
	frame[AT_IP_TOTAL + 1] = (uint8_t)(size - AT_IP);
	frame[AT_UDP_LENGTH] = (uint8_t)((size - AT_UDP_SOURCE) >> 8);
	frame[AT_UDP_LENGTH + 1] = (uint8_t)(size - AT_UDP_SOURCE);
}

/* Every length a frame can be cut to, with lengths inside that know and not. */
Test(frames_egress, every_truncation, .init = begin, .fini = end)
{
	for (uint32_t size = 15; size < FRAME_SIZE; size++) {
		uint32_t reason = size < AT_OP ? FRAME_OUT_TRUNCATED : FRAME_OUT_IP_HEADER;
		uint64_t before = frames_test_count(&test, reason);
		uint8_t frame[FRAME_SIZE];

		frames_test_request(&test, frame);
		cr_expect_eq(run(frame, size), TC_ACT_SHOT, "%u bytes", size);
		cr_expect_eq(frames_test_count(&test, reason), before + 1, "%u bytes", size);
		if (size < AT_OP)
			continue;
		set_lengths(frame, size);
		reason = size < AT_OPTIONS     ? FRAME_OUT_TRUNCATED :
			 size < AT_OPTIONS + 4 ? FRAME_OUT_MESSAGE :
						 FRAME_OUT_ACCEPTED;
		before = frames_test_count(&test, reason);
		cr_expect_eq(run(frame, size),
			     reason == FRAME_OUT_ACCEPTED ? TC_ACT_REDIRECT : TC_ACT_SHOT,
			     "%u bytes, and it says so", size);
		cr_expect_eq(frames_test_count(&test, reason), before + 1,
			     "%u bytes, and it says so", size);
	}
}

/*
 * Q47: the tap takes no offload requests, so to the filter a bare
 * pseudo-header sum is a wrong checksum as any: it leaves as it is.
 */
Test(frames_egress, Q47_partial_checksum, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE], out[FRAME_SIZE];
	uint32_t sum = 0xffff + 0xffff + 17 + FRAME_SIZE - AT_UDP_SOURCE;

	frames_test_request(&test, frame);
	sum = (sum & 0xffff) + (sum >> 16);
	frame[AT_UDP_CHECKSUM] = (uint8_t)(sum >> 8);
	frame[AT_UDP_CHECKSUM + 1] = (uint8_t)sum;
	cr_expect_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.tap_ingress), frame,
				     sizeof(frame), test.tap.ifindex, out),
		     TC_ACT_REDIRECT);
	/* of the IP header the checksum is new */
	cr_expect_arr_eq(out, frame, AT_IP_CHECKSUM);
	cr_expect_arr_eq(out + AT_IP_SOURCE, frame + AT_IP_SOURCE, sizeof(frame) - AT_IP_SOURCE);
}

/* Tags as the tap takes them: the outer one is out of the bytes before tc runs. */
Test(frames_egress, tags_out_of_the_bytes, .init = begin, .fini = end)
{
	uint8_t plain[FRAME_SIZE], frame[FRAME_SIZE + 8];

	frames_test_request(&test, plain);
	for (size_t i = 0; i < FRAMES_TEST_TAGS_N; i++) {
		ssize_t size = (ssize_t)(sizeof(plain) + frames_test_tags[i].size);

		frames_test_tag(frame, plain, frames_test_tags[i].tags, frames_test_tags[i].size);
		cr_assert_eq(write(test.tap.fd, frame, (size_t)size), size);
		cr_expect_eq(frames_test_count(&test, FRAME_OUT_VLAN), i + 1, "%s",
			     frames_test_tags[i].what);
	}
	cr_assert_eq(write(test.tap.fd, plain, sizeof(plain)), (ssize_t)sizeof(plain));
	cr_expect_eq(frames_test_count(&test, FRAME_OUT_ACCEPTED), 1u, "the same without tags");
}

/* The longest message of a client, one byte more, and more than the tap's longest frame. */
Test(frames_egress, too_long, .init = begin, .fini = end)
{
	static const uint32_t sizes[] = { 590, 591, 1514, 1515 };
	static uint8_t frame[1515];

	for (int i = 0; i < 4; i++) {
		memset(frame, 0, sizeof(frame));
		frames_test_request(&test, frame);
		set_lengths(frame, sizes[i]);
		cr_expect_eq(run(frame, sizes[i]), i ? TC_ACT_SHOT : TC_ACT_REDIRECT, "%d", i);
	}
	cr_expect_eq(frames_test_count(&test, FRAME_OUT_TOO_LONG), 3);
}

static void expect(uint8_t *frame, int verdict, uint32_t reason, const char *what)
{
	uint64_t before = frames_test_count(&test, reason);

	cr_expect_eq(run(frame, FRAME_SIZE), verdict, "%s", what);
	cr_expect_eq(frames_test_count(&test, reason), before + 1, "%s", what);
}

/* Unicast: from the applied address, to who answered us. By which next hop:
 * test-frames-host.c. */
Test(frames_egress, unicast, .init = begin, .fini = end)
{
	uint8_t request[FRAME_SIZE], reply[FRAME_SIZE];

	frames_test_request(&test, request);
	cr_assert_eq(run(request, FRAME_SIZE), TC_ACT_REDIRECT);
	memset(request + AT_ETH_DESTINATION, 0, 6);
	memcpy(request + AT_IP_SOURCE, "\x0a\x07\0\x05\x0a\x07\0\x01", 8);
	expect(request, TC_ACT_SHOT, FRAME_OUT_SOURCE_ADDRESS, "no address");
	frames_test_applied(&test, "10.7.0.6/24", NULL);
	expect(request, TC_ACT_SHOT, FRAME_OUT_SOURCE_ADDRESS, "another address");
	frames_test_applied(&test, "10.7.0.5/24", NULL);
	expect(request, TC_ACT_SHOT, FRAME_OUT_UNKNOWN_PEER, "no server has answered yet");

	frames_test_reply(&test, reply);
	cr_assert_eq(frames_test_run(bpf_program__fd(test.frames.tc->progs.uplink_ingress), reply,
				     FRAME_SIZE, 0, NULL),
		     TC_ACT_REDIRECT);
	expect(request, TC_ACT_REDIRECT, FRAME_OUT_UNICAST, "on-link server");
	request[AT_IP_DESTINATION + 3] = 2;
	expect(request, TC_ACT_SHOT, FRAME_OUT_UNKNOWN_PEER, "who never answered");
	request[AT_IP_DESTINATION + 3] = 1;
	memset(request + AT_IP_SOURCE, 0, 4);
	expect(request, TC_ACT_SHOT, FRAME_OUT_SOURCE_ADDRESS, "unicast from 0.0.0.0");
	/* rebinding: broadcast from the leased address */
	memcpy(request + AT_IP_SOURCE, "\x0a\x07\0\x05\xff\xff\xff\xff", 8);
	memset(request + AT_ETH_DESTINATION, 0xff, 6);
	expect(request, TC_ACT_REDIRECT, FRAME_OUT_ACCEPTED, "broadcast from the address");
}

/* What the host's stack sends into the tap is dropped, unless tc marked it. */
Test(frames_egress, host_noise, .init = begin, .fini = end)
{
	int egress = bpf_program__fd(test.frames.tc->progs.tap_egress);
	struct __sk_buff context = { .ifindex = (uint32_t)test.tap.ifindex };
	uint8_t frame[FRAME_SIZE];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = FRAME_SIZE,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .ctx_out = &context,
		    .ctx_size_out = sizeof(context));

	frames_test_reply(&test, frame);
	cr_expect_eq(frames_test_run(egress, frame, FRAME_SIZE, test.tap.ifindex, NULL),
		     TC_ACT_SHOT);
	cr_expect_eq(frames_test_count(&test, FRAME_HOST_NOISE), 1);
	context.mark = test.frames.config.mark;
	cr_assert_eq(bpf_prog_test_run_opts(egress, &opts), 0);
	cr_expect_eq((int)opts.retval, TC_ACT_OK);
	cr_expect_eq(context.mark, 0, "the mark is not passed on");
}

Test(frames_egress, rate)
{
	uint8_t frame[FRAME_SIZE];
	int n = 0;

	frames_test_begin(&test, 0, 4);
	frames_test_request(&test, frame);
	while (n < 100 && run(frame, FRAME_SIZE) == TC_ACT_REDIRECT)
		n++;
	cr_expect_eq(n, 5, "%d", n);
	cr_expect_eq(frames_test_count(&test, FRAME_OUT_RATE), 1);
	end();
}
