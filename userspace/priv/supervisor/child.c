/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/program.h"
#include "userspace/common/signals.h"

/* Above every descriptor number that a role is given. */
#define FD_FREE 64
#define FDS_MAX 16
#define KILLED_NS (NS_PER_S / 5)

int child_open_program(const char *name)
{
	char path[PATH_MAX] = "/proc/self/exe";
	int fd, r = name ? program_path(name, path, sizeof(path)) : 0;

	if (r) {
		log_error("%s: cannot find it next to this program: %s", name, strerror(-r));
		return r;
	}
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		log_error("%s: %s; install it next to calfpen-priv", path, strerror(-r));
		return r;
	}
	return fd;
}

/* Returns the new number of the program's descriptor, or a negative number. */
static int place_descriptors(int program_fd, const int *fds, uint32_t n_fds)
{
	int moved[FDS_MAX + 1], program = (int)(3 + n_fds);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || n_fds > FDS_MAX)
		return -1;
	/* First move them out of the way, so that no dup2() overwrites a source. */
	for (uint32_t i = 0; i <= n_fds; i++) {
		moved[i] = fcntl(i < n_fds ? fds[i] : program_fd, F_DUPFD, FD_FREE);
		if (moved[i] < 0)
			return -1;
	}
	if (dup2(null, 0) < 0 || dup2(2, 1) < 0)
		return -1;
	for (uint32_t i = 0; i < n_fds; i++)
		if (dup2(moved[i], (int)(3 + i)) < 0)
			return -1;
	if (dup3(moved[n_fds], program, O_CLOEXEC) < 0 ||
	    syscall(SYS_close_range, program + 1, ~0U, 0) < 0)
		return -1;
	return program;
}

static void execute(int program_fd, char *const argv[], const int *fds, uint32_t n_fds,
		    pid_t supervisor)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char journal[64], *environment[] = { NULL, NULL };
	int program;

	/* Confinement sets this again, because a change of ids clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != supervisor)
		return;
	program = place_descriptors(program_fd, fds, n_fds);
	if (program < 0)
		return;
	if (stream &&
	    snprintf(journal, sizeof(journal), "JOURNAL_STREAM=%s", stream) < (int)sizeof(journal))
		environment[0] = journal;
	signals_block_harmless();
	execveat(program, "", argv, environment, AT_EMPTY_PATH);
}

pid_t child_start(int program_fd, char *const argv[], const int *fds, uint32_t n_fds)
{
	pid_t supervisor = getpid(), pid = fork();

	if (pid < 0) {
		pid = -errno;
		log_error("cannot fork: %s", strerror(-pid));
	}
	if (pid == 0) {
		/* The socket's number will be that of another descriptor. */
		log_also(NULL, NULL);
		execute(program_fd, argv, fds, n_fds, supervisor);
		log_error("%s: cannot start it: %s", argv[0], strerror(errno));
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

bool child_wait(pid_t *pid, int *statusp, const struct await_limit *limit)
{
	if (*pid > 0 && !await_child(*pid, statusp, limit))
		*pid = 0;
	return *pid <= 0;
}

void child_end(pid_t *pid, uint32_t uid)
{
	struct await_limit limit;

	if (*pid <= 0)
		return;
	child_kill(*pid, uid);
	limit = await_within(&AWAIT_FOREVER, KILLED_NS);
	if (await_child(*pid, NULL, &limit) == -ETIMEDOUT)
		log_error("process %d: does not exit after SIGKILL; leaving it", (int)*pid);
	*pid = 0;
}
