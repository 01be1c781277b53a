/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/reserve.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"

static struct audit_reserve reserve = AUDIT_RESERVE_NULL();

static void setup(void)
{
	scratch_make();
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)snprintf(reserve.path, sizeof(reserve.path), "%s/reserve", scratch);
}

TestSuite(audit_reserve, .init = setup, .fini = scratch_remove);

static int append(const char *line)
{
	return audit_reserve_append(&reserve, line, strlen(line));
}

/* Take the first line, without its newline. */
static const char *take(void)
{
	static char text[AUDIT_LINE_SIZE];
	size_t length = 0;
	const char *line = audit_reserve_first(&reserve, &length);

	if (!line)
		return "";
	(void)snprintf(text, sizeof(text), "%.*s", (int)length - 1, line);
	audit_reserve_pop(&reserve, length);
	return text;
}

Test(audit_reserve, F2_allocated_before_it_is_used)
{
	struct stat status;

	cr_assert_eq(audit_reserve_prepare(&reserve), 0);
	cr_assert_eq(stat(reserve.path, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	cr_expect_eq(status.st_size, 0);
	cr_expect_geq((size_t)status.st_blocks * 512, AUDIT_RESERVE_SIZE);
	cr_expect(audit_reserve_is_empty(&reserve));
	cr_expect_str_eq(take(), "");
	audit_reserve_close(&reserve);
	cr_expect_eq(access(reserve.path, F_OK), -1, "nothing waits in it");
}

Test(audit_reserve, F2_in_order_and_again)
{
	struct stat status;

	cr_assert_eq(audit_reserve_prepare(&reserve), 0);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(append("first\n"), 0);
		cr_expect_eq(append("second\n"), 0);
		cr_expect_str_eq(take(), "first");
		cr_expect_eq(append("third\n"), 0);
		cr_expect_str_eq(take(), "second");
		cr_expect_str_eq(take(), "third");
		cr_expect(audit_reserve_is_empty(&reserve));
		audit_reserve_reset(&reserve);
		cr_assert_eq(stat(reserve.path, &status), 0);
		cr_expect_eq(status.st_size, 0);
		cr_expect_geq((size_t)status.st_blocks * 512, AUDIT_RESERVE_SIZE);
	}
	audit_reserve_close(&reserve);
}

Test(audit_reserve, F2_full)
{
	static char line[AUDIT_LINE_SIZE];
	unsigned int n = 0;

	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	cr_expect_eq(append("early\n"), -ENOSPC, "it is not there");
	cr_assert_eq(audit_reserve_prepare(&reserve), 0);
	while (!append(line))
		n++;
	cr_expect_eq(n, AUDIT_RESERVE_SIZE / strlen(line));
	cr_expect_eq(append("short\n"), 0, "this one fits");
	while (n--)
		cr_expect_eq(strlen(take()), strlen(line) - 1);
	cr_expect_str_eq(take(), "short");
	audit_reserve_close(&reserve);
}

/* The process is killed, or the power fails while a line is written. */
Test(audit_reserve, F2_outlives_the_process)
{
	cr_assert_eq(audit_reserve_prepare(&reserve), 0);
	cr_expect_eq(append("first\n"), 0);
	cr_expect_eq(append("second\n"), 0);
	cr_expect_eq(append("third, of which a part is"), 0);
	audit_reserve_close(&reserve);
	cr_assert_eq(audit_reserve_prepare(&reserve), 0);
	cr_expect_eq(append("fourth\n"), 0);
	cr_expect_str_eq(take(), "first");
	cr_expect_str_eq(take(), "second");
	cr_expect_str_eq(take(), "fourth");
	cr_expect_str_eq(take(), "");
	audit_reserve_close(&reserve);
}

Test(audit_reserve, F2_cannot_be_made)
{
	(void)snprintf(reserve.path, sizeof(reserve.path), "%s/no/reserve", scratch);
	cr_expect_eq(audit_reserve_prepare(&reserve), -ENOENT);
	cr_expect_eq(append("first\n"), -ENOSPC);
	(void)snprintf(reserve.path, sizeof(reserve.path), "%s/link", scratch);
	cr_assert_eq(symlink("/tmp/elsewhere", reserve.path), 0);
	cr_expect_eq(audit_reserve_prepare(&reserve), -ELOOP);
	cr_assert_eq(unlink(reserve.path), 0);
	cr_assert_eq(mkfifo(reserve.path, 0600), 0);
	cr_expect_eq(audit_reserve_prepare(&reserve), -ENOTSUP);
	reserve.path[0] = '\0';
	cr_expect_eq(audit_reserve_prepare(&reserve), 0, "none is wanted");
	cr_expect_eq(append("first\n"), -ENOSPC);
	audit_reserve_close(&reserve);
}

/* A file system that does not keep what it promised */
Test(audit_reserve, F2_line_that_is_cut)
{
	cr_assert_eq(audit_reserve_prepare(&reserve), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 10, RLIM_INFINITY }), 0);
	cr_expect_eq(append("first\n"), 0);
	cr_expect_eq(append("second\n"), -ENOSPC);
	cr_expect_str_eq(take(), "first");
	cr_expect_str_eq(take(), "");
	audit_reserve_close(&reserve);
}

/* Somebody else writes to it: nothing is read twice, or for ever. */
Test(audit_reserve, F2_garbage)
{
	static char bytes[3 * AUDIT_LINE_SIZE];

	memset(bytes, 'x', sizeof(bytes));
	bytes[sizeof(bytes) - 1] = '\n';
	scratch_write("reserve", bytes, sizeof(bytes), 0600);
	cr_assert_eq(audit_reserve_prepare(&reserve), 0);
	cr_expect(!audit_reserve_is_empty(&reserve));
	cr_expect_str_eq(take(), "");
	cr_expect(audit_reserve_is_empty(&reserve));
	cr_expect_eq(append("first\n"), 0);
	cr_assert_eq(truncate(reserve.path, 0), 0);
	cr_expect_str_eq(take(), "");
	cr_expect(audit_reserve_is_empty(&reserve));
	audit_reserve_close(&reserve);
}
