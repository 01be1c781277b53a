/* SPDX-License-Identifier: Apache-2.0 */
/* Where unicast goes: by the next hop that the watcher has told, whatever the host
 * routes. Frames are written to the tap and read on the wire. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "tests/bpf/support-frames.h"

#define AT_CIADDR (AT_OP + 12)

static struct frames_test test;
static const uint8_t neighbour[6] = { 2, 0, 0, 0, 0, 0x77 };

static int sh(const char *command)
{
	return system(command); /* NOLINT(cert-env33-c) */
}

static void begin(void)
{
	cr_assert_eq(setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1), 0);
	test.is_wired = true;
	frames_test_begin_mode(&test, FRAME_MODE_TC, 1000000, 1000000);
}

static void end(void)
{
	frames_test_end(&test);
}

static int open_wire(void)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)if_nametoindex(WIRE) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* Read the next frame of this type from the uplink. Returns its size, 0 if there is none
 * within a second. */
static ssize_t read_wire(int fd, uint16_t type, uint8_t *frame, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	while (poll(&ready, 1, 1000) == 1) {
		ssize_t n = recv(fd, frame, size, 0);

		if (n >= AT_IP && !memcmp(frame + AT_ETH_SOURCE, test.mac, 6) &&
		    frame[AT_ETH_TYPE] == type >> 8 && frame[AT_ETH_TYPE + 1] == (type & 0xff))
			return n;
	}
	return 0;
}

/* A renewal from 10.8.0.5 to 10.7.0.1. */
static void put_renewal(uint8_t frame[FRAME_SIZE])
{
	frames_test_request(&test, frame);
	memcpy(frame + AT_OPTIONS, "\x35\1\3\xff", 4);
	memset(frame + AT_ETH_DESTINATION, 0, 6);
	memcpy(frame + AT_CIADDR, "\x0a\x08\0\5", 4);
	memcpy(frame + AT_IP_SOURCE, "\x0a\x08\0\5\x0a\7\0\1", 8);
}

static void write_renewal(void)
{
	uint8_t frame[FRAME_SIZE];

	put_renewal(frame);
	cr_assert_eq(write(test.tap.fd, frame, FRAME_SIZE), FRAME_SIZE);
}

/* The kernel must look for `next_hop` by ARP and send it there. */
static void check_next_hop(int wire, const char *next_hop)
{
	uint8_t seen[2048], arp[ARP_SIZE];
	uint32_t address = inet_addr(next_hop);

	write_renewal();
	cr_assert_geq(read_wire(wire, 0x0806, seen, sizeof(seen)), ARP_SIZE, "%s", next_hop);
	cr_expect_arr_eq(seen + AT_ARP_TARGET, &address, 4, "%s", next_hop);
	frames_test_arp(arp, 2, neighbour, ntohl(address), 0);
	memcpy(arp + AT_ETH_DESTINATION, test.mac, 6);
	memcpy(arp + AT_ARP_TARGET_MAC, test.mac, 6);
	memcpy(arp + AT_ARP_TARGET, seen + AT_ARP_SENDER, 4);
	cr_assert_eq(send(wire, arp, ARP_SIZE, 0), ARP_SIZE);
	cr_assert_eq(read_wire(wire, 0x0800, seen, sizeof(seen)), FRAME_SIZE, "%s", next_hop);
	cr_expect_arr_eq(seen, neighbour, 6, "%s", next_hop);
}

/* Another interface has the server's network and the default route, and nothing is
 * forwarded anywhere. */
static void route_elsewhere(void)
{
	cr_assert_eq(sh("for f in /proc/sys/net/ipv4/conf/*/forwarding; do echo 0 >$f; done; "
			"ip link set uplink0 up && ip address add 10.8.0.5/32 dev uplink0 && "
			"ip link add other type veth peer name other1 && "
			"ip address add 10.7.0.9/24 dev other && ip link set other up && "
			"ip link set other1 up && ip route add default via 10.7.0.10"),
		     0);
}

Test(frames_host, U06_unicast_whatever_the_host_routes, .init = begin, .fini = end)
{
	int wire = open_wire();

	route_elsewhere();
	frames_test_ack(&test, "10.8.0.5/24", NULL, NULL);
	frames_test_applied(&test, "10.8.0.5/24", "10.8.0.1");
	check_next_hop(wire, "10.8.0.1");
	/* a rule before all of the host's tables, as VPNs have it */
	cr_assert_eq(sh("ip route add default dev other table 7 && ip rule add pref 1 table 7"), 0);
	frames_test_applied(&test, "10.8.0.5/24", "10.8.0.2");
	check_next_hop(wire, "10.8.0.2");
	/* the server is in the subnet; or there is no router */
	frames_test_applied(&test, "10.8.0.5/8", "10.8.0.1");
	check_next_hop(wire, "10.7.0.1");
	cr_assert_eq(sh("ip neighbour flush dev uplink0"), 0);
	frames_test_applied(&test, "10.8.0.5/32", NULL);
	check_next_hop(wire, "10.7.0.1");
	cr_expect_eq(frames_test_count(&test, FRAME_OUT_UNICAST), 4);
	close(wire);
}

/* An IPv4 route may lead through an IPv6 router. */
Test(frames_host, ipv6_router, .init = begin, .fini = end)
{
	struct frame_host host = { .address = inet_addr("10.8.0.5"),
				   .mask = inet_addr("255.255.255.0"),
				   .family = AF_INET6 };
	int wire = open_wire();
	uint8_t seen[2048];

	if (access("/proc/sys/net/ipv6", F_OK))
		cr_skip_test("no IPv6");
	route_elsewhere();
	cr_assert_eq(
		sh("echo 0 >/proc/sys/net/ipv6/conf/uplink0/disable_ipv6 && "
		   "ip -6 neighbour add fe80::77 lladdr 02:00:00:00:00:77 dev uplink0 nud permanent"),
		0);
	cr_assert_eq(inet_pton(AF_INET6, "fe80::77", host.next_hop), 1);
	frames_test_ack(&test, "10.8.0.5/24", NULL, NULL);
	frames_test_tell(&test, &host);
	write_renewal();
	cr_assert_eq(read_wire(wire, 0x0800, seen, sizeof(seen)), FRAME_SIZE);
	cr_expect_arr_eq(seen, neighbour, 6);
	close(wire);
}

static uint32_t judge(const uint8_t *frame)
{
	uint64_t before[_FRAME_REASON_N];

	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		before[i] = frames_test_count(&test, i);
	(void)frames_test_run(frames_test_tap(&test), frame, FRAME_SIZE, test.tap.ifindex, NULL);
	for (uint32_t i = 0; i < _FRAME_REASON_N; i++)
		if (frames_test_count(&test, i) != before[i])
			return i;
	return _FRAME_REASON_N;
}

/* Neither what a server gave nor another address of ours is enough. */
Test(frames_host, F5_source_is_what_was_applied, .init = begin, .fini = end)
{
	uint8_t frame[FRAME_SIZE];

	frames_test_ack(&test, "10.8.0.5/24", NULL, NULL);
	put_renewal(frame);
	memset(frame + AT_CIADDR, 0, 4);
	cr_expect_eq(judge(frame), FRAME_OUT_SOURCE_ADDRESS);
	frames_test_applied(&test, "10.8.0.6/24", NULL);
	cr_expect_eq(judge(frame), FRAME_OUT_SOURCE_ADDRESS);
	frames_test_applied(&test, "10.8.0.5/24", NULL);
	cr_expect_eq(judge(frame), FRAME_OUT_UNICAST);
	frames_test_applied(&test, NULL, NULL);
	cr_expect_eq(judge(frame), FRAME_OUT_SOURCE_ADDRESS);
}

/* A server that says it has our address, or a router that is us. */
Test(frames_host, F5_own_address_is_no_destination, .init = begin, .fini = end)
{
	struct frame_host host = { .address = inet_addr("10.7.0.1"),
				   .mask = inet_addr("255.255.255.0"),
				   .other = inet_addr("10.9.0.9") };
	uint8_t frame[FRAME_SIZE];

	frames_test_ack(&test, "10.8.0.5/24", NULL, NULL); /* 10.7.0.1 has answered */
	frames_test_tell(&test, &host);
	put_renewal(frame);
	memset(frame + AT_CIADDR, 0, 4);
	memcpy(frame + AT_IP_SOURCE, "\x0a\7\0\1", 4);
	cr_expect_eq(judge(frame), FRAME_OUT_OWN_ADDRESS);
	frames_test_applied(&test, "10.8.0.5/24", "10.8.0.5");
	put_renewal(frame);
	cr_expect_eq(judge(frame), FRAME_OUT_OWN_ADDRESS);
	host.address = inet_addr("10.8.0.5");
	host.other = inet_addr("10.7.0.1");
	frames_test_tell(&test, &host);
	cr_expect_eq(judge(frame), FRAME_OUT_OWN_ADDRESS);
}

/* A server that names an address of nobody, or of all, as its own (option 54). */
Test(frames_host, F5_what_is_no_host_is_no_destination, .init = begin, .fini = end)
{
	static const struct {
		const char *to, *address, *mask;
		uint32_t reason;
	} targets[] = {
		{ "0.0.0.1", "10.8.0.5", "255.255.255.0", FRAME_OUT_UNKNOWN_PEER },
		{ "127.0.0.1", "10.8.0.5", "255.255.255.0", FRAME_OUT_UNKNOWN_PEER },
		{ "224.0.0.251", "10.8.0.5", "255.255.255.0", FRAME_OUT_UNKNOWN_PEER },
		{ "240.0.0.1", "10.8.0.5", "255.255.255.0", FRAME_OUT_UNKNOWN_PEER },
		{ "10.8.0.255", "10.8.0.5", "255.255.255.0", FRAME_OUT_UNKNOWN_PEER },
		{ "10.8.0.255", "10.8.0.5", "255.255.0.0", FRAME_OUT_UNICAST },
		{ "10.8.1.255", "10.8.0.5", "255.255.255.0", FRAME_OUT_UNICAST },
		{ "10.8.0.5", "10.8.0.4", "255.255.255.254", FRAME_OUT_UNICAST },
		{ "10.8.0.255", "10.8.0.254", "255.255.255.254", FRAME_OUT_UNICAST },
	};
	uint8_t frame[FRAME_SIZE];

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		const uint32_t to = inet_addr(targets[i].to);
		const struct frame_host host = { .address = inet_addr(targets[i].address),
						 .mask = inet_addr(targets[i].mask) };
		uint32_t reason;

		frames_test_open(&test);
		frames_test_reply(&test, frame);
		memcpy(frame + AT_OPTIONS, "\x35\1\5\x36\4", 5);
		memcpy(frame + AT_OPTIONS + 5, &to, sizeof(to));
		frame[AT_OPTIONS + 9] = 0xff;
		cr_assert_eq(frames_test_run(frames_test_tc(&test), frame, FRAME_SIZE, 0, NULL),
			     TC_ACT_REDIRECT);
		frames_test_tell(&test, &host);
		put_renewal(frame);
		memcpy(frame + AT_CIADDR, &host.address, 4);
		memcpy(frame + AT_IP_SOURCE, &host.address, 4);
		memcpy(frame + AT_IP_DESTINATION, &to, sizeof(to));
		reason = judge(frame);
		cr_expect_eq(reason, targets[i].reason, "%s: %u", targets[i].to, reason);
	}
}

/* User space cannot write the map, only the program can, and only if something changes. */
Test(frames_host, frozen, .init = begin, .fini = end)
{
	const struct frame_host host = { .address = 1, .is_open = 2 }, none = { 0 };
	struct frame_host seen;
	uint32_t zero = 0;

	cr_expect_eq(bpf_map_update_elem(frames_host_map(&test.host), &zero, &host, BPF_ANY),
		     -EPERM);
	for (uint32_t i = 0; i < 3; i++) {
		frames_test_tell(&test, i < 2 ? &host : &none);
		cr_assert_eq(bpf_map_lookup_elem(frames_host_map(&test.host), &zero, &seen), 0);
		cr_expect_eq(seen.version, i < 2 ? 2u : 4u);
		seen.version = 0;
		cr_expect_eq(memcmp(&seen, i < 2 ? &host : &none, sizeof(host)), 0);
	}
}
