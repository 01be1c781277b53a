/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor ends the operator's watch in the gate when nobody watches any more. */
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "tests/bpf/support-gate.h"
#include "tests/unit/scratch.h"
#include "userspace/common/clock.h"
#include "userspace/common/instance.h"
#include "userspace/priv/supervisor/watches.h"

static const struct test_rule operator_rules[] = {
	{ "/", KV_ACCESS_READ | KV_ACCESS_WATCH, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ NULL },
};

static struct gate_test test;
static struct watches watches;
static struct loop loop;

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	scratch_make();
	gate_test_begin(&test, 256, KV_SUBJECT_OPERATOR + 1);
	gate_test_subject(&test, KV_SUBJECT_OPERATOR, operator_rules, FAST, 1000);
	cr_assert_eq(store_seal(&test.store), 0);
	loop_init(&loop);
}

static void teardown(void)
{
	watches_deinit(&watches);
	gate_test_end(&test);
	scratch_remove();
}

TestSuite(supervisor_watches, .init = setup, .fini = teardown);

static void init(void)
{
	cr_assert_eq(watches_init(&watches, scratch, test.store.gate_fds[KV_SUBJECT_OPERATOR],
				  &loop),
		     0);
}

static bool is_watching(void)
{
	return gate_test_ctl(&test).watching >> KV_SUBJECT_OPERATOR & 1;
}

/* A process that watches, until it is killed. */
static pid_t begin(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(scratch_path(INSTANCE_WATCH_LOCK), O_RDWR | O_CLOEXEC);

		if (fd < 0 || flock(fd, LOCK_SH) < 0 ||
		    gate_watch(test.store.gate_fds[KV_SUBJECT_OPERATOR], GATE_WATCH_BEGIN, NULL,
			       NULL) < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/* Run the loop until nobody watches, or for so long that both tries were made. */
static void run(uint64_t most_ns)
{
	uint64_t until_ns = loop_now_ns() + most_ns;

	while (is_watching() && loop_now_ns() < until_ns)
		cr_assert_eq(loop_run_once(&loop, until_ns), 0);
}

Test(supervisor_watches, U48_ends_after_the_last_one_was_killed)
{
	pid_t first, second;

	init();
	first = begin();
	second = begin();
	cr_assert(is_watching());
	finish(first);
	run(1500 * NS_PER_MS);
	cr_assert(is_watching(), "the other one still watches");
	finish(second);
	run(60 * NS_PER_S);
	cr_assert_not(is_watching());
}

/* Nobody may have noticed the end in the previous run. */
Test(supervisor_watches, U48_ends_what_a_previous_run_has_left)
{
	pid_t pid;

	cr_assert_eq(gate_watch(test.store.gate_fds[KV_SUBJECT_OPERATOR], GATE_WATCH_BEGIN, NULL,
				NULL),
		     0);
	init();
	cr_assert_not(is_watching());
	pid = begin();
	watches_deinit(&watches);
	loop_init(&loop);
	init();
	cr_assert(is_watching(), "a process that watched the previous run");
	finish(pid);
	run(60 * NS_PER_S);
	cr_assert_not(is_watching());
}
