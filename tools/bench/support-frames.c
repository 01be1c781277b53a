/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/support-frames.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/frames_peers.skel.h"
#include "maps/frame.h"
#include "maps/pins.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "tools/bench/support-live.h"

#define LIMIT_NS 5000000000ull
#define BURST_NS 1000000000ull /* of a rate that nothing reaches */

static int own_netns = -1;

static int netns_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bench_fail("%s: %s", path, strerror(errno));
	return fd;
}

void bench_enter_server(void)
{
	int server = netns_open("/run/netns/server");

	if (own_netns < 0)
		own_netns = netns_open("/proc/self/ns/net");
	if (setns(server, CLONE_NEWNET))
		bench_fail("the lab's server namespace: %s", strerror(errno));
	close(server);
}

void bench_leave_server(void)
{
	if (setns(own_netns, CLONE_NEWNET))
		bench_fail("cannot leave the server's namespace: %s", strerror(errno));
}

/* A link that has just come up drops frames until its carrier is announced. */
static void wait_until_running(struct netlink *netlink, const char *name,
			       struct netlink_link *linkp)
{
	uint64_t end = bench_now_ns() + LIMIT_NS;

	do {
		bench_check(netlink_link_get_by_name(netlink, name, linkp), name);
		if (bench_now_ns() > end)
			bench_fail("%s: no carrier", name);
	} while (!(linkp->flags & IFF_RUNNING));
}

static void wait_for_server(struct bench_frames *frames)
{
	struct netlink_link link;
	struct netlink *netlink;

	bench_enter_server();
	bench_check(netlink_new(&netlink), "netlink");
	wait_until_running(netlink, BENCH_SERVER, &link);
	netlink_free(netlink);
	bench_leave_server();
	memcpy(frames->server_mac, link.mac, sizeof(frames->server_mac));
}

/* Give the filter a calf whose tap exists. */
static void add_calf(struct frames_setup *setup, uint32_t number, const struct tap *tap,
		     const struct frame_rule *rules, uint32_t n_rules)
{
	/* the same as of the calf with the defaults */
	static const uint8_t codes[] = { 12, 50, 53, 54, 55, 56, 57, 60, 61, 77, 80, 81 };
	struct frames_calf *calf = &setup->calves[number];

	*calf = (struct frames_calf){ .tap_ifindex = tap->ifindex,
				      .rules = rules,
				      .n_rules = n_rules,
				      .grammar = { .transaction_interval_ns = 1,
						   .transaction_burst_ns = BURST_NS,
						   .max_size = 548 } };
	for (size_t i = 0; i < sizeof(codes); i++)
		calf->grammar.codes[codes[i]] = FRAME_CODE_SENT;
}

void bench_frames_init(struct bench_frames *frames, unsigned int n_calves)
{
	struct frame_rule rules[] = { {
		.check = FRAME_CHECK_DHCP4,
		.local_port = 68,
		.remote_port = 67,
		.max_frame = 1514,
		.ingress_interval_ns = 1,
		.ingress_burst_ns = BURST_NS,
		.egress_interval_ns = 1,
		.egress_burst_ns = BURST_NS,
	} };
	struct frame_rule both[] = { rules[0], rules[0] }, other = rules[0];
	struct frame_config config = { 0 };
	struct frames_setup setup = { .config = &config };

	if (!getenv("LAB"))
		bench_fail("must run in the lab: tools/lab --no-server -- ...");
	/* other processes share the rest of our CPU */
	if (setpriority(PRIO_PROCESS, 0, -20))
		bench_fail("priority: %s", strerror(errno));
	memset(frames, 0, sizeof(*frames));
	both[1].check = FRAME_CHECK_ARP;
	other.local_port = 1068;
	other.remote_port = 1067;
	frames->second = TAP_NULL(frames->second);
	bench_store_make(&frames->store, 1, 1);
	bench_check(netlink_new(&frames->netlink), "netlink");
	bench_check(netlink_link_get_by_name(frames->netlink, BENCH_UPLINK, &frames->uplink),
		    BENCH_UPLINK);
	bench_check(tap_init(&frames->tap, frames->netlink, "calfpen x y"), "tap");
	add_calf(&setup, FRAME_CALF_HOST, &frames->tap, both, 2);
	if (n_calves > 1) {
		bench_check(tap_init(&frames->second, frames->netlink, "calfpen x z"), "tap");
		add_calf(&setup, FRAME_CALF_HOST + 1, &frames->second, &other, 1);
	}
	config.uplink_ifindex = (uint32_t)frames->uplink.ifindex;
	memcpy(config.mac, frames->uplink.mac, sizeof(config.mac));
	frames->witness_fd = frames_witness_open(&frames->store.pins, NULL);
	bench_check(frames_host_init(&frames->host, &frames->store.pins), "host_set");
	setup.witness_fd = frames->witness_fd;
	setup.host_fd = frames_host_map(&frames->host);
	bench_check(frames_init(&frames->frames, &frames->store.pins, &setup), "frame programs");
	bench_check(frames_attach_taps(&frames->frames), "tap's programs");
	bench_check(tap_up(&frames->tap, frames->netlink), "tap");
	if (n_calves > 1)
		bench_check(tap_up(&frames->second, frames->netlink), "tap");
	bench_check(netlink_link_set_up(frames->netlink, frames->uplink.ifindex, true),
		    BENCH_UPLINK);
	wait_until_running(frames->netlink, BENCH_UPLINK, &frames->uplink);
	wait_for_server(frames);
}

void bench_frames_deinit(struct bench_frames *frames)
{
	frames_detach(&frames->store.pins, frames->uplink.ifindex);
	frames_deinit(&frames->frames);
	frames_host_deinit(&frames->host);
	close(frames->witness_fd);
	tap_deinit(&frames->tap);
	tap_deinit(&frames->second);
	netlink_free(frames->netlink);
	bench_store_deinit(&frames->store);
}

void bench_frames_attach(struct bench_frames *frames, enum frame_mode mode)
{
	bench_check(frames_attach_uplink(&frames->frames, BENCH_UPLINK, mode), "uplink's program");
	bench_check(frames_open(&frames->frames), "devmap slot");
}

void bench_frames_detach(struct bench_frames *frames)
{
	int fd = pins_get(&frames->store.pins, PIN_LINK_UPLINK);

	if (fd < 0)
		bench_check(fd, "the uplink's link (needs Linux 6.6)");
	/* now, not when the kernel drops its last reference */
	bench_check(bpf_link_detach(fd), "the uplink's link");
	close(fd);
	pins_remove(&frames->store.pins, PIN_LINK_UPLINK);
}

uint64_t bench_frames_count(const struct bench_frames *frames, uint32_t reason)
{
	uint64_t packets = 0;

	for (uint32_t owner = 0; owner < FRAME_OWNERS_MAX; owner++)
		bench_check(frames_count(&frames->frames, owner, reason, &packets),
			    "frame counters");
	return packets;
}

void bench_frames_set_gro(const struct bench_frames *frames, bool on)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = on };
	struct ifreq request = { .ifr_data = (char *)&value };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", frames->uplink.name);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request))
		bench_fail("%s: generic receive offload: %s", request.ifr_name, strerror(errno));
	close(fd);
}

struct frames_peers_bpf *bench_peers_load(void)
{
	struct frames_peers_bpf *peers = frames_peers_bpf__open_and_load();
	int n_cpus = libbpf_num_possible_cpus();
	uint64_t *rule = calloc((size_t)n_cpus, sizeof(*rule));
	uint32_t port = htons(68);

	if (!peers || !rule)
		bench_fail("cannot load the peers' programs: %s", strerror(errno));
	for (int i = 0; i < n_cpus; i++)
		rule[i] = 2 | 8; /* destination, UDP */
	bench_check(bpf_map__update_elem(peers->maps.rules_ports, &port, sizeof(port), rule,
					 (size_t)n_cpus * sizeof(*rule), BPF_ANY),
		    "the peers' rule");
	free(rule);
	return peers;
}

void bench_hold_program(const struct bpf_program *program)
{
	int fd = live_hold_program(bpf_program__fd(program));

	if (fd < 0) /* otherwise held while we run */
		bench_check(fd, "a device for the program");
}

void bench_hold_programs(const struct bench_frames *frames, const struct frames_peers_bpf *peers)
{
	const struct bpf_program *programs[] = {
		frames->frames.xdp->progs.frame_xdp,
		peers->progs.bare_pass,
		peers->progs.bare_drop,
		peers->progs.port_filter,
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		bench_hold_program(programs[i]);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static void put_ip(uint8_t *frame, size_t size, uint8_t protocol, uint32_t source,
		   uint32_t destination)
{
	uint8_t *ip = frame + 14;
	uint32_t sum = 0;

	put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)size - 14);
	ip[8] = 64;
	ip[9] = protocol;
	put32(ip + 12, source);
	put32(ip + 16, destination);
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)));
}

static void put_bootp(const struct bench_frames *frames, uint8_t *frame, uint8_t op, uint8_t type,
		      uint32_t xid)
{
	uint8_t *udp = frame + 34, *bootp = frame + 42;
	bool is_request = op == 1;

	put16(udp, is_request ? 68 : 67);
	put16(udp + 2, is_request ? 67 : 68);
	put16(udp + 4, BENCH_FRAME_SIZE - 34);
	bootp[0] = op;
	bootp[1] = 1;
	bootp[2] = 6;
	put32(bootp + 4, xid);
	memcpy(bootp + 28, frames->uplink.mac, 6);
	put32(bootp + 236, 0x63825363);
	memcpy(bootp + 240, (const uint8_t[]){ 53, 1, type, 255 }, 4);
	if (is_request) { /* with a client identifier, as most have */
		memcpy(bootp + 243, (const uint8_t[]){ 61, 7, 1 }, 3);
		memcpy(bootp + 246, frames->uplink.mac, 6);
		bootp[252] = 255;
	}
}

/* What is for the host: a TCP segment, or a datagram without a checksum. */
static size_t make_hosts(const struct bench_frames *frames, bool is_tcp, uint8_t *frame)
{
	static const uint8_t other_host[6] = { 2, 0, 0, 0, 0x77, 0x99 };

	memcpy(frame, other_host, 6);
	memcpy(frame + 6, frames->server_mac, 6);
	put_ip(frame, 60, is_tcp ? 6 : 17, BENCH_SERVER_ADDRESS, BENCH_ADDRESS + 1);
	put16(frame + 34, 443);
	put16(frame + 36, 40000);
	if (is_tcp) {
		frame[46] = 0x50; /* 20 octets of header */
		frame[47] = 0x10; /* ACK */
	} else {
		put16(frame + 38, 60 - 34);
	}
	return 60;
}

size_t bench_frame_make(const struct bench_frames *frames, enum bench_frame kind, uint32_t xid,
			uint8_t frame[BENCH_FRAME_SIZE])
{
	bool is_request = kind == BENCH_REQUEST || kind == BENCH_RENEWAL;

	memset(frame, 0, BENCH_FRAME_SIZE);
	if (kind == BENCH_TCP || kind == BENCH_UDP)
		return make_hosts(frames, kind == BENCH_TCP, frame);
	memcpy(frame, is_request ? frames->server_mac : frames->uplink.mac, 6);
	memcpy(frame + 6, is_request ? frames->uplink.mac : frames->server_mac, 6);
	if (kind == BENCH_REQUEST) {
		memset(frame, 0xff, 6);
		put_ip(frame, BENCH_FRAME_SIZE, 17, 0, 0xffffffff);
	} else if (kind == BENCH_RENEWAL) {
		put_ip(frame, BENCH_FRAME_SIZE, 17, BENCH_ADDRESS, BENCH_SERVER_ADDRESS);
	} else {
		put_ip(frame, BENCH_FRAME_SIZE, 17, BENCH_SERVER_ADDRESS, BENCH_ADDRESS);
	}
	put_bootp(frames, frame, is_request || kind == BENCH_NOT_REPLY ? 1 : 2,
		  kind == BENCH_REQUEST	   ? 1 :
		  kind == BENCH_RENEWAL	   ? 3 :
		  kind == BENCH_FORCERENEW ? 9 :
					     2,
		  xid);
	if (kind == BENCH_NOT_REPLY) { /* nevertheless from the server's port */
		put16(frame + 34, 67);
		put16(frame + 36, 68);
	}
	if (kind == BENCH_COOKIE)
		frame[278] ^= 1;
	return kind == BENCH_TRUNCATED ? 60 : BENCH_FRAME_SIZE;
}

struct sock_fprog bench_dhclient_tests(void)
{
	static struct sock_filter tests[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0x40000),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return (struct sock_fprog){ sizeof(tests) / sizeof(tests[0]), tests };
}
