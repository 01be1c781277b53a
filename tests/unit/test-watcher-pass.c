// SPDX-License-Identifier: Apache-2.0
/* Which handlers run, in which order, and what follows from a failure. */
#include <errno.h>

#include "tests/unit/support-wanted.h"
#include "userspace/common/log.h"
#include "userspace/priv/watcher_list.h"
#include "userspace/priv/watcher_pass.h"

static char calls[64];
static int first_result, second_release_result;

static bool first_concerns(const char *path)
{
	return !strncmp(path, "/a", 2);
}

static bool second_concerns(const char *path)
{
	return !strncmp(path, "/b", 2) || !strcmp(path, "/ab");
}

static int first_apply(struct handler_context *context, const struct wanted *wanted)
{
	(void)wanted;
	strcat(calls, "1");
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

static const struct handler first = { "first", first_concerns, first_apply, first_release };
static const struct handler second = { "second", second_concerns, second_apply, second_release };
static const struct handler *const both[] = { &first, &second };

static struct pass pass;
static struct handler_context context;
static struct wanted wanted;

static void setup(void)
{
	log_init("test", -1, LOG_LEVEL_ERROR);
	pass_init(&pass, both, 2);
	cr_assert_eq(wanted_init(&wanted, 8), 0);
	wanted.revision = 41;
	context.now_ns = 100 * S;
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(watcher_pass, .init = setup, .fini = teardown);

static const char *run(void)
{
	calls[0] = '\0';
	pass_run(&pass, &context, &wanted);
	return calls;
}

Test(watcher_pass, only_the_affected_in_order_and_back)
{
	cr_expect_not(pass_is_marked(&pass));
	cr_expect_str_eq(run(), "");
	pass_mark_path(&pass, "/status/first");
	cr_expect_not(pass_is_marked(&pass));
	pass_mark_path(&pass, "/b");
	cr_expect_str_eq(run(), "2b");
	pass_mark_path(&pass, "/ab");
	cr_expect_str_eq(run(), "12ba");
	cr_expect_str_eq(run(), "");
	pass_mark_all(&pass);
	cr_expect_str_eq(run(), "12ba");
	cr_expect_str_eq(pass.state[0].status, "ok 41");
	cr_expect_eq(pass_next_retry(&pass), UINT64_MAX);
}

Test(watcher_pass, failure_is_retried_and_others_go_on)
{
	first_result = -ENODEV;
	pass_mark_all(&pass);
	cr_expect_str_eq(run(), "12ba");
	cr_expect_str_eq(pass.state[0].status, "error: thing one: No such device");
	cr_expect_str_eq(pass.state[1].status, "ok 41");
	cr_expect_eq(pass.state[0].error, -ENODEV);
	cr_expect_eq(pass_next_retry(&pass), 101 * S);
	pass_mark_due(&pass, 100 * S);
	cr_expect_not(pass_is_marked(&pass));

	context.now_ns = 101 * S;
	pass_mark_due(&pass, context.now_ns);
	cr_expect_str_eq(run(), "1a");
	cr_expect_eq(pass_next_retry(&pass), 103 * S);

	first_result = 0;
	wanted.revision = 42;
	pass_mark_path(&pass, "/a");
	cr_expect_str_eq(run(), "1a", "a change does not wait for the retry");
	cr_expect_str_eq(pass.state[0].status, "ok 42");
	cr_expect_eq(pass_next_retry(&pass), UINT64_MAX);

	first_result = -EIO;
	pass_mark_path(&pass, "/a");
	run();
	cr_expect_eq(pass_next_retry(&pass), context.now_ns + 1 * S, "begins anew");
}

Test(watcher_pass, a_release_that_fails_counts)
{
	second_release_result = -EPERM;
	pass_mark_all(&pass);
	run();
	cr_expect_str_eq(pass.state[1].status, "error: Operation not permitted");
	cr_expect_eq(pass_next_retry(&pass), 101 * S);
}

Test(watcher_pass, repeat_calls_all_once_more)
{
	second_release_result = HANDLER_REPEAT;
	pass_mark_path(&pass, "/b");
	cr_expect_str_eq(run(), "2b12ba");
	cr_expect_str_eq(pass.state[1].status, "ok 41", "it is no failure");
	cr_expect_not(pass_is_marked(&pass));
}

Test(watcher_pass, backoff)
{
	static const unsigned int seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	unsigned int i;

	for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		cr_expect_eq(pass_backoff_ns(i + 1), seconds[i] * S);
	cr_expect_eq(pass_backoff_ns(1000000), 60 * S);
	cr_expect_eq(pass_backoff_ns(UINT32_MAX), 60 * S);
}

Test(watcher_pass, status_of_a_former_life)
{
	test_set(&wanted, "/status/first", "ok 7", 0);
	pass_load_status(&pass, &wanted);
	cr_expect_str_eq(pass.state[0].written, "ok 7");
	cr_expect_str_eq(pass.state[1].written, "");
}

Test(watcher_pass, error_text_is_printable_and_bounded)
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
