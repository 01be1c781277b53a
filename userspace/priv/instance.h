/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run directory of an instance, RUN_ROOT/INSTANCE: its lock, its state
 * for `calfpen status`, the bundles of its calves.
 */
#ifndef CALFPEN_PRIV_INSTANCE_H
#define CALFPEN_PRIV_INSTANCE_H

#include <limits.h>

struct instance {
	char directory[PATH_MAX]; /* mode 0711: a container's root must be searchable */
	int lock_fd;
};

#define INSTANCE_NULL(_x) ((struct instance){ .lock_fd = -1 })

/* Make the directory and take the lock. -EBUSY after one line that names the
 * process that runs already; other negative errnos are logged too. */
int instance_init(struct instance *instance, const char *name);

/* Replace DIRECTORY/state.json by this text, in one step. */
int instance_write_state(const struct instance *instance, const char *json);

/* Forget the state and give the lock back. */
void instance_deinit(struct instance *instance);

#endif
