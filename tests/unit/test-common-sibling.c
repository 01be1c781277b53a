/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/sibling.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int report[2];

/* A child of ours, which creates a process that says whose child it is, and exits. */
static pid_t parent_of_new(bool is_sibling, pid_t *creatorp, pid_t *newp)
{
	pid_t said[2];

	cr_assert_eq(pipe(report), 0);
	*creatorp = fork();
	cr_assert_geq(*creatorp, 0);
	if (!*creatorp) {
		pid_t pid = sibling_fork(is_sibling, NULL);

		if (!pid) {
			said[0] = getpid();
			said[1] = getppid();
			_exit(write(report[1], said, sizeof(said)) == sizeof(said) ? 5 : 1);
		}
		if (!is_sibling)
			waitpid(pid, NULL, 0);
		_exit(pid > 0 ? 0 : 1);
	}
	cr_assert_eq(read(report[0], said, sizeof(said)), (ssize_t)sizeof(said));
	*newp = said[0];
	return said[1];
}

Test(sibling, child_of_the_parent)
{
	pid_t creator, new;
	int status;

	cr_expect_eq(parent_of_new(true, &creator, &new), getpid());
	cr_assert_eq(waitpid(new, &status, 0), new);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	cr_assert_eq(waitpid(creator, &status, 0), creator);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

Test(sibling, child_of_the_caller)
{
	pid_t creator, new;

	cr_expect_eq(parent_of_new(false, &creator, &new), creator);
	cr_expect_neq(waitpid(new, NULL, WNOHANG), new);
	cr_assert_eq(waitpid(creator, NULL, 0), creator);
}

Test(sibling, pidfd)
{
	int pidfd = -1;
	struct pollfd exited;
	pid_t pid = sibling_fork(false, &pidfd);

	if (!pid)
		_exit(0);
	cr_assert_gt(pid, 0);
	cr_assert_geq(pidfd, 0);
	exited = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	cr_expect_eq(poll(&exited, 1, 5000), 1);
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
}
