/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the host's TCP over the uplink, in the lab: one connection between the
 * server's namespace and ours, each way, without us, with us in the mode that
 * `auto` picks and with us as native XDP. No limit but the CPUs.
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

#define WARM_UP_NS 50000000ull
#define WINDOW_NS 60000000ull
#define WINDOWS 5
#define CHUNK (128 * 1024)

static struct bench_frames bench;

struct sender {
	int fd;
	atomic_bool stop;
	uint8_t chunk[CHUNK];
};

static void *send_until_told(void *data)
{
	struct sender *sender = data;

	while (!atomic_load(&sender->stop))
		if (send(sender->fd, sender->chunk, CHUNK, MSG_NOSIGNAL) < 0)
			break;
	return NULL;
}

/* A listening socket of the present namespace. */
static int open_listener(uint32_t address, struct sockaddr_in *where)
{
	socklen_t size = sizeof(*where);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*where = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	if (fd < 0 || bind(fd, (struct sockaddr *)where, size) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)where, &size))
		bench_fail("listen: %s", strerror(errno));
	return fd;
}

static int open_connection(const struct sockaddr_in *where)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

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

/* Gbit/s, in the best window, of one connection that is accepted on `listener`. */
static double transfer(int sending, int listener)
{
	static struct sender sender;
	int receiving = accept(listener, NULL, NULL);
	pthread_t thread;
	double best = 0;

	if (receiving < 0)
		bench_fail("accept: %s", strerror(errno));
	sender.fd = sending;
	atomic_store(&sender.stop, false);
	if (pthread_create(&thread, NULL, send_until_told, &sender))
		bench_fail("no thread");
	(void)receive_for(receiving, WARM_UP_NS);
	for (int i = 0; i < WINDOWS; i++) {
		uint64_t start = bench_now_ns(), bytes = receive_for(receiving, WINDOW_NS);
		double rate = (double)bytes * 8 / (double)(bench_now_ns() - start);

		best = rate > best ? rate : best;
	}
	atomic_store(&sender.stop, true);
	close(receiving); /* a sender that waits for room is told */
	pthread_join(thread, NULL);
	close(sending);
	return best;
}

static void measure(const char *name, int listener, const struct sockaddr_in *here,
		    int server_listener, const struct sockaddr_in *there)
{
	char label[64];
	int fd;

	/* to the host: what our program on the uplink sees */
	bench_enter_server();
	fd = open_connection(here);
	bench_leave_server();
	snprintf(label, sizeof(label), "in_%s", name);
	bench_say(label, transfer(fd, listener));
	fd = open_connection(there);
	snprintf(label, sizeof(label), "out_%s", name);
	bench_say(label, transfer(fd, server_listener));
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
		bench_fail("usage: frames-tcp CPUS ROUNDS");
	bench_pin(argv[1]);
	n_rounds = atoi(argv[2]); /* NOLINT(cert-err34-c) */
	bench_frames_init(&bench);
	bench_check(netlink_address_add(bench.netlink, bench.uplink.ifindex, &address), "address");
	listener = open_listener(BENCH_ADDRESS, &here);
	bench_enter_server();
	server_listener = open_listener(BENCH_SERVER_ADDRESS, &there);
	bench_leave_server();
	for (int i = 0; i < n_rounds; i++) {
		measure("without", listener, &here, server_listener, &there);
		bench_frames_attach(&bench, FRAME_MODE_AUTO);
		measure("auto", listener, &here, server_listener, &there);
		bench_frames_detach(&bench);
		bench_frames_attach(&bench, FRAME_MODE_NATIVE);
		measure("native", listener, &here, server_listener, &there);
		bench_frames_detach(&bench);
	}
	bench_frames_deinit(&bench);
	return 0;
}
