/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the time from a reply on the wire to the next request on the wire: the
 * cost of the path through the filter and the tap, with the smallest possible
 * program in place of a calf, compared with a packet socket with dhclient's
 * filter. In the lab; both ends share one CPU, because otherwise the results are
 * not repeatable.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench/support-frames.h"

#define N_SAMPLES 120
#define TIMEOUT_MS 2000
#define XID 0x0badcafe
#define BOOTP_AT 42

static struct bench_frames bench;
static uint64_t samples[N_SAMPLES];

/* Runs in place of the calf: sends this frame for every frame it receives. */
struct echo {
	int fd;	     /* frames come from here */
	int udp_fd;  /* the message goes out here; -1: the frame by `fd` */
	int stop[2]; /* a pipe: closed, it ends */
	size_t size;
	uint8_t frame[BENCH_FRAME_SIZE];
};

static void echo_send(const struct echo *echo)
{
	ssize_t sent = echo->udp_fd < 0 ?
			       write(echo->fd, echo->frame, echo->size) :
			       send(echo->udp_fd, echo->frame + BOOTP_AT, echo->size - BOOTP_AT, 0);

	if (sent < 0)
		bench_fail("the echo cannot send: %s", strerror(errno));
}

static void *echo_run(void *data)
{
	struct echo *echo = data;
	struct pollfd fds[] = { { .fd = echo->fd, .events = POLLIN },
				{ .fd = echo->stop[0], .events = POLLIN } };
	uint8_t frame[2048];

	for (;;) {
		if (poll(fds, 2, -1) < 0 || fds[1].revents)
			return NULL;
		if (read(echo->fd, frame, sizeof(frame)) > 0)
			echo_send(echo);
	}
}

/* Open a packet socket on an interface of the current namespace; if `tests` is
 * NULL, for every frame that is sent or received. */
static int open_socket(const char *name, const struct sock_fprog *tests)
{
	const struct sockaddr_ll address = { .sll_family = AF_PACKET,
					     .sll_protocol = htons(ETH_P_ALL),
					     .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    (tests && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, tests, sizeof(*tests))) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		bench_fail("packet socket on %s: %s", name, strerror(errno));
	return fd;
}

static int open_client_socket(void)
{
	const struct sock_fprog program = bench_dhclient_tests();

	return open_socket(BENCH_UPLINK, &program);
}

/* When the echo's frame was on the wire; 0: it was not. */
static uint64_t wire_read(int wire, const uint8_t *expected, size_t size)
{
	struct pollfd fd = { .fd = wire, .events = POLLIN };
	struct sockaddr_ll from;
	uint8_t frame[2048];

	for (;;) {
		char control[CMSG_SPACE(sizeof(struct timespec))];
		struct iovec bytes = { .iov_base = frame, .iov_len = sizeof(frame) };
		struct msghdr message = { .msg_name = &from,
					  .msg_namelen = sizeof(from),
					  .msg_iov = &bytes,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		ssize_t got;

		if (poll(&fd, 1, TIMEOUT_MS) <= 0)
			return 0;
		got = recvmsg(wire, &message, 0);
		if (got == (ssize_t)size && from.sll_pkttype != PACKET_OUTGOING &&
		    !memcmp(frame + BOOTP_AT, expected + BOOTP_AT, size - BOOTP_AT))
			return bench_stamped_ns(&message);
	}
}

/* Round trips of a reply that comes from `fd` and the request that answers it. */
static void measure(const char *label, int wire, int fd, int udp_fd, enum bench_frame answer)
{
	uint8_t reply[BENCH_FRAME_SIZE];
	size_t size = bench_frame_make(&bench, BENCH_REPLY, XID, reply);
	struct echo echo = { .fd = fd, .udp_fd = udp_fd };
	pthread_t thread;

	echo.size = bench_frame_make(&bench, answer, XID, echo.frame);
	echo_send(&echo);
	if (pipe(echo.stop) || !wire_read(wire, echo.frame, echo.size))
		bench_fail("%s: the first request was not sent", label);
	if (pthread_create(&thread, NULL, echo_run, &echo))
		bench_fail("cannot create a thread");
	do {
		bench_wait_for_pace();
		for (size_t i = 0; i < N_SAMPLES; i++) {
			uint64_t start = bench_wall_ns(), end = 0;

			if (send(wire, reply, size, 0) >= 0)
				end = wire_read(wire, echo.frame, echo.size);
			if (!end)
				bench_fail("%s: no request after reply %zu", label, i);
			samples[i] = end - start;
		}
	} while (!bench_kept_pace());
	close(echo.stop[1]);
	pthread_join(thread, NULL);
	close(echo.stop[0]);
	bench_say_latency(label, samples, N_SAMPLES);
}

/* Discard frames for a closed socket, or for the other one. */
static void drain(int fd)
{
	uint8_t frame[2048];

	while (read(fd, frame, sizeof(frame)) > 0)
		;
}

static void measure_ours(const char *discover, const char *renewal, enum frame_mode mode, int wire)
{
	bench_frames_attach(&bench, mode);
	drain(bench.tap.fd);
	measure(discover, wire, bench.tap.fd, -1, BENCH_REQUEST);
	measure(renewal, wire, bench.tap.fd, -1, BENCH_RENEWAL);
	bench_frames_detach(&bench);
}

/* A UDP socket that is never read: without it the host would answer each message
 * with ICMP. */
static int open_udp(uint16_t port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		bench_fail("UDP port %u: %s", port, strerror(errno));
	return fd;
}

/* dhclient has one, too, and renews through it. */
static int open_fallback(void)
{
	const struct sockaddr_in server = { .sin_family = AF_INET,
					    .sin_port = htons(67),
					    .sin_addr.s_addr = htonl(BENCH_SERVER_ADDRESS) };
	int fd = open_udp(68);

	if (connect(fd, (const struct sockaddr *)&server, sizeof(server)))
		bench_fail("UDP to the server: %s", strerror(errno));
	return fd;
}

static void measure_socket(int wire)
{
	int fallback = open_fallback(), fd = open_client_socket();

	measure("discover_socket", wire, fd, -1, BENCH_REQUEST);
	measure("renewal_socket", wire, fd, -1, BENCH_RENEWAL);
	measure("renewal_udp", wire, fd, fallback, BENCH_RENEWAL);
	close(fd);
	close(fallback);
}

int main(int argc, char **argv)
{
	struct frame_host told = { .address = htonl(BENCH_ADDRESS), .mask = htonl(0xffffff00) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &told, .ctx_size_in = sizeof(told));
	struct netlink_address on_uplink = { .address.s_addr = htonl(BENCH_ADDRESS),
					     .prefix_length = 24,
					     .valid_s = NETLINK_FOREVER,
					     .preferred_s = NETLINK_FOREVER };
	int n_rounds, wire, server;

	if (argc != 3)
		bench_fail("usage: frames-latency CPU ROUNDS");
	bench_pin(argv[1]);
	n_rounds = atoi(argv[2]); /* NOLINT(cert-err34-c) */
	bench_frames_init(&bench, 1);
	bench_check(netlink_address_add(bench.netlink, bench.uplink.ifindex, &on_uplink),
		    "address");
	bench_check(bpf_prog_test_run_opts(frames_host_program(&bench.host), &opts), "host_set");
	bench_enter_server();
	wire = open_socket(BENCH_SERVER, NULL);
	bench_stamp(wire);
	server = open_udp(67);
	bench_leave_server();
	/* both ends take turns, otherwise some rounds take 2.5 us longer */
	bench_go_first(0);
	for (int i = 0; i < n_rounds; i++) {
		measure_socket(wire);
		measure_ours("discover_tc", "renewal_tc", FRAME_MODE_TC, wire);
		measure_ours("discover_native", "renewal_native", FRAME_MODE_NATIVE, wire);
	}
	close(server);
	close(wire);
	bench_frames_deinit(&bench);
	return 0;
}
