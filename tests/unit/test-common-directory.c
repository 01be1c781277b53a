/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "userspace/common/directory.h"

static void begin(void)
{
	scratch_make();
	cr_assert_eq(chdir(scratch), 0);
}

TestSuite(directory, .init = begin, .fini = scratch_remove);

static mode_t mode_of(const char *path)
{
	struct stat status;

	cr_assert_eq(stat(path, &status), 0, "%s", path);
	return status.st_mode & 0777;
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
}

static void expect_text(const char *path, const char *text)
{
	char present[64] = "";
	FILE *file = fopen(path, "r");

	cr_assert_not_null(file, "%s", path);
	cr_expect_eq(fread(present, 1, sizeof(present) - 1, file), strlen(text));
	cr_expect_str_eq(present, text);
	fclose(file);
}

Test(directory, made_with_all_above)
{
	umask(022);
	cr_expect_eq(directory_make("a/b/c", 0700), 0);
	cr_expect_eq(mode_of("a"), 0755);
	cr_expect_eq(mode_of("a/b"), 0755);
	cr_expect_eq(mode_of("a/b/c"), 0700);
	cr_expect_eq(directory_make("a/b/c", 0700), 0, "it is there");
	write_text("file", "x");
	cr_expect_eq(directory_make("file/below", 0700), -ENOTDIR);
}

/* Fills the file with a text; "" fails half-way. */
static int fill(int fd, const void *data)
{
	const char *text = data;

	if (!text[0])
		return write(fd, "half", 4) == 4 ? -ENOSPC : -EIO;
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -EIO;
}

Test(directory, file_is_replaced)
{
	cr_expect_eq(directory_replace_file(".", "name", 0600, fill, "first"), 0);
	expect_text("name", "first");
	cr_expect_eq(mode_of("name"), 0600);
	cr_expect_eq(directory_replace_file(".", "name", 0600, fill, "second"), 0);
	expect_text("name", "second");
	cr_expect_neq(access(".name.calfpen", F_OK), 0);
}

Test(directory, former_file_stays_on_failure)
{
	cr_expect_eq(directory_replace_file(".", "name", 0600, fill, "first"), 0);
	cr_expect_eq(directory_replace_file(".", "name", 0600, fill, ""), -ENOSPC);
	expect_text("name", "first");
	cr_expect_neq(access(".name.calfpen", F_OK), 0, "no half of the new one is left");
	cr_expect_eq(directory_replace_file("not-there", "name", 0600, fill, "x"), -ENOENT);
	cr_expect_eq(directory_replace_file("name", "name", 0600, fill, "x"), -ENOTDIR);
	/* a directory under its name */
	cr_assert_eq(mkdir("taken", 0700), 0);
	cr_expect_eq(directory_replace_file(".", "taken", 0600, fill, "x"), -EISDIR);
	cr_expect_neq(access(".taken.calfpen", F_OK), 0);
}

/* A killed process leaves its file behind; a link of another process is not
 * followed. */
Test(directory, leftovers_are_not_written_to)
{
	write_text("other", "theirs");
	cr_assert_eq(symlink("other", ".name.calfpen"), 0);
	cr_expect_eq(directory_replace_file(".", "name", 0600, fill, "ours"), 0);
	expect_text("name", "ours");
	expect_text("other", "theirs");
	write_text(".name.calfpen", "of one that was killed, and longer");
	cr_expect_eq(directory_replace_file(".", "name", 0600, fill, "again"), 0);
	expect_text("name", "again");
}

Test(directory, mode_and_text)
{
	const struct directory_text text = { "a text", 6 };

	umask(077);
	cr_expect_eq(directory_replace_file(".", "name", 0644, directory_fill_text, &text), 0);
	expect_text("name", "a text");
	cr_expect_eq(mode_of("name"), 0644, "whatever the umask is");
}

Test(directory, own)
{
	umask(077);
	cr_expect_eq(directory_make_own("own", 0711), 0);
	cr_expect_eq(mode_of("own"), 0711, "whatever the umask is");
	cr_expect_eq(directory_make_own("own", 0700), 0, "it exists");
	cr_expect_eq(mode_of("own"), 0700);
	write_text("file", "x");
	cr_expect_eq(directory_make_own("file", 0700), -EPERM);
	cr_assert_eq(symlink("own", "link"), 0);
	cr_expect_eq(directory_make_own("link", 0700), -EPERM, "it could lead anywhere");
	cr_expect_eq(directory_make_own("not/there", 0700), -ENOENT);
	if (geteuid() == 0) {
		cr_assert_eq(chown("own", 65534, 65534), 0);
		cr_expect_eq(directory_make_own("own", 0700), -EPERM, "another user's");
	}
}

Test(directory, name_too_long)
{
	char name[NAME_MAX + 1];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cr_expect_eq(directory_replace_file(".", name, 0600, fill, "x"), -ENAMETOOLONG);
}

/* All that is in it, whatever its mode; links are not followed. */
Test(directory, remove)
{
	cr_expect_eq(directory_remove("none"), 0);
	cr_assert_eq(directory_make("a/b/c", 0700), 0);
	cr_assert_eq(directory_make("kept", 0700), 0);
	write_text("kept/file", "text");
	write_text("a/b/file", "text");
	write_text("a/.hidden", "text");
	cr_assert_eq(symlink("../kept", "a/link"), 0);
	cr_assert_eq(symlink("/nowhere", "a/b/c/dangling"), 0);
	cr_assert_eq(mkfifo("a/fifo", 0600), 0);
	cr_expect_eq(directory_remove("a"), 0);
	cr_expect_eq(access("a", F_OK), -1);
	expect_text("kept/file", "text");
}

Test(directory, remove_what_is_no_directory)
{
	write_text("file", "text");
	cr_expect_eq(directory_remove("file"), -ENOTDIR);
	cr_assert_eq(mkdir("kept", 0700), 0);
	cr_assert_eq(symlink("kept", "link"), 0);
	cr_expect_eq(directory_remove("link"), -ENOTDIR);
	cr_expect_eq(access("kept", F_OK), 0);
	expect_text("file", "text");
}

Test(directory, remove_too_deep)
{
	char path[64] = "a";

	for (int i = 0; i < DIRECTORY_DEPTH_MAX; i++)
		strcat(path, "/a");
	cr_assert_eq(directory_make(path, 0700), 0);
	cr_expect_eq(directory_remove("a"), -ELOOP);
	cr_expect_eq(access(path, F_OK), 0);
	cr_expect_eq(directory_remove("a/a"), 0);
}
