/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run directory of an instance, RUN_ROOT/INSTANCE: its lock, its state
 * for `calfpen status`, the bundles of its calves.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_INSTANCE_H
#define CALFPEN_PRIV_SUPERVISOR_INSTANCE_H

#include <limits.h>
#include <stdint.h>

struct instance {
	char directory[PATH_MAX]; /* mode 0711: a container's root must be searchable */
	int lock_fd;
};

#define INSTANCE_NULL(_x) ((struct instance){ .lock_fd = -1 })

/* Make the directory and take the lock. -EBUSY after one line that names the
 * process that runs already; other negative errnos are logged too. */
int instance_init(struct instance *instance, const char *name);

/*
 * End gateways that a supervisor which was killed left behind, by what it
 * wrote into state.json: whose uid is not `first_uid`..`last_uid` (any more)
 * is somebody else. A file of another version, or a damaged one, is logged in
 * one line; the next instance_write_state() replaces it. Before confine_enter():
 * needs CAP_KILL.
 */
void instance_end_leftovers(const struct instance *instance, uint32_t first_uid, uint32_t last_uid);

/* Replace DIRECTORY/state.json (state/state.h) by this text, in one step. */
int instance_write_state(const struct instance *instance, const char *json);

/* Forget the state and give the lock back. */
void instance_deinit(struct instance *instance);

#endif
