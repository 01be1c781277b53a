/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup directories of containers, in every hierarchy (version 1 and 2) that is
 * mounted below /sys/fs/cgroup: their parent, which instances share, and that of a
 * container. The runtime creates and removes the latter; this code cleans up what the
 * runtime cannot, or did not, remove.
 */
#ifndef CALFPEN_PRIV_CONTAINER_CGROUP_H
#define CALFPEN_PRIV_CONTAINER_CGROUP_H

#include <stdbool.h>

#include "userspace/common/await.h"

/*
 * Create cgroup `path` ("calfpen", no leading slash) and those above it in every mounted
 * hierarchy, unless they exist, and hold it: until cgroup_parent_release() it is not
 * removed. Call this before confine_enter(). The root of a hierarchy has mode 0555, so that
 * the runtime of a confined supervisor, which has no CAP_DAC_OVERRIDE, can only create
 * cgroups below an existing one that root owns. Waits, within `limit`, for an instance that
 * is removing the cgroup. Returns a descriptor, or a negative errno after one line on
 * stderr, -ECANCELED or -ETIMEDOUT without one.
 */
int cgroup_parent_hold(const char *path, const struct await_limit *limit);

/* Close the descriptor. If no other instance holds the cgroup, remove it and those above
 * it, as far as they are empty and cgroup_parent_hold() has created them, whichever
 * instance called it. Does nothing if `fd` is negative. */
void cgroup_parent_release(const char *path, int fd);

/* Return whether the CPU time of cgroups in `path` can be limited: not every kernel is built
 * for it, or offers it at any time. Call it while the cgroup is held. */
bool cgroup_limits_cpu(const char *path);

/* Thaw and kill all processes in cgroup `path` ("/PARENT/NAME"), wait until they exit, at
 * most 2 s, and remove its directories. A missing cgroup is not an error. Returns
 * 0, -EBUSY if a process does not exit, -ECANCELED or -ETIMEDOUT if `limit` is
 * reached (the processes have been killed at least once), or another negative
 * errno; not logged. */
int runtime_cgroup_remove(const char *path, const struct await_limit *limit);

#endif
