/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generator of live frames: BPF_PROG_RUN with BPF_F_TEST_XDP_LIVE_FRAMES
 * (Linux 5.18) makes frames from one template and hands them to a device
 * without an skb, or to the stack as if a device had received them. A driver
 * without room drops frames without an error, so count at the other end.
 */
#ifndef CALFPEN_TOOLS_BENCH_SUPPORT_LIVE_H
#define CALFPEN_TOOLS_BENCH_SUPPORT_LIVE_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#define LIVE_BATCH_MAX 256
#define LIVE_FRAME_MIN 14
#define LIVE_FRAME_MAX 1514

enum live_mode {
	LIVE_START_XMIT,    /* send from the interface; the driver must accept XDP frames */
	LIVE_NETIF_RECEIVE, /* receive on the interface, after native XDP */
};

/*
 * Attach the program to a device that does nothing, so that it stays in the
 * kernel's dispatcher. Otherwise every BPF_PROG_RUN with repeat adds and removes
 * it, which takes milliseconds. Returns the device's descriptor, which the caller
 * closes, or a negative errno.
 */
int live_hold_program(int program_fd);

struct live {
	int program_fd;
	int holder_fd;
	uint32_t batch;
	enum live_mode mode;
	struct xdp_md context;
};

/* Open a generator for an interface of the current network namespace that sends
 * `batch` frames at a time (1 .. LIVE_BATCH_MAX). Returns 0 or a negative errno. */
int live_init(struct live *live, int ifindex, enum live_mode mode, uint32_t batch);
/* Send the frame `count` times, from the current CPU. Returns 0 or a negative
 * errno. */
int live_send(const struct live *live, const uint8_t *frame, size_t size, uint32_t count);
void live_deinit(struct live *live);

#endif
