/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame programs of an instance: loaded with the rules of all calves,
 * attached to their taps and the uplink, their links pinned so that they outlive
 * the process. Only the supervisor uses them. frames.c loads the programs;
 * attach.c chooses the mode and attaches by tc, with clsact.c to taps and on kernels without
 * tcx; xdp.c attaches by XDP and uses device.c to find out what that changes on
 * the device.
 */
#ifndef CALFPEN_PRIV_FRAMES_FRAMES_H
#define CALFPEN_PRIV_FRAMES_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/frame.h"
#include "userspace/priv/frames/mode.h"
#include "userspace/priv/pins.h"

struct frame_host_bpf;
struct frame_tc_bpf;
struct frame_xdp_bpf;
struct netlink;

/* Where the uplink's program is attached. */
enum frame_hook {
	FRAME_HOOK_NONE = 0,
	FRAME_HOOK_NATIVE_XDP,
	FRAME_HOOK_TCX,
	FRAME_HOOK_CLSACT,
	FRAME_HOOK_GENERIC_XDP,
};

struct frames {
	const struct pins *pins; /* must outlive this struct */
	/* until frames_release() */
	struct frame_tc_bpf *tc;
	struct frame_xdp_bpf *xdp;	/* NULL unless XDP is used */
	int quarantine_fd, counters_fd; /* maps, -1: nothing is loaded */
	struct frame_config config;
	enum frame_mode mode;  /* once attached: native, tc or generic */
	enum frame_hook hook;  /* once attached */
	char mode_reason[240]; /* why this mode, for `calfpen status` */
	int closed_fd;	       /* link of frames_close_uplink(), -1: none */
	bool is_closed_by_clsact;
};

#define FRAMES_NULL(_x) ((struct frames){ .quarantine_fd = -1, .counters_fd = -1, .closed_fd = -1 })

/*
 * Open the instance's witness (maps/frame.h): the one that is pinned, whatever process
 * left it; or, if there is none that fits, a new one with these first records (NULL:
 * none), frozen and pinned. Returns a descriptor, owned by the caller, or a negative
 * errno, logged.
 */
int frames_witness_open(const struct pins *pins, const struct frame_witness *initial);

/*
 * What the watcher tells the frame programs (maps/frame.h, struct frame_host): the map,
 * frozen and pinned, and the only program that writes it, for the life of the instance.
 */
struct frames_host {
	struct frame_host_bpf *bpf; /* NULL: not loaded */
};

/* Load the program. Returns 0, or a negative errno, logged. */
int frames_host_init(struct frames_host *host, const struct pins *pins);
/* Return a descriptor of the map or the program, owned by `host`; -1: not loaded. */
int frames_host_map(const struct frames_host *host);
int frames_host_program(const struct frames_host *host);
/* Close everything; the pin stays. Allowed on a struct of zeros. */
void frames_host_deinit(struct frames_host *host);

/* A calf with frames; its place in the array is its number (maps/frame.h, "several
 * calves"). */
struct frames_calf {
	int tap_ifindex; /* of its tap, which is down; 0: no such calf */
	const struct frame_rule *rules;
	uint32_t n_rules;
	struct frame_grammar grammar;
};

/* What the programs are loaded with; they keep references to the maps. */
struct frames_setup {
	int witness_fd; /* frames_witness_open() */
	int host_fd;	/* frames_host_map() */
	/* frames_init() chooses `mark`, and sets what follows from the calves */
	const struct frame_config *config;
	const struct frame_quarantine *quarantine; /* the initial state; NULL: none */
	struct frames_calf calves[FRAME_CALVES_MAX];
};

/* Load the programs, freeze all maps but the devmap and pin them. Returns 0; -EEXIST if
 * two rules are for the same frames; or another negative errno; logged. */
int frames_init(struct frames *frames, const struct pins *pins, const struct frames_setup *setup);

/* Get the current state of the quarantine. Returns 0; -ENOENT if nothing is
 * loaded; or another negative errno. */
int frames_quarantine(const struct frames *frames, struct frame_quarantine *quarantinep);

/* Add to *np how many frames of this owner (maps/frame.h, "several calves") were counted for
 * this reason (enum frame_reason): none of an owner that there is not. Returns 0; -ENOENT if
 * nothing is loaded; or another negative errno. */
int frames_count(const struct frames *frames, uint32_t owner, uint32_t reason, uint64_t *np);

/*
 * In quarantine, close the uplink by tc until frames_attach_uplink() and
 * frames_open() have attached the filter: changes that a mode makes to a device
 * are visible only while it is up, and no frame must get in until then. Does
 * nothing without a quarantine. Returns 0, or a negative errno, logged.
 */
int frames_close_uplink(struct frames *frames);
/* Undo frames_close_uplink(). frames_open() and frames_deinit() do this, too. */
void frames_reopen_uplink(struct frames *frames);

/* Attach the two programs of each tap, so that they are there as long as it is; a tap may be
 * set up only after this.
 * Returns 0, or a negative errno, logged. */
int frames_attach_taps(struct frames *frames);

/*
 * Attach and pin the uplink's program and set mode, hook and mode_reason.
 *
 * FRAME_MODE_NATIVE, FRAME_MODE_GENERIC: XDP in the driver, or in the network
 * stack.
 * FRAME_MODE_TC: tcx, or clsact before Linux 6.6.
 * FRAME_MODE_AUTO: native if it sees VLAN tags and attaching does not change
 * offloads, MTU and queues, else tc, else generic; -EOPNOTSUPP if that would
 * turn off an offload.
 *
 * A foreign program is never replaced: native and generic fail with -EBUSY or
 * -EEXIST, auto uses tc. Returns 0, or a negative errno, logged.
 */
int frames_attach_uplink(struct frames *frames, const char *uplink, enum frame_mode mode);

/* Return "auto", "native", "tc" or "generic". */
const char *frames_mode_name(enum frame_mode mode);

/* Return "native XDP", "tcx", "clsact", "generic XDP", or "none". */
const char *frames_hook_name(enum frame_hook hook);

/* Start to pass replies to the taps: enter them in the devmap. Returns 0, or a
 * negative errno, logged. */
int frames_open(struct frames *frames);

/* After frames_open(): free what was only needed to load and attach the programs, which stay
 * attached. From then on only frames_quarantine(), frames_count() and frames_deinit() are
 * allowed. */
void frames_release(struct frames *frames);

/* Detach and unpin the uplink's programs. The store stays, and so does a clsact qdisc,
 * because it may belong to another program. */
void frames_detach(const struct pins *pins, int uplink_ifindex);

/*
 * Unpin the programs of taps that are gone, whatever version pinned them. Those of a tap that
 * exists stay, and with them what says whose it is, because whoever holds it can still send:
 * taps_delete() must have been called before. Returns 0, or a negative errno, logged; -EBUSY:
 * such a tap exists; one with links may also be in another network namespace.
 */
int frames_detach_taps(const struct pins *pins, struct netlink *netlink);
/* Return true if frames_detach_taps() has left a pin, also because it was not called. */
bool frames_have_taps(const struct pins *pins);

/* Close everything; pinned objects stay. Allowed on FRAMES_NULL. */
void frames_deinit(struct frames *frames);

#endif
