/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame programs of an instance: loaded with the description's rules,
 * attached to the tap and the uplink, links pinned so that they outlive the
 * process. frames.c loads; attach.c chooses and attaches by tc, with
 * clsact.c before there was tcx; xdp.c attaches by XDP, and asks
 * device.c what that does to the device.
 */
#ifndef CALFPEN_PRIV_FRAMES_FRAMES_H
#define CALFPEN_PRIV_FRAMES_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/frame.h"
#include "userspace/priv/frames/mode.h"
#include "userspace/priv/pins.h"

struct frame_tc_bpf;
struct frame_xdp_bpf;

/* Where the uplink's program sits. */
enum frame_hook {
	FRAME_HOOK_NONE = 0,
	FRAME_HOOK_NATIVE_XDP,
	FRAME_HOOK_TCX,
	FRAME_HOOK_CLSACT,
	FRAME_HOOK_GENERIC_XDP,
};

struct frames {
	const struct pins *pins; /* outlives this */
	struct frame_tc_bpf *tc;
	struct frame_xdp_bpf *xdp; /* NULL unless XDP is used */
	struct frame_config config;
	int kv_fd;	       /* the store's */
	enum frame_mode mode;  /* once attached: native, tc or generic */
	enum frame_hook hook;  /* once attached */
	char mode_reason[240]; /* why, for `calfpen status` */
	int closed_fd;	       /* link of frames_close_uplink(), -1: none */
	bool is_closed_by_clsact;
};

#define FRAMES_NULL(_x) ((struct frames){ .kv_fd = -1, .closed_fd = -1 })

/*
 * Load for the uplink that `config` describes (the mark is drawn here) with
 * `rules`, freeze and pin the maps (all but the devmap slot). `quarantine`
 * (NULL: none) is where it begins: closed, or open already. 0 or a negative
 * errno, logged.
 */
int frames_init(struct frames *frames, const struct pins *pins, int kv_fd,
		const struct frame_config *config, const struct frame_quarantine *quarantine,
		const struct frame_rule *rules, uint32_t n_rules);

/* Where the quarantine stands; -ENOENT: nothing is loaded. */
int frames_quarantine(const struct frames *frames, struct frame_quarantine *quarantinep);

/*
 * In quarantine, close the uplink by tc until frames_attach_uplink() and
 * frames_open() have a program there: what a mode changes on a device shows only while that is
 * up, and no frame must get in until then. Nothing otherwise. 0 or a negative
 * errno, logged.
 */
int frames_close_uplink(struct frames *frames);
/* The end of that, as of frames_open() and frames_deinit(). */
void frames_let_open(struct frames *frames);

/* Attach and pin the tap's two programs; only then may the tap be set up. */
int frames_attach_tap(struct frames *frames, int tap_ifindex);

/*
 * Attach and pin the uplink's program, set mode, hook and mode_reason.
 *
 * FRAME_MODE_NATIVE, FRAME_MODE_GENERIC: XDP in the driver, or in the stack.
 * FRAME_MODE_TC: tcx, or clsact before Linux 6.6.
 * FRAME_MODE_AUTO: native if it sees VLAN tags and attaching leaves offloads,
 * MTU and queues as they were, else tc, else generic; -EOPNOTSUPP if that
 * would turn off an offload.
 *
 * A program of somebody else is never displaced: -EBUSY or -EEXIST, in auto
 * tc. 0 or a negative errno, logged.
 */
int frames_attach_uplink(struct frames *frames, const char *uplink, enum frame_mode mode);

/* "auto", "native", "tc" or "generic". */
const char *frames_mode_name(enum frame_mode mode);

/* "native XDP", "tcx", "clsact", "generic XDP", or "none". */
const char *frames_hook_name(enum frame_hook hook);

/* Let replies into the tap from now on: enter it in the devmap slot. */
int frames_open(struct frames *frames, int tap_ifindex);

/* Detach from everything and unpin; the store stays. So does a clsact qdisc,
 * which may be somebody else's. */
void frames_detach(const struct pins *pins, int uplink_ifindex);

/* Close; what is pinned stays. Legal on FRAMES_NULL. */
void frames_deinit(struct frames *frames);

#endif
