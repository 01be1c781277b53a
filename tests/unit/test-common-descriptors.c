/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/descriptors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* In a child, because the test itself needs its descriptors. */
static int keep(const int *kept, size_t n)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int wrong = 0;

		for (int fd = 10; fd < 20; fd++)
			wrong += dup2(0, fd) != fd;
		wrong += descriptors_keep(kept, n) != 0;
		for (int fd = 0; fd < 3; fd++)
			wrong += !is_open(fd);
		for (int fd = 3; fd < 40; fd++) {
			bool is_kept = false;

			for (size_t i = 0; i < n; i++)
				is_kept |= kept[i] == fd;
			wrong += is_open(fd) != is_kept;
		}
		_exit(wrong);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(descriptors, keep)
{
	cr_expect_eq(keep(NULL, 0), 0);
	cr_expect_eq(keep((const int[]){ 12 }, 1), 0);
	cr_expect_eq(keep((const int[]){ 19, -1, 11, 10, 10 }, 5), 0, "in any order");
	cr_expect_eq(keep((const int[]){ -1, 0, 2, 14 }, 4), 0);
}

Test(descriptors, copy)
{
	int fd = open("/dev/null", O_RDONLY), copy;

	cr_assert_geq(fd, 0);
	close(0);
	copy = descriptors_copy(fd);
	cr_expect_gt(copy, STDERR_FILENO);
	cr_expect_neq(copy, fd);
	cr_expect_eq(fcntl(copy, F_GETFD), FD_CLOEXEC);
	close(copy);
	close(fd);
	cr_expect_eq(descriptors_copy(fd), -EBADF);
}
