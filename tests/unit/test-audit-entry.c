/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/entry.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#define PREV "\"prev\":\"" CHAIN_START "\""
#define WALL 1795486525123456789ull

static const struct audit_entry change = {
	.wall_ns = WALL,
	.sequence = 17,
	.revision = 17,
	.subject = "dhcp4",
	.verb = "commit",
	.path = "/ip",
	.verdict = "ok",
	.value = "192.0.2.5/24",
	.has_caller = true,
	.uid = 1878000000,
	.pid = 4711,
};

static char line[AUDIT_LINE_SIZE];

Test(audit_entry, lines)
{
	struct audit_entry entry = change;

	cr_expect_eq(audit_format(&entry, CHAIN_START, line), strlen(line));
	cr_expect_str_eq(line, "{\"time\":\"2026-11-24T02:15:25.123456Z\",\"seq\":17,"
			       "\"revision\":17,\"subject\":\"dhcp4\",\"verb\":\"commit\","
			       "\"path\":\"/ip\",\"verdict\":\"ok\",\"value\":\"192.0.2.5/24\","
			       "\"uid\":1878000000,\"pid\":4711," PREV "}\n");
	entry.value = NULL;
	(void)audit_format(&entry, CHAIN_START, line);
	cr_expect_null(strstr(line, "value"));
	entry.revision = 0;
	entry.verdict = audit_verdict(-EACCES);
	entry.path = NULL;
	entry.suppressed = 9;
	(void)audit_format(&entry, CHAIN_START, line);
	cr_expect_str_eq(line, "{\"time\":\"2026-11-24T02:15:25.123456Z\",\"seq\":17,"
			       "\"subject\":\"dhcp4\",\"verb\":\"commit\",\"verdict\":\"EACCES\","
			       "\"suppressed\":9,\"uid\":1878000000,\"pid\":4711," PREV "}\n");
	entry = (struct audit_entry){
		.wall_ns = WALL, .subject = "audit", .verb = "begin", .verdict = "ok", .segment = 3
	};
	(void)audit_format(&entry, CHAIN_START, line);
	cr_expect_str_eq(line, "{\"time\":\"2026-11-24T02:15:25.123456Z\",\"subject\":\"audit\","
			       "\"verb\":\"begin\",\"verdict\":\"ok\",\"segment\":3," PREV "}\n");
}

Test(audit_entry, every_byte_comes_back_by_a_json_parser)
{
	struct audit_entry entry = change;
	char value[KV_VALUE_SIZE], all[256];
	json_t *root;
	int i;

	for (i = 1; i < 128; i++)
		all[i - 1] = (char)i;
	all[127] = '\0';
	entry.value = all;
	cr_assert_lt(audit_format(&entry, CHAIN_START, line), AUDIT_LINE_SIZE);
	cr_expect_eq(strchr(line, '\n') - line, (long)strlen(line) - 1, "one line");
	root = json_loads(line, 0, NULL);
	cr_assert_not_null(root);
	cr_expect_str_eq(json_string_value(json_object_get(root, "value")), all);
	json_decref(root);

	/* the longest line, of the bytes that need most room */
	memset(value, '\x01', KV_VALUE_MAX);
	value[KV_VALUE_MAX] = '\0';
	entry.value = value;
	entry.subject = "subject12345678";
	entry.path = "/a123456789012345678901234567890/b12345678901234567890123456789";
	entry.sequence = entry.revision = INT64_MAX;
	entry.wall_ns = UINT64_MAX;
	entry.uid = entry.pid = entry.suppressed = UINT32_MAX;
	cr_assert_lt(audit_format(&entry, CHAIN_START, line), AUDIT_LINE_SIZE);
	root = json_loads(line, 0, NULL);
	cr_assert_not_null(root, "%s", line);
	cr_expect_eq(json_string_length(json_object_get(root, "value")), KV_VALUE_MAX);
	json_decref(root);
}

/* What the gate charges for a line (KV_AUDIT_COST()) is at least its length. */
Test(audit_entry, F2_no_line_is_longer_than_what_is_charged)
{
	static const char *const verbs[] = { "commit", "delete", "restore", "unknown", "denial" };
	static const char path_max[] =
		"/a123456789012345678901234567890/b12345678901234567890123456789";
	char value[KV_VALUE_SIZE] = "";
	struct audit_entry entry = {
		.wall_ns = UINT64_MAX,
		.sequence = UINT64_MAX,
		.revision = UINT64_MAX,
		.subject = "subject12345678",
		.path = path_max,
		.verdict = "EMSGSIZE",
		.has_caller = true,
		.uid = UINT32_MAX,
		.pid = UINT32_MAX,
	};

	cr_assert_eq(strlen(path_max), KV_PATH_MAX);
	memset(value, '"', KV_VALUE_MAX);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		entry.verb = verbs[i];
		entry.value = value;
		entry.suppressed = 0;
		cr_expect_leq(audit_format(&entry, CHAIN_START, line),
			      KV_AUDIT_COST(KV_PATH_MAX, KV_VALUE_MAX), "%zu", strlen(line));
		entry.value = NULL;
		entry.suppressed = UINT32_MAX;
		cr_expect_leq(audit_format(&entry, CHAIN_START, line),
			      KV_AUDIT_COST(KV_PATH_MAX, 0), "%zu", strlen(line));
	}
}

Test(audit_entry, verdicts)
{
	cr_expect_str_eq(audit_verdict(0), "ok");
	cr_expect_str_eq(audit_verdict(-EDQUOT), "EDQUOT");
	cr_expect_str_eq(audit_verdict(-EFBIG), "EFBIG");
	cr_expect_null(audit_verdict(-ENOTTY));
}
