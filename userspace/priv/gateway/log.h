/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads untrusted bytes from the calf's stdout and stderr and logs sanitized lines, as
 * many in a second and as many bytes as the calf may log. What is more is counted, and the
 * number is logged as soon as there is room for that. So the log grows by no more than the
 * description allows, whatever the calf writes.
 */
#ifndef CALFPEN_PRIV_GATEWAY_LOG_H
#define CALFPEN_PRIV_GATEWAY_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/common/bucket.h"
#include "userspace/common/clock.h"

#define GATEWAY_LOG_LINE_MAX 512
#define GATEWAY_LOG_LINES_MAX 200 /* in one window */
#define GATEWAY_LOG_WINDOW_NS NS_PER_S
/* What a line is charged in addition to the calf's text: level, tag, the note about what was
 * cut, and what syslog puts before it. */
#define GATEWAY_LOG_LINE_EXTRA 96
#define GATEWAY_LOG_REPORT_SIZE 192 /* and what the number of suppressed lines is */

/* The rate limits, shared by both pipes. */
struct gateway_log {
	const char *name;      /* of the calf; not repeated if a line begins with it */
	uint64_t window_ns;    /* when the window began */
	uint32_t n_lines;      /* logged in the window */
	uint64_t n_suppressed; /* not logged since the last report of that */
	struct bucket bytes;
};

/* The incomplete line of one pipe. */
struct gateway_log_line {
	size_t length;
	size_t n_cut; /* bytes beyond GATEWAY_LOG_LINE_MAX */
	char text[GATEWAY_LOG_LINE_MAX];
};

/* Initialize, with a full bucket. `name` must outlive it; `bytes_per_second` is not 0. */
void gateway_log_init(struct gateway_log *log, const char *name, uint32_t bytes_per_second,
		      uint32_t burst);
/* Add bytes read from a pipe and log each line that they complete. */
void gateway_log_feed(struct gateway_log *log, struct gateway_log_line *line, const void *bytes,
		      size_t size, uint64_t now_ns);
/* The pipe has ended: log the rest without a newline. */
void gateway_log_end(struct gateway_log *log, struct gateway_log_line *line, uint64_t now_ns);
/* Returns when gateway_log_tick() is due, or LOOP_NEVER. */
uint64_t gateway_log_deadline(const struct gateway_log *log);
/* Close the window if it is over and log how many lines were suppressed, if the calf may
 * log that much. */
void gateway_log_tick(struct gateway_log *log, uint64_t now_ns);
/* Log how many lines were suppressed, whatever the calf may log. */
void gateway_log_finish(struct gateway_log *log);

#endif
