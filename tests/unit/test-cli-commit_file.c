/* SPDX-License-Identifier: Apache-2.0 */
/* The file of `calfpen commit`. */
#include <errno.h>

#include "tests/unit/cli-capture.h"
#include "userspace/cli/commit_file.h"

static struct commit_file file;

static int parse(const char *text, size_t size)
{
	FILE *from = size ? fmemopen((void *)(uintptr_t)text, size, "r") : fopen("/dev/null", "r");
	int r = commit_file_read(&file, from);

	fclose(from);
	return r;
}

static int parse_text(const char *text)
{
	return parse(text, strlen(text));
}

/* Return the text of change i, which must have this path. */
static const char *text_of(unsigned int i, const char *path)
{
	const unsigned char *at = file.commit.bytes;
	const struct kv_change *change = (const void *)at;

	for (; i > 0; i--) {
		at += KV_CHANGE_SIZE(change->length);
		change = (const void *)at;
	}
	cr_assert_str_eq(change->path, path);
	return change->operation == KV_CHANGE_WRITE ? (const char *)(change + 1) : NULL;
}

Test(cli_commit, changes)
{
	cr_assert_eq(parse_text("# the lab\n"
				"\n"
				"set /a 1\n"
				"  \t \n"
				"\tset  /b/c  two words  \n"
				"   # set /no 1\n"
				"set /empty \n"
				"del /d  \n"
				"set\t/e\t# no comment"),
		     0, "%u: %s", file.bad_line, file.reason);
	cr_assert_eq(file.commit.n_changes, 5);
	cr_assert_str_eq(text_of(0, "/a"), "1");
	cr_assert_str_eq(text_of(1, "/b/c"), " two words  ");
	cr_assert_str_eq(text_of(2, "/empty"), "");
	cr_assert_null(text_of(3, "/d"));
	cr_assert_str_eq(text_of(4, "/e"), "# no comment");
	cr_assert_eq(file.changes[1].line, 5);
	cr_assert_str_eq(file.changes[4].key.path, "/e");
	cr_assert_eq(file.changes[4].line, 9);
	cr_assert(file.changes[3].is_delete);
	cr_assert_not(file.changes[4].is_delete);
}

Test(cli_commit, bad_lines)
{
	static const struct {
		const char *text, *reason;
		unsigned int line;
	} rows[] = {
		{ "set /a 1\nput /b 2\n", "expected `set PATH VALUE` or `del PATH`", 2 },
		{ "sets /a 1", "expected `set PATH VALUE` or `del PATH`", 1 },
		{ "set", "missing path", 1 },
		{ "del   ", "missing path", 1 },
		{ "\n\nset a 1", "invalid path", 3 },
		{ "del /", "invalid path", 1 },
		{ "set /A 1", "invalid path", 1 },
		{ "set /a", "missing value", 1 },
		{ "del /a 1", "unexpected text after the path", 1 },
		{ "set /a \x1b[2J", "the value contains a byte that is not printable ASCII", 1 },
		{ "set /a 1\r\n", "the value contains a byte that is not printable ASCII", 1 },
		{ "set /a \xc3\xa4", "the value contains a byte that is not printable ASCII", 1 },
		{ "", "contains no changes", 0 },
		{ "# nothing\n\n", "contains no changes", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(parse_text(rows[i].text), -EINVAL, "%s", rows[i].text);
		cr_assert_str_eq(file.reason, rows[i].reason);
		cr_assert_eq(file.bad_line, rows[i].line, "%s", rows[i].text);
	}
	cr_assert_eq(parse("set /a \0b", 9), -EINVAL);
	cr_assert_str_eq(file.reason, "the line contains a NUL byte");
}

Test(cli_commit, limits)
{
	static char text[400000];
	size_t used = 0;

	/* values */
	snprintf(text, sizeof(text), "set /a %01023d\n", 0);
	cr_assert_eq(parse_text(text), 0);
	snprintf(text, sizeof(text), "set /a %01024d\n", 0);
	cr_assert_eq(parse_text(text), -EINVAL);
	cr_assert_str_eq(file.reason, "the value is longer than 1023 bytes");
	memset(text, 'x', sizeof(text) - 1);
	cr_assert_eq(parse_text(text), -EINVAL);
	cr_assert_str_eq(file.reason, "line too long");
	/* number of changes */
	for (int i = 0; i < KV_CHANGES_MAX + 1; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "del /k/%d\n", i);
	cr_assert_eq(parse_text(text), -EINVAL);
	cr_assert_str_eq(file.reason, "more than 128 changes");
	cr_assert_eq(file.bad_line, KV_CHANGES_MAX + 1);
	*strstr(text, "del /k/128") = '\0';
	cr_assert_eq(parse_text(text), 0);
	cr_assert_eq(file.commit.n_changes, KV_CHANGES_MAX);
	/* bytes */
	used = 0;
	for (int i = 0; i < 30; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "set /k/%d %01023d\n", i,
					 0);
	cr_assert_eq(parse_text(text), -EINVAL);
	cr_assert_str_eq(file.reason, "more than 32 KiB of changes");
	cr_assert_eq(file.bad_line, 30, "29 * %u", KV_CHANGE_SIZE(1023));
}

TestSuite(cli_commit_file, .init = make_roots, .fini = scratch_remove);

/* Errors in the file are reported before an instance is searched. */
Test(cli_commit_file, is_read_first)
{
	char path[128], want[256];
	FILE *to;

	snprintf(path, sizeof(path), "%s/changes", scratch);
	cr_assert_eq(calfpen("commit", path, NULL), CLI_FAILURE);
	snprintf(want, sizeof(want), "calfpen: %s: No such file or directory\n", path);
	cr_assert_str_eq(err_text, want);
	to = fopen(path, "w");
	fputs("set /a 1\nset b 2\n", to);
	fclose(to);
	cr_assert_eq(calfpen("commit", path, NULL), CLI_USAGE);
	snprintf(want, sizeof(want), "calfpen: %s:2: invalid path\n", path);
	cr_assert_str_eq(err_text, want);
	cr_assert_eq(calfpen("commit", scratch, NULL), CLI_FAILURE, "a directory");
	snprintf(want, sizeof(want), "calfpen: %s: Is a directory\n", scratch);
	cr_assert_str_eq(err_text, want);
	cr_assert_eq(calfpen("commit", "-", NULL), CLI_USAGE);
	cr_assert_str_eq(err_text, "calfpen: -: contains no changes\n");
	in_text = "set /a 1\n";
	cr_assert_eq(calfpen("commit", "-", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "no instance"));
}
