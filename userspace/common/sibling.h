/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that is a child of its creator's parent. That parent waits for it, and is what
 * getppid() and PR_SET_PDEATHSIG mean in it; its creator may exit at any time.
 */
#ifndef CALFPEN_COMMON_SIBLING_H
#define CALFPEN_COMMON_SIBLING_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Like fork(2), for a process with one thread; if `is_sibling`, the new process is a child of
 * this one's parent, which gets the signal that the end of this one sends. Stores a
 * close-on-exec pidfd in *pidfdp, unless that is NULL. Returns the pid, 0 in the new process,
 * or a negative errno.
 */
pid_t sibling_fork(bool is_sibling, int *pidfdp);

#endif
