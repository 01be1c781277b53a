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
