/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's side of the launcher, whose process is the test's. */
#include "userspace/priv/launcher/launcher.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "userspace/common/clock.h"

static struct launcher launcher;
static int other = -1;

static void setup(void)
{
	int ends[2];

	capture_begin();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	other = ends[1];
	launcher = (struct launcher){ .fd = ends[0], .pid = fork() };
	cr_assert_geq(launcher.pid, 0);
	if (!launcher.pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

TestSuite(launcher, .init = setup, .timeout = 20);

static void answer(const void *data, size_t size)
{
	cr_assert_eq(send(other, data, size, 0), (ssize_t)size);
}

static void expect_gone(void)
{
	int status;

	cr_expect_eq(launcher.fd, -1);
	cr_expect(launcher.is_gone);
	cr_assert_eq(waitpid(launcher.pid, &status, 0), launcher.pid, "it is killed");
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	cr_expect_str_eq(capture_text(), "");
	launcher_ended(&launcher, status);
	cr_expect_str_eq(capture_text(),
			 "the launcher was killed by signal 9; everything goes on, but nothing can "
			 "be restarted: restart the instance\n");
	cr_expect_eq(launcher_request(&launcher, LAUNCHER_START, 0), -EPIPE);
	launcher_stop(&launcher);
}

Test(launcher, answer)
{
	const struct launcher_answer result = { 4711 };
	struct launcher_request request;

	answer(&result, sizeof(result));
	cr_expect_eq(launcher_request(&launcher, LAUNCHER_START, 3), 4711);
	cr_assert_eq(recv(other, &request, sizeof(request), 0), (ssize_t)sizeof(request));
	cr_expect_eq(request.verb, LAUNCHER_START);
	cr_expect_eq(request.number, 3);
	cr_expect_not(launcher.is_gone);
}

Test(launcher, answer_of_another_size)
{
	answer("ab", 2);
	cr_expect_eq(launcher_request(&launcher, LAUNCHER_START, 3), -EPIPE);
	expect_gone();
}

Test(launcher, end_instead_of_an_answer)
{
	cr_assert_eq(shutdown(other, SHUT_WR), 0);
	cr_expect_eq(launcher_request(&launcher, LAUNCHER_START, 3), -EPIPE);
	expect_gone();
}

/* One that hangs must not hang the supervisor. */
Test(launcher, no_answer)
{
	cr_expect_eq(launcher_request(&launcher, LAUNCHER_START, 3), -EPIPE);
	expect_gone();
}

/* Nor delay its end. */
Test(launcher, no_answer_at_the_end)
{
	const uint64_t before_ns = clock_now_ns(CLOCK_BOOTTIME);

	launcher.is_stopping = true;
	cr_expect_eq(launcher_request(&launcher, LAUNCHER_START, 3), -EPIPE);
	cr_expect_lt(clock_now_ns(CLOCK_BOOTTIME) - before_ns, NS_PER_S);
	expect_gone();
}

Test(launcher, none)
{
	struct launcher none = LAUNCHER_NULL(none);

	cr_expect_eq(launcher_request(&none, LAUNCHER_START, 0), -EPIPE);
	cr_expect_not(none.is_gone, "it was never there");
	launcher_stop(&none);
}

/* One that does not exit is killed, without a line. */
Test(launcher, stop)
{
	pid_t pid = launcher.pid;

	launcher_stop(&launcher);
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), -1);
	cr_expect_eq(launcher.pid, 0);
	cr_expect_str_eq(capture_text(), "");
}
