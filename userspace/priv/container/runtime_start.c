/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the starter
 *
 * A process that creates a container, waits until it may start it, and starts it, so that
 * the supervisor waits for no command of the runtime.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/descriptors.h"
#include "userspace/common/log.h"
#include "userspace/common/sibling.h"
#include "userspace/priv/container/proc.h"
#include "userspace/priv/container/runtime-private.h"

/* For a process that is killed, unless the kernel is stuck in it. */
#define KILLED_NS (NS_PER_S / 20)

/* Record the container's cgroup before there are any processes in it. */
static int note_cgroup(const struct runtime *runtime, const char *id, const char *bundle)
{
	struct runtime_path note = runtime_path(runtime, id, RUNTIME_CGROUP_ENDING);
	char path[PATH_MAX + sizeof("/config.json")];
	const char *cgroup = NULL;
	json_t *config;
	FILE *file;
	int r = 0;

	snprintf(path, sizeof(path), "%s/config.json", bundle);
	config = json_load_file(path, 0, NULL);
	if (json_unpack(config, "{s:{s:s}}", "linux", "cgroupsPath", &cgroup) < 0) {
		log_error("%s: not a container configuration", path);
		r = -EINVAL;
	} else {
		file = fopen(note.text, "we");
		if (!file || fputs(cgroup, file) < 0)
			r = -errno;
		if (file && fclose(file) != 0)
			r = -errno;
		if (r < 0)
			log_error("%s: %s", note.text, strerror(-r));
	}
	json_decref(config);
	return r;
}

static int create(const struct runtime *runtime, const char *id, const char *bundle,
		  const struct runtime_fds *fds)
{
	struct runtime_path pid_file = runtime_path(runtime, id, RUNTIME_PID_ENDING);
	const char *const command[] = {
		"create",	    "--bundle",	      bundle, "--pid-file", pid_file.text,
		"--no-new-keyring", "--preserve-fds", "3",    id,	    NULL
	};
	const int command_fds[] = { fds->log_stdout, fds->log_stderr, fds->frames, fds->control,
				    fds->metrics };

	return runtime_run(runtime, id, command, command_fds,
			   sizeof(command_fds) / sizeof(command_fds[0]));
}

/* Returns 0 if the container is to be started. */
static int wait_go(const struct runtime *runtime, int go_fd)
{
	char octet = 0;
	ssize_t n = -1;
	int r;

	do {
		r = await_input(go_fd, &runtime->limit);
		if (!r)
			n = read(go_fd, &octet, 1);
	} while (!r && n < 0 && (errno == EAGAIN || errno == EINTR));
	return r ? r : octet == RUNTIME_GO ? 0 : -ECANCELED;
}

static int start(const struct runtime *runtime, const char *id)
{
	const char *const command[] = { "start", id, NULL };
	const int no_fds[] = { -1, -1 };

	return runtime_run(runtime, id, command, no_fds, 2);
}

/* The runtime may have made the calf's ends block: Go does so with files that it passes on. A
 * calf must not wait for its gateway. */
static void keep_nonblocking(const struct runtime_fds *fds)
{
	(void)fcntl(fds->log_stdout, F_SETFL, O_NONBLOCK);
	(void)fcntl(fds->log_stderr, F_SETFL, O_NONBLOCK);
}

/* In a new process whose parent is `supervisor`. It keeps only a few descriptors, because
 * whoever waits for the end of a file must not wait for this process, too. */
static int enter(const int *kept, size_t n_kept, int (*confine)(void), pid_t supervisor)
{
	int r = setpgid(0, 0) ? -errno : 0;

	if (!r)
		r = descriptors_keep(kept, n_kept);
	if (!r && confine)
		r = confine();
	/* Afterwards, because a change of ids clears it */
	if (!r && prctl(PR_SET_PDEATHSIG, SIGTERM))
		r = -errno;
	return !r && getppid() != supervisor ? -ECANCELED : r;
}

static int enter_starter(const struct runtime *runtime, const struct runtime_fds *fds,
			 const struct runtime_starter_fds *own, int (*confine)(void),
			 pid_t supervisor)
{
	const int kept[] = {
		fds->log_stdout, fds->log_stderr, fds->frames,
		fds->control,	 fds->metrics,	  own->go,
		own->log,	 own->log_ask,	  runtime->limit.stop_fd,
	};

	return enter(kept, sizeof(kept) / sizeof(kept[0]), confine, supervisor);
}

/* In a process of its own */
static int create_and_start(const struct runtime *runtime, const char *id, const char *bundle,
			    const struct runtime_fds *fds, int go_fd)
{
	const char *command = "create";
	int r;

	if (!runtime->is_pen)
		runtime_uncover_proc();
	(void)runtime_delete(runtime, id); /* logged */
	r = note_cgroup(runtime, id, bundle);
	if (r)
		return r;
	r = create(runtime, id, bundle, fds);
	if (!r && !runtime_pid(runtime, id)) {
		r = -EPROTO;
		log_error("%s: the runtime wrote no process id",
			  runtime_path(runtime, id, RUNTIME_PID_ENDING).text);
		goto fail;
	}
	if (!r)
		r = wait_go(runtime, go_fd);
	if (!r) {
		command = "start";
		r = start(runtime, id);
	}
	if (!r) {
		keep_nonblocking(fds);
		return 0;
	}
	runtime_report(runtime, id, command, r);
fail:
	(void)runtime_delete(runtime, id);
	return r;
}

pid_t runtime_create(const struct runtime *runtime, const char *id, const char *bundle,
		     const struct runtime_fds *fds, const struct runtime_starter_fds *own,
		     int (*confine)(void))
{
	const pid_t supervisor = own->is_sibling ? getppid() : getpid();
	pid_t pid = sibling_fork(own->is_sibling, NULL);

	if (pid < 0)
		log_error("cannot fork: %s", strerror(-pid));
	if (pid == 0) {
		struct runtime starter = *runtime;
		int r = enter_starter(runtime, fds, own, confine, supervisor);

		if (r && r != -ECANCELED)
			runtime_report(runtime, id, "create", r);
		starter.group = getpid();
		_exit(-(r ? r : create_and_start(&starter, id, bundle, fds, own->go)));
	}
	return pid;
}

pid_t runtime_begin_delete(const struct runtime *runtime, const char *id,
			   const struct runtime_starter_fds *own, int (*confine)(void))
{
	const int kept[] = { own->log, own->log_ask, runtime->limit.stop_fd };
	const pid_t supervisor = own->is_sibling ? getppid() : getpid();
	pid_t pid = sibling_fork(own->is_sibling, NULL);

	if (pid < 0)
		log_error("cannot fork: %s", strerror(-pid));
	if (pid == 0) {
		struct runtime deleter = *runtime;
		int r = enter(kept, sizeof(kept) / sizeof(kept[0]), confine, supervisor);

		deleter.group = getpid();
		_exit(-(r ? r : runtime_delete(&deleter, id)));
	}
	return pid;
}

void runtime_cancel(pid_t creating, const struct await_limit *limit)
{
	const struct await_limit killed = await_within(&AWAIT_FOREVER, KILLED_NS);
	int status = 0, r = await_child(creating, &status, limit);

	if (r && r != -ECANCELED && r != -ETIMEDOUT)
		return;
	if (!r && WIFEXITED(status))
		return; /* it has killed them itself */
	kill(-creating, SIGKILL);
	if (!r)
		return;
	kill(creating, SIGKILL); /* it may not lead its group yet */
	(void)await_child(creating, NULL, &killed);
}

/* Kill what is left of a start whose process was killed, or wrote no process id. */
static int start_failed(const struct runtime *runtime, const char *id, pid_t creating, int status)
{
	if (WIFSIGNALED(status)) {
		kill(-creating, SIGKILL);
		log_error("container %s: the process that starts it was killed by signal %d", id,
			  WTERMSIG(status));
	} else {
		runtime_report(runtime, id, "start", -EIO);
	}
	(void)runtime_kill(runtime, id); /* logged */
	return -EIO;
}

int runtime_started(const struct runtime *runtime, const char *id, pid_t creating, int status,
		    pid_t *pidp)
{
	pid_t pid = runtime_pid(runtime, id);

	if (WIFEXITED(status) && WEXITSTATUS(status))
		return -WEXITSTATUS(status);
	if (!WIFEXITED(status) || !pid)
		return start_failed(runtime, id, creating, status);
	(void)unlink(runtime_path(runtime, id, RUNTIME_PID_ENDING).text);
	*pidp = pid;
	return 0;
}
