/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start, stop and clean up one calf by an OCI runtime with runc's command line.
 * Only the supervisor uses it. The container is created and started detached, so
 * that no runtime process stays and the calf becomes a child of the supervisor
 * (child subreaper). The runtime gets no environment but PATH, and descriptors 0
 * (/dev/null), 1, 2 (log pipes), 3.. (preserved).
 *
 * With runc 1.1.5 and our bundle, a root caller needs only the capabilities
 * SETUID, SETGID (id maps) and SYS_ADMIN (device cgroups of version 1), provided
 * that the parent cgroup exists and that chown() returns success without doing
 * anything, as in the supervisor's filter: runc changes the owner of its start
 * pipe to the container's root, which would need CHOWN, and then could not open
 * the pipe without DAC_OVERRIDE. The container's environment is what the runtime
 * makes of an empty one (runc: HOME=/).
 */
#ifndef CALFPEN_PRIV_CONTAINER_RUNTIME_H
#define CALFPEN_PRIV_CONTAINER_RUNTIME_H

#include <stddef.h>
#include <sys/types.h>

struct runtime {
	char path[4096];  /* of the runtime, absolute */
	char state[4096]; /* --root directory of this instance, mode 0700 */
};

/* The calf's descriptors 1, 2, 3, 4, 5 in its container. */
struct runtime_fds {
	int log_stdout, log_stderr, frames, control, metrics;
};

/*
 * Create cgroup `path` ("calfpen", no leading slash) in every mounted hierarchy;
 * call this before confine_enter(). The root of a hierarchy has mode 0555, so
 * that the runtime of a confined supervisor, which has no CAP_DAC_OVERRIDE, can
 * only create cgroups below an existing one that root owns. The cgroup is not
 * removed, because it is empty and other instances use it. Returns 0, or a
 * negative errno after one line on stderr.
 */
int runtime_make_cgroup_parent(const char *path);

/* Find the runtime `name` (a path, or in PATH), check that it answers --version,
 * and create the directory `state`. Returns 0, or -ENOENT, -EACCES, -EPROTO or
 * another negative errno after one line on stderr. */
int runtime_find(const char *name, const char *state, struct runtime *runtimep);

/*
 * Begin to create container `id` from `bundle` in a new process, so that the
 * caller can do other work meanwhile. `confine`, unless NULL, is called first
 * in that process, for a caller that has not dropped its privileges yet; it
 * returns 0 or a negative errno. Returns the process's pid, to be passed to
 * runtime_start(), or a negative errno after one line on stderr.
 */
pid_t runtime_create(const struct runtime *runtime, const char *id, const char *bundle,
		     const struct runtime_fds *fds, int (*confine)(void));

/* Wait for runtime_create(), then start the container. Returns 0 with the calf's
 * pid (in our pid namespace) in *pidp, or a negative errno after one line on
 * stderr with the runtime's own message; then the container has been deleted. */
int runtime_start(const struct runtime *runtime, const char *id, pid_t creating, pid_t *pidp);

/* Kill and delete a container: of a calf that exited, at shutdown, or one that a
 * killed supervisor left. A missing container is not an error. Returns 0, or a
 * negative errno, logged. */
int runtime_delete(const struct runtime *runtime, const char *id);

#endif
