/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI bundle of a calf, generated from its description: config.json and
 * a root file system with one static binary.
 */
#ifndef CALFPEN_PRIV_CONTAINER_BUNDLE_H
#define CALFPEN_PRIV_CONTAINER_BUNDLE_H

#include <stdint.h>

#include "userspace/priv/description/description.h"

struct bundle_parameters {
	const struct description *description;
	const char *directory;	   /* is made, mode 0711; all above it are searchable */
	const char *cgroup_parent; /* cgroup path is /PARENT/INSTANCE-NAME */
	const char *instance;
	uint32_t uid; /* host id that container id 0 is mapped to, one id */
};

/*
 * Write DIRECTORY/config.json and DIRECTORY/rootfs, replacing what was there.
 * read-only root, all namespaces new, user namespace with a one-id map, no
 * capabilities, no_new_privs, seccomp allow list (no ioctl, setsockopt,
 * socket, bpf), memory and pid limits, empty environment, masked paths.
 * Where DIRECTORY is mounted noexec the shipped binary is bind-mounted over
 * the one in the root. 0, or a negative errno after one line on stderr; then
 * DIRECTORY is gone. -EACCES: something above it is not searchable.
 */
int bundle_write(const struct bundle_parameters *parameters);

/* Remove what bundle_write() made; a missing directory is no error. */
int bundle_remove(const char *directory);

#endif
