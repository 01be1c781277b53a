/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key /link: "up" while the uplink is operational (IFF_RUNNING: set up,
 * with carrier, not dormant), else "down", also while it is not there.
 * Written through the watcher's gate, and only when it changes.
 */
#ifndef CALFPEN_PRIV_WATCHER_LINK_KEY_H
#define CALFPEN_PRIV_WATCHER_LINK_KEY_H

#include <stdint.h>

#include "userspace/priv/netlink/netlink.h"

#define WATCHER_LINK_KEY "/link"

enum watcher_link_state {
	WATCHER_LINK_UNKNOWN = 0,
	WATCHER_LINK_DOWN,
	WATCHER_LINK_UP,
};

struct watcher_link {
	enum watcher_link_state state;
	enum watcher_link_state written; /* as the store has it */
	unsigned int n_failures;	 /* of writing, in a row */
	uint64_t write_ns;		 /* CLOCK_BOOTTIME; not before, after a failure */
};

/* What a former life has written is read, by the gate. */
void watcher_link_init(struct watcher_link *link);
/* The uplink as it is; ifindex 0: not there. */
void watcher_link_see(struct watcher_link *link, const struct netlink_link *uplink);
/* Write what was seen last, if the store has another and it is not to be
 * waited for. When to call again, UINT64_MAX: no need to. */
uint64_t watcher_link_write(struct watcher_link *link, uint64_t now_ns);

#endif
