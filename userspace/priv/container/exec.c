/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/container/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/signals.h"

/* To exit after SIGKILL, unless the kernel is stuck in it. */
#define KILLED_NS (NS_PER_S / 5)
/* Above every descriptor number that is passed on. */
#define FD_FREE 64
#define FDS_MAX 8

/*
 * Kill all processes of our group but this one, which leaves it for that moment: another
 * process, which is not reaped yet, keeps a group for us. Whoever kills us meanwhile by
 * the group still reaches the others.
 */
static void kill_others(pid_t group)
{
	siginfo_t ended;
	pid_t other = fork();

	if (other == 0)
		_exit(setpgid(0, 0) ? 1 : 0);
	if (other < 0)
		return;
	(void)waitid(P_PID, (id_t)other, &ended, WEXITED | WNOWAIT);
	if (!setpgid(0, other)) {
		kill(-group, SIGKILL);
		(void)setpgid(0, group);
	}
	(void)waitpid(other, NULL, 0);
}

int runtime_exec_end(pid_t pid, pid_t group, const struct await_limit *limit)
{
	const struct await_limit own = await_within(limit, RUNTIME_COMMAND_NS);
	int status, r = await_child(pid, &status, &own);

	if (r == -ECANCELED || r == -ETIMEDOUT) {
		const struct await_limit killed = await_within(&AWAIT_FOREVER, KILLED_NS);

		if (group)
			kill_others(group);
		else
			kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		(void)await_child(pid, NULL, &killed);
	}
	if (r)
		return r;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return -ETIMEDOUT;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int spawn(const char *const *argv, const int *moved, size_t n_fds, pid_t group, pid_t *pidp)
{
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = { path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t harmless, all;
	int r;

	signals_harmless(&harmless); /* a child has the name of its parent until it executes */
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&attributes, group);
	posix_spawnattr_setsigmask(&attributes, &harmless);
	posix_spawnattr_setsigdefault(&attributes, &all);
	r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	for (size_t i = 0; !r && i < n_fds; i++)
		r = posix_spawn_file_actions_adddup2(&actions, moved[i], (int)i + 1);
	if (!r)
		r = posix_spawn_file_actions_addclosefrom_np(&actions, (int)n_fds + 1);
	if (!r)
		r = posix_spawn(pidp, argv[0], &actions, &attributes,
				(char *const *)(uintptr_t)argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int runtime_exec(const char *const *argv, const int *fds, size_t n_fds, pid_t group, pid_t *pidp)
{
	int moved[FDS_MAX] = { 0 };
	size_t n_moved = 0;
	int r = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	/* First move them out of the way, so that no copy overwrites a source. */
	while (!r && n_moved < n_fds && n_moved < FDS_MAX) {
		int fd = fds[n_moved] < 0 ? null : fds[n_moved];

		moved[n_moved] = fcntl(fd, F_DUPFD_CLOEXEC, FD_FREE);
		if (moved[n_moved] < 0)
			r = -errno;
		else
			n_moved++;
	}
	if (!r)
		r = spawn(argv, moved, n_moved, group, pidp);
	for (size_t i = 0; i < n_moved; i++)
		close(moved[i]);
	close(null);
	return r;
}
