/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the pen. All of them return 0 or a negative errno after one message
 * (report.h).
 */
#ifndef CALFPEN_PEN_CONTAINER_H
#define CALFPEN_PEN_CONTAINER_H

#include <stdbool.h>

struct pen_create {
	const char *root; /* directory of all containers, made if it is missing */
	const char *id;
	const char *bundle;
	const char *pid_file; /* NULL: none */
	int preserve_fds;     /* 3 .. 2 + preserve_fds, which must be open, are the calf's, too */
};

/*
 * Create the container and its process, which has lost everything already and waits for
 * pen_container_start(). If this fails, nothing is left. A pen that is killed leaves at most
 * ROOT/ID and an empty cgroup, never a process, and pen_container_delete() removes both.
 */
int pen_container_create(const struct pen_create *create);

/* Let the process execute the calf. */
int pen_container_start(const char *root, const char *id);

/* Send it a signal. */
int pen_container_kill(const char *root, const char *id, int signal);

/* Remove the container. If its process runs: kill it if `is_forced`, otherwise refuse with
 * -EBUSY. With `is_forced`, a missing container is not an error. */
int pen_container_delete(const char *root, const char *id, bool is_forced);

/* Print its state as the OCI runtime specification says. */
int pen_container_state(const char *root, const char *id);

#endif
