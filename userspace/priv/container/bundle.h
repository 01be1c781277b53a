/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI bundle of a calf, generated from its description: config.json and a
 * root file system with one static binary. Only the supervisor uses it.
 */
#ifndef CALFPEN_PRIV_CONTAINER_BUNDLE_H
#define CALFPEN_PRIV_CONTAINER_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/priv/description/description.h"

struct bundle_parameters {
	const struct description *description;
	const char *directory;	   /* to create, mode 0711; its parents must be searchable */
	const char *cgroup_parent; /* the cgroup's path is /PARENT/INSTANCE-NAME */
	const char *instance;
	bool limits_cpu; /* cgroup_limits_cpu() */
	bool is_for_pen; /* the runtime is the pen, which executes the shipped binary itself */
	uint32_t uid;	 /* host id to which container id 0, the only one, is mapped */
};

/*
 * Write DIRECTORY/config.json and DIRECTORY/rootfs, replacing existing ones. The
 * container has a read-only root, new namespaces of every type, a user namespace
 * with a map of one id, no capabilities, no_new_privs, a seccomp allow list
 * (without ioctl, setsockopt, socket, bpf), limits of memory, pids and CPU time, an empty
 * environment and masked paths. The root contains a copy of the shipped binary; if
 * DIRECTORY is mounted noexec, the shipped one is bind-mounted over it. With
 * `is_for_pen` there is no copy, and the root is empty. Returns 0, or a negative
 * errno after one line on stderr; then DIRECTORY has been removed. -EACCES: a
 * parent directory is not searchable (not with `is_for_pen`).
 */
int bundle_write(const struct bundle_parameters *parameters);

/* Remove a bundle. A missing directory is not an error. Returns 0, or a negative
 * errno after one line on stderr. */
int bundle_remove(const char *directory);

#endif
