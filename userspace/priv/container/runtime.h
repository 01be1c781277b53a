/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start, end and clean up one calf by an OCI runtime with runc's command
 * line: create + start, detached; no runtime process stays, the calf becomes
 * a child of the supervisor (child subreaper). The runtime gets an empty
 * environment but PATH, and descriptors 0 (/dev/null), 1, 2 (log pipes),
 * 3.. (preserved).
 *
 * With runc 1.1.5 and our bundle a root caller needs SETUID, SETGID (id maps)
 * and SYS_ADMIN (device cgroups of version 1) and nothing else, if the parent
 * cgroup is there and chown() is answered with success without being done, as
 * the supervisor's filter does: runc gives its start pipe to the container's
 * root, and could then neither do so (CHOWN) nor open it (DAC_OVERRIDE). The
 * container's environment is what the runtime makes of an empty one (runc:
 * HOME=/).
 */
#ifndef CALFPEN_PRIV_CONTAINER_RUNTIME_H
#define CALFPEN_PRIV_CONTAINER_RUNTIME_H

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

/*
 * Before confine_enter(): make cgroup `path` ("calfpen", no leading slash) in
 * every mounted hierarchy. The root of a hierarchy is writable for nobody
 * (mode 0555), so the runtime of a confined supervisor, which has no
 * CAP_DAC_OVERRIDE, can make cgroups only below one that is there and root's.
 * It stays: it is empty, and other instances use it. 0, or a negative errno
 * after one line on stderr.
 */
int runtime_make_cgroup_parent(const char *path);

/* Find `name` (a path, or in PATH) and check that it answers --version:
 * 0, or -ENOENT / -EACCES / -EPROTO after one line on stderr that names the
 * remedy. */
int runtime_find(const char *name, const char *state, struct runtime *runtimep);

/*
 * Begin to create container `id` from `bundle`, in a process of its own: its
 * pid is for runtime_start(), and it takes the time it takes beside whatever
 * the caller does. `confine`, unless NULL, is called there before anything
 * else, for a caller that has not dropped its rights yet; it returns 0 or a
 * negative errno. A negative errno after one line on stderr.
 */
pid_t runtime_create(const struct runtime *runtime, const char *id, const char *bundle,
		     const struct runtime_fds *fds, int (*confine)(void));

/* Wait for runtime_create(), then start the container. 0 with the calf's pid (in
 * our pid namespace) in *pidp, or a negative errno after one line on stderr
 * with the runtime's own message; then nothing is left behind. */
int runtime_start(const struct runtime *runtime, const char *id, pid_t creating, pid_t *pidp);

/* End the container and forget it; no error if there is none. Used for a dead
 * calf, at shutdown, and for leftovers of a supervisor that was killed. */
int runtime_delete(const struct runtime *runtime, const char *id);

#endif
