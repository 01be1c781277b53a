/* SPDX-License-Identifier: Apache-2.0 */
/* Run one command of the OCI runtime. */
#ifndef CALFPEN_PRIV_CONTAINER_EXEC_H
#define CALFPEN_PRIV_CONTAINER_EXEC_H

#include <stddef.h>
#include <sys/types.h>

#include "userspace/common/await.h"
#include "userspace/common/clock.h"

/* No command takes longer: for a runtime whose init is stuck; a start takes 0.1 s. */
#define RUNTIME_COMMAND_NS (20 * NS_PER_S)

/*
 * Begin to execute argv[0], without a shell, with no environment but PATH, descriptor 0
 * as /dev/null and fds[0..n_fds - 1] as 1, 2, 3, ...; all others are closed. A
 * descriptor of -1 means /dev/null. `group` is this process's group, whose leader this
 * process is, so that whoever kills the group also kills the command; 0: it gets a group of
 * its own. Stores the process in *pidp. Returns 0 or a negative errno.
 */
int runtime_exec(const char *const *argv, const int *fds, size_t n_fds, pid_t group, pid_t *pidp);
/* Wait until it exits. If it has not after RUNTIME_COMMAND_NS, or when `limit` is reached, it
 * is killed with all other processes of its group (`group` as above). Returns 0 if it exited
 * with 0, -EIO if with another code, or -ECANCELED or -ETIMEDOUT (await.h) if it was killed. */
int runtime_exec_end(pid_t pid, pid_t group, const struct await_limit *limit);

#endif
