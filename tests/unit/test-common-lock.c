/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "userspace/common/lock.h"

TestSuite(lock, .init = scratch_make, .fini = scratch_remove);

static bool is_there(int fd, const char *path)
{
	struct stat held, present;

	return !fstat(fd, &held) && !stat(path, &present) && held.st_ino == present.st_ino;
}

Test(lock, one_holder)
{
	const char *path = scratch_path("lock");
	int fd;

	cr_expect_eq(lock_take(path, false), -ENOENT);
	fd = lock_take(path, true);
	cr_assert_geq(fd, 0);
	cr_expect_eq(lock_take(path, true), -EBUSY);
	cr_expect_eq(lock_take(path, false), -EBUSY);
	close(fd);
	fd = lock_take(path, false);
	cr_expect_geq(fd, 0);
	close(fd);
}

Test(lock, no_link_is_followed)
{
	cr_assert_eq(symlink("target", scratch_path("lock")), 0);
	cr_expect_eq(lock_take(scratch_path("lock"), true), -ELOOP);
	cr_expect_neq(access(scratch_path("target"), F_OK), 0);
}

/* Take and remove it again and again; returns whether what was held was always there. */
static bool compete(const char *path)
{
	for (int i = 0; i < 3000;) {
		int fd = lock_take(path, true);
		bool is_good;

		if (fd == -EBUSY)
			continue;
		is_good = fd >= 0 && is_there(fd, path) && !unlink(path);
		if (!is_good)
			return false;
		close(fd);
		i++;
	}
	return true;
}

/* Nobody holds a file that its previous holder has removed. */
Test(lock, holders_that_remove_the_file)
{
	const char *path = scratch_path("lock");
	int status;

	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();

		cr_assert_geq(pid, 0);
		if (pid == 0)
			_exit(compete(path) ? 0 : 1);
	}
	for (int i = 0; i < 3; i++) {
		cr_assert_gt(wait(&status), 0);
		cr_expect_eq(status, 0);
	}
}
