/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: frames per second through the uplink's program, in the lab. Live frames
 * leave the server's end of the veth and arrive on the uplink without an skb, on
 * one CPU. Every frame that was sent must have arrived, and our program must have
 * counted it with the expected reason.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "bench/frames_peers.skel.h"
#include "tools/bench/support-frames.h"
#include "tools/bench/support-live.h"

#define BATCH 64
#define BURSTS 16
#define WARM_UP 256
#define SETTLE_US 2000 /* for work that the kernel defers when a program is attached */
#define BURST_XDP 12288
#define BURST_SKB 2048 /* an skb each */
#define LIMIT_NS 10000000000ull
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)
#define NOT_OURS UINT32_MAX /* our program is not attached */

static struct bench_frames bench;
static struct frames_peers_bpf *peers;
static struct live live;

static uint64_t received(void)
{
	static const char path[] = "/sys/class/net/" BENCH_UPLINK "/statistics/rx_packets";
	FILE *file = fopen(path, "re");
	unsigned long long packets;

	if (!file || fscanf(file, "%llu", &packets) != 1) /* NOLINT(cert-err34-c) */
		bench_fail("%s: %s", path, strerror(errno));
	fclose(file);
	return packets;
}

/* Return the nanoseconds until all have arrived. */
static uint64_t send_all(const uint8_t *frame, size_t size, uint32_t count)
{
	uint64_t before = received(), start;

	/* a generator sends in its own network namespace; sysfs shows the one in
	 * which it was mounted */
	bench_enter_server();
	start = bench_now_ns();
	bench_check(live_send(&live, frame, size, count), "live frames");
	/* the last batch may be left to a kernel thread */
	while (received() - before < count)
		if (bench_now_ns() - start > LIMIT_NS)
			bench_fail("%u frames sent, %llu received", count,
				   (unsigned long long)(received() - before));
	start = bench_now_ns() - start;
	bench_leave_server();
	return start;
}

/* A program or socket on the uplink, and the kind of frame that it receives. */
struct flood {
	const char *label;
	int xdp_fd; /* native XDP, -1: none */
	int tc_fd;  /* tcx, -1: none */
	bool with_socket;
	enum bench_frame kind;
	uint32_t reason; /* our program's reason; NOT_OURS: it is not attached */
	uint32_t burst;
	uint64_t best; /* nanoseconds of a burst */
};

/* A packet socket of ETH_P_IP on the uplink with dhclient's tests. It is never
 * read, as if the client were busy. */
static int open_socket(void)
{
	const struct sock_fprog program = bench_dhclient_tests();
	const struct sockaddr_ll address = { .sll_family = AF_PACKET,
					     .sll_protocol = htons(ETH_P_ALL),
					     .sll_ifindex = bench.uplink.ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		bench_fail("packet socket: %s", strerror(errno));
	return fd;
}

static int attach_tcx(int program_fd)
{
	int fd = bpf_link_create(program_fd, bench.uplink.ifindex, ATTACH_TCX_INGRESS, NULL);

	if (fd < 0)
		bench_check(fd, "tcx");
	return fd;
}

static void send_burst(struct flood *flood)
{
	uint8_t frame[BENCH_FRAME_SIZE];
	size_t size = bench_frame_make(&bench, flood->kind, 0xdeadbeef, frame);
	int tc = flood->tc_fd < 0 ? -1 : attach_tcx(flood->tc_fd);
	int packet_socket = flood->with_socket ? open_socket() : -1;
	uint64_t counted = 0, spent;

	bench_check(bpf_xdp_attach(bench.uplink.ifindex, flood->xdp_fd, XDP_FLAGS_DRV_MODE, NULL),
		    "XDP");
	if (flood->reason != NOT_OURS)
		counted = bench_frames_count(&bench, flood->reason);
	usleep(SETTLE_US);
	(void)send_all(frame, size, WARM_UP);
	spent = send_all(frame, size, flood->burst);
	if (!flood->best || spent < flood->best)
		flood->best = spent;
	if (flood->reason != NOT_OURS) {
		counted = bench_frames_count(&bench, flood->reason) - counted;
		if (counted != WARM_UP + flood->burst)
			bench_fail("%s: %llu of %u frames counted", flood->label,
				   (unsigned long long)counted, WARM_UP + flood->burst);
	}
	if (tc >= 0) {
		bench_check(bpf_link_detach(tc), "tcx");
		close(tc);
	}
	if (packet_socket >= 0)
		close(packet_socket);
}

#define XDP(label, fd, kind, reason, burst)                   \
	{                                                     \
		label, fd, -1, false, kind, reason, burst, 0, \
	}
#define TC(label, fd, kind, reason)                               \
	{                                                         \
		label, -1, fd, false, kind, reason, BURST_SKB, 0, \
	}
#define SOCKET(label, kind)                                        \
	{                                                          \
		label, -1, -1, true, kind, NOT_OURS, BURST_SKB, 0, \
	}

/*
 * Mpps of the best burst of each, because other load on the machine only reduces
 * the rate. All take turns, so that a slow moment affects all of them.
 */
static void measure(void)
{
	int ours = bpf_program__fd(bench.frames.xdp->progs.frame_xdp);
	int ours_tc = bpf_program__fd(bench.frames.tc->progs.uplink_ingress);
	int pass = bpf_program__fd(peers->progs.bare_pass);
	int drop = bpf_program__fd(peers->progs.bare_drop);
	int next = bpf_program__fd(peers->progs.bare_next);
	int filter = bpf_program__fd(peers->progs.port_filter);
	struct flood floods[] = {
		XDP("xdp_empty_tcp", pass, BENCH_TCP, NOT_OURS, BURST_SKB),
		XDP("xdp_tcp", ours, BENCH_TCP, FRAME_IN_NOT_OURS, BURST_SKB),
		XDP("filter_tcp", filter, BENCH_TCP, NOT_OURS, BURST_SKB),
		XDP("bare_drop", drop, BENCH_REPLY, NOT_OURS, BURST_XDP),
		XDP("xdp_truncated", ours, BENCH_TRUNCATED, FRAME_IN_TRUNCATED, BURST_XDP),
		XDP("xdp_not_reply", ours, BENCH_NOT_REPLY, FRAME_IN_NOT_REPLY, BURST_XDP),
		XDP("xdp_forcerenew", ours, BENCH_FORCERENEW, FRAME_IN_FORCERENEW, BURST_XDP),
		XDP("xdp_xid", ours, BENCH_REPLY, FRAME_IN_UNKNOWN_XID, BURST_XDP),
		XDP("filter_junk", filter, BENCH_REPLY, NOT_OURS, BURST_XDP),
		TC("none_tcp", -1, BENCH_TCP, NOT_OURS),
		TC("none_junk", -1, BENCH_REPLY, NOT_OURS),
		TC("tc_empty_tcp", next, BENCH_TCP, NOT_OURS),
		TC("tc_tcp", ours_tc, BENCH_TCP, FRAME_IN_NOT_OURS),
		TC("tc_xid", ours_tc, BENCH_REPLY, FRAME_IN_UNKNOWN_XID),
		SOCKET("classic_tcp", BENCH_TCP),
		SOCKET("classic_junk", BENCH_REPLY),
	};
	const size_t n_floods = sizeof(floods) / sizeof(floods[0]);

	for (size_t i = 0; i < BURSTS * n_floods; i++)
		send_burst(&floods[i % n_floods]);
	for (size_t i = 0; i < n_floods; i++)
		bench_say(floods[i].label, floods[i].burst * 1e3 / (double)floods[i].best);
}

int main(int argc, char **argv)
{
	int n_rounds, error;

	if (argc != 3)
		bench_fail("usage: frames-live CPU ROUNDS");
	bench_pin(argv[1]);
	n_rounds = atoi(argv[2]); /* NOLINT(cert-err34-c) */
	bench_frames_init(&bench, 1);
	peers = bench_peers_load();
	bench_frames_attach(&bench, FRAME_MODE_NATIVE);
	bench_frames_detach(&bench);
	bench_frames_set_gro(&bench, true);
	bench_enter_server();
	error = live_init(&live, (int)if_nametoindex(BENCH_SERVER), LIVE_START_XMIT, BATCH);
	bench_check(error, "live frames");
	bench_leave_server();
	bench_hold_programs(&bench, peers);
	for (int i = 0; i < n_rounds; i++)
		measure();
	live_deinit(&live);
	frames_peers_bpf__destroy(peers);
	bench_frames_deinit(&bench);
	return 0;
}
