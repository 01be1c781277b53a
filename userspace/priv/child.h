/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start a role as a process of its own, and end processes of ours that run
 * under other uids.
 */
#ifndef CALFPEN_PRIV_CHILD_H
#define CALFPEN_PRIV_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "userspace/priv/options.h"

/*
 * Fork and execute ourselves as `role` with descriptors fds[0..n_fds - 1] as
 * 3, 4, ...; 0 is /dev/null, 1 and 2 are our stderr, all others are closed.
 * `index`: a gateway's calf, the watcher's uplink.
 * The pid, or a negative errno, logged.
 */
pid_t child_start(const struct options *options, enum role role, uint32_t index, const int *fds,
		  uint32_t n_fds);

/*
 * Send SIGKILL to a child of ours that is not yet waited for. The supervisor
 * has no CAP_KILL: a short-lived process takes the child's uid to do it.
 */
void child_kill(pid_t pid, uint32_t uid);

#endif
