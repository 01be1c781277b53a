/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's child processes: wait for them and kill them. */
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

/* Wait for a child to exit, until `limit` is reached. Returns true if it did, sets
 * *pid to 0 and stores its wait status (waitpid(2)) in *statusp unless that is NULL;
 * returns true at once if *pid is 0 or less. */
bool child_wait(pid_t *pid, int *statusp, const struct await_limit *limit);

/* Kill a child, wait for it and set *pid to 0. Does nothing if *pid is 0 or less. A
 * child that is stuck in the kernel is not waited for longer than 0.2 s; this is
 * logged. */
void child_end(pid_t *pid);

/* The same for one that was killed already. */
void child_await_killed(pid_t *pid);

#endif
