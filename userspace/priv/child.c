/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/log.h"

/* Above every descriptor number that a role is given. */
#define FD_FREE 64
#define FDS_MAX 16

static int place_descriptors(const int *fds, uint32_t n_fds)
{
	int moved[FDS_MAX];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || n_fds > FDS_MAX)
		return -1;
	/* First out of the way, so that no dup2() overwrites a source. */
	for (uint32_t i = 0; i < n_fds; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD, FD_FREE);
		if (moved[i] < 0)
			return -1;
	}
	if (dup2(null, 0) < 0 || dup2(2, 1) < 0)
		return -1;
	for (uint32_t i = 0; i < n_fds; i++)
		if (dup2(moved[i], (int)(3 + i)) < 0)
			return -1;
	return (int)syscall(SYS_close_range, 3 + n_fds, ~0U, 0);
}

static void execute(const struct options *options, enum role role, uint32_t index, const int *fds,
		    uint32_t n_fds, pid_t supervisor)
{
	char **argv = calloc((size_t)options->argc + 5, sizeof(*argv));
	char number[16], role_name[16], index_option[16];
	char *no_environment[] = { NULL };
	sigset_t none;
	int argc = 0;

	/* Confinement sets it again: a change of ids clears it. */
	if (!argv || prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != supervisor ||
	    place_descriptors(fds, n_fds))
		return;
	for (; argc < options->argc; argc++)
		argv[argc] = options->argv[argc];
	snprintf(role_name, sizeof(role_name), "%s", role == ROLE_WATCHER ? "watcher" : "gateway");
	snprintf(index_option, sizeof(index_option), "%s",
		 role == ROLE_WATCHER ? "--uplink-index" : "--calf-index");
	snprintf(number, sizeof(number), "%u", index);
	argv[argc++] = (char[]){ "--role" };
	argv[argc++] = role_name;
	argv[argc++] = index_option;
	argv[argc++] = number;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve("/proc/self/exe", argv, no_environment);
}

pid_t child_start(const struct options *options, enum role role, uint32_t index, const int *fds,
		  uint32_t n_fds)
{
	pid_t supervisor = getpid(), pid = fork();

	if (pid < 0) {
		pid = -errno;
		log_error("cannot fork: %s", strerror(-pid));
	}
	if (pid == 0) {
		execute(options, role, index, fds, n_fds, supervisor);
		log_error("cannot start a role: %s", strerror(errno));
		_exit(1);
	}
	return pid;
}

void child_kill(pid_t pid, uint32_t uid)
{
	pid_t helper;

	if (pid <= 0)
		return;
	if (!kill(pid, SIGKILL))
		return;
	helper = fork();
	if (helper == 0) {
		if (setresuid(uid, uid, uid))
			_exit(1);
		_exit(kill(pid, SIGKILL) ? 1 : 0);
	}
	if (helper > 0)
		waitpid(helper, NULL, 0);
}
