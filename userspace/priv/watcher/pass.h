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

/* "link_runs=3 link_errors=0 link_drifts=0 link_us=41 address_runs=...": what
 * is counted, for people and exporters. */
#define PASS_METRICS_KEY "/status/metrics"
void pass_metrics(const struct pass *pass, char text[static KV_VALUE_SIZE]);

/* Deadline of the next retry, UINT64_MAX: none. */
uint64_t pass_next_retry(const struct pass *pass);

#endif
