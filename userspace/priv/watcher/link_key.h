/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key /link: "up" while the uplink is operational (IFF_RUNNING: set up,
 * with carrier, not dormant), otherwise "down", also while it does not exist.
 * Written through the watcher's gate, and only when it changes.
 */
#ifndef CALFPEN_PRIV_WATCHER_LINK_KEY_H
#define CALFPEN_PRIV_WATCHER_LINK_KEY_H

#include <stdint.h>

#include "userspace/priv/netlink/netlink.h"

#define LINK_KEY_PATH "/link"

enum link_key_state {
	LINK_KEY_UNKNOWN = 0,
	LINK_KEY_DOWN,
	LINK_KEY_UP,
};

struct link_key {
	enum link_key_state state;
	enum link_key_state written; /* the state in the store */
	unsigned int n_failures;     /* failed writes in a row */
	uint64_t write_ns;	     /* CLOCK_BOOTTIME; after a failure, not before */
};

/* Read through the gate what a previous run has written. */
void link_key_init(struct link_key *link);
/* Set the state from the uplink as it is now; ifindex 0: it does not exist.
 * Logs a change. */
void link_key_set(struct link_key *link, const struct netlink_link *uplink);
/* Write the state if the store has another one, unless a retry is not due yet.
 * Returns when to call again (CLOCK_BOOTTIME), or UINT64_MAX: no need to. */
uint64_t link_key_write(struct link_key *link, uint64_t now_ns);

#endif
