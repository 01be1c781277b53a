/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides when the store is saved (persist/persist.h saves it): 0.1 s after a
 * change of a persistent key, so that changes caused by it are included, but at
 * most once a second, and for at most 10 % of the time on a slow disk. A revision
 * that changed no persistent key needs no save: the file `revision`
 * (persist/revision.h) is ahead of it, and is renewed here when half of the lead
 * is used. When the watcher ends, it saves everything at once. A failed save is
 * retried after 1 s, doubled up to 60 s.
 */
#ifndef CALFPEN_PRIV_WATCHER_PERSIST_H
#define CALFPEN_PRIV_WATCHER_PERSIST_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/common/clock.h"
#include "userspace/priv/persist/persist.h"
#include "userspace/priv/watcher/reconcile.h"

#define WATCHER_PERSIST_KEY "/status/persist"
#define WATCHER_PERSIST_DELAY_NS 100000000ull
#define WATCHER_PERSIST_INTERVAL_NS NS_PER_S

struct watcher_persist {
	const char *directory; /* "": nothing is saved */
	const struct description *descriptions;
	uint32_t n_descriptions;
	uint64_t changed;	/* last known revision that changed a persistent key */
	uint64_t saved_changed; /* `changed` when the file was written */
	uint64_t saved;		/* revision of the file, 0: not written by this process */
	uint64_t ahead;		/* revision in the file `revision`, 0: none */
	bool must_save;
	bool must_tell;			     /* a secret has changed, which the supervisor saves */
	uint64_t due_ns;		     /* CLOCK_BOOTTIME, UINT64_MAX: not due */
	uint64_t earliest_ns;		     /* not before */
	unsigned int n_failures;	     /* in a row */
	char status[RECONCILE_STATUS_SIZE];  /* "ok REVISION" or "error: TEXT" */
	char written[RECONCILE_STATUS_SIZE]; /* as the store has it */
};

/* Initialize, and create the directory if it is missing; a failure is logged.
 * All arguments must outlive `persist`. */
void watcher_persist_init(struct watcher_persist *persist, const char *directory,
			  const struct description *descriptions, uint32_t n_descriptions);

/* Note a change of the store. The wanted state must include it already. */
void watcher_persist_mark_path(struct watcher_persist *persist, const char *path,
			       uint64_t revision);
/* Return true, once, if a persistent secret may have changed. */
bool watcher_persist_take_told(struct watcher_persist *persist);
/* Note that the wanted state is a new list. */
void watcher_persist_mark_all(struct watcher_persist *persist, const struct wanted *wanted);

/* Save if it is time to; `wanted` must be complete. wall_offset_ns is
 * CLOCK_REALTIME - CLOCK_BOOTTIME. Returns the time of the next call
 * (CLOCK_BOOTTIME), or UINT64_MAX: not before the next change. */
uint64_t watcher_persist_run(struct watcher_persist *persist, const struct wanted *wanted,
			     uint64_t wall_offset_ns, uint64_t (*now_ns)(void));
/* Save immediately what is not saved yet. */
void watcher_persist_finish(struct watcher_persist *persist, const struct wanted *wanted,
			    uint64_t wall_offset_ns, uint64_t (*now_ns)(void));

#endif
