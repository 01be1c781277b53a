/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process is killed at each system call of a rotation and of writing what waits, or
 * one of them fails: every record that was taken is in the log, in order, and the chain
 * has no break.
 */
#include "tests/bpf/calls.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/unit/support-audit.h"

#define N_RECORDS 12

static unsigned int *n_taken; /* shared with the process that is killed */

static void setup(void)
{
	audit_setup();
	n_taken = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(n_taken, MAP_FAILED);
	settings.n_files = AUDIT_SEGMENTS_MAX - 2;
	settings.max_size = 3 * line_length();
}

TestSuite(audit_faults, .init = setup, .fini = audit_teardown);

/* Records go to the log, which is rotated. */
static void rotate(void)
{
	(void)audit_open(&audit, path, &settings);
	while (*n_taken < N_RECORDS && !put(*n_taken + 1))
		++*n_taken;
	audit_close(&audit, 0);
}

/* Records wait, and are then written to the log, which is rotated. */
static void drain(void)
{
	if (mkdir(path, 0700))
		return; /* the process before was killed later */
	(void)audit_open(&audit, path, &settings);
	while (*n_taken < N_RECORDS / 2 && !put(*n_taken + 1))
		++*n_taken;
	(void)rmdir(path);
	(void)audit_retry(&audit);
	while (*n_taken < N_RECORDS && !put(*n_taken + 1))
		++*n_taken;
	audit_close(&audit, 0);
}

static void clear(void)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "rm -rf %s/log %s/run; mkdir %s/log %s/run",
		       scratch, scratch, scratch, scratch);
	cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
	*n_taken = 0;
}

/* The next process finds all that the former one has taken, in this order; the one at which
 * that was killed may be there, too. */
static void expect_all(unsigned int at)
{
	unsigned int next = 1;
	const char *text;

	(void)rmdir(path);
	cr_assert_eq(audit_open(&audit, path, &settings), 0);
	cr_expect_eq(put(999), 0);
	cr_expect_eq(audit_retry(&audit), 0);
	text = see_log();
	for (const char *word = text; *word;
	     word += strcspn(word, ",") + (strchr(word, ',') ? 2 : 0)) {
		unsigned int number = (unsigned int)strtoul(word, NULL, 10);

		if (!number || number == 999)
			continue;
		cr_expect(number == next || number == next - 1, "call %u, %u taken: %s", at,
			  *n_taken, text);
		if (number == next)
			next++;
	}
	cr_expect_gt(next, *n_taken, "call %u, %u taken: %s", at, *n_taken, text);
	cr_expect_not_null(strstr(text, "999"));
	cr_expect_null(strstr(text, "mismatch"), "call %u: %s", at, text);
	audit_close(&audit, 0);
}

/* Returns false if the process came to its end before that call. */
static bool run(void (*work)(void), enum calls_action action, unsigned int at, int error)
{
	int status;
	pid_t pid;

	clear();
	pid = fork();
	cr_assert_geq(pid, 0);
	if (!pid) {
		calls_begin(action, at, error);
		work();
		_exit(calls.n >= at ? 1 : 2);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "%x", status);
	expect_all(at);
	return WEXITSTATUS(status) != 2;
}

static void at_each_call(void (*work)(void), enum calls_action action, int error)
{
	unsigned int at = 1;

	while (run(work, action, at, error))
		at++;
	cr_expect_gt(at, 50u, "%u calls", at);
}

Test(audit_faults, F2_killed_while_it_is_rotated)
{
	at_each_call(rotate, CALLS_DIE, 0);
}

Test(audit_faults, F2_killed_while_it_is_drained)
{
	at_each_call(drain, CALLS_DIE, 0);
}

Test(audit_faults, F2_call_fails_while_it_is_rotated)
{
	at_each_call(rotate, CALLS_FAIL, EIO);
	at_each_call(rotate, CALLS_FAIL, ENOSPC);
}

Test(audit_faults, F2_call_fails_while_it_is_drained)
{
	at_each_call(drain, CALLS_FAIL, EIO);
	at_each_call(drain, CALLS_FAIL, ENOSPC);
}
