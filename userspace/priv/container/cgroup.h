/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup directories of a container, in every hierarchy that is mounted
 * below /sys/fs/cgroup, version 1 and 2. The runtime makes and removes them;
 * this is for what it cannot do, or did not get to.
 */
#ifndef CALFPEN_PRIV_CONTAINER_CGROUP_H
#define CALFPEN_PRIV_CONTAINER_CGROUP_H

/* Kill what is left in cgroup `path` ("/PARENT/NAME"), wait for its end, and
 * remove its directories. A missing cgroup is no error. 0, -EBUSY if something
 * in it does not end, or another negative errno; not logged. */
int runtime_cgroup_remove(const char *path);

#endif
