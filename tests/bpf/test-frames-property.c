/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames out of a grammar through XDP, tc ingress and the write filter in turn,
 * with all their state: verdict, counter, bytes and state must be what a second
 * decoder says. The seeds are fixed; a failure names seed and number.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames-decoder.h"
#include "tests/bpf/support-frames-grammar.h"
#include "tests/bpf/support-frames.h"

#define N_FRAMES 12000 /* of each seed */

static struct frames_test test;
static uint64_t counted[_FRAME_REASON_N];

/* The IP header of what is sent is the program's. */
static void write_ip(uint8_t *frame)
{
	uint32_t sum = 0;

	frame[AT_IP + 1] = 0;
	memset(frame + AT_IP + 4, 0, 4);
	frame[AT_IP + 8] = 64;
	memset(frame + AT_IP_CHECKSUM, 0, 2);
	for (int i = AT_IP; i < AT_UDP_SOURCE; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	frame[AT_IP_CHECKSUM] = (uint8_t)(sum >> 8);
	frame[AT_IP_CHECKSUM + 1] = (uint8_t)sum;
}

static void check_frame(const struct grammar_frame *frame, uint32_t kind, uint64_t seed, uint32_t n)
{
	static const int verdicts[][3] = {
		{ XDP_PASS, XDP_REDIRECT, XDP_DROP },
		{ TC_ACT_UNSPEC, TC_ACT_REDIRECT, TC_ACT_SHOT },
		{ -1, TC_ACT_REDIRECT, TC_ACT_SHOT },
	};
	static const char *const names[] = { "XDP", "tc", "write filter" };
	const int programs[] = {
		bpf_program__fd(test.frames.xdp->progs.frame_xdp),
		bpf_program__fd(test.frames.tc->progs.uplink_ingress),
		bpf_program__fd(test.frames.tc->progs.tap_ingress),
	};
	uint8_t out[sizeof(frame->bytes)], wanted[sizeof(frame->bytes)];
	uint32_t reason, zero = 0;
	int verdict, expected;

	cr_assert_eq(bpf_map_lookup_elem(test.witness_fd, &zero, &decoder.witness), 0);
	verdict = frames_test_run(programs[kind], frame->bytes, frame->size,
				  kind == 2 ? test.tap.ifindex : 0, out);
	reason = kind == 2 ? frames_decoder_out(frame) : frames_decoder_in(frame);
	if (kind == 2)
		expected = verdicts[2][reason <= FRAME_OUT_ARP ? 1 : 2];
	else
		expected = verdicts[kind][reason < FRAME_IN_ACCEPTED ? 0 :
					  reason <= FRAME_IN_ARP     ? 1 :
								       2];
	cr_assert_not(decoder.is_unsure, "too slow for the filter's deadlines");
	counted[reason]++;
	cr_assert_eq(verdict, expected, "seed %lu, frame %u, %s: verdict %d for reason %u", seed, n,
		     names[kind], verdict, reason);
	cr_assert_eq(frames_test_count(&test, reason), counted[reason],
		     "seed %lu, frame %u, %s: not counted as reason %u", seed, n, names[kind],
		     reason);
	memcpy(wanted, frame->bytes, frame->size);
	if (reason == FRAME_OUT_ACCEPTED || reason == FRAME_OUT_UNICAST)
		write_ip(wanted);
	cr_assert_arr_eq(out, wanted, frame->size, "seed %lu, frame %u: changed on its way", seed,
			 n);
}

static void draw_lease(void)
{
	static const struct {
		const char *text;
		int64_t address;
	} leases[] = { { "10.7.0.5/24", 0x0a070005 },
		       { "10.7.0.6/24", 0x0a070006 },
		       { "10.9.0.119/16", 0x0a090077 },
		       { NULL, 0 } };
	uint32_t i = grammar_draw(4);

	frames_test_applied(&test, leases[i].text, NULL);
	decoder.leased = leases[i].address;
}

static void check_state(uint64_t seed, uint32_t n)
{
	struct frame_peers peers;
	struct frame_watched watched;
	uint32_t zero = 0;

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(test.frames.tc->maps.frame_peers), &zero,
					 &peers),
		     0);
	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(test.frames.tc->maps.frame_watched), &zero,
					 &watched),
		     0);
	for (int i = 0; i < FRAME_PEERS_MAX; i++)
		cr_assert_eq(ntohl(peers.address[i]), decoder.peers[i],
			     "seed %lu, frame %u: peer %d", seed, n, i);
	for (int i = 0; i < FRAME_WATCHED_MAX; i++)
		cr_assert_eq(ntohl(watched.slot[i].address), decoder.watched[i],
			     "seed %lu, frame %u: watched %d", seed, n, i);
}

/* The grammar reaches every reason but those that need a flood or a lost tap, or
 * which the settings rule out. */
static bool is_reached(uint32_t reason, bool pass_foreign, bool is_closed)
{
	switch (reason) {
	case FRAME_IN_RATE:
	case FRAME_IN_ARP_RATE:
	case FRAME_OUT_RATE:
	case FRAME_OUT_TRANSACTIONS:
	case FRAME_IN_NO_TAP:
		return false;
	case FRAME_IN_UNKNOWN_XID:
		return !pass_foreign;
	case FRAME_IN_FOREIGN_XID:
		return pass_foreign && !is_closed;
	case FRAME_IN_QUARANTINE:
		return is_closed;
	case FRAME_IN_VLAN:
	case FRAME_IN_OTHER_CHADDR:
		return !is_closed;
	default:
		return true;
	}
}

static void check_seed(uint64_t seed, bool pass_foreign, bool is_closed)
{
	static struct grammar_frame frame;

	test.pass_foreign = pass_foreign;
	test.quarantine.deadline_ns = is_closed ? UINT64_MAX : 0;
	frames_test_begin(&test, 1000000, 1000000);
	memset(&decoder, 0, sizeof(decoder));
	memset(counted, 0, sizeof(counted));
	memcpy(decoder.mac, test.mac, sizeof(decoder.mac));
	decoder.pass_foreign = pass_foreign;
	decoder.is_closed = is_closed;
	grammar_seed(seed);
	for (uint32_t i = 0; i < N_FRAMES; i++) {
		uint32_t kind = grammar_draw(3);

		if (grammar_once_in(64))
			draw_lease();
		if (i % 16 == 0)
			check_state(seed, i);
		grammar_draw_frame(&frame, test.mac, kind != 2);
		check_frame(&frame, kind, seed, i);
	}
	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		cr_expect_eq(frames_test_count(&test, i), counted[i], "reason %u", i);
	check_state(seed, N_FRAMES);
	for (uint32_t i = 0; i < FRAME_HOST_NOISE; i++)
		cr_expect_eq(counted[i] != 0, is_reached(i, pass_foreign, is_closed),
			     "seed %lu: %lu frames of reason %u", seed, counted[i], i);
	frames_test_end(&test);
}

Test(frames_property, agrees_with_a_second_decoder)
{
	check_seed(0x5ca1ab1e, false, false);
}

Test(frames_property, agrees_when_foreign_replies_pass)
{
	check_seed(0xdecafbad, true, false);
}

Test(frames_property, agrees_in_quarantine)
{
	check_seed(0x0ddba11, false, true);
}

Test(frames_property, agrees_in_quarantine_when_foreign_replies_pass)
{
	check_seed(0xf01dab1e, true, true);
}
