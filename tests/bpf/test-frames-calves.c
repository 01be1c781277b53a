/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two calves on one uplink: each has its own tap, rules, transactions, identity and
 * counters, and nothing of one reaches the other. Number 0 is the host's calf with the
 * ports of DHCPv4, number 1 another one with 1068 and 1067.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tests/bpf/support-frames-header.h"
#include "tests/bpf/support-frames.h"
#include "tests/bpf/support-frames-calves.h"

TestSuite(frames_calves, .init = begin, .fini = end);

/* Only the xids of the same calf count. */
Test(frames_calves, transactions_of_the_same_calf)
{
	uint8_t frame[FRAME_SIZE];

	make_request(frame, 1, TEST_XID);
	expect_out(1, frame, FRAME_OUT_ACCEPTED, "second");
	make_reply(frame, 0, TEST_XID);
	expect_in(1, frame, FRAME_IN_UNKNOWN_XID, "xid of the second, port of the first");
	make_reply(frame, 1, TEST_XID);
	expect_in(2, frame, FRAME_IN_ACCEPTED, "second");
	make_request(frame, 0, TEST_XID + 1);
	expect_out(0, frame, FRAME_OUT_ACCEPTED, "first");
	make_reply(frame, 1, TEST_XID + 1);
	expect_in(2, frame, FRAME_IN_UNKNOWN_XID, "xid of the first, port of the second");
	make_reply(frame, 0, TEST_XID + 1);
	expect_in(1, frame, FRAME_IN_ACCEPTED, "first");
}

/* A calf that opens as many transactions as it likes closes none of another. */
Test(frames_calves, transactions_are_not_pushed_out)
{
	uint8_t frame[FRAME_SIZE];

	make_request(frame, 0, TEST_XID);
	expect_out(0, frame, FRAME_OUT_ACCEPTED, "first");
	for (uint32_t i = 0; i < 2 * FRAME_XIDS_MAX; i++) {
		make_request(frame, 1, i);
		expect_out(1, frame, FRAME_OUT_ACCEPTED, "second");
	}
	make_reply(frame, 0, TEST_XID);
	expect_in(1, frame, FRAME_IN_ACCEPTED, "first");
}

/* Nor are the replies that are kept to recognize copies. */
Test(frames_calves, kept_replies_are_not_pushed_out)
{
	uint8_t reply[FRAME_SIZE], frame[FRAME_SIZE];

	make_request(frame, 0, TEST_XID);
	expect_out(0, frame, FRAME_OUT_ACCEPTED, "first");
	make_reply(reply, 0, TEST_XID);
	frames_sum_header(reply);
	cr_expect_eq(frames_test_run(frames_test_xdp(&test), reply, FRAME_SIZE, 0, NULL),
		     XDP_REDIRECT);
	for (uint32_t i = 0; i < 2 * FRAME_REPLIES_KEPT; i++) {
		make_request(frame, 1, i);
		expect_out(1, frame, FRAME_OUT_ACCEPTED, "second");
		make_reply(frame, 1, i);
		frames_sum_header(frame);
		cr_expect_eq(frames_test_run(frames_test_xdp(&test), frame, FRAME_SIZE, 0, NULL),
			     XDP_REDIRECT);
	}
	expect_in(1, reply, FRAME_IN_REPLAYED, "first");
}

#define AN_HOUR_NS 3600000000000ull

/* One new transaction, then one more request, then none: nothing is added within a test. */
static void exhaust(uint32_t calf)
{
	uint8_t frame[FRAME_SIZE];

	make_request(frame, calf, TEST_XID);
	expect_out(calf, frame, FRAME_OUT_ACCEPTED, "request");
	make_request(frame, calf, TEST_XID + 1);
	expect_out(calf, frame, FRAME_OUT_TRANSACTIONS, "one more transaction");
	make_request(frame, calf, TEST_XID);
	expect_out(calf, frame, FRAME_OUT_RATE, "one more request");
	make_reply(frame, calf, TEST_XID);
	cr_expect_eq(frames_test_run(frames_test_xdp(&test), frame, FRAME_SIZE, 0, NULL),
		     XDP_REDIRECT, "calf %u: reply", calf);
	expect_in(1 + calf, frame, FRAME_IN_RATE, "one more reply");
}

static void exhaust_in_order(uint32_t first)
{
	struct frame_rule rules[] = { second_rule, second_rule };
	struct frame_grammar grammar = frames_test_grammar();

	rules[0].local_port = 68;
	rules[0].remote_port = 67;
	for (uint32_t calf = 0; calf < 2; calf++) {
		rules[calf].ingress_interval_ns = rules[calf].egress_interval_ns = AN_HOUR_NS;
		rules[calf].ingress_burst_ns = 0;	  /* one reply */
		rules[calf].egress_burst_ns = AN_HOUR_NS; /* two requests */
	}
	grammar.transaction_interval_ns = AN_HOUR_NS;
	grammar.transaction_burst_ns = 0;
	test.rules = &rules[0];
	test.second_rules = &rules[1];
	test.n_rules = test.n_second_rules = 1;
	test.grammar = test.second_grammar = &grammar;
	frames_test_begin_mode(&test, FRAME_MODE_NATIVE, 0, 0);
	exhaust(first);
	exhaust(!first);
	frames_test_end(&test);
}

/* What one calf uses up, the other one has. */
Test(frames_calves_own, rates_and_transactions)
{
	exhaust_in_order(1);
}

Test(frames_calves_own, rates_and_transactions_in_reverse)
{
	exhaust_in_order(0);
}

/* Each has the options that its own grammar allows. */
Test(frames_calves_own, grammars)
{
	const uint8_t codes[] = { 77, 43 };
	struct frame_grammar grammars[] = { frames_test_grammar(), frames_test_grammar() };
	uint8_t frame[FRAME_SIZE];

	for (uint32_t i = 0; i < 2; i++) {
		grammars[i].codes[codes[i]] = FRAME_CODE_SENT;
		grammars[i].codes[codes[!i]] = FRAME_CODE_REFUSED;
	}
	test.grammar = &grammars[0];
	test.second_grammar = &grammars[1];
	begin();
	for (uint32_t calf = 0; calf < 2; calf++)
		for (uint32_t i = 0; i < 2; i++) {
			make_request(frame, calf, TEST_XID + i);
			memcpy(frame + AT_OPTIONS + 3, (uint8_t[]){ codes[i], 2, 1, 'a', 0xff }, 5);
			expect_out(calf, frame, i == calf ? FRAME_OUT_ACCEPTED : FRAME_OUT_MESSAGE,
				   "option");
		}
	end();
}

/* Rules are those of the tap that a frame came from. */
Test(frames_calves, rules_of_the_own_tap)
{
	uint8_t frame[FRAME_SIZE], arp[ARP_SIZE];

	make_request(frame, 1, TEST_XID);
	expect_out(0, frame, FRAME_OUT_PORT, "ports of the second from the first");
	make_request(frame, 0, TEST_XID);
	expect_out(1, frame, FRAME_OUT_PORT, "ports of the first from the second");
	/* only the first has a rule for ARP */
	frames_test_arp(arp, 1, test.mac, 0, 0x0a070005);
	cr_expect_eq(frames_test_run(frames_test_tap(&test), arp, sizeof(arp), test.second.ifindex,
				     NULL),
		     TC_ACT_SHOT);
	cr_expect_eq(counted(2, FRAME_OUT_NO_RULE), 1);
	cr_expect_eq(frames_test_run(frames_test_tap(&test), arp, sizeof(arp), test.tap.ifindex,
				     NULL),
		     TC_ACT_SHOT);
	cr_expect_eq(counted(1, FRAME_OUT_ARP_ADDRESS), 1);
}

/* A frame belongs to one calf: rules for the same frames, or too many, are refused. */
Test(frames_calves, rules_for_the_same_frames)
{
	const struct frame_rule arp = { .check = FRAME_CHECK_ARP, UNLIMITED };
	const struct {
		const struct frame_rule *rule;
		uint32_t n_rules;
		int expected;
	} rows[] = {
		{ &second_rule, 1, -EEXIST },
		{ &arp, 1, -EEXIST },
		{ &second_rule, FRAME_RULES_MAX + 1, -E2BIG },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct frame_config config = { 0 };
		struct frames_setup setup = { .config = &config };
		struct frames frames;

		setup.calves[1] = setup.calves[4] = (struct frames_calf){
			.tap_ifindex = test.tap.ifindex,
			.rules = rows[i].rule,
			.n_rules = rows[i].n_rules,
		};
		cr_expect_eq(frames_init(&frames, &test.gate.pins, &setup), rows[i].expected,
			     "row %zu", i);
	}
}

/* A device that is no calf's tap: nothing leaves, and it is nobody's. */
Test(frames_calves, no_tap_of_ours)
{
	uint8_t frame[FRAME_SIZE];

	make_request(frame, 0, TEST_XID);
	cr_expect_eq(frames_test_run(frames_test_tap(&test), frame, sizeof(frame),
				     test.uplink.ifindex, NULL),
		     TC_ACT_SHOT);
	cr_expect_eq(counted(FRAME_OWNER_NONE, FRAME_OUT_NO_RULE), 1);
}

/* What the host sends into a tap is counted for the calf whose tap it is. */
Test(frames_calves, host_noise_of_the_own_tap)
{
	int egress = bpf_program__fd(test.frames.tc->progs.tap_egress);
	uint8_t frame[FRAME_SIZE];

	make_reply(frame, 0, TEST_XID);
	for (uint32_t calf = 0; calf < 2; calf++) {
		uint64_t before = counted(1 + calf, FRAME_HOST_NOISE);

		cr_expect_eq(frames_test_run(egress, frame, FRAME_SIZE, tap_of(calf)->ifindex,
					     NULL),
			     TC_ACT_SHOT);
		cr_expect_eq(counted(1 + calf, FRAME_HOST_NOISE), before + 1, "calf %u", calf);
	}
	cr_expect_eq(counted(FRAME_OWNER_NONE, FRAME_HOST_NOISE), 0);
}

/* Each has the identity of its own first request. */
Test(frames_calves, identity_of_each)
{
	uint8_t plain[FRAME_SIZE], named[FRAME_SIZE];

	make_request(plain, 0, TEST_XID);
	make_request(named, 1, TEST_XID);
	memcpy(named + AT_OPTIONS, "\x35\1\1\x3d\2\1\2\xff", 8);
	expect_out(1, named, FRAME_OUT_ACCEPTED, "second, with an identifier");
	expect_out(0, plain, FRAME_OUT_ACCEPTED, "first, without one");
	expect_out(1, named, FRAME_OUT_ACCEPTED, "second, again");
	make_request(plain, 1, TEST_XID);
	expect_out(1, plain, FRAME_OUT_CLIENT_ID, "second, without one");
}

/* Servers that answered one calf are no unicast targets of another, nor are addresses that
 * it was given ones to probe. */
Test(frames_calves, servers_and_addresses_of_each)
{
	const uint32_t address = inet_addr("10.7.0.5");
	uint8_t frame[FRAME_SIZE], arp[ARP_SIZE];

	frames_test_applied(&test, "10.7.0.5/24", NULL);
	for (uint32_t calf = 2; calf-- > 0;) {
		make_request(frame, calf, TEST_XID);
		expect_out(calf, frame, FRAME_OUT_ACCEPTED, "request");
		make_reply(frame, calf, TEST_XID);
		memcpy(frame + AT_YIADDR, "\x0a\x07\0\x09", 4);
		memcpy(frame + AT_OPTIONS, "\x35\1\2\x36\4\x0a\x07\0\x02\xff", 10);
		expect_in(1 + calf, frame, FRAME_IN_ACCEPTED, "reply");
		for (uint8_t server = 1; server <= 2; server++) {
			make_request(frame, 0, TEST_XID + 1);
			memcpy(frame + AT_IP_SOURCE, &address, sizeof(address));
			memcpy(frame + AT_IP_DESTINATION, "\x0a\x07\0", 3);
			frame[AT_IP_DESTINATION + 3] = server;
			memcpy(frame + AT_ETH_DESTINATION, "\x02\0\0\0\0\1", 6);
			expect_out(0, frame, calf ? FRAME_OUT_UNKNOWN_PEER : FRAME_OUT_UNICAST,
				   "unicast");
		}
		frames_test_arp(arp, 1, test.mac, 0, 0x0a070009);
		cr_expect_eq(frames_test_run(frames_test_tap(&test), arp, sizeof(arp),
					     test.tap.ifindex, NULL),
			     calf ? TC_ACT_SHOT : TC_ACT_REDIRECT);
	}
}

/* The leased address is that of the host's calf: another one has none. */
Test(frames_calves, no_lease_of_another)
{
	static const struct {
		uint8_t type;
		const char *ciaddr;
		uint32_t reasons[2]; /* first, second */
		const char *what;
	} rows[] = {
		{ 3, "10.7.0.5", { FRAME_OUT_ACCEPTED, FRAME_OUT_CIADDR }, "renew by broadcast" },
		{ 7, "10.7.0.5", { FRAME_OUT_ACCEPTED, FRAME_OUT_CIADDR }, "release" },
		{ 8, "10.7.0.5", { FRAME_OUT_ACCEPTED, FRAME_OUT_CIADDR }, "inform" },
		{ 8, "10.7.0.6", { FRAME_OUT_ACCEPTED, FRAME_OUT_CIADDR }, "operator's address" },
		{ 4, NULL, { FRAME_OUT_ACCEPTED, FRAME_OUT_NOT_WITNESSED }, "decline" },
	};
	const struct frame_host host = { .address = inet_addr("10.7.0.5"),
					 .mask = inet_addr("255.255.255.0"),
					 .other = inet_addr("10.7.0.6") };
	const uint32_t address = host.address;
	uint8_t frame[FRAME_SIZE];

	frames_test_ack(&test, "10.7.0.5/24", NULL, NULL);
	frames_test_tell(&test, &host);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (uint32_t calf = 0; calf < 2; calf++) {
			make_request(frame, calf, TEST_XID);
			frame[AT_OPTIONS + 2] = rows[i].type;
			if (rows[i].ciaddr) {
				const uint32_t ciaddr = inet_addr(rows[i].ciaddr);

				memcpy(frame + AT_CIADDR, &ciaddr, sizeof(ciaddr));
			} else {
				memcpy(frame + AT_OPTIONS + 3, "\x32\4", 2);
				memcpy(frame + AT_OPTIONS + 5, &address, sizeof(address));
				frame[AT_OPTIONS + 9] = 0xff;
			}
			expect_out(calf, frame, rows[i].reasons[calf], rows[i].what);
		}
	make_request(frame, 1, TEST_XID);
	memcpy(frame + AT_IP_SOURCE, &address, sizeof(address));
	expect_out(1, frame, FRAME_OUT_SOURCE_ADDRESS, "from the leased address");
	make_request(frame, 1, TEST_XID);
	memcpy(frame + AT_IP_SOURCE, &address, sizeof(address));
	memcpy(frame + AT_IP_DESTINATION, "\x0a\x07\x00\x01", 4);
	memcpy(frame + AT_ETH_DESTINATION, "\x02\0\0\0\0\1", 6);
	expect_out(1, frame, FRAME_OUT_SOURCE_ADDRESS, "unicast");
}

/* The witness is about the host's address: what another calf is told does not count. */
Test(frames_calves, witness_of_the_hosts_calf)
{
	struct frame_witness witness;
	uint8_t frame[FRAME_SIZE];

	for (uint32_t calf = 0; calf < 2; calf++) {
		make_request(frame, calf, TEST_XID);
		expect_out(calf, frame, FRAME_OUT_ACCEPTED, "request");
	}
	for (uint32_t calf = 2; calf-- > 0;) {
		make_reply(frame, calf, TEST_XID);
		frame[AT_YIADDR] = 10;
		memcpy(frame + AT_OPTIONS, "\x35\1\5\xff", 4);
		cr_expect_eq(frames_test_run(frames_test_xdp(&test), frame, FRAME_SIZE, 0, NULL),
			     XDP_REDIRECT);
		cr_assert_eq(bpf_map_lookup_elem(test.witness_fd, &(uint32_t){ 0 }, &witness), 0);
		cr_expect_eq(!!witness.slot[0].ack_ns | !!witness.slot[1].ack_ns, calf == 0,
			     "calf %u", calf);
	}
}

/* A tap that is gone changes nothing for the other calf; what would be its own is the
 * host's, also if it is bad. */
Test(frames_calves, one_tap_is_gone)
{
	uint8_t frame[FRAME_SIZE];

	for (uint32_t calf = 0; calf < 2; calf++) {
		make_reply(frame, calf, TEST_XID);
		frame[AT_OP] = 1;
		expect_in(1 + calf, frame, FRAME_IN_NOT_REPLY, "no reply");
	}

	for (uint32_t calf = 0; calf < 2; calf++) {
		make_request(frame, calf, TEST_XID);
		expect_out(calf, frame, FRAME_OUT_ACCEPTED, "request");
	}
	tap_deinit(&test.tap);
	make_reply(frame, 0, TEST_XID);
	expect_in(1, frame, FRAME_IN_NO_TAP, "first");
	frame[AT_OP] = 1;
	expect_in(1, frame, FRAME_IN_NO_TAP, "no reply for the first");
	make_reply(frame, 1, TEST_XID);
	expect_in(2, frame, FRAME_IN_ACCEPTED, "second");
	frame[AT_OP] = 1;
	expect_in(2, frame, FRAME_IN_NOT_REPLY, "no reply for the second");
}

static uint32_t verified(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	cr_assert_eq(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), 0);
	printf("note: %s: verified %u with all rules of all calves\n", bpf_program__name(program),
	       info.verified_insns);
	return info.verified_insns;
}

/* As much as there can be: the verifier still accepts it, on every kernel. */
Test(frames_calves_own, all_rules_of_all_calves)
{
	struct frame_rule rules[FRAME_CALVES_MAX][FRAME_RULES_MAX];
	struct frame_config config = { 0 };
	const struct frame_quarantine quarantine = { .deadline_ns = UINT64_MAX };
	struct frames_setup setup = { .config = &config, .quarantine = &quarantine };
	struct frames_host host;
	struct gate_test gate = { 0 };
	struct frames frames;

	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	gate_test_begin(&gate, 64, 1);
	cr_assert_eq(netlink_new(&test.netlink), 0);
	cr_assert_eq(tap_init(&test.uplink, test.netlink, "calfpen x y"), 0);
	config.uplink_ifindex = (uint32_t)test.uplink.ifindex;
	for (uint16_t calf = 0; calf < FRAME_CALVES_MAX; calf++) {
		for (uint16_t i = 0; i < FRAME_RULES_MAX; i++) {
			rules[calf][i] = second_rule;
			rules[calf][i].local_port = (uint16_t)(1000 + FRAME_RULE(calf, i));
			rules[calf][i].remote_port = (uint16_t)(2000 + FRAME_RULE(calf, i));
		}
		setup.calves[calf] = (struct frames_calf){ .tap_ifindex = 100 + calf,
							   .rules = rules[calf],
							   .n_rules = FRAME_RULES_MAX,
							   .grammar = frames_test_grammar() };
	}
	rules[FRAME_CALF_HOST][FRAME_RULES_MAX - 1].check = FRAME_CHECK_ARP;
	setup.witness_fd = frames_witness_open(&gate.pins, NULL);
	cr_assert_geq(setup.witness_fd, 0);
	cr_assert_eq(frames_host_init(&host, &gate.pins), 0);
	setup.host_fd = frames_host_map(&host);
	cr_assert_eq(frames_init(&frames, &gate.pins, &setup), 0);
	cr_expect(frames.config.quarantine);
	cr_assert_eq(frames_attach_uplink(&frames, test.uplink.name, FRAME_MODE_NATIVE), 0);
	cr_expect_leq(verified(frames.xdp->progs.frame_xdp), 20000);
	cr_expect_leq(verified(frames.tc->progs.uplink_ingress), 20000);
	cr_expect_leq(verified(frames.tc->progs.tap_ingress), 20000);
	frames_deinit(&frames);
	frames_host_deinit(&host);
	close(setup.witness_fd);
	tap_deinit(&test.uplink);
	netlink_free(test.netlink);
	gate_test_end(&gate);
}
