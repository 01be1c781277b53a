/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify(7), or a timer in its place. A user has only fs.inotify.max_user_instances
 * of them, 128 on many hosts, and all that root runs shares these; a host that has run
 * out of them must have its address nevertheless.
 */
#ifndef CALFPEN_COMMON_FILE_EVENTS_H
#define CALFPEN_COMMON_FILE_EVENTS_H

#include <stdbool.h>

#define FILE_EVENTS_TIMER_S 10

/*
 * Open an inotify instance, non-blocking and close-on-exec. If the user has too many, open a
 * timer that is readable every FILE_EVENTS_TIMER_S seconds, set *is_timerp, and log that
 * `file` is only looked at then. Returns the descriptor, the caller's, or a negative errno.
 */
int file_events_open(const char *file, bool *is_timerp);

#endif
