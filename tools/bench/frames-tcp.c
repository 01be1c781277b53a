/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the host's TCP over the uplink, in the lab: one connection between the
 * server's namespace and ours, in each direction, without Calfpen, with Calfpen in
 * the mode that `auto` chooses, and with native XDP. Both ends share one CPU, which
 * is the only limit, so that the result shows the cost of a packet and not of the
 * scheduler.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/bench/support-frames.h"

#define SETTLE_NS 8000000ull /* for the device to settle after attaching */
#define WINDOW_NS 12000000ull
#define WINDOWS 12
#define CHUNK (64 * 1024)
#define BUFFER (192 * 1024) /* the kernel doubles it */

static struct bench_frames bench;

static struct sender {
	int fd;
	atomic_bool stop;
	uint8_t chunk[CHUNK];
} sender;

static void *send_until_told(void *data)
{
	(void)data;
	while (!atomic_load(&sender.stop))
		if (send(sender.fd, sender.chunk, CHUNK, MSG_NOSIGNAL) < 0)
			break;
	return NULL;
}

/* Of a fixed size, because automatic tuning changes from round to round. */
static void fix_buffers(int fd)
{
	static const int size = BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		bench_fail("socket buffers: %s", strerror(errno));
}

/* Make a listening socket in the current namespace. */
static int open_listener(uint32_t address, struct sockaddr_in *where)
{
	socklen_t size = sizeof(*where);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*where = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	if (fd >= 0)
		fix_buffers(fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)where, size) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)where, &size))
		bench_fail("listen: %s", strerror(errno));
	return fd;
}

static int open_connection(const struct sockaddr_in *where)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		fix_buffers(fd);
	if (fd < 0 || connect(fd, (const struct sockaddr *)where, sizeof(*where)))
		bench_fail("connect: %s", strerror(errno));
	return fd;
}

static uint64_t receive_for(int fd, uint64_t ns)
{
	static uint8_t chunk[CHUNK];
	uint64_t end = bench_now_ns() + ns, bytes = 0;

	while (bench_now_ns() < end) {
		ssize_t size = recv(fd, chunk, sizeof(chunk), 0);

		if (size <= 0)
			bench_fail("receive: %s", size ? strerror(errno) : "closed");
		bytes += (uint64_t)size;
	}
	return bytes;
}

static const struct way {
	const char *name;
	enum frame_mode mode;
	bool with_us;
} ways[] = {
	{ .name = "without" },
	{ .name = "auto", .mode = FRAME_MODE_AUTO, .with_us = true },
	{ .name = "native", .mode = FRAME_MODE_NATIVE, .with_us = true },
};

#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

/* Measure one window of a running connection, in bit/s. */
static uint64_t window(const struct way *way, int receiving)
{
	uint64_t start, bytes;

	if (way->with_us)
		bench_frames_attach(&bench, way->mode);
	do {
		bench_wait_for_pace();
		(void)receive_for(receiving, SETTLE_NS);
		start = bench_now_ns();
		bytes = receive_for(receiving, WINDOW_NS);
		start = bench_now_ns() - start;
	} while (!bench_kept_pace());
	if (way->with_us)
		bench_frames_detach(&bench);
	return (uint64_t)((double)bytes * 8e9 / (double)start);
}

/*
 * A round of one direction: the median window of each configuration, which take
 * turns, on one connection that is accepted on `listener`.
 */
static void measure(const char *direction, int sending, int listener)
{
	int receiving = accept(listener, NULL, NULL);
	uint64_t rates[N_WAYS][WINDOWS];
	pthread_t thread;

	if (receiving < 0)
		bench_fail("accept: %s", strerror(errno));
	sender.fd = sending;
	atomic_store(&sender.stop, false);
	if (pthread_create(&thread, NULL, send_until_told, NULL))
		bench_fail("cannot create a thread");
	for (size_t i = 0; i < WINDOWS * N_WAYS; i++)
		rates[i % N_WAYS][i / N_WAYS] = window(&ways[i % N_WAYS], receiving);
	atomic_store(&sender.stop, true);
	close(receiving); /* wakes a sender that waits for space */
	pthread_join(thread, NULL);
	close(sending);
	for (size_t i = 0; i < N_WAYS; i++) {
		char label[64];

		snprintf(label, sizeof(label), "%s_%s", direction, ways[i].name);
		bench_say(label, bench_median(rates[i], WINDOWS) / 1e9);
	}
}

int main(int argc, char **argv)
{
	struct netlink_address address = { .address.s_addr = htonl(BENCH_ADDRESS),
					   .prefix_length = 24,
					   .valid_s = NETLINK_FOREVER,
					   .preferred_s = NETLINK_FOREVER };
	struct sockaddr_in here, there;
	int n_rounds, listener, server_listener;

	if (argc != 3)
		bench_fail("usage: frames-tcp CPU ROUNDS");
	bench_pin(argv[1]);
	n_rounds = atoi(argv[2]); /* NOLINT(cert-err34-c) */
	bench_frames_init(&bench, 1);
	bench_check(netlink_address_add(bench.netlink, bench.uplink.ifindex, &address), "address");
	listener = open_listener(BENCH_ADDRESS, &here);
	bench_enter_server();
	server_listener = open_listener(BENCH_SERVER_ADDRESS, &there);
	bench_leave_server();
	for (int i = 0; i < n_rounds; i++) {
		int fd;

		/* to the host: what our program on the uplink sees */
		bench_enter_server();
		fd = open_connection(&here);
		bench_leave_server();
		measure("in", fd, listener);
		measure("out", open_connection(&there), server_listener);
	}
	bench_frames_deinit(&bench);
	return 0;
}
