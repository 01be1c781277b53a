/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/nowait.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "userspace/common/clock.h"

Test(nowait, awaits_the_reader_of_a_pipe)
{
	static const char bytes[4096];
	uint64_t until_ns;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(nowait_how(fds[1]), NOWAIT_POLL);
	while (nowait_write(fds[1], NOWAIT_POLL, bytes, sizeof(bytes)) > 0)
		;
	cr_expect_eq(errno, EAGAIN);
	until_ns = clock_now_ns(CLOCK_BOOTTIME) + 20 * NS_PER_MS;
	cr_expect(!nowait_await(fds[1], until_ns));
	cr_expect_geq(clock_now_ns(CLOCK_BOOTTIME), until_ns);
	if (!fork()) {
		static char taken[1 << 16];

		_exit(read(fds[0], taken, sizeof(taken)) > 0 ? 0 : 1);
	}
	cr_expect(nowait_await(fds[1], clock_now_ns(CLOCK_BOOTTIME) + 60 * NS_PER_S));
	cr_expect(!nowait_await(fds[1], 1), "the time is over");
}
