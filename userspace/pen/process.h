/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is known by its pid and the time of its start, so that another one, which
 * got the pid later, is never mistaken for it. */
#ifndef CALFPEN_PEN_PROCESS_H
#define CALFPEN_PEN_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/* Get the time of its start (field 22 of /proc/PID/stat). Returns 0 or a negative errno. */
int pen_process_start(pid_t pid, uint64_t *startp);

/* Get a pidfd of the process that has `pid` and `start`. Returns it, or -ESRCH if there is none
 * (any more), or it is a zombie; or another negative errno. */
int pen_process_open(pid_t pid, uint64_t start);

/* Kill it by its pidfd and wait until it has exited, at most 2 s. Returns 0, -ETIMEDOUT, or
 * another negative errno. */
int pen_process_kill(int pidfd);

#endif
