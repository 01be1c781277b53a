/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start, stop and clean up one calf by an OCI runtime with runc's command line.
 * Only the supervisor uses it. The container is created and started detached, so
 * that no runtime process stays and the calf becomes a child of the supervisor
 * (child subreaper). The runtime gets no environment but PATH, and descriptors 0
 * (/dev/null), 1, 2 (log pipes), 3.. (preserved). The default is our own, the pen
 * (userspace/pen/), which needs the capabilities SETUID and SETGID alone.
 *
 * With runc 1.1.5 and our bundle, a root caller needs only the capabilities
 * SETUID, SETGID (id maps) and SYS_ADMIN (device cgroups of version 1), provided
 * that the parent cgroup exists (cgroup.h) and that chown() returns success without doing
 * anything, as in the supervisor's filter: runc changes the owner of its start
 * pipe to the container's root, which would need CHOWN, and then could not open
 * the pipe without DAC_OVERRIDE. The container's environment is what the runtime
 * makes of an empty one (runc: HOME=/).
 */
#ifndef CALFPEN_PRIV_CONTAINER_RUNTIME_H
#define CALFPEN_PRIV_CONTAINER_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "userspace/common/await.h"
#include "userspace/common/clock.h"
#include "userspace/priv/container/exec.h"

struct runtime {
	char path[4096];  /* of the runtime, absolute */
	char state[4096]; /* --root directory of this instance, mode 0700 */
	/* The one that is installed with this program. Any other needs more rights: CAP_SYS_ADMIN,
	 * and whatever system calls such a program may make. */
	bool is_pen;
	/* No command takes longer; the caller may change it. */
	struct await_limit limit;
	pid_t group; /* that commands belong to (exec.h); 0: each has its own */
};

/* The calf's descriptors 1, 2, 3, 4, 5 in its container; -1: /dev/null keeps the number. */
struct runtime_fds {
	int log_stdout, log_stderr, frames, control, metrics;
};

/* What else the process of runtime_create() needs; -1: none. It has no other descriptor of
 * the caller but 0, 1, 2 and runtime->limit.stop_fd. */
struct runtime_starter_fds {
	int go;
	int log, log_ask; /* for log lines, besides 2 */
	bool is_sibling;  /* it is a child of the caller's parent (sibling.h), not the caller's */
};

/* Find the runtime `name` (a path, or in PATH; "": the pen, which is installed beside the running
 * program), without executing it: whether it is one, its first command shows. Returns 0, -ENOENT,
 * -EACCES or another negative errno after one line on stderr. */
int runtime_find(const char *name, struct runtime *runtimep);
/* Create the directory `state` of a runtime that was found. Its commands are killed after
 * 20 s, and as soon as `stop_fd` (-1: none) is readable. Returns 0, or a negative errno after
 * one line on stderr. */
int runtime_prepare(struct runtime *runtime, const char *state, int stop_fd);

#define RUNTIME_GO 'g'

/*
 * Begin to create container `id` from `bundle` in a new process, so that the caller can do
 * other work meanwhile, and start it there as soon as RUNTIME_GO is read from own->go, a
 * non-blocking descriptor; another octet or the end means that it is not wanted any more.
 * First the container of an earlier start is deleted, if there is one. `confine`, unless
 * NULL, is called first in that process, for a caller that has not dropped its privileges
 * yet; it returns 0 or a negative errno. Returns the process's pid, or a negative errno
 * after one line on stderr. When that process has exited, its wait status is for
 * runtime_started(). It leads a process group that its commands belong to. It takes SIGTERM
 * by runtime->limit.stop_fd, a signalfd, also when the caller is killed: then it kills the
 * runtime and the container's processes, and exits. If the runtime hangs, it exits by itself
 * within RUNTIME_START_NS of RUNTIME_GO.
 */
pid_t runtime_create(const struct runtime *runtime, const char *id, const char *bundle,
		     const struct runtime_fds *fds, const struct runtime_starter_fds *own,
		     int (*confine)(void));
/* Its commands delete, create, start, delete; and the cgroup is removed twice. */
#define RUNTIME_START_NS (4 * RUNTIME_COMMAND_NS + 5 * NS_PER_S)

/* Wait until `limit` for the process of runtime_create(), which was asked to exit, and kill
 * it and the runtime that it executed if it did not. Always reaps it, unless the kernel is
 * stuck in it. runtime_kill() or runtime_delete() must follow. */
void runtime_cancel(pid_t creating, const struct await_limit *limit);

/* Return the calf's pid (in our pid namespace) from the time when its container has been
 * created to runtime_started(), or 0. The calf can exit before the process of
 * runtime_create() does. */
pid_t runtime_pid(const struct runtime *runtime, const char *id);

/* Take the wait status of the process `creating` of runtime_create(). Returns 0 with the
 * calf's pid in *pidp; or a negative errno after one line on stderr with the runtime's own
 * message (none for -ECANCELED); then no process of the container is left. Does not execute
 * the runtime. */
int runtime_started(const struct runtime *runtime, const char *id, pid_t creating, int status,
		    pid_t *pidp);

/* Kill the container's processes and remove its cgroup, within 0.25 s and without the
 * runtime, which may hang. The rest is left to the next runtime_create(), or to
 * runtime_delete(). Returns as runtime_delete(). */
int runtime_kill(const struct runtime *runtime, const char *id);

/* Kill and delete a container: of a calf that exited, at shutdown, or one that a
 * killed supervisor left. A missing container is not an error. If the runtime
 * does not do it in time, at least the container's processes are killed. Returns
 * 0, or a negative errno, logged unless it is -ECANCELED. */
int runtime_delete(const struct runtime *runtime, const char *id);

/* runtime_delete() in a new process, which leads its own group, has no descriptor of the caller
 * but 0, 1, 2, own->log, own->log_ask and runtime->limit.stop_fd, and exits with 0 or a positive
 * errno. runtime_cancel() waits for it. Returns the pid, or a negative errno, logged. */
pid_t runtime_begin_delete(const struct runtime *runtime, const char *id,
			   const struct runtime_starter_fds *own, int (*confine)(void));

/* Do without the runtime, for a process that may not execute it: kill the container's
 * processes, and remove its cgroup and what the runtime keeps in the directory `state`. A
 * missing container is not an error. Returns as runtime_delete(). */
int runtime_remove(const struct runtime *runtime, const char *id);

/* runtime_delete() every container of the directory `state`. Returns 0, or the first
 * negative errno; what can be deleted is deleted nevertheless. */
int runtime_delete_all(const struct runtime *runtime);

#endif
