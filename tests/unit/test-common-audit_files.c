/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/audit_files.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(audit_files, paths)
{
	char path[PATH_MAX], log[PATH_MAX];

	cr_expect_eq(audit_segment_path("/a/x.jsonl", 0, path), 0);
	cr_expect_str_eq(path, "/a/x.jsonl");
	cr_expect_eq(audit_segment_path("/a/x.jsonl", 12, path), 0);
	cr_expect_str_eq(path, "/a/x.jsonl.12");
	cr_expect_eq(audit_reserve_path("/a/x.audit.jsonl", path), 0);
	cr_expect_str_eq(path, "/a/x.audit.reserve");
	cr_expect_eq(audit_reserve_path("/a/log", path), 0);
	cr_expect_str_eq(path, "/a/log.reserve");
	memset(log, 'a', PATH_MAX - 1);
	log[PATH_MAX - 1] = '\0';
	cr_expect_eq(audit_segment_path(log, 0, path), 0);
	cr_expect_eq(audit_segment_path(log, 1, path), -ENAMETOOLONG);
	cr_expect_eq(audit_reserve_path(log, path), -ENAMETOOLONG);
}
