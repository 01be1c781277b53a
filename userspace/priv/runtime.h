/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start, end and clean up one calf by an OCI runtime with runc's command
 * line: create + start, detached; no runtime process stays, the calf becomes
 * a child of the supervisor (child subreaper). The runtime gets an empty
 * environment but PATH, and descriptors 0 (/dev/null), 1, 2 (log pipes),
 * 3.. (preserved).
 */
#ifndef CALFPEN_PRIV_RUNTIME_H
#define CALFPEN_PRIV_RUNTIME_H

#include <stddef.h>
#include <sys/types.h>

struct runtime {
	char path[4096];  /* absolute */
	char state[4096]; /* --root directory of this instance, mode 0700 */
};

/* Descriptors of a calf as the container sees them: 1, 2, 3, 4, 5. */
struct runtime_fds {
	int log_stdout, log_stderr, frames, control, metrics;
};

/* Find `name` (a path, or in PATH) and check that it answers --version:
 * 0, or -ENOENT / -EACCES / -EPROTO after one line on stderr that names the
 * remedy. */
int runtime_find(const char *name, const char *state, struct runtime *runtimep);

/* Create and start container `id` from `bundle`. 0 with the calf's pid (in
 * our pid namespace) in *pidp, or a negative errno after one line on stderr
 * with the runtime's own message; then nothing is left behind. */
int runtime_start(const struct runtime *runtime, const char *id, const char *bundle,
		  const struct runtime_fds *fds, pid_t *pidp);

/* End the container and forget it; no error if there is none. Used for a dead
 * calf, at shutdown, and for leftovers of a supervisor that was killed. */
int runtime_delete(const struct runtime *runtime, const char *id);

#endif
