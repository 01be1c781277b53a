/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of frames as the frame programs left them in the pinned maps. */
#ifndef CALFPEN_CLI_FRAMES_SAMPLES_H
#define CALFPEN_CLI_FRAMES_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/frame.h"
#include "userspace/cli/cli.h"

struct frames_samples {
	int samplers_fd, samples_fd;
	uint32_t id;			/* the kernel's, of the map of samples */
	uint64_t seen[FRAME_SAMPLED_N]; /* number of the last one read */
};

#define FRAMES_SAMPLES_NULL(_x) ((struct frames_samples){ .samplers_fd = -1, .samples_fd = -1 })

/* Open what the instance has pinned: 0, or a negative errno for
 * cli_explain_store(). */
int frames_samples_open(struct frames_samples *samples, const struct cli *cli);
/*
 * Those of `wanted` reasons that came since the last call, in order of time,
 * into `list` of FRAME_SAMPLES_N: their number, or a negative errno. What was
 * overwritten before it could be read is counted in missed[].
 */
int frames_samples_read(struct frames_samples *samples, const bool wanted[_FRAME_REASON_N],
			struct frame_sample *list, uint64_t missed[_FRAME_REASON_N]);
void frames_samples_close(struct frames_samples *samples);

/* The frame as it was on the wire, with the tag that the kernel held apart. */
struct frames_bytes {
	size_t size;	 /* of the frame */
	size_t captured; /* the first of them that are here */
	uint8_t bytes[FRAME_SAMPLE_BYTES + 4];
};

void frames_bytes_init(struct frames_bytes *bytes, const struct frame_sample *sample);

#endif
