/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts in virtual time. */
#include <criterion/criterion.h>

#include "tests/unit/capture.h"
#include "userspace/priv/supervisor/restart.h"

TestSuite(supervisor_restart, .init = capture_begin);

static struct restart restart;
static uint64_t now_ns = 17 * NS_PER_S;

/* Start, fail after so long; the pause until the next start. */
static uint64_t fail_after(uint64_t ns, const char *reason)
{
	uint64_t next_ns;

	restart_started(&restart, now_ns);
	cr_expect_eq(restart.next_ns, 0);
	now_ns += ns;
	next_ns = restart_failed(&restart, "dhcp4", reason, now_ns);
	cr_expect_eq(restart.next_ns, next_ns);
	next_ns -= now_ns;
	now_ns += next_ns;
	return next_ns;
}

Test(supervisor_restart, U29_less_and_less_often)
{
	static const uint64_t pauses_ms[] = { 100,  200,   400,	  800,	 1600, 3200,
					      6400, 12800, 25600, 30000, 30000 };

	for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
		cr_expect_eq(fail_after(NS_PER_MS, "exited with code 1"), pauses_ms[i] * NS_PER_MS,
			     "%zu", i);
		cr_expect_eq(restart.n_restarts, i + 1);
		cr_expect_eq(restart_is_failed(&restart), i >= 2, "%zu", i);
	}
	cr_expect_str_eq(capture_text(),
			 "dhcp4: exited with code 1; restarting it\n"
			 "dhcp4 FAILED: exited with code 1, 3 times in a row; it is "
			 "restarted less and less often, at least every 30 s\n");
}

/* Another reason is logged, too. */
Test(supervisor_restart, U29_another_reason)
{
	for (int i = 0; i < 4; i++)
		(void)fail_after(NS_PER_MS, "exited with code 1");
	capture_begin();
	(void)fail_after(NS_PER_MS, "was killed by signal 9");
	(void)fail_after(NS_PER_MS, "was killed by signal 9");
	cr_expect_str_eq(capture_text(), "dhcp4: was killed by signal 9; restarting it\n");
}

Test(supervisor_restart, U29_runs_again)
{
	for (int i = 0; i < 5; i++)
		(void)fail_after(NS_PER_MS, "exited with code 1");
	restart_started(&restart, now_ns);
	cr_expect(restart_is_failed(&restart), "not yet");
	capture_begin();
	restart_settle(&restart, "dhcp4");
	cr_expect_str_eq(capture_text(), "dhcp4: runs again\n");
	cr_expect(!restart_is_failed(&restart) && !restart.reason[0]);
	cr_expect_eq(fail_after(0, "exited with code 1"), 100 * NS_PER_MS);
	capture_begin();
	restart_settle(&restart, "dhcp4");
	cr_expect_str_eq(capture_text(), "", "one failure is no FAILED");
}

/* The timer may be late: what counts is how long it ran. */
Test(supervisor_restart, ran_for_long)
{
	for (int i = 0; i < 5; i++)
		(void)fail_after(NS_PER_MS, "exited with code 1");
	cr_expect_gt(fail_after(RESTART_STABLE_NS - 1, "exited with code 1"), 3 * NS_PER_S);
	capture_begin();
	cr_expect_eq(fail_after(RESTART_STABLE_NS, "exited with code 1"), 100 * NS_PER_MS);
	cr_expect_str_eq(capture_text(), "dhcp4: exited with code 1; restarting it\n");
}

/* What hangs while it is started, however long, has not run. */
Test(supervisor_restart, start_that_hangs)
{
	(void)fail_after(RESTART_STABLE_NS - 1, "exited with code 1");
	for (int i = 2; i < 5; i++) {
		restart_begins(&restart);
		cr_expect_eq(restart.next_ns, 0);
		now_ns += 2 * RESTART_STABLE_NS;
		(void)restart_failed(&restart, "dhcp4", "does not start", now_ns);
		cr_expect_eq(restart.n_failures, i);
	}
	cr_expect(restart_is_failed(&restart));
}

Test(supervisor_restart, on_purpose)
{
	for (int i = 0; i < 9; i++)
		cr_expect_eq(restart_on_purpose(&restart, now_ns), now_ns + 100 * NS_PER_MS);
	cr_expect_eq(restart.n_restarts, 9);
	cr_expect(!restart_is_failed(&restart));
	cr_expect_str_eq(capture_text(), "");
}

Test(supervisor_restart, given_up)
{
	restart.n_restarts = 1;
	restart_given_up(&restart, "dhcp4", "the calf exited with code 3");
	cr_expect(restart_is_failed(&restart), "at once");
	cr_expect_eq(restart.next_ns, 0);
	cr_expect_eq(restart.n_restarts, 1);
	cr_expect_str_eq(capture_text(),
			 "dhcp4: the calf exited with code 3; it cannot be started again without "
			 "the launcher: restart the instance\n");
}
