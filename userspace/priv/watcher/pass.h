/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which handlers run, when, and how it went. A failing handler is called
 * again after 1 s, doubled up to 60 s, or as soon as one of its keys changes;
 * the others go on.
 */
#ifndef CALFPEN_PRIV_WATCHER_PASS_H
#define CALFPEN_PRIV_WATCHER_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/common/commit.h"
#include "userspace/priv/handlers/handler.h"

#define PASS_HANDLERS_MAX 8
#define PASS_STATUS_SIZE (HANDLER_ERROR_SIZE + 32)

struct pass_state {
	bool is_affected;
	int error;		 /* of the last run */
	unsigned int n_failures; /* in a row */
	uint64_t retry_ns;	 /* CLOCK_BOOTTIME, UINT64_MAX: not due */
	bool is_doubtful;	 /* the host was changed: to be checked */
	bool has_drifted;
	/* since the start */
	uint64_t n_runs, n_errors, n_drifts;
	uint64_t took_ns;		/* the last run, apply and release */
	bool has_metrics;		/* that are not written yet */
	uint64_t metrics_ns;		/* not written again before, CLOCK_BOOTTIME */
	char well[PASS_STATUS_SIZE];	/* as of the last run without error */
	char status[PASS_STATUS_SIZE];	/* "ok REVISION[; NOTE]", "error: TEXT", "drift: TEXT" */
	char written[PASS_STATUS_SIZE]; /* as the store has it */
};

struct pass {
	const struct handler *const *handlers; /* in order of calls */
	uint32_t n_handlers;
	struct pass_state state[PASS_HANDLERS_MAX];
};

/* `handlers` must outlive the pass; at most PASS_HANDLERS_MAX. */
void pass_init(struct pass *pass, const struct handler *const *handlers, uint32_t n_handlers);
/* What /status/NAME holds, after a list of the store. */
void pass_load_status(struct pass *pass, const struct wanted *wanted);

void pass_mark_all(struct pass *pass);
void pass_mark_path(struct pass *pass, const char *path);
/* Those whose time to try again has come. */
void pass_mark_due(struct pass *pass, uint64_t now_ns);
bool pass_is_marked(const struct pass *pass);

/* Call apply of the marked handlers in order, then their release in reverse
 * order; all of them once more on HANDLER_REPEAT. Failures and recoveries are logged, once each. */
void pass_run(struct pass *pass, struct handler_context *context, const struct wanted *wanted);

/* The host was changed where this handler has something. */
void pass_doubt(struct pass *pass, const struct handler *handler);
void pass_doubt_all(struct pass *pass);
bool pass_is_doubtful(const struct pass *pass);
/* Check the doubtful ones that are well otherwise; one whose check asks for it
 * is marked. Drift and its end are logged, once each. */
void pass_check(struct pass *pass, struct handler_context *context, const struct wanted *wanted);

/*
 * PASS_METRICS_DIRECTORY/NAME, "runs=3 errors=0 drifts=0 us=41": what is counted
 * of one handler, for people and exporters. Written after a change (a run, a
 * drift), but at most once in PASS_METRICS_INTERVAL_NS: every write is an event
 * and a line of the audit log. A change within that time is written at its end.
 */
#define PASS_METRICS_DIRECTORY "/status/metrics"
#define PASS_METRICS_INTERVAL_NS 10000000000ull

/* Add the metrics that may be written at `now_ns` to `commit`, and the deletion
 * of metrics in `wanted` that belong to no handler (another version's). Returns
 * 0, or a negative errno as commit_write(). */
int pass_add_metrics(const struct pass *pass, const struct wanted *wanted, uint64_t now_ns,
		     struct commit *commit);
/* The store has taken that commit; same `now_ns`. */
void pass_metrics_written(struct pass *pass, uint64_t now_ns);
/* When pass_add_metrics() has something to add, UINT64_MAX: not before the next
 * change. */
uint64_t pass_next_metrics(const struct pass *pass);

/* Deadline of the next retry, UINT64_MAX: none. */
uint64_t pass_next_retry(const struct pass *pass);

#endif
