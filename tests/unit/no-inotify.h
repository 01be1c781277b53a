/* SPDX-License-Identifier: Apache-2.0 */
/* A process that has no inotify instance left. */
#ifndef CALFPEN_TESTS_NO_INOTIFY_H
#define CALFPEN_TESTS_NO_INOTIFY_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a user namespace of its own, so that root's other processes keep theirs. */
static inline bool take_inotify(void)
{
	int fd;

	if (unshare(CLONE_NEWUSER))
		return false;
	fd = open("/proc/sys/user/max_inotify_instances", O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, "0", 1) == 1 && !close(fd) && inotify_init1(IN_CLOEXEC) < 0;
}

/* Expect is_good() in such a process. It is a fork, because Criterion has threads. */
static inline void expect_without_inotify(bool (*is_good)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(!take_inotify() ? 2 : !is_good());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		cr_skip_test("no user namespaces");
	cr_expect_eq(status, 0, "%x", status);
}

#endif
