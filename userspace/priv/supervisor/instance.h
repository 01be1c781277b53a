/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run directory of an instance, RUN_ROOT/INSTANCE: its lock, its state for
 * `calfpen status` and the bundles of its calves.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_INSTANCE_H
#define CALFPEN_PRIV_SUPERVISOR_INSTANCE_H

#include <limits.h>
#include <stdint.h>

struct instance {
	char directory[PATH_MAX]; /* mode 0711: a container's root must be searchable */
	int lock_fd;
	int uplink_fd; /* the lock of the uplink */
	char uplink_lock[PATH_MAX];
};

#define INSTANCE_NULL(_x) ((struct instance){ .lock_fd = -1, .uplink_fd = -1 })

/* Create the directory and take the lock. Returns 0; -EBUSY after one line that
 * names the process that is already running; or another negative errno, logged. */
int instance_init(struct instance *instance, const char *name);

/*
 * Lock the uplink, because two instances on one uplink would take each other's
 * replies and routes; release the lock of the previous uplink. The lock is a file
 * next to DIRECTORY, named after the network namespace and the index, because
 * names can change; the kernel releases it if the process is killed. Returns 0;
 * -EBUSY after one line that names the other instance; or another negative errno,
 * logged.
 */
int instance_lock_uplink(struct instance *instance, const char *name, int ifindex);

/*
 * Kill the gateways and calves that are listed in the state.json of a killed supervisor,
 * also calves that are not of this start; runtime_delete_all() removes their containers. A
 * process whose uid is not (or no longer) one of those that the file names is another
 * process and is left alone; they need not be the uids of the next run. A damaged file,
 * or one of another version, is logged in one line; the next instance_write_state()
 * replaces it. Waits up to 1 s for their exit, but not once `stop_fd` (-1: none) is
 * readable. Call this before confine_enter(), because it needs CAP_KILL, and before
 * uids_take(), which may give the uids to another instance.
 */
void instance_end_leftovers(const struct instance *instance, int stop_fd);

/* Replace DIRECTORY/state.json (state/state.h) with `json` atomically. Returns 0,
 * or a negative errno, logged. */
int instance_write_state(const struct instance *instance, const char *json);

/* Remove state.json and release both locks. */
void instance_deinit(struct instance *instance);

#endif
