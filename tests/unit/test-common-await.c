/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/await.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/clock.h"

/* A child that exits with 7, or never. */
static pid_t start(bool ends)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (!ends)
			pause();
		_exit(7);
	}
	cr_assert(pid > 0);
	return pid;
}

static void expect_running(pid_t pid)
{
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	cr_expect_eq(await_child(pid, NULL, &AWAIT_FOREVER), 0);
	cr_expect_eq(await_child(pid, NULL, &AWAIT_FOREVER), -ECHILD, "it was reaped");
}

Test(await, child_that_exits)
{
	int status = 0;

	cr_expect_eq(await_child(start(true), &status, &AWAIT_FOREVER), 0);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

Test(await, U16_child_that_hangs)
{
	const struct await_limit limit = await_within(&AWAIT_FOREVER, 20 * NS_PER_MS);
	pid_t pid = start(false);

	kill(pid, SIGSTOP);
	cr_expect_eq(await_child(pid, NULL, &limit), -ETIMEDOUT);
	cr_expect_eq(await_check(&limit), -ETIMEDOUT);
	cr_expect_eq(await_pause(&limit, NS_PER_S), -ETIMEDOUT);
	expect_running(pid);
}

Test(await, U16_signal_ends_the_wait)
{
	struct await_limit limit = AWAIT_FOREVER;
	pid_t pid = start(false);
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	limit.stop_fd = fds[0];
	cr_expect_eq(await_check(&limit), 0);
	cr_expect_eq(await_pause(&limit, 1), 0);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(await_check(&limit), -ECANCELED);
	cr_expect_eq(await_child(pid, NULL, &limit), -ECANCELED);
	expect_running(pid);
}

/* A limit that is over does not hide that the child exited. */
Test(await, no_time_left)
{
	const struct await_limit over = { .stop_fd = -1, .until_ns = 0 };
	pid_t pid = start(true);
	siginfo_t info;

	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	cr_expect_eq(await_child(pid, NULL, &over), 0);
}

Test(await, earlier_limit_wins)
{
	const struct await_limit soon = { .stop_fd = 5, .until_ns = 1000 };
	const struct await_limit limit = await_within(&soon, NS_PER_S);

	cr_expect_eq(limit.until_ns, 1000);
	cr_expect_eq(limit.stop_fd, 5);
}
