/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "userspace/priv/sealed.h"

static const struct sealed_part parts[] = {
	{ .data = "head", .size = 4 },
	{ .data = "", .size = 0 },
	{ .data = "and tail", .size = 8 },
};

Test(sealed, arrives_whole_and_cannot_be_changed)
{
	int fd = sealed_create("test", parts, 3);
	void *memory = NULL;
	size_t size = 0;

	cr_assert_geq(fd, 0);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_assert_eq(sealed_map(fd, &memory, &size), 0);
	cr_assert_eq(size, 12);
	cr_expect_arr_eq((const char *)memory, "headand tail", 12);
	cr_expect_lt(pwrite(fd, "x", 1, 0), 0);
	cr_expect_lt(ftruncate(fd, 0), 0);
	cr_expect_lt(ftruncate(fd, 13), 0);
	cr_expect_eq(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	close(fd);
}

Test(sealed, what_is_not_sealed_is_refused)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *memory = NULL;
	size_t size = 7;

	cr_assert_eq(write(fd, "text", 4), 4);
	cr_expect_eq(sealed_map(fd, &memory, &size), -EPERM);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	cr_expect_eq(sealed_map(fd, &memory, &size), -EPERM, "may still be written to");
	cr_expect_eq(sealed_map(-1, &memory, &size), -EPERM);
	cr_expect(!memory && size == 7);
	close(fd);
}

Test(sealed, nothing_at_all)
{
	int fd = sealed_create("test", parts, 0);
	void *memory = NULL;
	size_t size = 7;

	cr_assert_geq(fd, 0);
	cr_expect_eq(sealed_map(fd, &memory, &size), -EPROTO);
	cr_expect(!memory && size == 7);
	close(fd);
}
