/* SPDX-License-Identifier: Apache-2.0 */
/* Frame samples that the frame programs have stored in the pinned maps. */
#ifndef CALFPEN_CLI_FRAMES_SAMPLES_H
#define CALFPEN_CLI_FRAMES_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/frame.h"
#include "userspace/cli/cli.h"

struct frames_samples {
	int samplers_fd, samples_fd;
	uint32_t id;			/* kernel id of the map of samples */
	uint64_t seen[FRAME_SAMPLED_N]; /* number of the last sample read */
};

#define FRAMES_SAMPLES_NULL(_x) ((struct frames_samples){ .samplers_fd = -1, .samples_fd = -1 })

/* Open the maps that the instance has pinned. Returns 0, or a negative errno for
 * cli_explain_store(). */
int frames_samples_open(struct frames_samples *samples, const struct cli *cli);
/*
 * Read the samples of the `wanted` reasons that were taken since the last call
 * into `list` (FRAME_SAMPLES_N elements), in order of time. Samples that were
 * overwritten before they could be read are counted in missed[]. Returns the
 * number of samples read, or a negative errno.
 */
int frames_samples_read(struct frames_samples *samples, const bool wanted[_FRAME_REASON_N],
			struct frame_sample *list, uint64_t missed[_FRAME_REASON_N]);
/* Close the maps; `samples` may be FRAMES_SAMPLES_NULL. */
void frames_samples_close(struct frames_samples *samples);

/* The frame as it was on the wire, including the VLAN tag that the kernel stores
 * outside the frame. */
struct frames_bytes {
	size_t size;	 /* of the frame */
	size_t captured; /* bytes of the frame that are in `bytes` */
	uint8_t bytes[FRAME_SAMPLE_BYTES + 4];
};

/* Restore the frame of a sample. */
void frames_bytes_init(struct frames_bytes *bytes, const struct frame_sample *sample);

#endif
