/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's child processes: start a role, wait for it, and kill it,
 * also if it runs under another uid.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_CHILD_H
#define CALFPEN_PRIV_SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "userspace/common/await.h"

/*
 * Open the program `name` in our own directory (NULL: this program), so that a
 * later exec runs the version that was installed when we started. Returns a
 * descriptor that can only be executed, or a negative errno, logged.
 */
int child_open_program(const char *name);

/*
 * Fork and execute `program_fd` with no environment but $JOURNAL_STREAM (log.h) and descriptors
 * fds[0..n_fds - 1] as 3, 4, ...; 0 is /dev/null, 1 and 2 are our stderr, all
 * others are closed. Returns the pid, or a negative errno, logged.
 */
pid_t child_start(int program_fd, char *const argv[], const int *fds, uint32_t n_fds);

/*
 * Send SIGKILL to a child that has not been waited for. The supervisor has no
 * CAP_KILL, so a short-lived process takes the child's uid to do it.
 */
void child_kill(pid_t pid, uint32_t uid);

/* Wait for a child to exit, until `limit` is reached. Returns true if it did, sets
 * *pid to 0 and stores its wait status (waitpid(2)) in *statusp unless that is NULL;
 * returns true at once if *pid is 0 or less. */
bool child_wait(pid_t *pid, int *statusp, const struct await_limit *limit);

/* Kill a child, wait for it and set *pid to 0. Does nothing if *pid is 0 or less. A
 * child that is stuck in the kernel is not waited for longer than 0.2 s; this is
 * logged. */
void child_end(pid_t *pid, uint32_t uid);

#endif
