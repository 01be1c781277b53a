/* SPDX-License-Identifier: Apache-2.0 */
/* The pages in which children report about themselves (report_page.h). The
 * supervisor only creates, clears and holds them. */
#ifndef CALFPEN_PRIV_SUPERVISOR_REPORT_H
#define CALFPEN_PRIV_SUPERVISOR_REPORT_H

#include <stdbool.h>

/* Create a page that can be written to, but neither grow nor shrink. Returns a
 * close-on-exec descriptor, or a negative errno, not logged. */
int report_create(void);

/* Set the counters to zero and keep the last error. Returns 0 or -EIO. */
int report_clear(int fd);

/* Before a process is started: did the one before fail? Then the error that it has left
 * is in the log, and the same is not logged again. */
void report_set_logged(int fd, bool is_logged);

#endif
