/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the cost of a frame in the programs alone, with BPF_PROG_RUN and repeat,
 * compared with an empty program and with the methods of other programs. Uses no
 * device.
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

#define BATCH 20000
#define BATCHES 25

static struct bench_frames bench, both; /* with the rules of one calf, and of two */
static struct frames_peers_bpf *peers;

/* Verdicts of tc programs that pass the frame to the next program. */
#define TC_NEXT (-1)
#define TC_SHOT 2

struct run {
	const char *label;
	int fd;
	enum bench_frame kind;
	int verdict;
	double best; /* nanoseconds a run */
};

/* Time one batch, because the kernel's own result has no fractions. */
static double time_batch(const struct run *run)
{
	uint8_t frame[BENCH_FRAME_SIZE], out[BENCH_FRAME_SIZE + 64];
	size_t size = bench_frame_make(&bench, run->kind, 0xdeadbeef, frame);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)size,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = BATCH);
	uint64_t start = bench_now_ns(), spent;

	if (bpf_prog_test_run_opts(run->fd, &opts))
		bench_fail("BPF_PROG_RUN: %s", strerror(errno));
	spent = bench_now_ns() - start;
	if ((int)opts.retval != run->verdict)
		bench_fail("%s: verdict %d", run->label, (int)opts.retval);
	return (double)spent / BATCH;
}

/*
 * The best batch of each, because other load on the machine only adds time. All
 * take turns, so that a slow moment affects all of them.
 */
static void measure(void)
{
	int xdp = bpf_program__fd(bench.frames.xdp->progs.frame_xdp);
	int tc = bpf_program__fd(bench.frames.tc->progs.uplink_ingress);
	int xdp_both = bpf_program__fd(both.frames.xdp->progs.frame_xdp);
	int tc_both = bpf_program__fd(both.frames.tc->progs.uplink_ingress);
	int filter = bpf_program__fd(peers->progs.port_filter);
	int classic = bpf_program__fd(peers->progs.classic_filter);
	struct run runs[] = {
		{ "bare_pass", bpf_program__fd(peers->progs.bare_pass), BENCH_TCP, XDP_PASS, 0 },
		{ "bare_next", bpf_program__fd(peers->progs.bare_next), BENCH_TCP, TC_NEXT, 0 },
		{ "bare_drop", bpf_program__fd(peers->progs.bare_drop), BENCH_REPLY, XDP_DROP, 0 },
		{ "xdp_tcp", xdp, BENCH_TCP, XDP_PASS, 0 },
		{ "filter_tcp", filter, BENCH_TCP, XDP_PASS, 0 },
		{ "tc_tcp", tc, BENCH_TCP, TC_NEXT, 0 },
		{ "classic_tcp", classic, BENCH_TCP, TC_SHOT, 0 },
		{ "xdp_both_tcp", xdp_both, BENCH_TCP, XDP_PASS, 0 },
		{ "tc_both_tcp", tc_both, BENCH_TCP, TC_NEXT, 0 },
		{ "xdp_udp", xdp, BENCH_UDP, XDP_PASS, 0 },
		{ "xdp_both_udp", xdp_both, BENCH_UDP, XDP_PASS, 0 },
		{ "tc_udp", tc, BENCH_UDP, TC_NEXT, 0 },
		{ "tc_both_udp", tc_both, BENCH_UDP, TC_NEXT, 0 },
		{ "xdp_truncated", xdp, BENCH_TRUNCATED, XDP_DROP, 0 },
		{ "xdp_not_reply", xdp, BENCH_NOT_REPLY, XDP_DROP, 0 },
		{ "xdp_forcerenew", xdp, BENCH_FORCERENEW, XDP_DROP, 0 },
		{ "xdp_xid", xdp, BENCH_REPLY, XDP_DROP, 0 },
		{ "filter_junk", filter, BENCH_REPLY, XDP_DROP, 0 },
		{ "tc_xid", tc, BENCH_REPLY, TC_SHOT, 0 },
		{ "classic_junk", classic, BENCH_REPLY, TC_NEXT, 0 },
	};
	const size_t n_runs = sizeof(runs) / sizeof(runs[0]);

	for (size_t i = 0; i < BATCHES * n_runs; i++) {
		struct run *run = &runs[i % n_runs];
		double spent = time_batch(run);

		run->best = !run->best || spent < run->best ? spent : run->best;
	}
	for (size_t i = 0; i < n_runs; i++)
		bench_say(runs[i].label, runs[i].best);
}

static void load(struct bench_frames *frames, unsigned int n_calves)
{
	bench_frames_init(frames, n_calves);
	/* attached once, so that its program is loaded */
	bench_frames_attach(frames, FRAME_MODE_NATIVE);
	bench_frames_detach(frames);
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
	peers = bench_peers_load();
	load(&bench, 1);
	load(&both, 2);
	bench_hold_programs(&bench, peers);
	bench_hold_program(both.frames.xdp->progs.frame_xdp);
	for (int i = 0; i < n_rounds; i++)
		measure();
	bench_say("verified_xdp", verified_instructions(bench.frames.xdp->progs.frame_xdp));
	bench_say("verified_tc", verified_instructions(bench.frames.tc->progs.uplink_ingress));
	bench_say("verified_tap", verified_instructions(bench.frames.tc->progs.tap_ingress));
	frames_peers_bpf__destroy(peers);
	bench_frames_deinit(&both);
	bench_frames_deinit(&bench);
	return 0;
}
