/* SPDX-License-Identifier: Apache-2.0 */
/* Which handlers run, in which order, and the effects of a failure. */
#include <errno.h>

#include "tests/unit/support-wanted.h"
#include "userspace/common/log.h"
#include "userspace/priv/watcher/list.h"
#include "userspace/priv/watcher/reconcile.h"

static char calls[64];
static int first_result, second_release_result;
static bool noted;

static const struct handler_family first_families[] = { { .path = "/a" }, { .path = "/ab" } };
static const struct handler_family second_families[] = { { .path = "/b" }, { .path = "/ab" } };

static int first_apply(struct handler_context *context, const struct wanted *wanted)
{
	(void)wanted;
	strcat(calls, "1");
	if (noted)
		handler_refuse(context, "/a", "%s", "too wide");
	return first_result ? handler_fail(context, first_result, "thing %s", "one") : 0;
}

static int second_apply(struct handler_context *context, const struct wanted *wanted)
{
	(void)context;
	(void)wanted;
	strcat(calls, "2");
	return 0;
}

static int first_release(struct handler_context *context, const struct wanted *wanted)
{
	(void)context;
	(void)wanted;
	strcat(calls, "a");
	return 0;
}

static int second_release(struct handler_context *context, const struct wanted *wanted)
{
	(void)context;
	(void)wanted;
	strcat(calls, "b");
	return second_release_result;
}

static int check_result;

static int first_check(struct handler_context *context, const struct wanted *wanted)
{
	(void)wanted;
	strcat(calls, "c");
	if (check_result == HANDLER_DRIFT || check_result == HANDLER_TAKEN)
		(void)handler_drift(context, "it was moved");
	return check_result;
}

static const struct handler first = {
	.name = "first",
	.families = first_families,
	.n_families = 2,
	.apply = first_apply,
	.release = first_release,
	.check = first_check,
	.repairs_drift = true,
};
static const struct handler second = {
	.name = "second",
	.families = second_families,
	.n_families = 2,
	.apply = second_apply,
	.release = second_release,
};
static const struct handler *const both[] = { &first, &second };

static struct reconciler reconciler;
static struct handler_context context;
static struct wanted wanted;

static void setup(void)
{
	log_init("test", -1, LOG_LEVEL_ERROR);
	reconcile_init(&reconciler, both, 2);
	cr_assert_eq(wanted_init(&wanted, 8), 0);
	wanted.revision = 41;
	context.now_ns = 100 * S;
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(watcher_reconcile, .init = setup, .fini = teardown);

static const char *run(void)
{
	calls[0] = '\0';
	reconcile_run(&reconciler, &context, &wanted);
	return calls;
}

Test(watcher_reconcile, only_the_affected_in_order_and_back)
{
	cr_expect_not(reconcile_is_marked(&reconciler));
	cr_expect_str_eq(run(), "");
	reconcile_mark_path(&reconciler, "/status/first");
	cr_expect_not(reconcile_is_marked(&reconciler));
	reconcile_mark_path(&reconciler, "/b");
	cr_expect_str_eq(run(), "2b");
	reconcile_mark_path(&reconciler, "/ab");
	cr_expect_str_eq(run(), "12ba");
	cr_expect_str_eq(run(), "");
	reconcile_mark_all(&reconciler);
	cr_expect_str_eq(run(), "12ba");
	cr_expect_str_eq(reconciler.state[0].status, "ok 41");
	cr_expect_eq(reconcile_next_retry(&reconciler), UINT64_MAX);
}

Test(watcher_reconcile, failure_is_retried_and_others_still_run)
{
	first_result = -ENODEV;
	reconcile_mark_all(&reconciler);
	cr_expect_str_eq(run(), "12ba");
	cr_expect_str_eq(reconciler.state[0].status, "error: thing one: No such device");
	cr_expect_str_eq(reconciler.state[1].status, "ok 41");
	cr_expect_eq(reconciler.state[0].error, -ENODEV);
	cr_expect_eq(reconcile_next_retry(&reconciler), 101 * S);
	reconcile_mark_due(&reconciler, 100 * S);
	cr_expect_not(reconcile_is_marked(&reconciler));

	context.now_ns = 101 * S;
	reconcile_mark_due(&reconciler, context.now_ns);
	cr_expect_str_eq(run(), "1a");
	cr_expect_eq(reconcile_next_retry(&reconciler), 103 * S);

	first_result = 0;
	wanted.revision = 42;
	reconcile_mark_path(&reconciler, "/a");
	cr_expect_str_eq(run(), "1a", "a change does not wait for the retry");
	cr_expect_str_eq(reconciler.state[0].status, "ok 42");
	cr_expect_eq(reconcile_next_retry(&reconciler), UINT64_MAX);

	first_result = -EIO;
	reconcile_mark_path(&reconciler, "/a");
	run();
	cr_expect_eq(reconcile_next_retry(&reconciler), context.now_ns + 1 * S,
		     "starts with the shortest delay");
}

Test(watcher_reconcile, a_release_that_fails_counts)
{
	second_release_result = -EPERM;
	reconcile_mark_all(&reconciler);
	run();
	cr_expect_str_eq(reconciler.state[1].status, "error: Operation not permitted");
	cr_expect_eq(reconcile_next_retry(&reconciler), 101 * S);
}

Test(watcher_reconcile, repeat_calls_all_once_more)
{
	second_release_result = HANDLER_REPEAT;
	reconcile_mark_path(&reconciler, "/b");
	cr_expect_str_eq(run(), "2b12ba");
	cr_expect_str_eq(reconciler.state[1].status, "ok 41", "it is no failure");
	cr_expect_not(reconcile_is_marked(&reconciler));
}

static const char *check(void)
{
	calls[0] = '\0';
	reconcile_check(&reconciler, &context, &wanted);
	return calls;
}

Test(watcher_reconcile, drift_is_reported_and_not_repaired)
{
	reconciler.drift = CONFIGURATION_DRIFT_REPORT;
	reconcile_suspect_all(&reconciler);
	cr_expect_str_eq(check(), "", "what never ran has configured nothing");
	reconcile_mark_all(&reconciler);
	run();
	reconcile_suspect(&reconciler, &first);
	reconcile_suspect(&reconciler, &second);
	cr_expect(reconcile_needs_check(&reconciler));
	check_result = HANDLER_DRIFT;
	cr_expect_str_eq(check(), "c", "the second has no check");
	cr_expect_not(reconcile_needs_check(&reconciler));
	cr_expect_str_eq(reconciler.state[0].status, "drift: it was moved");
	cr_expect_eq(reconciler.state[0].n_drifts, 1);
	cr_expect_not(reconcile_is_marked(&reconciler));
	cr_expect_eq(reconcile_next_retry(&reconciler), UINT64_MAX);
	reconcile_suspect(&reconciler, &first);
	check();
	cr_expect_eq(reconciler.state[0].n_drifts, 1, "the same one");
	/* another program put it back */
	check_result = 0;
	reconcile_suspect(&reconciler, &first);
	check();
	cr_expect_str_eq(reconciler.state[0].status, "ok 41");
	/* or a change of a key did */
	check_result = HANDLER_DRIFT;
	reconcile_suspect(&reconciler, &first);
	check();
	cr_expect_eq(reconciler.state[0].n_drifts, 2);
	reconcile_mark_path(&reconciler, "/a");
	run();
	cr_expect_str_eq(reconciler.state[0].status, "ok 41");
}

/* The first handler drifts: is it repaired at once? */
static bool drifts(void)
{
	reconcile_suspect(&reconciler, &first);
	check_result = HANDLER_DRIFT;
	check();
	cr_expect_str_eq(reconciler.state[0].status, "drift: it was moved");
	return reconcile_is_marked(&reconciler);
}

Test(watcher_reconcile, U18_drift_is_repaired_at_a_limited_rate)
{
	static const uint64_t pauses_s[] = { 1, 2, 4, 8, 16, 32, 60, 60 };

	reconcile_mark_all(&reconciler);
	run();
	cr_expect(drifts(), "the first time at once");
	cr_expect_str_eq(run(), "1a");
	cr_expect_str_eq(reconciler.state[0].status, "ok 41");
	for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
		uint64_t due_ns = context.now_ns + pauses_s[i] * S;

		cr_expect_not(drifts());
		cr_expect_eq(reconcile_next_retry(&reconciler), due_ns);
		context.now_ns += S / 2;
		cr_expect_not(drifts(), "the same drift");
		cr_expect_eq(reconcile_next_retry(&reconciler), due_ns);
		context.now_ns = due_ns;
		reconcile_mark_due(&reconciler, context.now_ns);
		cr_expect_str_eq(run(), "1a");
		cr_expect_eq(reconcile_next_retry(&reconciler), UINT64_MAX);
	}
	/* another program restored it */
	cr_expect_not(drifts());
	check_result = 0;
	reconcile_suspect(&reconciler, &first);
	check();
	cr_expect_eq(reconcile_next_retry(&reconciler), UINT64_MAX);
	/* after a while without drift it is as at first */
	context.now_ns += RECONCILE_REPAIR_QUIET_NS + 61 * S;
	cr_expect(drifts());
}

/* What another program now owns cannot be repaired. */
Test(watcher_reconcile, U18_what_is_taken_is_reported)
{
	reconciler.drift = CONFIGURATION_DRIFT_REPAIR;
	reconcile_mark_all(&reconciler);
	run();
	check_result = HANDLER_TAKEN;
	reconcile_suspect(&reconciler, &first);
	check();
	cr_expect_not(reconcile_is_marked(&reconciler));
	cr_expect_eq(reconcile_next_retry(&reconciler), UINT64_MAX);
	cr_expect_eq(reconciler.state[0].n_drifts, 1);
}

Test(watcher_reconcile, U18_the_operator_repairs_everything_at_once)
{
	reconciler.drift = CONFIGURATION_DRIFT_REPORT;
	reconcile_mark_all(&reconciler);
	run();
	cr_expect_not(drifts());
	reconcile_repair(&reconciler, &context, &wanted);
	cr_expect_str_eq(run(), "1a");
	/* what is as configured stays untouched; what has failed is tried again */
	check_result = 0;
	reconcile_repair(&reconciler, &context, &wanted);
	cr_expect_not(reconcile_is_marked(&reconciler));
	second_release_result = -EPERM;
	reconcile_mark_path(&reconciler, "/b");
	run();
	reconcile_repair(&reconciler, &context, &wanted);
	cr_expect_str_eq(run(), "2b");
}

/* A file that has drifted stays so when others are called once more. */
Test(watcher_reconcile, U18_repeat_does_not_repair_what_is_reported)
{
	struct handler file = first;
	const struct handler *const handlers[] = { &file, &second };

	file.repairs_drift = false;
	reconcile_init(&reconciler, handlers, 2);
	reconcile_mark_all(&reconciler);
	run();
	reconcile_suspect(&reconciler, &file);
	check_result = HANDLER_DRIFT;
	check();
	second_release_result = HANDLER_REPEAT;
	reconcile_mark_path(&reconciler, "/b");
	cr_expect_str_eq(run(), "2b2b");
	cr_expect_str_eq(reconciler.state[0].status, "drift: it was moved");
}

Test(watcher_reconcile, check_may_ask_for_a_run)
{
	reconcile_mark_all(&reconciler);
	run();
	check_result = HANDLER_APPLY;
	reconcile_suspect(&reconciler, &first);
	check();
	cr_expect_str_eq(run(), "1a");
	/* a failed check changes nothing */
	check_result = -EIO;
	reconcile_suspect(&reconciler, &first);
	check();
	cr_expect_str_eq(reconciler.state[0].status, "ok 41");
}

/* A run reads the state by itself; a failed handler runs again at once, because a server can
 * make it fail for ever. */
Test(watcher_reconcile, no_check_where_a_run_is_due)
{
	first_result = -EIO;
	reconcile_mark_all(&reconciler);
	run(); /* for the first time */
	reconcile_suspect(&reconciler, &first);
	cr_expect_str_eq(check(), "");
	first_result = 0;
	reconcile_mark_all(&reconciler);
	run();
	/* it made something once, then failed: the error stays */
	first_result = -EIO;
	reconcile_mark_all(&reconciler);
	run();
	check_result = HANDLER_DRIFT;
	reconcile_suspect(&reconciler, &first);
	cr_expect_str_eq(check(), "");
	cr_expect_not(reconcile_needs_check(&reconciler));
	cr_expect(reconciler.state[0].is_affected, "F3: what it judged may be otherwise now");
	cr_expect_str_eq(reconciler.state[0].status, "error: thing one: Input/output error");
	cr_expect_eq(reconciler.state[0].n_drifts, 0);
	first_result = 0;
	reconcile_mark_all(&reconciler);
	reconcile_suspect(&reconciler, &first);
	cr_expect_str_eq(check(), "");
	run();
	cr_expect_not(reconcile_needs_check(&reconciler));
}

Test(watcher_reconcile, note_follows_ok)
{
	noted = true;
	reconcile_mark_all(&reconciler);
	run();
	cr_expect_str_eq(reconciler.state[0].status, "ok 41; refused /a: too wide");
	cr_expect_str_eq(reconciler.state[1].status, "ok 41");
	cr_expect_eq(reconcile_next_retry(&reconciler), UINT64_MAX, "that is no failure");
}

static struct commit commit;

/* Returns "PATH TEXT\n", or "PATH -\n" for a deletion, for each change to be
 * written; without the duration of a run. */
static const char *metrics(uint64_t now_ns)
{
	static char text[1024];
	uint32_t at = 0;

	commit_init(&commit);
	cr_assert_eq(reconcile_add_metrics(&reconciler, &wanted, now_ns, &commit), 0);
	text[0] = '\0';
	while (at < commit.size) {
		const char *value = (const char *)commit.bytes + at + KV_CHANGE_HEADER;
		const char *us = strstr(value, " us=");
		size_t n = strlen(text);
		struct kv_change change;

		memcpy(&change, commit.bytes + at, sizeof(change));
		if (change.operation == KV_CHANGE_DELETE)
			value = "-";
		else
			cr_assert_not_null(us);
		(void)snprintf(text + n, sizeof(text) - n, "%s %.*s\n", change.path,
			       us ? (int)(us - value) : 1, value);
		at += KV_CHANGE_SIZE(change.length);
	}
	return text;
}

static const char *metrics_of(const char *name, unsigned int runs)
{
	static char text[128];

	(void)snprintf(text, sizeof(text), "/status/metrics/%s runs=%u errors=0 drifts=0\n", name,
		       runs);
	return text;
}

Test(watcher_reconcile, metrics_are_written_once_in_10_s)
{
	cr_expect_str_eq(metrics(100 * S), "");
	cr_expect_eq(reconcile_next_metrics(&reconciler), UINT64_MAX);
	reconcile_mark_path(&reconciler, "/a");
	run();
	cr_expect_leq(reconcile_next_metrics(&reconciler), 100 * S, "the first run, at once");
	cr_expect_str_eq(metrics(100 * S), metrics_of("first", 1));
	cr_expect_str_eq(metrics(101 * S), metrics_of("first", 1), "not written: retried");
	reconcile_metrics_written(&reconciler, 101 * S);
	cr_expect_eq(reconcile_next_metrics(&reconciler), UINT64_MAX);
	cr_expect_str_eq(metrics(200 * S), "", "no run, no write");
	/* two runs within the time are one write, at its end */
	reconcile_mark_path(&reconciler, "/a");
	run();
	reconcile_mark_path(&reconciler, "/a");
	run();
	cr_expect_eq(reconcile_next_metrics(&reconciler), 111 * S);
	cr_expect_str_eq(metrics(111 * S - 1), "");
	reconcile_metrics_written(&reconciler, 111 * S - 1);
	cr_expect_str_eq(metrics(111 * S), metrics_of("first", 3));
	/* another handler has its own time */
	reconcile_mark_path(&reconciler, "/b");
	run();
	cr_expect_str_eq(metrics(105 * S), metrics_of("second", 1));
	reconcile_metrics_written(&reconciler, 105 * S);
	cr_expect_eq(reconcile_next_metrics(&reconciler), 111 * S);
}

Test(watcher_reconcile, metrics_count_errors_and_drifts)
{
	first_result = -EIO;
	reconcile_mark_path(&reconciler, "/a");
	run();
	cr_expect_str_eq(metrics(100 * S), "/status/metrics/first runs=1 errors=1 drifts=0\n");
	first_result = 0;
	reconcile_mark_path(&reconciler, "/a");
	run();
	reconcile_metrics_written(&reconciler, 100 * S);
	cr_expect_eq(reconcile_next_metrics(&reconciler), UINT64_MAX);
	check_result = HANDLER_DRIFT;
	reconcile_suspect(&reconciler, &first);
	check();
	cr_expect_eq(reconcile_next_metrics(&reconciler), 110 * S);
	cr_expect_str_eq(metrics(110 * S), "/status/metrics/first runs=2 errors=1 drifts=1\n");
	reconcile_metrics_written(&reconciler, 110 * S);
	reconcile_suspect(&reconciler, &first);
	check();
	cr_expect_eq(reconcile_next_metrics(&reconciler), UINT64_MAX, "the same drift");
}

/* However large the numbers. */
Test(watcher_reconcile, metrics_are_never_cut)
{
	reconciler.state[0].has_metrics = true;
	reconciler.state[0].n_runs = reconciler.state[0].n_errors = reconciler.state[0].n_drifts =
		UINT64_MAX;
	reconciler.state[0].took_ns = UINT64_MAX;
	(void)metrics(0);
	cr_expect_str_eq((const char *)commit.bytes + KV_CHANGE_HEADER,
			 "runs=18446744073709551615 errors=18446744073709551615 "
			 "drifts=18446744073709551615 us=18446744073709551");
}

Test(watcher_reconcile, metrics_of_no_handler_go)
{
	test_set(&wanted, "/status/metrics", "first_runs=1", 0);
	test_set(&wanted, "/status/metrics/first", "runs=1", 0);
	test_set(&wanted, "/status/metrics/former", "runs=1", 0);
	test_set(&wanted, "/status/metrics/seconds", "runs=1", 0);
	test_set(&wanted, "/status/metricsx", "runs=1", 0);
	cr_expect_str_eq(metrics(0), "/status/metrics -\n/status/metrics/former -\n"
				     "/status/metrics/seconds -\n");
}

Test(watcher_reconcile, status_of_a_previous_run)
{
	test_set(&wanted, "/status/first", "ok 7", 0);
	reconcile_load_status(&reconciler, &wanted);
	cr_expect_str_eq(reconciler.state[0].written, "ok 7");
	cr_expect_str_eq(reconciler.state[1].written, "");
}

Test(watcher_reconcile, error_text_is_printable_and_bounded)
{
	char longest[2000];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	longest[3] = '\n';
	cr_expect_eq(handler_fail(&context, -EIO, "%s", longest), -EIO);
	cr_expect_eq(strlen(context.error), HANDLER_ERROR_SIZE - 1);
	cr_expect_eq(context.error[3], '?');
	cr_expect_eq(handler_fail(&context, -EPERM, "later"), -EPERM);
	cr_expect_eq(context.error[0], 'x', "the first reason stays");
}

Test(watcher_list, sort)
{
	static struct kv_key keys[500];
	uint32_t i, n, seed = 1;

	cr_expect_eq(watcher_list_sort(keys, 0), 0);
	for (i = 0; i < 500; i++) {
		char path[32];

		seed = seed * 1103515245u + 12345u;
		(void)snprintf(path, sizeof(path), "/k/%03u", (seed >> 16) % 200);
		keys[i] = test_key(path);
	}
	n = watcher_list_sort(keys, 500);
	cr_expect_leq(n, 200);
	cr_expect_gt(n, 150);
	for (i = 1; i < n; i++)
		cr_expect_lt(strcmp(keys[i - 1].path, keys[i].path), 0);
	cr_expect_eq(watcher_list_sort(keys, 1), 1);
}
