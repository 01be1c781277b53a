/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generator of live frames: BPF_PROG_RUN with BPF_F_TEST_XDP_LIVE_FRAMES
 * (Linux 5.18) makes frames from one template and hands them to a device
 * without an skb, or to the stack as if a device had received them. What a
 * driver has no room for is lost without an error: count at the other end.
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
	LIVE_START_XMIT,    /* out of the interface; needs a driver that takes XDP frames */
	LIVE_NETIF_RECEIVE, /* in at the interface, behind native XDP */
};

/*
 * A device that does nothing, with the program on it: as long as one is, the
 * kernel's dispatcher knows the program. Else every BPF_PROG_RUN with repeat
 * enters and removes it, which takes milliseconds. The device's descriptor, to
 * be closed, or a negative errno.
 */
int live_hold_program(int program_fd);

struct live {
	int program_fd;
	int holder_fd;
	uint32_t batch;
	enum live_mode mode;
	struct xdp_md context;
};

/* For an interface of the present network namespace; `batch` frames at a time
 * (1 .. LIVE_BATCH_MAX). 0 or a negative errno. */
int live_init(struct live *live, int ifindex, enum live_mode mode, uint32_t batch);
/* Send the frame `count` times, from the CPU that calls. 0 or a negative errno. */
int live_send(const struct live *live, const uint8_t *frame, size_t size, uint32_t count);
void live_deinit(struct live *live);

#endif
