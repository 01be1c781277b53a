/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/child.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/clock.h"

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

static struct await_limit within(uint64_t wait_ns)
{
	return await_within(&AWAIT_FOREVER, wait_ns);
}

Test(child, one_that_ends)
{
	const struct await_limit limit = within(10 * NS_PER_S);
	pid_t pid = start(0);
	int status = 0;

	cr_assert(child_wait(&pid, &status, &limit));
	cr_assert_eq(pid, 0);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 7);
}

Test(child, one_that_does_not_end_is_ended)
{
	const struct await_limit limit = within(5 * NS_PER_MS);
	pid_t pid = start(60), before = pid;

	cr_assert_not(child_wait(&pid, NULL, &limit));
	cr_assert_eq(pid, before);
	cr_assert_eq(kill(pid, 0), 0, "it lives");
	child_end(&pid);
	cr_assert_eq(pid, 0);
	cr_assert(waitpid(before, NULL, WNOHANG) < 0 && errno == ECHILD, "it was waited for");
}

Test(child, none)
{
	pid_t pid = 0;

	cr_assert(child_wait(&pid, NULL, &AWAIT_FOREVER), "at once");
	child_end(&pid);
	cr_assert_eq(pid, 0);
}
