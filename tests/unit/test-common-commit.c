/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "userspace/common/commit.h"

static struct commit commit;

Test(common_commit, packs_what_the_gate_takes)
{
	struct kv_change change;

	commit_init(&commit);
	cr_assert_eq(commit.condition, KV_REVISION_ANY);
	cr_assert_eq(commit_write(&commit, "/ip", "10.0.2.15/24", 12), 0);
	cr_assert_eq(commit_delete(&commit, "/mtu"), 0);
	cr_assert_eq(commit.n_changes, 2);
	cr_assert_eq(commit.size, KV_CHANGE_SIZE(12) + KV_CHANGE_SIZE(0));
	memcpy(&change, commit.bytes, sizeof(change));
	cr_assert_eq(change.operation, KV_CHANGE_WRITE);
	cr_assert_eq(change.length, 12);
	cr_assert_str_eq(change.path, "/ip");
	cr_assert_arr_eq(commit.bytes + KV_CHANGE_HEADER, "10.0.2.15/24", 13);
	memcpy(&change, commit.bytes + KV_CHANGE_SIZE(12), sizeof(change));
	cr_assert_eq(change.operation, KV_CHANGE_DELETE);
	cr_assert_eq(change.length, 0);
	cr_assert_str_eq(change.path, "/mtu");
}

Test(common_commit, refusals_leave_it)
{
	commit_init(&commit);
	cr_assert_eq(commit_write(&commit, "ip", "x", 1), -EILSEQ);
	cr_assert_eq(commit_delete(&commit, "/a//b"), -EILSEQ);
	cr_assert_eq(commit_write(&commit, "/a", "x", KV_VALUE_MAX + 1), -EMSGSIZE);
	cr_assert_eq(commit.n_changes, 0);
	cr_assert_eq(commit.size, 0);
}

Test(common_commit, bounds)
{
	char text[KV_VALUE_SIZE + 1];
	uint32_t n = 0;

	memset(text, 'x', sizeof(text));
	text[KV_VALUE_MAX + 1] = '\0';
	commit_init(&commit);
	cr_assert_eq(commit_write(&commit, "/a", text, strlen(text)), -EMSGSIZE);
	text[KV_VALUE_MAX] = '\0';
	while (commit_write(&commit, "/a", text, strlen(text)) == 0)
		n++;
	cr_assert_eq(commit_write(&commit, "/a", text, strlen(text)), -E2BIG);
	cr_assert_eq(n, KV_REQUEST_MAX / KV_CHANGE_SIZE(KV_VALUE_MAX));
	cr_assert(commit.size <= KV_REQUEST_MAX);
	commit_init(&commit);
	for (n = 0; n < KV_CHANGES_MAX; n++)
		cr_assert_eq(commit_delete(&commit, "/a"), 0);
	cr_assert_eq(commit_delete(&commit, "/a"), -E2BIG);
}

Test(common_commit, nothing_of_an_earlier_one_remains)
{
	memset(&commit, 0xee, sizeof(commit));
	commit_init(&commit);
	cr_assert_eq(commit_write(&commit, "/ip", "x", strlen("x")), 0);
	cr_assert_eq(commit.size, KV_CHANGE_SIZE(1));
	for (size_t i = 3; i < KV_PATH_SIZE; i++)
		cr_assert_eq(commit.bytes[i], 0);
	for (size_t i = KV_CHANGE_HEADER + 1; i < commit.size; i++)
		cr_assert_eq(commit.bytes[i], 0);
}
