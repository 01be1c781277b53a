/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are in the file as a whole or not at all, and its end says where the chain is. */
#include "userspace/priv/audit/file.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/scratch.h"
#include "userspace/common/audit_files.h"

static struct audit_file file = AUDIT_FILE_NULL();
static struct audit_end end;

static void open_log(void)
{
	int fd = open(scratch_path("log"), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(audit_file_read_end(fd, &end), 0);
	audit_file_close(&file);
	audit_file_use(&file, fd, &end);
}

static void setup(void)
{
	scratch_make();
	(void)signal(SIGXFSZ, SIG_IGN);
	open_log();
}

TestSuite(audit_file_lines, .init = setup, .fini = scratch_remove);

static void limit_size(rlim_t size)
{
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ size, RLIM_INFINITY }), 0);
}

static int append(const char *line)
{
	int r = audit_file_look(&file);

	return r ? r : audit_file_append(&file, line, strlen(line));
}

static const char *contents(void)
{
	static char text[1024];
	ssize_t n = pread(file.fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* A line that a full disk has cut is taken back. */
Test(audit_file_lines, F2_full_disk)
{
	cr_expect_eq(append("first\n"), 0);
	limit_size(10);
	cr_expect_eq(append("second\n"), -ENOSPC);
	cr_expect_str_eq(contents(), "first\n");
	cr_expect_lt(append("second\n"), 0);
	limit_size(6);
	cr_expect_eq(append("second\n"), -EFBIG);
	limit_size(RLIM_INFINITY);
	cr_expect_eq(append("third\n"), 0);
	cr_expect_str_eq(contents(), "first\nthird\n");
	cr_expect_eq(file.end, 12u);
}

/* What a crash of the host, or another program, has left; and a file that was truncated. */
Test(audit_file_lines, U38_begins_in_a_new_line)
{
	int other = open(scratch_path("log"), O_WRONLY | O_APPEND | O_CLOEXEC);

	cr_assert_eq(write(other, "former", 6), 6);
	open_log();
	cr_expect(end.is_cut);
	cr_expect_eq(append("first\n"), 0);
	cr_expect_str_eq(contents(), "former\nfirst\n");
	cr_assert_eq(write(other, "whole\n", 6), 6);
	cr_expect_eq(append("second\n"), 0);
	cr_expect_str_eq(contents(), "former\nfirst\nwhole\nsecond\n");
	cr_assert_eq(write(other, "cut", 3), 3);
	cr_expect_eq(append("third\n"), 0);
	cr_expect_str_eq(contents(), "former\nfirst\nwhole\nsecond\ncut\nthird\n");
	cr_assert_eq(ftruncate(other, 2), 0);
	cr_expect_eq(append("fourth\n"), 0);
	cr_expect_str_eq(contents(), "fo\nfourth\n");
	cr_assert_eq(ftruncate(other, 0), 0);
	cr_expect_eq(append("fifth\n"), 0);
	cr_expect_str_eq(contents(), "fifth\n");
	close(other);
}

Test(audit_file_lines, F2_removed)
{
	cr_expect_eq(append("first\n"), 0);
	cr_assert_eq(rename(scratch_path("log"), scratch_path("log.1")), 0);
	cr_expect_eq(append("second\n"), 0, "renamed");
	cr_assert_eq(unlink(scratch_path("log.1")), 0);
	cr_expect_eq(append("third\n"), AUDIT_FILE_GONE);
}

#define PREV(_digit) ",\"prev\":\"" _digit _digit _digit _digit _digit _digit _digit _digit "\"}"
#define CHAINED "{\"a\":1" PREV("abcd")
#define ABCD "abcdabcdabcdabcdabcdabcdabcdabcd"

/* The last record, and not what was torn behind it. */
Test(audit_file_lines, F2_end)
{
	static const struct {
		const char *text, *last, *previous; /* last: the line; NULL: none */
		bool is_cut;
	} rows[] = {
		{ "", NULL, "", false },
		{ CHAINED "\n", CHAINED, ABCD, false },
		{ "{}\n" CHAINED "\n", CHAINED, ABCD, false },
		{ CHAINED "\n{\"a\":2,\"pr", CHAINED, ABCD, true },
		{ CHAINED "\n{\"a\":2,\"pr\n", CHAINED, ABCD, false },
		{ CHAINED "\n{\"a\":\"}\n\n", CHAINED, ABCD, false },
		/* whole, but its newline is missing: not written */
		{ "{\"b\":1}\n" CHAINED, "{\"b\":1}", "", true },
		/* of a version without a chain */
		{ "{\"b\":1}\n{\"c\":1}\n", "{\"c\":1}", "", false },
		{ "{\"b\":1}\n{\"c\":\n", "{\"b\":1}", "", false },
		{ "garbage\n", NULL, "", false },
		{ "garbage", NULL, "", true },
	};
	char hash[CHAIN_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scratch_write_text("log", rows[i].text, 0600);
		open_log();
		hash[0] = '\0';
		if (rows[i].last)
			chain_hash(rows[i].last, strlen(rows[i].last), hash);
		cr_expect_str_eq(end.hash, hash, "%zu", i);
		cr_expect_str_eq(end.previous, rows[i].previous, "%zu", i);
		cr_expect_eq(end.is_cut, rows[i].is_cut, "%zu", i);
		cr_expect_eq(end.size, strlen(rows[i].text));
	}
}

/* Behind the longest lines, and the number in the first one. */
Test(audit_file_lines, F2_end_of_a_long_file)
{
	static char text[20 * AUDIT_LINE_SIZE];
	char hash[CHAIN_SIZE];
	size_t used;

	used = (size_t)snprintf(text, sizeof(text),
				"{\"time\":\"\",\"subject\":\"audit\",\"verb\":\"begin\","
				"\"verdict\":\"ok\",\"segment\":4711" PREV("0000") "\n");
	for (int i = 0; i < 10; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "{\"a\":\"%08000d\"}\n",
					 i);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n", CHAINED);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "%08000d\ncut", 1);
	scratch_write("log", text, used, 0600);
	open_log();
	chain_hash(CHAINED, strlen(CHAINED), hash);
	cr_expect_str_eq(end.hash, hash);
	cr_expect_eq(end.segment, 4711u);
	cr_expect(end.is_cut);
}
