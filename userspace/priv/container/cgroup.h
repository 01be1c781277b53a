/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup directories of a container, in every hierarchy (version 1 and 2)
 * that is mounted below /sys/fs/cgroup. The runtime creates and removes them;
 * this code cleans up what the runtime cannot, or did not, remove.
 */
#ifndef CALFPEN_PRIV_CONTAINER_CGROUP_H
#define CALFPEN_PRIV_CONTAINER_CGROUP_H

#include "userspace/common/await.h"

/* Thaw and kill all processes in cgroup `path` ("/PARENT/NAME"), wait until they exit, at
 * most 2 s, and remove its directories. A missing cgroup is not an error. Returns
 * 0, -EBUSY if a process does not exit, -ECANCELED or -ETIMEDOUT if `limit` is
 * reached (the processes have been killed at least once), or another negative
 * errno; not logged. */
int runtime_cgroup_remove(const char *path, const struct await_limit *limit);

#endif
