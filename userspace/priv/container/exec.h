/* SPDX-License-Identifier: Apache-2.0 */
/* Run one command of the OCI runtime to its end. */
#ifndef CALFPEN_PRIV_CONTAINER_EXEC_H
#define CALFPEN_PRIV_CONTAINER_EXEC_H

#include <stddef.h>

#include "userspace/priv/container/runtime.h"

/*
 * Execute argv[0] with no environment but PATH, descriptor 0 /dev/null and
 * fds[0..n_fds - 1] as 1, 2, 3, ...; nothing else stays open. A descriptor of
 * -1 is /dev/null. No shell. 0 if it exited with 0, -EIO if not, -ETIMEDOUT if
 * it had to be killed, or another negative errno: it could not be executed.
 */
int runtime_exec(const char *const *argv, const int *fds, size_t n_fds);

#endif
