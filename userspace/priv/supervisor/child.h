/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start a role as a process of its own, and end processes of ours that run
 * under other uids.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_CHILD_H
#define CALFPEN_PRIV_SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The program `name` that stands beside this one, or this one itself (NULL):
 * a descriptor that only executes it, so that what is started later is what
 * was installed when we started. Or a negative errno, logged.
 */
int child_open_program(const char *name);

/*
 * Fork and execute `program_fd` with an empty environment and descriptors
 * fds[0..n_fds - 1] as 3, 4, ...; 0 is /dev/null, 1 and 2 are our stderr, all
 * others are closed. The pid, or a negative errno, logged.
 */
pid_t child_start(int program_fd, char *const argv[], const int *fds, uint32_t n_fds);

/*
 * Send SIGKILL to a child of ours that is not yet waited for. The supervisor
 * has no CAP_KILL: a short-lived process takes the child's uid to do it.
 */
void child_kill(pid_t pid, uint32_t uid);

/* Give a child up to `timeout_ms` to end by itself. True if it has, with its
 * status (waitpid(2)) in *statusp, which may be NULL, and *pid 0; true at once if
 * *pid is 0 or less. */
bool child_wait(pid_t *pid, int *statusp, int timeout_ms);

/* Kill it, wait for it, and set *pid to 0; nothing if *pid is 0 or less. */
void child_end(pid_t *pid, uint32_t uid);

#endif
