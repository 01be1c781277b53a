/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame programs of an instance: loaded with the description's rules,
 * attached to the tap and the uplink, links pinned so that they outlive the
 * process. frames.c loads; frames_attach.c attaches.
 */
#ifndef CALFPEN_PRIV_FRAMES_H
#define CALFPEN_PRIV_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/frame.h"
#include "userspace/priv/options.h"
#include "userspace/priv/pins.h"

struct frame_tc_bpf;
struct frame_xdp_bpf;

struct frames {
	const struct pins *pins; /* outlives this */
	struct frame_tc_bpf *tc;
	struct frame_xdp_bpf *xdp; /* NULL unless native mode is used */
	struct frame_config config;
	int kv_fd;	       /* the store's */
	enum frame_mode mode;  /* once attached: native or tc */
	char mode_reason[160]; /* why, for `calfpen status` */
};

#define FRAMES_NULL(_x) ((struct frames){ .kv_fd = -1 })

/* Load for the uplink that `config` describes (the mark is drawn here) with
 * `rules`, freeze and pin the maps (all but the devmap slot). 0 or a negative
 * errno, logged. */
int frames_init(struct frames *frames, const struct pins *pins, int kv_fd,
		const struct frame_config *config, const struct frame_rule *rules,
		uint32_t n_rules);

/* Attach and pin the tap's two programs; only then may the tap be set up. */
int frames_attach_tap(struct frames *frames, int tap_ifindex);

/*
 * Attach and pin the uplink's program. FRAME_MODE_NATIVE: XDP in the driver,
 * or an error. FRAME_MODE_TC: tcx, or clsact before Linux 6.6.
 * FRAME_MODE_AUTO: native if attaching leaves offloads and MTU as they were,
 * else tc. A program of somebody else is never displaced: -EBUSY, in auto tc.
 */
int frames_attach_uplink(struct frames *frames, const char *uplink, enum frame_mode mode);

/* "auto", "native" or "tc". */
const char *frames_mode_name(enum frame_mode mode);

/* Let replies into the tap from now on: enter it in the devmap slot. */
int frames_open(struct frames *frames, int tap_ifindex);

/* Detach from everything and unpin; the store stays. */
void frames_detach(const struct pins *pins, int uplink_ifindex);

/* Close; what is pinned stays. Legal on FRAMES_NULL. */
void frames_deinit(struct frames *frames);

#endif
