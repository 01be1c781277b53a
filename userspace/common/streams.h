/* SPDX-License-Identifier: Apache-2.0 */
/* The standard descriptors 0, 1 and 2, as a main() finds them. */
#ifndef CALFPEN_COMMON_STREAMS_H
#define CALFPEN_COMMON_STREAMS_H

/*
 * Open those of 0, 1 and 2 that are closed as /dev/null; without one, as a
 * descriptor that can be neither read nor written. Otherwise the next file or
 * socket that is opened gets the number, and with it what is meant for the log.
 * Call this first in each main(). Returns 0, or a negative errno: exit.
 */
int streams_open(void);

/*
 * Return a new close-on-exec descriptor for writing to what `fd` writes to. For a pipe
 * or terminal it is an open file description of its own with O_NONBLOCK, if it can be
 * reopened. Returns a negative errno, if `fd` is not open for writing (-EBADF) or cannot
 * be duplicated.
 */
int streams_own(int fd);

/*
 * Make descriptor 2 safe to log to. A pipe or terminal is reopened with
 * O_NONBLOCK, as an open file description that is not shared with whoever
 * started this program; whatever cannot be reopened is left as it is, and log.h
 * polls it. Ignore the signals by which a write can end or stop a process:
 * SIGPIPE, SIGTTOU (a background job on a terminal with `stty tostop`) and
 * SIGXFSZ (`ulimit -f`). Child processes inherit both.
 */
void streams_own_log(void);

#endif
