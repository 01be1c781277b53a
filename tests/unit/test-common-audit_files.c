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

Test(audit_files, segment)
{
	static const char begin[] =
		"{\"time\":\"2026-11-24T02:15:00.000000Z\",\"subject\":\"audit\","
		"\"verb\":\"begin\",\"verdict\":\"ok\",\"segment\":4294967295";
	static const char *const none[] = {
		"",
		"{\"subject\":\"audit\",\"verb\":\"begin\"}",
		"{\"subject\":\"audit\",\"verb\":\"lost\",\"segment\":3}",
		"{\"subject\":\"dhcp4\",\"verb\":\"begin\",\"segment\":3}",
	};

	cr_expect_eq(audit_segment_of(begin, strlen(begin)), UINT32_MAX);
	cr_expect_eq(audit_segment_of(begin, strlen(begin) - 8), 42u, "no more than the line");
	cr_expect_eq(audit_segment_of(begin, strlen(begin) - 10), 0u);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		cr_expect_eq(audit_segment_of(none[i], strlen(none[i])), 0u, "%s", none[i]);
}
