/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bpf/support-frames.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "maps/kv.h"
#include "skel/frame_host.skel.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "userspace/common/address.h"
#include "userspace/common/value.h"

static void make_uplink(struct frames_test *test)
{
	struct netlink_link link;

	if (!test->is_wired) {
		cr_assert_eq(tap_init(&test->uplink, test->netlink, "calfpen x y"), 0);
		return;
	}
	/* IPv6 would add frames that no test expects */
	cr_assert_eq(system("for i in all default; do " /* NOLINT(cert-env33-c) */
			    "[ ! -d /proc/sys/net/ipv6 ] || "
			    "echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done; "
			    "ip link add uplink0 type veth peer name " WIRE " && "
			    "ip link set " WIRE " up"),
		     0);
	test->uplink = TAP_NULL(test->uplink);
	cr_assert_eq(netlink_link_get_by_name(test->netlink, "uplink0", &link), 0);
	test->uplink.ifindex = link.ifindex;
	strcpy(test->uplink.name, link.name);
}

void frames_test_begin(struct frames_test *test, uint32_t rate, uint32_t burst)
{
	frames_test_begin_mode(test, FRAME_MODE_NATIVE, rate, burst);
}

static void begin_store(struct frames_test *test)
{
	gate_test_begin(&test->gate, 64, 1);
	cr_assert_eq(netlink_new(&test->netlink), 0);
}

struct frame_grammar frames_test_grammar(void)
{
	static const uint8_t codes[] = { 12, 50, 53, 54, 55, 56, 57, 60, 61, 77, 80, 81 };
	struct frame_grammar grammar = { .transaction_interval_ns = 1,
					 .transaction_burst_ns = 1000000000,
					 .max_size = 548 };

	for (size_t i = 0; i < sizeof(codes); i++)
		grammar.codes[codes[i]] = FRAME_CODE_SENT;
	return grammar;
}

void frames_test_tell(const struct frames_test *test, const struct frame_host *host)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = host, .ctx_size_in = sizeof(*host));

	cr_assert_eq(bpf_prog_test_run_opts(frames_host_program(&test->host), &opts), 0);
	cr_assert_eq(opts.retval, 0);
}

void frames_test_applied(const struct frames_test *test, const char *net, const char *router)
{
	struct frame_host host = { 0 };
	struct value_ipv4_net applied;

	if (net) {
		cr_assert_eq(value_parse_ipv4_net(net, &applied), 0, "%s", net);
		host.address = applied.address.s_addr;
		host.mask = htonl(address_netmask(applied.prefix_length));
	}
	if (router) {
		host.family = AF_INET;
		host.next_hop[0] = inet_addr(router);
	}
	frames_test_tell(test, &host);
}

/* Programs for test->uplink, loaded and on the tap, as the supervisor does it. */
static void load(struct frames_test *test, uint32_t rate, uint32_t burst)
{
	const uint64_t interval = rate ? 1000000000ull / rate : 3600000000000ull;
	const struct frame_rule dhcp4 = {
		.check = FRAME_CHECK_DHCP4,
		.local_port = 68,
		.remote_port = 67,
		.max_frame = 1514,
		.ingress_interval_ns = interval,
		.ingress_burst_ns = interval * burst,
		.egress_interval_ns = interval,
		.egress_burst_ns = interval * burst,
	};
	struct frame_rule rules[] = { dhcp4, dhcp4 };
	struct frame_config config = { .pass_foreign = test->pass_foreign };
	const struct frame_grammar grammar = frames_test_grammar();
	struct frames_setup setup = { .config = &config, .quarantine = &test->quarantine };
	struct frames_calf *calf = &setup.calves[FRAME_CALF_HOST];
	struct netlink_link link;

	rules[1].check = FRAME_CHECK_ARP;
	cr_assert_eq(tap_init(&test->tap, test->netlink, "calfpen x y"), 0);
	*calf = (struct frames_calf){ .tap_ifindex = test->tap.ifindex,
				      .rules = test->rules ? test->rules : rules,
				      .n_rules = test->rules ? test->n_rules : 2,
				      .grammar = test->grammar ? *test->grammar : grammar };
	test->second = TAP_NULL(test->second);
	if (test->n_second_rules) {
		cr_assert_eq(tap_init(&test->second, test->netlink, "calfpen x z"), 0);
		calf[1] = (struct frames_calf){ .tap_ifindex = test->second.ifindex,
						.rules = test->second_rules,
						.n_rules = test->n_second_rules,
						.grammar = test->second_grammar ?
								   *test->second_grammar :
								   grammar };
	}
	cr_assert_eq(netlink_link_get(test->netlink, test->uplink.ifindex, &link), 0);
	memcpy(test->mac, link.mac, sizeof(test->mac));
	config.uplink_ifindex = (uint32_t)test->uplink.ifindex;
	memcpy(config.mac, test->mac, sizeof(config.mac));
	test->witness_fd = frames_witness_open(&test->gate.pins, NULL);
	cr_assert_geq(test->witness_fd, 0);
	cr_assert_eq(frames_host_init(&test->host, &test->gate.pins), 0);
	setup.witness_fd = test->witness_fd;
	setup.host_fd = frames_host_map(&test->host);
	cr_assert_eq(frames_init(&test->frames, &test->gate.pins, &setup), 0);
	cr_assert_eq(frames_close_uplink(&test->frames), 0);
	frames_detach(&test->gate.pins, test->uplink.ifindex);
	cr_assert_eq(frames_detach_taps(&test->gate.pins, test->netlink), 0);
	cr_assert_eq(frames_attach_taps(&test->frames), 0);
	if (test->n_second_rules)
		cr_assert_eq(tap_up(&test->second, test->netlink), 0);
}

void frames_test_begin_mode(struct frames_test *test, enum frame_mode mode, uint32_t rate,
			    uint32_t burst)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	begin_store(test);
	make_uplink(test);
	load(test, rate, burst);
	cr_assert_eq(tap_up(&test->uplink, test->netlink), 0);
	cr_assert_eq(tap_up(&test->tap, test->netlink), 0);
	cr_assert_eq(frames_test_attach(test, mode), 0);
}

void frames_test_begin_on(struct frames_test *test, const char *uplink, uint32_t rate,
			  uint32_t burst)
{
	begin_store(test);
	test->uplink = TAP_NULL(test->uplink);
	snprintf(test->uplink.name, sizeof(test->uplink.name), "%s", uplink);
	test->uplink.ifindex = (int)if_nametoindex(uplink);
	cr_assert_neq(test->uplink.ifindex, 0, "no %s", uplink);
	load(test, rate, burst);
	cr_assert_eq(tap_up(&test->tap, test->netlink), 0);
}

int frames_test_attach(struct frames_test *test, enum frame_mode mode)
{
	int error = frames_attach_uplink(&test->frames, test->uplink.name, mode);

	if (!error)
		cr_assert_eq(frames_open(&test->frames), 0);
	return error;
}

static int open_network(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

void frames_test_begin_beside(struct frames_test *test, const struct gate_test *gate)
{
	int here = open_network();

	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	test->network_fd = open_network();
	test->gate = *gate;
	cr_assert_eq(netlink_new(&test->netlink), 0);
	make_uplink(test);
	load(test, 1000000, 1000000);
	cr_assert_eq(frames_open(&test->frames), 0);
	cr_assert_eq(setns(here, CLONE_NEWNET), 0);
	close(here);
}

void frames_test_kill(struct frames_test *test)
{
	frames_deinit(&test->frames);
	frames_host_deinit(&test->host);
	close(test->witness_fd);
	tap_deinit(&test->tap);
	tap_deinit(&test->second);
}

static void close_network(struct frames_test *test)
{
	if (test->network_fd)
		close(test->network_fd);
	tap_deinit(&test->uplink);
	netlink_free(test->netlink);
}

void frames_test_end_beside(struct frames_test *test)
{
	frames_test_kill(test);
	close_network(test);
}

void frames_test_restart(struct frames_test *test, uint32_t rate, uint32_t burst)
{
	load(test, rate, burst);
	cr_assert_eq(tap_up(&test->tap, test->netlink), 0);
}

void frames_test_end(struct frames_test *test)
{
	frames_detach(&test->gate.pins, test->uplink.ifindex);
	frames_test_kill(test);
	cr_assert_eq(frames_detach_taps(&test->gate.pins, test->netlink), 0);
	close_network(test);
	gate_test_end(&test->gate);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, (uint16_t)(value >> 16));
	put16(at + 2, (uint16_t)value);
}

static void build(const struct frames_test *test, uint8_t frame[FRAME_SIZE], uint8_t op,
		  uint16_t source, uint16_t destination)
{
	memset(frame, 0, FRAME_SIZE);
	put16(frame + AT_ETH_TYPE, 0x0800);
	frame[AT_IP] = 0x45;
	put16(frame + AT_IP_TOTAL, FRAME_SIZE - 14);
	frame[22] = 64;
	frame[AT_IP_PROTOCOL] = 17;
	put16(frame + AT_UDP_SOURCE, source);
	put16(frame + AT_UDP_DESTINATION, destination);
	put16(frame + AT_UDP_LENGTH, FRAME_SIZE - 34);
	frame[AT_OP] = op;
	frame[AT_HTYPE] = 1;
	frame[AT_HLEN] = 6;
	put32(frame + AT_XID, TEST_XID);
	memcpy(frame + AT_CHADDR, test->mac, 6);
	put32(frame + AT_COOKIE, 0x63825363);
	frame[AT_OPTIONS] = 0xff;
}

void frames_test_request(const struct frames_test *test, uint8_t frame[FRAME_SIZE])
{
	build(test, frame, 1, 68, 67);
	memset(frame + AT_ETH_DESTINATION, 0xff, 6);
	memcpy(frame + AT_ETH_SOURCE, test->mac, 6);
	put32(frame + AT_IP_DESTINATION, 0xffffffff);
	put16(frame + AT_IP_CHECKSUM, 0x79a6); /* as the write filter writes it */
	memcpy(frame + AT_OPTIONS, "\x35\1\1\xff", 4);
}

void frames_test_reply(const struct frames_test *test, uint8_t frame[FRAME_SIZE])
{
	build(test, frame, 2, 67, 68);
	memcpy(frame + AT_ETH_DESTINATION, test->mac, 6);
	memcpy(frame + AT_ETH_SOURCE, "\x02\0\0\0\0\x01", 6);
	put32(frame + AT_IP_SOURCE, 0x0a070001);
	put32(frame + AT_IP_DESTINATION, 0x0a070005);
}

void frames_test_arp(uint8_t frame[ARP_SIZE], uint8_t operation, const uint8_t mac[6],
		     uint32_t sender, uint32_t target)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0 };

	memset(frame, 0, ARP_SIZE);
	memset(frame + AT_ETH_DESTINATION, 0xff, 6);
	memcpy(frame + AT_ETH_SOURCE, mac, 6);
	put16(frame + AT_ETH_TYPE, 0x0806);
	memcpy(frame + AT_ARP, head, sizeof(head));
	frame[AT_ARP_OPERATION] = operation;
	memcpy(frame + AT_ARP_SENDER_MAC, mac, 6);
	put32(frame + AT_ARP_SENDER, sender);
	put32(frame + AT_ARP_TARGET, target);
}

void frames_test_ip_options(uint8_t *frame, uint32_t n)
{
	memmove(frame + AT_UDP_SOURCE + n, frame + AT_UDP_SOURCE, FRAME_SIZE - AT_UDP_SOURCE);
	memset(frame + AT_UDP_SOURCE, 1, n);
	frame[AT_IP] = (uint8_t)(frame[AT_IP] + n / 4);
	put16(frame + AT_IP_TOTAL, (uint16_t)(FRAME_SIZE - AT_IP + n));
}

const struct frames_test_tags frames_test_tags[FRAMES_TEST_TAGS_N] = {
	{ "802.1Q", "\x81\x00\x00\x05", 4, false },
	{ "802.1ad", "\x88\xa8\x00\x05", 4, false },
	{ "802.1Q in 802.1ad", "\x88\xa8\x00\x05\x81\x00\x00\x06", 8, false },
	{ "VLAN in a priority", "\x81\x00\xc0\x00\x81\x00\x00\x05", 8, false },
	{ "priority in a VLAN", "\x81\x00\x00\x05\x81\x00\xc0\x00", 8, false },
	{ "802.1Q, priority 6", "\x81\x00\xc0\x00", 4, true },
	{ "802.1Q, priority 0, may be dropped", "\x81\x00\x10\x00", 4, true },
	{ "802.1ad, priority 7", "\x88\xa8\xe0\x00", 4, true },
	{ "two priorities", "\x88\xa8\xe0\x00\x81\x00\x60\x00", 8, true },
};

void frames_test_tag(uint8_t *frame, const uint8_t plain[FRAME_SIZE], const char *tags,
		     uint32_t size)
{
	memcpy(frame, plain, AT_ETH_TYPE);
	memcpy(frame + AT_ETH_TYPE, tags, size);
	memcpy(frame + AT_ETH_TYPE + size, plain + AT_ETH_TYPE, FRAME_SIZE - AT_ETH_TYPE);
}

int frames_test_run(int program_fd, const uint8_t *frame, uint32_t size, int ifindex, uint8_t *out)
{
	struct __sk_buff context = { .ifindex = (uint32_t)ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size, .repeat = 1);
	uint8_t unused[65536];

	opts.data_out = out ? out : unused;
	opts.data_size_out = out ? size : sizeof(unused);
	if (ifindex) {
		opts.ctx_in = &context;
		opts.ctx_size_in = sizeof(context);
	}
	cr_assert_eq(bpf_prog_test_run_opts(program_fd, &opts), 0, "BPF_PROG_RUN of %u bytes: %s",
		     size, strerror(errno));
	return (int)opts.retval;
}

void frames_test_open(const struct frames_test *test)
{
	uint8_t request[FRAME_SIZE];

	frames_test_request(test, request);
	cr_assert_eq(frames_test_run(frames_test_tap(test), request, sizeof(request),
				     test->tap.ifindex, NULL),
		     TC_ACT_REDIRECT);
}

static uint8_t *put_option(uint8_t *at, uint8_t code, uint32_t value)
{
	at[0] = code;
	at[1] = 4;
	put32(at + 2, value);
	return at + 6;
}

void frames_test_ack(const struct frames_test *test, const char *net, const char *router,
		     const char *time)
{
	uint8_t frame[FRAME_SIZE], *at = frame + AT_OPTIONS;
	struct value_ipv4_net leased;
	int here = open_network();
	uint32_t seconds;

	if (test->network_fd) /* BPF_PROG_RUN looks for the tap there */
		cr_assert_eq(setns(test->network_fd, CLONE_NEWNET), 0);
	frames_test_open(test);
	frames_test_reply(test, frame);
	cr_assert_eq(value_parse_ipv4_net(net, &leased), 0, "%s", net);
	memcpy(frame + AT_YIADDR, &leased.address, sizeof(leased.address));
	memcpy(at, "\x35\1\5", 3);
	at = put_option(at + 3, 1, address_netmask(leased.prefix_length));
	if (router)
		at = put_option(at, 3, ntohl(inet_addr(router)));
	if (time) {
		cr_assert_eq(value_parse_lifetime(time, &seconds), 0, "%s", time);
		at = put_option(at, 51, seconds);
	}
	*at = 0xff;
	cr_assert_eq(frames_test_run(frames_test_tc(test), frame, sizeof(frame), 0, NULL),
		     TC_ACT_REDIRECT);
	cr_assert_eq(setns(here, CLONE_NEWNET), 0);
	close(here);
}

void frames_test_flood(const struct frames_test *test, int program_fd, const uint8_t *frame,
		       uint32_t size, int n)
{
	struct __sk_buff context = { .ifindex = (uint32_t)test->tap.ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size, .repeat = n);

	if (program_fd == frames_test_tap(test)) {
		opts.ctx_in = &context;
		opts.ctx_size_in = sizeof(context);
	}
	cr_assert_eq(bpf_prog_test_run_opts(program_fd, &opts), 0);
}

/*
 * User space cannot write to a frozen map, a program can: this one takes
 * nanoseconds off a time in slot 0, 1, ... whose number it is loaded with.
 */
static void age(int map_fd, int32_t slot, size_t offset, uint64_t ns)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = slot },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map_fd },
		{ 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 5 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 2, .imm = (int32_t)(uint32_t)ns },
		{ .imm = (int32_t)(ns >> 32) },
		{ .code = BPF_LDX | BPF_MEM | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = 0,
		  .off = (int16_t)offset },
		{ .code = BPF_ALU64 | BPF_SUB | BPF_X, .dst_reg = 1, .src_reg = 2 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW,
		  .dst_reg = 0,
		  .src_reg = 1,
		  .off = (int16_t)offset },
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

void frames_test_age_xids(const struct frames_test *test, uint32_t seconds)
{
	int map_fd = bpf_map__fd(test->frames.tc->maps.frame_xids);
	int replies_fd = bpf_map__fd(test->frames.tc->maps.frame_replies);
	const uint64_t ns = seconds * 1000000000ull;

	for (uint32_t i = 0; i < FRAME_CALVES_MAX * FRAME_XIDS_MAX; i++) {
		struct frame_xid xid;

		cr_assert_eq(bpf_map_lookup_elem(map_fd, &i, &xid), 0);
		if (xid.expires_ns)
			age(map_fd, (int32_t)i, offsetof(struct frame_xid, expires_ns), ns);
	}
	for (uint32_t i = 0; i < bpf_map__max_entries(test->frames.tc->maps.frame_replies); i++) {
		struct frame_reply reply;

		cr_assert_eq(bpf_map_lookup_elem(replies_fd, &i, &reply), 0);
		if (reply.expires_ns)
			age(replies_fd, (int32_t)i, offsetof(struct frame_reply, expires_ns), ns);
	}
}

void frames_test_age_quarantine(const struct frames_test *test, uint32_t seconds)
{
	age(bpf_map__fd(test->frames.tc->maps.frame_quarantine), 0,
	    offsetof(struct frame_quarantine, deadline_ns), seconds * 1000000000ull);
}

uint64_t frames_test_count(const struct frames_test *test, uint32_t reason)
{
	uint64_t packets = 0;

	for (uint32_t owner = 0; owner < FRAME_OWNERS_MAX; owner++)
		cr_assert_eq(frames_count(&test->frames, owner, reason, &packets), 0);
	return packets;
}

int frames_test_xdp(const struct frames_test *test)
{
	return bpf_program__fd(test->frames.xdp->progs.frame_xdp);
}

int frames_test_tc(const struct frames_test *test)
{
	return bpf_program__fd(test->frames.tc->progs.uplink_ingress);
}

int frames_test_tap(const struct frames_test *test)
{
	return bpf_program__fd(test->frames.tc->progs.tap_ingress);
}
