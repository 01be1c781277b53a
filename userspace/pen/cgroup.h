/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup of a container, which carries its limits of memory, swap, processes and CPU
 * time: in each hierarchy of version 1 that has one of these controllers, and in version 2.
 */
#ifndef CALFPEN_PEN_CGROUP_H
#define CALFPEN_PEN_CGROUP_H

#include <sys/types.h>

#include "userspace/pen/config.h"

#define PEN_CGROUPS_MAX 8

struct pen_cgroups {
	/* files "tasks", to which the process must write "0"; version 1 */
	int join_fds[PEN_CGROUPS_MAX];
	size_t n_join;
	int born_fd; /* in which the process is created; version 2; -1: there is none */
};

/*
 * Create config->cgroup, whose parent must exist, in each hierarchy, and set the limits. An
 * empty cgroup of this name, which a killed pen left, is replaced. Returns 0, or a negative
 * errno, reported; then pen_cgroup_remove() must be called, too. -EOPNOTSUPP: no hierarchy
 * has the controller for a limit.
 */
int pen_cgroup_create(const struct pen_config *config, struct pen_cgroups *cgroupsp);

/* Kill what is in cgroup `path` and remove it from each hierarchy. Waits for at most 2 s. A
 * missing cgroup is not an error. Returns 0 or a negative errno, reported. */
int pen_cgroup_remove(const char *path);

#endif
