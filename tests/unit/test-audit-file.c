/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes append to one file, of which one is cut short by a full disk. */
#include "userspace/priv/audit/file.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/scratch.h"

static struct audit_file one = AUDIT_FILE_NULL(), two = AUDIT_FILE_NULL();

static int open_log(void)
{
	int fd = open(scratch_path("log"), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	return fd;
}

static void setup(void)
{
	scratch_make();
	(void)signal(SIGXFSZ, SIG_IGN);
	audit_file_init(&one, open_log());
	audit_file_init(&two, open_log());
}

TestSuite(audit_file_lines, .init = setup, .fini = scratch_remove);

static void limit_size(rlim_t size)
{
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ size, RLIM_INFINITY }), 0);
}

static int append(struct audit_file *file, const char *line)
{
	return audit_file_append(file, line, strlen(line));
}

static const char *contents(void)
{
	static char text[1024];
	ssize_t n = pread(one.fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

Test(audit_file_lines, U38_completed)
{
	cr_expect_eq(append(&one, "first\n"), 0);
	limit_size(10);
	cr_expect_eq(append(&one, "second\n"), AUDIT_FILE_CUT);
	cr_expect_str_eq(contents(), "first\nseco");
	cr_expect_lt(append(&one, "lost\n"), 0);
	cr_expect_lt(append(&two, "lost\n"), 0);
	limit_size(11);
	cr_expect_eq(append(&one, "lost\n"), -ENOSPC, "the second is still not complete");
	cr_expect_str_eq(contents(), "first\nsecon");
	limit_size(RLIM_INFINITY);
	cr_expect_eq(append(&one, "third\n"), 0);
	cr_expect_eq(append(&two, "fourth\n"), 0);
	cr_expect_str_eq(contents(), "first\nsecond\nthird\nfourth\n");
	cr_expect_eq(audit_file_complete(&one), 0);
}

/* The other one gets there first: its line is a new one, and the cut one is repeated. */
Test(audit_file_lines, U38_other_process_is_first)
{
	limit_size(3);
	cr_expect_eq(append(&one, "first\n"), AUDIT_FILE_CUT);
	limit_size(RLIM_INFINITY);
	cr_expect_eq(append(&two, "second\n"), 0);
	cr_expect_eq(audit_file_complete(&one), 0);
	cr_expect_str_eq(contents(), "fir\nsecond\nfirst\n");
}

/* Both are cut. */
Test(audit_file_lines, U38_both_are_cut)
{
	limit_size(3);
	cr_expect_eq(append(&one, "first\n"), AUDIT_FILE_CUT);
	limit_size(6);
	cr_expect_eq(append(&two, "second\n"), AUDIT_FILE_CUT);
	cr_expect_str_eq(contents(), "fir\nse");
	limit_size(RLIM_INFINITY);
	cr_expect_eq(append(&one, "third\n"), 0);
	cr_expect_eq(append(&two, "fourth\n"), 0);
	cr_expect_str_eq(contents(), "fir\nse\nfirst\nthird\nsecond\nfourth\n");
}

/* What a former version, or a crash of the host, left; and a file that was truncated. */
Test(audit_file_lines, U38_begins_in_a_new_line)
{
	cr_assert_eq(write(one.fd, "former", 6), 6);
	cr_expect_eq(append(&two, "first\n"), 0);
	cr_expect_str_eq(contents(), "former\nfirst\n");
	cr_expect_eq(append(&one, "second\n"), 0);
	cr_expect_str_eq(contents(), "former\nfirst\nsecond\n");
	cr_assert_eq(ftruncate(one.fd, 0), 0);
	cr_expect_eq(append(&two, "third\n"), 0);
	cr_expect_str_eq(contents(), "third\n");
	cr_assert_eq(ftruncate(one.fd, 2), 0);
	cr_expect_eq(append(&two, "fourth\n"), 0);
	cr_expect_str_eq(contents(), "th\nfourth\n");
}
