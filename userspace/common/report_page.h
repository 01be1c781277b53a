/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page in which a process reports about itself to `calfpen status`: a memfd
 * that the supervisor creates and holds, and never reads. A calf's page contains
 * its metrics, the watcher's a note for the next watcher. Whoever reads it must expect
 * any bytes.
 */
#ifndef CALFPEN_COMMON_REPORT_PAGE_H
#define CALFPEN_COMMON_REPORT_PAGE_H

#include <stdint.h>

#define REPORT_PAGE_NAME "calfpen-report" /* of the memfd */
#define REPORT_PAGE_SIZE 4096
#define REPORT_PAGE_COUNTERS 256
#define REPORT_PAGE_ERROR_SIZE 512

struct report_page {
	uint64_t counters[REPORT_PAGE_COUNTERS]; /* a calf's: zero at each start */
	/* The last error that was logged, without a NUL if it fills the field; kept
	 * when the process is restarted. */
	char error[REPORT_PAGE_ERROR_SIZE];
	uint32_t is_logged; /* written by the supervisor: the process before failed, and has
			     * logged this error */
};

_Static_assert(sizeof(struct report_page) <= REPORT_PAGE_SIZE, "fits into a page");

#endif
