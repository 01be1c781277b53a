/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/child.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start(int seconds)
{
	pid_t pid = fork();

	if (pid == 0) {
		sleep((unsigned int)seconds);
		_exit(7);
	}
	cr_assert(pid > 0);
	return pid;
}

Test(child, one_that_ends)
{
	pid_t pid = start(0);
	int status = 0;

	cr_assert(child_wait(&pid, &status, 10000));
	cr_assert_eq(pid, 0);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 7);
}

Test(child, one_that_does_not_end_is_ended)
{
	pid_t pid = start(60), before = pid;

	cr_assert_not(child_wait(&pid, NULL, 5));
	cr_assert_eq(pid, before);
	cr_assert_eq(kill(pid, 0), 0, "it lives");
	child_end(&pid, getuid());
	cr_assert_eq(pid, 0);
	cr_assert(waitpid(before, NULL, WNOHANG) < 0 && errno == ECHILD, "it was waited for");
}

Test(child, none)
{
	pid_t pid = 0;

	cr_assert(child_wait(&pid, NULL, 60000), "at once");
	child_end(&pid, 0);
	cr_assert_eq(pid, 0);
}
