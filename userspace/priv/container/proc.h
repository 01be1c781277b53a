/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proc file system for an OCI runtime. The kernel lets a container with a user
 * namespace mount its own proc only where one is visible that nothing is mounted on;
 * otherwise the new one would show what the mounts cover. On a host with a read-only
 * /proc/sys, as in most containers, there is none.
 */
#ifndef CALFPEN_PRIV_CONTAINER_PROC_H
#define CALFPEN_PRIV_CONTAINER_PROC_H

#include <stdbool.h>
#include <stdio.h>

/* If parts of /proc are covered, give this process a mount namespace of its own with a
 * new proc. Call it in a process that only executes the runtime. A failure is logged;
 * the runtime then says itself what it cannot do. */
void runtime_uncover_proc(void);

/* Return whether one of these mounts, in the format of /proc/self/mounts, covers a
 * part of /proc. */
bool runtime_proc_is_covered(FILE *mounts);

#endif
