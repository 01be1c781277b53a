/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the time from a DHCPACK on the wire to RTM_NEWADDR of the leased address,
 * for any client, in the lab only. The packet is captured when it leaves the
 * server's interface, with the kernel's time stamp.
 *
 * handlers-lease ROUNDS (LABEL START END)...: START is the command that starts a
 * client in the background, END the one that stops it and removes its traces.
 * Clients take turns.
 *
 * handlers-lease floor N: the minimum that can be reached. N processes pass on
 * the leased address of another client's DHCPACK, from the uplink to RTM_NEWADDR,
 * and do nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/support.h"

#define TIMEOUT_MS 20000
/* Ethernet, IPv4 without options, UDP, BOOTP up to and including the cookie. */
#define OFFSET_PROTOCOL 23
#define OFFSET_SOURCE_PORT 34
#define OFFSET_ADDRESS 58 /* yiaddr */
#define OFFSET_OPTIONS 282

/* A packet socket on the server's interface, in its network namespace. */
static int open_wire(void)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int server = open("/run/netns/server", O_RDONLY | O_CLOEXEC);
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0003) };
	int fd;

	if (own < 0 || server < 0 || setns(server, CLONE_NEWNET) < 0)
		bench_fail("the lab's server namespace: %s", strerror(errno));
	address.sll_ifindex = (int)if_nametoindex("server0");
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setns(own, CLONE_NEWNET) < 0)
		bench_fail("packet socket: %s", strerror(errno));
	bench_stamp(fd);
	(void)close(own);
	(void)close(server);
	return fd;
}

static int open_events(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		bench_fail("netlink: %s", strerror(errno));
	return fd;
}

static bool is_ack(const unsigned char *frame, size_t size)
{
	size_t i = OFFSET_OPTIONS;

	if (size < OFFSET_OPTIONS || frame[OFFSET_PROTOCOL] != 17 ||
	    frame[OFFSET_SOURCE_PORT] != 0 || frame[OFFSET_SOURCE_PORT + 1] != 67)
		return false;
	while (i + 2 < size && frame[i] != 255) {
		if (frame[i] == 53)
			return frame[i + 2] == 5;
		i += frame[i] ? (size_t)frame[i + 1] + 2 : 1;
	}
	return false;
}

struct ack {
	uint64_t ns; /* 0: none yet */
	uint32_t address;
};

/* Read one frame. Returns false if there is none. */
static bool read_wire(int fd, struct ack *ack)
{
	unsigned char frame[2048], control[256];
	struct iovec part = { frame, sizeof(frame) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t size = recvmsg(fd, &message, 0);

	if (size <= 0)
		return false;
	if (!is_ack(frame, (size_t)size))
		return true;
	memcpy(&ack->address, frame + OFFSET_ADDRESS, sizeof(ack->address));
	ack->ns = bench_stamped_ns(&message);
	return true;
}

/* Return whether the address was set. */
static bool read_events(int fd, uint32_t address)
{
	_Alignas(struct nlmsghdr) unsigned char bytes[16384];
	ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
	struct nlmsghdr *header = (struct nlmsghdr *)bytes;

	for (; size > 0 && NLMSG_OK(header, (unsigned int)size);
	     header = NLMSG_NEXT(header, size)) {
		struct ifaddrmsg *info = NLMSG_DATA(header);
		unsigned int left = (unsigned int)IFA_PAYLOAD(header);
		struct rtattr *attribute = IFA_RTA(info);

		if (header->nlmsg_type != RTM_NEWADDR)
			continue;
		for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
			if (attribute->rta_type == IFA_LOCAL &&
			    !memcmp(RTA_DATA(attribute), &address, sizeof(address)))
				return true;
	}
	return false;
}

static void shell(const char *command)
{
	if (system(command) != 0) /* NOLINT(cert-env33-c) */
		bench_fail("failed: %s", command);
}

static double one(const char *label, const char *start, const char *end)
{
	struct pollfd fds[] = { { .fd = open_wire(), .events = POLLIN },
				{ .fd = open_events(), .events = POLLIN } };
	struct ack ack = { 0 };
	uint64_t end_ns = 0;

	shell(start);
	while (!end_ns) {
		if (poll(fds, 2, TIMEOUT_MS) <= 0)
			bench_fail("%s: no %s within %d s", label, ack.ns ? "address" : "DHCPACK",
				   TIMEOUT_MS / 1000);
		/* read all frames first, because they are older than the event */
		while (read_wire(fds[0].fd, &ack))
			;
		if (fds[1].revents && read_events(fds[1].fd, ack.address) && ack.ns)
			end_ns = bench_wall_ns();
	}
	(void)close(fds[0].fd);
	(void)close(fds[1].fd);
	shell(end);
	return (double)(end_ns - ack.ns) / 1e3;
}

static int open_uplink(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0800) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	address.sll_ifindex = (int)if_nametoindex("uplink0");
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		bench_fail("packet socket: %s", strerror(errno));
	return fd;
}

static void add_address(int fd, uint32_t address)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg info;
		struct rtattr attribute;
		uint32_t address;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_NEWADDR,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL },
		.info = { .ifa_family = AF_INET, .ifa_prefixlen = 24 },
		.attribute = { .rta_len = RTA_LENGTH(sizeof(address)), .rta_type = IFA_LOCAL },
		.address = address,
	};

	request.info.ifa_index = if_nametoindex("uplink0");
	if (send(fd, &request, sizeof(request), 0) < 0)
		bench_fail("RTM_NEWADDR: %s", strerror(errno));
}

/* The first process reads frames, each other one reads what the previous one
 * writes, and the last one sets the address. All wait in poll(), as our roles do. */
static void pass_on(int from, bool is_first, int to, bool is_last)
{
	unsigned char frame[2048];

	for (;;) {
		struct pollfd fds = { .fd = from, .events = POLLIN };
		uint32_t address;
		ssize_t size;

		if (poll(&fds, 1, -1) <= 0)
			continue;
		size = read(from, frame, sizeof(frame));
		if (size <= 0)
			return;
		if (is_first && !is_ack(frame, (size_t)size))
			continue;
		memcpy(&address, frame + (is_first ? OFFSET_ADDRESS : 0), sizeof(address));
		if (is_last)
			add_address(to, address);
		else if (write(to, &address, sizeof(address)) != sizeof(address))
			return;
	}
}

static int floor_of(int n)
{
	int from = open_uplink(), pair[2];

	for (int i = 0; i < n - 1; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			bench_fail("socketpair: %s", strerror(errno));
		switch (fork()) {
		case -1:
			bench_fail("fork: %s", strerror(errno));
		case 0:
			(void)close(pair[1]);
			pass_on(from, i == 0, pair[0], false);
			return 0;
		default:
			(void)close(from);
			(void)close(pair[0]);
			from = pair[1];
		}
	}
	pass_on(from, n == 1, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), true);
	return 0;
}

int main(int argc, char **argv)
{
	int i, round, rounds = argc > 1 ? atoi(argv[1]) : 0; /* NOLINT(cert-err34-c) */

	if (getenv("LAB") && argc == 3 && !strcmp(argv[1], "floor"))
		return floor_of(atoi(argv[2])); /* NOLINT(cert-err34-c) */
	if (!getenv("LAB") || rounds < 1 || (argc - 2) % 3 != 0 || argc < 5)
		bench_fail("usage (in the lab): handlers-lease ROUNDS (LABEL START END)...");
	/* Read the event when it arrives, not when the client, which has more to
	 * do after it, leaves us the CPU. */
	bench_go_first(SCHED_RESET_ON_FORK);
	for (round = 0; round < rounds; round++)
		for (i = 2; i < argc; i += 3)
			bench_say(argv[i], one(argv[i], argv[i + 1], argv[i + 2]));
	return 0;
}
