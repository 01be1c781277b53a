/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the store is saved (persist.h does it): 0.1 s after a change of a
 * persistent key, so that what the change leads to is in it too, but at most
 * once a second, and never for more than a tenth of the time on a slow disk.
 * A revision that no persistent key belongs to needs no save: the file
 * `revision` (persist/revision.h) is ahead of it, and is renewed here when half
 * of that is used. At the end of the watcher all of it is saved at once. A
 * failure is tried again after 1 s, doubled up to 60 s.
 */
#ifndef CALFPEN_PRIV_WATCHER_PERSIST_H
#define CALFPEN_PRIV_WATCHER_PERSIST_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/priv/persist/persist.h"
#include "userspace/priv/watcher/reconcile.h"

#define WATCHER_PERSIST_KEY "/status/persist"
#define WATCHER_PERSIST_DELAY_NS 100000000ull
#define WATCHER_PERSIST_INTERVAL_NS 1000000000ull

struct watcher_persist {
	const char *directory; /* "": nothing is saved */
	const struct description *descriptions;
	uint32_t n_descriptions;
	uint64_t changed;	/* last revision that changed a persistent key, as far as we know */
	uint64_t saved_changed; /* the same of the file */
	uint64_t saved;		/* revision of the file, 0: none of ours */
	uint64_t ahead;		/* revision in the file `revision`, 0: none */
	bool must_save;
	uint64_t due_ns;		     /* CLOCK_BOOTTIME, UINT64_MAX: not due */
	uint64_t earliest_ns;		     /* not before */
	unsigned int n_failures;	     /* in a row */
	char status[RECONCILE_STATUS_SIZE];  /* "ok REVISION" or "error: TEXT" */
	char written[RECONCILE_STATUS_SIZE]; /* as the store has it */
};

/* Makes the directory if it is missing. What is given must outlive it. */
void watcher_persist_init(struct watcher_persist *persist, const char *directory,
			  const struct description *descriptions, uint32_t n_descriptions);

/* A change of the store, which the wanted state has or is newer than. */
void watcher_persist_mark_path(struct watcher_persist *persist, const char *path,
			       uint64_t revision);
/* The wanted state is a new list. */
void watcher_persist_mark_all(struct watcher_persist *persist, const struct wanted *wanted);

/* Save if it is time to; `wanted` is whole. When to come again, UINT64_MAX:
 * not before the next change. */
uint64_t watcher_persist_run(struct watcher_persist *persist, const struct wanted *wanted,
			     uint64_t wall_offset_ns, uint64_t (*now_ns)(void));
/* Save at once what is not saved yet. */
void watcher_persist_finish(struct watcher_persist *persist, const struct wanted *wanted,
			    uint64_t wall_offset_ns, uint64_t (*now_ns)(void));

#endif
