/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"
#include "userspace/priv/handlers/file.h"

TestSuite(handlers_file, .init = scratch_make, .fini = scratch_remove);

static void make_link(const char *text, const char *name)
{
	cr_assert_eq(symlink(text, scratch_path(name)), 0, "%s", name);
}

/* Both relative to the scratch directory. */
static void expect(const char *name, const char *target)
{
	char found[PATH_MAX];

	cr_expect_eq(file_resolve(scratch_path(name), found), 0, "%s", name);
	cr_expect_str_eq(found, scratch_path(target), "%s", name);
}

static void expect_error(const char *name, int error)
{
	char found[PATH_MAX] = "unchanged";

	cr_expect_eq(file_resolve(scratch_path(name), found), error, "%s", name);
	cr_expect_str_eq(found, "unchanged");
}

Test(handlers_file, U12_links_are_followed_in_every_part_of_the_path)
{
	cr_assert_eq(mkdir(scratch_path("etc"), 0755), 0);
	cr_assert_eq(mkdir(scratch_path("run"), 0755), 0);
	make_link("run", "var-run");
	make_link("../var-run/./x/y/resolv.conf", "etc/resolv.conf");
	make_link("etc//resolv.conf", "first");
	make_link(scratch_path("first"), "absolute");
	expect("run/none", "run/none");
	expect("etc/../run//./none", "run/none");
	expect("etc/resolv.conf", "run/x/y/resolv.conf");
	expect("first", "run/x/y/resolv.conf");
	expect("absolute", "run/x/y/resolv.conf");
}

Test(handlers_file, U12_links_that_lead_nowhere)
{
	char found[PATH_MAX];
	char longest[PATH_MAX + 8];

	cr_assert_eq(mkdir(scratch_path("etc"), 0755), 0);
	scratch_write_text("file", "", 0644);
	make_link("b", "a");
	make_link("a", "b");
	make_link("none/../etc/resolv.conf", "through-none");
	expect_error("a", -ELOOP);
	expect_error("through-none", -ENOENT);
	expect_error("file/resolv.conf", -ENOTDIR);
	cr_expect_eq(file_resolve("etc/resolv.conf", found), -EINVAL);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	cr_expect_eq(file_resolve(longest, found), -ENAMETOOLONG);
	cr_expect_eq(file_resolve("/../..", found), 0);
	cr_expect_str_eq(found, "");
}

Test(handlers_file, U12_no_directory_is_made_outside_of_run)
{
	cr_expect_eq(file_make_directory(scratch_path("none/resolv.conf")), -ENOENT);
	cr_expect_eq(file_make_directory("/runner/resolv.conf"), -ENOENT);
	cr_expect_eq(access(scratch_path("none"), F_OK), -1);
}

static void expect_text(const char *name, const char *text)
{
	char found[FILE_SIZE_MAX];

	cr_expect_geq(file_read(scratch_path(name), found, sizeof(found)), 0);
	cr_expect_str_eq(found, text, "%s", name);
}

/* A second name of the inode sees what a bind mount sees. */
Test(handlers_file, U13_content_is_replaced_and_the_file_is_not)
{
	static const char *const texts[] = { "short\n", "a text that is longer\n", "\n", "",
					     "x\n" };

	scratch_write_text("file", "something\nof the operator\n", 0640);
	cr_assert_eq(link(scratch_path("file"), scratch_path("bound")), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_expect_eq(file_overwrite(scratch_path("file"), texts[i], strlen(texts[i])), 0);
		expect_text("file", texts[i]);
		expect_text("bound", texts[i]);
	}
	cr_expect_eq(file_write(scratch_path("file"), "new\n", 4), 0);
	expect_text("bound", "x\n");
}

/* Above a page. */
Test(handlers_file, U13_large_content_is_replaced)
{
	static char large[3 * 4096 + 100], larger[5 * 4096];

	memset(large, 'a', sizeof(large) - 1);
	memset(larger, 'b', sizeof(larger) - 1);
	scratch_write_text("file", larger, 0644);
	cr_assert_eq(link(scratch_path("file"), scratch_path("bound")), 0);
	cr_expect_eq(file_overwrite(scratch_path("file"), large, sizeof(large) - 1), 0);
	expect_text("bound", large);
	cr_expect_eq(file_overwrite(scratch_path("file"), larger, sizeof(larger) - 1), 0);
	expect_text("bound", larger);
	cr_expect_eq(file_overwrite(scratch_path("file"), "x\n", 2), 0);
	expect_text("bound", "x\n");
}

Test(handlers_file, U13_what_cannot_be_written_in_place)
{
	struct stat status;

	/* there is none */
	cr_expect_eq(file_overwrite(scratch_path("file"), "x\n", 2), 0);
	expect_text("file", "x\n");
	cr_assert_eq(stat(scratch_path("file"), &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0644);
	cr_expect_eq(file_overwrite(scratch_path("none/file"), "x\n", 2), -ENOENT);
	/* no file, and nothing waits for a reader */
	cr_assert_eq(mkfifo(scratch_path("pipe"), 0600), 0);
	cr_expect_lt(file_overwrite(scratch_path("pipe"), "x\n", 2), 0);
	cr_expect_lt(file_overwrite(scratch, "x\n", 2), 0);
	make_link("file", "link");
	cr_expect_eq(file_overwrite(scratch_path("link"), "y\n", 2), -ELOOP);
	expect_text("file", "x\n");
}

static bool is_half(const char *text, const char *present)
{
	return file_is_half_overwritten(text, strlen(text), present, strlen(present));
}

Test(handlers_file, U13_half_overwritten)
{
	cr_expect(is_half("a\n", "a\n\n\n"));
	cr_expect(is_half("", "\n"));
	cr_expect_not(is_half("a\n", "a\n"));
	cr_expect_not(is_half("a\n", "a\n\nb"));
	cr_expect_not(is_half("a\n", "b\n\n"));
	cr_expect_not(is_half("a\nb\n", "a\n"));
}
