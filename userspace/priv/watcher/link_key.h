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

#define LINK_KEY_PATH "/link"

enum link_key_state {
	LINK_KEY_UNKNOWN = 0,
	LINK_KEY_DOWN,
	LINK_KEY_UP,
};

struct link_key {
	enum link_key_state state;
	enum link_key_state written; /* as the store has it */
	unsigned int n_failures;     /* of writing, in a row */
	uint64_t write_ns;	     /* CLOCK_BOOTTIME; not before, after a failure */
};

/* What a former life has written is read, by the gate. */
void link_key_init(struct link_key *link);
/* The uplink as it is; ifindex 0: not there. */
void link_key_set(struct link_key *link, const struct netlink_link *uplink);
/* Write what was seen last, if the store has another and it is not to be
 * waited for. When to call again, UINT64_MAX: no need to. */
uint64_t link_key_write(struct link_key *link, uint64_t now_ns);

#endif
