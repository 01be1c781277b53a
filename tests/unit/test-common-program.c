/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "userspace/common/program.h"

Test(common_program, beside_a_path)
{
	char path[64];

	cr_assert_eq(program_path_of("/usr/local/bin/calfpen", "../lib/calfpen/calfpen-priv", path,
				     sizeof(path)),
		     0);
	cr_expect_str_eq(path, "/usr/local/bin/../lib/calfpen/calfpen-priv");
	cr_assert_eq(program_path_of("calfpen", "x", path, sizeof(path)), 0);
	cr_expect_str_eq(path, "x");
}

Test(common_program, no_room)
{
	char path[8];

	cr_expect_eq(program_path_of("/a/b", "wxyz", path, sizeof(path)), 0);
	cr_expect_str_eq(path, "/a/wxyz");
	cr_expect_eq(program_path_of("/a/b", "vwxyz", path, sizeof(path)), -ENAMETOOLONG);
	cr_expect_eq(program_path_of("b", "longer than that", path, sizeof(path)), -ENAMETOOLONG);
}

Test(common_program, beside_this_program)
{
	char path[PATH_MAX];

	cr_assert_eq(program_path("test-common-program", path, sizeof(path)), 0);
	cr_expect_eq(path[0], '/');
	cr_expect_eq(access(path, X_OK), 0, "%s", path);
	cr_expect_eq(program_path("x", path, 4), -ENAMETOOLONG);
}
