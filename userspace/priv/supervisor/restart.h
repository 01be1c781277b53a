/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a child that exited is started again: less and less often while it keeps
 * failing. Used for the watcher and for each pair of calf and gateway.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_RESTART_H
#define CALFPEN_PRIV_SUPERVISOR_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/common/clock.h"

#define RESTART_STABLE_NS (60 * NS_PER_S) /* after which failures are forgotten */
#define RESTART_FAILED_AFTER 3		  /* failures in a row */

struct restart {
	uint32_t n_restarts;
	uint32_t n_failures; /* in a row */
	uint64_t started_ns; /* CLOCK_BOOTTIME; 0: it has not run since the last start began */
	uint64_t next_ns;    /* CLOCK_BOOTTIME of the next start; 0: it runs or is being started */
	bool is_given_up;    /* it will not be started again */
	char reason[80];     /* of the last failure, "exited with code 1"; "": none */
};

/* A start began, which takes a while: until restart_started() it does not run. */
void restart_begins(struct restart *restart);

/* It was started. */
void restart_started(struct restart *restart, uint64_t now_ns);

/*
 * It failed; `reason` is such as "exited with code 1". Logs it, unless the same was
 * logged before and it has not run long since. Returns the time of the next start: after 0.1 s, doubling
 * up to 30 s; after 0.1 s again if it ran for RESTART_STABLE_NS.
 */
uint64_t restart_failed(struct restart *restart, const char *name, const char *reason,
			uint64_t now_ns);

/* It failed, and nothing can start it again. Logs it. */
void restart_given_up(struct restart *restart, const char *name, const char *reason);

/* It is restarted on purpose, which is no failure. Returns the time of that. */
uint64_t restart_on_purpose(struct restart *restart, uint64_t now_ns);

/* Call this when it has run for RESTART_STABLE_NS: forgets the failures, and logs
 * that it runs again if it was FAILED. */
void restart_settle(struct restart *restart, const char *name);

/* Has it failed RESTART_FAILED_AFTER times in a row, and not run long since; or for good? */
bool restart_is_failed(const struct restart *restart);

#endif
