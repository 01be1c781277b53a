/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides which handlers run, and when, and records the results. A failing
 * handler is retried after 1 s, doubled up to 60 s, or as soon as one of its
 * keys changes; the others are not affected. One run over the handlers is a pass.
 */
#ifndef CALFPEN_PRIV_WATCHER_RECONCILE_H
#define CALFPEN_PRIV_WATCHER_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/common/commit.h"
#include "userspace/priv/description/configuration.h"
#include "userspace/priv/handlers/handler.h"

#define RECONCILE_HANDLERS_MAX 16
#define RECONCILE_STATUS_SIZE (HANDLER_ERROR_SIZE + 32)

struct reconcile_state {
	bool is_affected;	 /* marked: the next pass runs it */
	int error;		 /* of the last run */
	unsigned int n_failures; /* in a row */
	uint64_t retry_ns;	 /* CLOCK_BOOTTIME, UINT64_MAX: not due */
	bool needs_check;	 /* suspect: what it configures may have been changed */
	bool has_drifted;
	unsigned int n_repairs; /* of drift, without RECONCILE_REPAIR_QUIET_NS in between */
	uint64_t repair_ns;	/* CLOCK_BOOTTIME; the last one */
	/* since the start */
	uint64_t n_runs, n_errors, n_drifts;
	uint64_t took_ns;			    /* the last run, apply and release */
	bool has_metrics;			    /* metrics that are not written yet */
	uint64_t metrics_ns;			    /* CLOCK_BOOTTIME; not written before */
	char last_ok_status[RECONCILE_STATUS_SIZE]; /* of the last run without error */
	char status[RECONCILE_STATUS_SIZE]; /* "ok REVISION[; NOTE]", "error: TEXT", "drift: TEXT" */
	char written[RECONCILE_STATUS_SIZE]; /* the status in the store */
};

struct reconciler {
	const struct handler *const *handlers; /* in the order of calls */
	uint32_t n_handlers;
	enum configuration_drift drift; /* set by the caller after reconcile_init() */
	struct reconcile_state state[RECONCILE_HANDLERS_MAX];
};

/* Initialize. `handlers` must outlive the reconciler; there are at most
 * RECONCILE_HANDLERS_MAX. */
void reconcile_init(struct reconciler *reconciler, const struct handler *const *handlers,
		    uint32_t n_handlers);
/* Load what /status/NAME holds from a new list of the store. */
void reconcile_load_status(struct reconciler *reconciler, const struct wanted *wanted);

/* Mark the handlers that the next pass runs: all of them, */
void reconcile_mark_all(struct reconciler *reconciler);
/* those that a change of `path` concerns, */
void reconcile_mark_path(struct reconciler *reconciler, const char *path);
/* and those whose retry is due. */
void reconcile_mark_due(struct reconciler *reconciler, uint64_t now_ns);
bool reconcile_is_marked(const struct reconciler *reconciler);

/* Call apply of the marked handlers in order, then their release in reverse
 * order; call all handlers once more on HANDLER_REPEAT, except those that have
 * drifted and are never repaired by default. Log failures and
 * recoveries once each. */
void reconcile_run(struct reconciler *reconciler, struct handler_context *context,
		   const struct wanted *wanted);

/* Mark a handler that has a check as suspect: another program may have changed
 * what it configures. */
void reconcile_suspect(struct reconciler *reconciler, const struct handler *handler);
void reconcile_suspect_all(struct reconciler *reconciler);
bool reconcile_needs_check(const struct reconciler *reconciler);
/*
 * Check the suspect handlers that have no error, and mark those whose check
 * requests a run. Log the start and the end of drift once each.
 *
 * Drift that may be repaired is repaired by a run: the first time at once, then,
 * because another program may insist on its setting, not before 1 s after the
 * last repair, doubled up to 60 s, until it was quiet for a while.
 */
#define RECONCILE_REPAIR_QUIET_NS 600000000000ull
void reconcile_check(struct reconciler *reconciler, struct handler_context *context,
		     const struct wanted *wanted);
/* The operator wants everything to be as configured: check all handlers, and mark
 * those that have drifted or failed, whatever the settings and limits are. */
void reconcile_repair(struct reconciler *reconciler, struct handler_context *context,
		      const struct wanted *wanted);

/*
 * RECONCILE_METRICS_DIRECTORY/NAME, "runs=3 errors=0 drifts=0 us=41": the counters
 * of one handler and the time of its last run, for people and exporters. Written
 * after a change (a run, a drift), but at most once per
 * RECONCILE_METRICS_INTERVAL_NS, because every write is an event and a line of the
 * audit log. A change within the interval is written at its end.
 */
#define RECONCILE_METRICS_DIRECTORY "/status/metrics"
#define RECONCILE_METRICS_INTERVAL_NS 10000000000ull

/* Add the metrics that may be written at `now_ns` to `commit`, and the deletion
 * of metrics in `wanted` that belong to no handler (another version's). Returns
 * 0, or a negative errno as commit_write(). */
int reconcile_add_metrics(const struct reconciler *reconciler, const struct wanted *wanted,
			  uint64_t now_ns, struct commit *commit);
/* Note that the store has accepted that commit; same `now_ns`. */
void reconcile_metrics_written(struct reconciler *reconciler, uint64_t now_ns);
/* Returns when reconcile_add_metrics() has something to add (CLOCK_BOOTTIME), or
 * UINT64_MAX: not before the next change. */
uint64_t reconcile_next_metrics(const struct reconciler *reconciler);

/* Returns the time of the next retry (CLOCK_BOOTTIME), or UINT64_MAX: none. */
uint64_t reconcile_next_retry(const struct reconciler *reconciler);

#endif
