/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: what a frame costs in the programs alone: BPF_PROG_RUN with repeat,
 * beside an empty program and others' ways. No device is touched.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "maps/frame.h"
#include "skel/frame_tc.skel.h"
#include "skel/frame_xdp.skel.h"
#include "bench/frames_peers.skel.h"
#include "tools/bench/support-frames.h"
#include "tools/bench/support-live.h"

#define BATCH 20000
#define BATCHES 25

static struct bench_frames bench;
static struct frames_peers_bpf *peers;

/* Nanoseconds a run, of the best batch: whatever else the machine does only
 * adds. The kernel's own figure has no fractions. */
static double time_runs(int fd, enum bench_frame kind, int verdict)
{
	uint8_t frame[BENCH_FRAME_SIZE], out[BENCH_FRAME_SIZE + 64];
	size_t size = bench_frame_make(&bench, kind, 0xdeadbeef, frame);
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < BATCHES; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
			    .data_size_in = (uint32_t)size, .data_out = out,
			    .data_size_out = sizeof(out), .repeat = BATCH);
		uint64_t start = bench_now_ns(), spent;

		if (bpf_prog_test_run_opts(fd, &opts))
			bench_fail("BPF_PROG_RUN: %s", strerror(errno));
		spent = bench_now_ns() - start;
		best = spent < best ? spent : best;
		if ((int)opts.retval != verdict)
			bench_fail("verdict %d instead of %d", (int)opts.retval, verdict);
	}
	return (double)best / BATCH;
}

static void measure(void)
{
	int xdp = bpf_program__fd(bench.frames.xdp->progs.frame_xdp);
	int tc = bpf_program__fd(bench.frames.tc->progs.uplink_ingress);
	int filter = bpf_program__fd(peers->progs.port_filter);
	int classic = bpf_program__fd(peers->progs.classic_filter);
	double bare_pass = time_runs(bpf_program__fd(peers->progs.bare_pass), BENCH_TCP, XDP_PASS);
	double bare_next = time_runs(bpf_program__fd(peers->progs.bare_next), BENCH_TCP, -1);

	bench_say("xdp_tcp", time_runs(xdp, BENCH_TCP, XDP_PASS) - bare_pass);
	bench_say("filter_tcp", time_runs(filter, BENCH_TCP, XDP_PASS) - bare_pass);
	bench_say("tc_tcp", time_runs(tc, BENCH_TCP, -1) - bare_next);
	bench_say("classic_tcp", time_runs(classic, BENCH_TCP, 2) - bare_next);
	bench_say("bare_drop",
		  time_runs(bpf_program__fd(peers->progs.bare_drop), BENCH_REPLY, XDP_DROP));
	bench_say("bare_next", bare_next);
	bench_say("xdp_truncated", time_runs(xdp, BENCH_TRUNCATED, XDP_DROP));
	bench_say("xdp_not_reply", time_runs(xdp, BENCH_NOT_REPLY, XDP_DROP));
	bench_say("xdp_forcerenew", time_runs(xdp, BENCH_FORCERENEW, XDP_DROP));
	bench_say("xdp_xid", time_runs(xdp, BENCH_REPLY, XDP_DROP));
	bench_say("filter_junk", time_runs(filter, BENCH_REPLY, XDP_DROP));
	bench_say("tc_xid", time_runs(tc, BENCH_REPLY, 2) - bare_next);
	bench_say("classic_junk", time_runs(classic, BENCH_REPLY, -1) - bare_next);
}

static void hold_programs(void)
{
	const struct bpf_program *programs[] = {
		bench.frames.xdp->progs.frame_xdp,
		peers->progs.bare_pass,
		peers->progs.bare_drop,
		peers->progs.port_filter,
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		int fd = live_hold_program(bpf_program__fd(programs[i]));

		if (fd < 0) /* else held as long as we run */
			bench_check(fd, "a device for the program");
	}
}

static uint32_t verified_instructions(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		bench_fail("program info: %s", strerror(errno));
	return info.verified_insns;
}

int main(int argc, char **argv)
{
	int n_rounds;

	if (argc != 3)
		bench_fail("usage: frames-run CPU ROUNDS");
	bench_pin(argv[1]);
	n_rounds = atoi(argv[2]); /* NOLINT(cert-err34-c) */
	bench_frames_init(&bench);
	peers = bench_peers_load();
	/* attached once, so that it is loaded */
	bench_frames_attach(&bench, FRAME_MODE_NATIVE);
	bench_frames_detach(&bench);
	hold_programs();
	for (int i = 0; i < n_rounds; i++)
		measure();
	bench_say("verified_xdp", verified_instructions(bench.frames.xdp->progs.frame_xdp));
	bench_say("verified_tc", verified_instructions(bench.frames.tc->progs.uplink_ingress));
	bench_say("verified_tap", verified_instructions(bench.frames.tc->progs.tap_ingress));
	frames_peers_bpf__destroy(peers);
	bench_frames_deinit(&bench);
	return 0;
}
