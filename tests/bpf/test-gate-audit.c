/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects pay for the bytes of the audit log that they cause. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/bpf/support-gate.h"

static const struct test_rule rules[] = {
	{ "/x/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/mac", KV_ACCESS_READ, KV_CLASS_TEXT, 17 },
	{ NULL },
};

#define COST KV_AUDIT_COST(4, 10) /* of the write below */

static struct gate_test test;
static struct commit commit;

/* Subject 0 has no limit; subject 1 may write so much, and hardly more in a minute. */
static void begin_with(uint32_t audit_burst)
{
	gate_test_begin(&test, 64, 2);
	gate_test_subject(&test, 0, rules, FAST, FAST);
	test.audit_bytes_per_second = 1;
	test.audit_burst = audit_burst;
	gate_test_subject(&test, 1, rules, FAST, FAST);
	commit_init(&commit);
}

static void end(void)
{
	gate_test_end(&test);
}

TestSuite(gate_audit, .fini = end);

static int write_one(uint32_t subject)
{
	return gate_write(test.fds[subject], "/x/a", "0123456789", 10, NULL);
}

Test(gate_audit, F2_bytes_are_charged)
{
	begin_with(4 * COST);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(write_one(1), 0, "%d", i);
	cr_expect_eq(write_one(1), -EFBIG);
	cr_expect_eq(gate_delete(test.fds[1], "/x/a", NULL), -EFBIG);
	cr_expect_eq(gate_test_ctl(&test).revision, 4, "nothing happened");
	cr_expect_eq(gate_test_ctl(&test).n_keys, 1);
	cr_expect_eq(gate_test_ctl(&test).subject[1].n_accepted, 4);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(write_one(0), 0, "the other's are its own");
	cr_expect_eq(gate_test_ctl(&test).lock, 0);
}

/* A commit pays for all of its changes at once, or is refused as a whole. */
Test(gate_audit, F2_commits_pay_for_every_change)
{
	static char text[KV_VALUE_MAX];

	memset(text, 'v', sizeof(text));
	begin_with(2 * KV_AUDIT_COST(4, KV_VALUE_MAX));
	cr_assert_eq(commit_write(&commit, "/x/a", text, sizeof(text)), 0);
	cr_assert_eq(commit_write(&commit, "/x/b", text, sizeof(text)), 0);
	cr_assert_eq(commit_write(&commit, "/x/c", "", 0), 0);
	cr_expect_eq(gate_commit(test.fds[1], &commit, NULL, NULL), -EFBIG);
	cr_expect_eq(gate_test_ctl(&test).n_keys, 0);
	commit_init(&commit);
	cr_assert_eq(commit_write(&commit, "/x/a", text, sizeof(text)), 0);
	cr_assert_eq(commit_write(&commit, "/x/b", text, sizeof(text)), 0);
	/* the record of the refusal took some of it */
	cr_expect_eq(gate_commit(test.fds[1], &commit, NULL, NULL), -EFBIG);
	commit_init(&commit);
	cr_assert_eq(commit_write(&commit, "/x/a", text, sizeof(text)), 0);
	cr_expect_eq(gate_commit(test.fds[1], &commit, NULL, NULL), 0);
}

/* What is refused for another reason costs nothing: neither a condition, nor a full ring,
 * nor a quota. */
Test(gate_audit, F2_refused_commits_are_not_charged)
{
	test.max_bytes = 20;
	begin_with(2 * COST);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(gate_write_if(test.fds[1], "/x/a", "0123456789", 10, 17, NULL),
			     -ESTALE);
	cr_expect_eq(write_one(1), 0);
	cr_expect_eq(write_one(1), 0);
	cr_expect_eq(write_one(1), -EFBIG);
	end();

	test.max_bytes = 20;
	gate_test_begin(&test, 64, 2);
	test.max_bytes = 20;
	test.audit_bytes_per_second = 1;
	/* one write, and 60 records of refusals, more than are written at once */
	test.audit_burst = COST + 60 * KV_AUDIT_COST(KV_PATH_MAX, 0);
	gate_test_subject(&test, 1, rules, FAST, FAST);
	for (int i = 0; i < 1000; i++)
		cr_expect_eq(gate_write(test.fds[1], "/x/a", "0123456789 0123456789", 21, NULL),
			     -EDQUOT);
	cr_expect_eq(write_one(1), 0);
}

/* In a batch each pays for itself. */
Test(gate_audit, F2_batches)
{
	static struct batch_results results;
	static struct batch batch;
	struct batch_result result;
	uint32_t at = 0;
	int n = 0;

	begin_with(3 * COST);
	batch_init(&batch);
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(batch_write(&batch, &(struct kv_key){ "/x/a" }, "0123456789", 10, 0),
			     0);
		cr_assert_eq(batch_read(&batch, &(struct kv_key){ "/x/a" }), 0);
	}
	cr_assert_eq(gate_batch(test.fds[1], &batch, &results), 0);
	for (; batch_results_next(&results, &at, &result); n++)
		cr_expect_eq(result.verdict, n % 2 || n < 6 ? 0 : -EFBIG, "%d: %d", n,
			     result.verdict);
	cr_expect_eq(n, 10);
}

/* Records of refusals are charged, too; without bytes they are only counted. */
Test(gate_audit, F2_refusals_are_charged)
{
	struct kv_ctl ctl;

	begin_with(5 * KV_AUDIT_COST(KV_PATH_MAX, 0));
	for (int i = 0; i < 20; i++)
		cr_expect_eq(gate_write(test.fds[1], "/mac", "x", 1, NULL), -EACCES);
	ctl = gate_test_ctl(&test);
	cr_expect_eq(ctl.n_denials, 5);
	cr_expect_eq(ctl.subject[1].n_suppressed, 15);
	cr_expect_eq(write_one(1), -EFBIG);
	for (int i = 0; i < 20; i++)
		cr_expect_eq(gate_write(test.fds[0], "/mac", "x", 1, NULL), -EACCES);
	cr_expect_eq(gate_test_ctl(&test).n_denials, 25);
}

/* They come back with time. */
Test(gate_audit, F2_bytes_come_back)
{
	int n_refused = 0;

	gate_test_begin(&test, 64, 2);
	test.audit_bytes_per_second = 20 * COST;
	test.audit_burst = 10 * COST;
	gate_test_subject(&test, 1, rules, FAST, FAST);
	for (int i = 0; i < 10; i++)
		cr_expect_eq(write_one(1), 0, "%d", i);
	for (; write_one(1); n_refused++)
		cr_assert_lt(n_refused, 10000000);
	cr_expect_gt(n_refused, 0);
	cr_expect_eq(gate_test_ctl(&test).revision, 11);
}

/* More bytes per second than nanoseconds: also then a byte costs something. */
Test(gate_audit, F2_highest_rate_has_a_limit)
{
	gate_test_begin(&test, 64, 2);
	test.audit_bytes_per_second = 1u << 30;
	test.audit_burst = COST - 1;
	gate_test_subject(&test, 1, rules, FAST, FAST);
	cr_expect_eq(write_one(1), -EFBIG);
}
