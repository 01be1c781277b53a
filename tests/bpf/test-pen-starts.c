/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many starts in the pen, four at a time: none fails, and nothing is left. CALFPEN_PEN_STARTS
 * (default 40) says how many. Needs root.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/bpf/pen.h"

#define N_AT_A_TIME 4
#define PASSED 42

static unsigned int n_starts(void)
{
	const char *text = getenv("CALFPEN_PEN_STARTS");

	return text ? (unsigned int)strtoul(text, NULL, 10) : 40;
}

/* Create, start, hear and delete the container. Returns what failed, or NULL. */
static const char *start_once(void)
{
	struct pollfd output = { .fd = it.log_fd, .events = POLLIN };
	int64_t result = -1;
	pid_t pid;

	if (pen_run(pen_create))
		return "create";
	pid = pen_pid();
	if (PEN_RUN("start", "probe"))
		return "start";
	if (poll(&output, 1, 10000) != 1 ||
	    read(it.log_fd, &result, sizeof(result)) != sizeof(result) || result != 0)
		return "its program";
	if (PEN_RUN("delete", "--force", "probe"))
		return "delete";
	if (waitpid(pid, NULL, 0) != pid || waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		return "processes are left";
	return pen_has_cgroup() || pen_has_state() ? "files are left" : NULL;
}

_Noreturn static void start_many(unsigned int n)
{
	static const struct pen_call calls[] = { { SYS_fcntl, { 0, F_GETFD } }, { .number = -1 } };
	const char *failed = NULL;

	pen_setup();
	pen_write_program(calls);
	for (unsigned int i = 0; i < n && !failed; i++)
		failed = start_once();
	if (failed)
		fprintf(stderr, "%s: %s\n", failed, pen_said());
	pen_teardown();
	_exit(failed ? 1 : PASSED);
}

Test(pen_starts, four_at_a_time, .timeout = 280)
{
	const unsigned int n = n_starts();
	pid_t pids[N_AT_A_TIME];

	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_geq(n, N_AT_A_TIME);
	for (unsigned int i = 0; i < N_AT_A_TIME; i++) {
		pids[i] = fork();
		if (!pids[i])
			start_many((n + i) / N_AT_A_TIME);
		cr_assert_gt(pids[i], 0);
	}
	for (unsigned int i = 0; i < N_AT_A_TIME; i++) {
		int status = 0;

		cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == PASSED, "status %x", status);
	}
}
