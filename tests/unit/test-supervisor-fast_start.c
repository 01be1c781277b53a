/* SPDX-License-Identifier: Apache-2.0 */
/* The switch for fast grace periods, with a file in its place. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/supervisor/fast_start.h"

static struct fast_start fast;
static char path[128], lock[128];

static void setup(void)
{
	scratch_make();
	(void)snprintf(path, sizeof(path), "%s/switch", scratch);
	(void)snprintf(lock, sizeof(lock), "%s/lock", scratch);
	fast = FAST_START_NULL(fast);
	capture_begin();
}

TestSuite(fast_start, .init = setup, .fini = scratch_remove);

static const char *text_of(const char *file)
{
	static char text[64];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	cr_assert_geq(fd, 0, "%s", file);
	n = read(fd, text, sizeof(text) - 1);
	cr_assert_geq(n, 0);
	text[n] = '\0';
	(void)close(fd);
	return text;
}

/* As by SIGKILL */
static void killed(void)
{
	(void)close(fast.switch_fd);
	(void)close(fast.lock_fd);
	fast = FAST_START_NULL(fast);
}

Test(fast_start, set_and_restored)
{
	scratch_write_text("switch", "0\n", 0644);
	fast_start_begin(&fast, path, lock);
	cr_expect_str_eq(text_of(path), "1\n");
	fast_start_end(&fast);
	cr_expect_str_eq(text_of(path), "0\n");
	cr_expect_str_eq(text_of(lock), "");
	fast_start_end(&fast);
	cr_expect_str_eq(text_of(path), "0\n");
	cr_expect_str_eq(capture_text(), "");
}

/* What the operator has set stays. */
Test(fast_start, set_before)
{
	scratch_write_text("switch", "1\n", 0644);
	fast_start_begin(&fast, path, lock);
	fast_start_end(&fast);
	cr_expect_str_eq(text_of(path), "1\n");
	cr_expect_str_eq(capture_text(), "");
}

/* The second one ends first, and must not end that of the first. */
Test(fast_start, two_instances)
{
	struct fast_start second = FAST_START_NULL(second);

	scratch_write_text("switch", "0\n", 0644);
	fast_start_begin(&fast, path, lock);
	fast_start_begin(&second, path, lock);
	cr_expect_str_eq(capture_text(), "fast_start: another instance is starting, too\n");
	fast_start_end(&second);
	cr_expect_str_eq(text_of(path), "1\n");
	fast_start_end(&fast);
	cr_expect_str_eq(text_of(path), "0\n");
}

Test(fast_start, killed_and_started_again)
{
	scratch_write_text("switch", "0\n", 0644);
	fast_start_begin(&fast, path, lock);
	killed();
	cr_expect_str_eq(text_of(path), "1\n");
	fast_start_begin(&fast, path, lock);
	killed();
	fast_start_begin(&fast, path, lock);
	fast_start_end(&fast);
	cr_expect_str_eq(text_of(path), "0\n");
}

/* What was noted is not restored over what the operator has set since. */
Test(fast_start, killed_and_changed_since)
{
	scratch_write_text("switch", "2\n", 0644);
	fast_start_begin(&fast, path, lock);
	killed();
	scratch_write_text("switch", "0\n", 0644);
	fast_start_begin(&fast, path, lock);
	fast_start_end(&fast);
	cr_expect_str_eq(text_of(path), "0\n");
}

Test(fast_start, without_the_switch)
{
	char expected[256];

	fast_start_begin(&fast, path, lock);
	fast_start_end(&fast);
	(void)snprintf(expected, sizeof(expected),
		       "fast_start: %s: No such file or directory; starting as without it\n", path);
	cr_expect_str_eq(capture_text(), expected);
	cr_expect_eq(access(lock, F_OK), -1);
}
