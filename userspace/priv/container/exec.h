/* SPDX-License-Identifier: Apache-2.0 */
/* Run one command of the OCI runtime and wait until it exits. */
#ifndef CALFPEN_PRIV_CONTAINER_EXEC_H
#define CALFPEN_PRIV_CONTAINER_EXEC_H

#include <stddef.h>
#include <sys/types.h>

#include "userspace/common/await.h"

/*
 * Execute argv[0], without a shell, with no environment but PATH, descriptor 0
 * as /dev/null and fds[0..n_fds - 1] as 1, 2, 3, ...; all others are closed. A
 * descriptor of -1 means /dev/null. A command that has not exited after 20 s, or
 * when `limit` is reached, is killed with its process group. Returns 0 if the
 * command exited with 0, -EIO if with another code, -ECANCELED or -ETIMEDOUT
 * (await.h) if it was killed, or another negative errno if it could not be
 * executed.
 */
int runtime_exec(const char *const *argv, const int *fds, size_t n_fds,
		 const struct await_limit *limit);

#endif
