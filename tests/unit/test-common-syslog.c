/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines to a syslog daemon that runs, stops, restarts, and one that does not read. */
#include "userspace/common/syslog.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/syslog-daemon.h"
#include "userspace/common/clock.h"

static struct syslog syslog;
static struct loop loop;
static char path[64];
static int daemon_fd = -1;

static void stop_daemon(void)
{
	close(daemon_fd);
	cr_assert_eq(unlink(path), 0);
}

/* The next message without its process id, or "". */
static const char *receive(void)
{
	static char text[SYSLOG_TEXT_MAX + 512];
	ssize_t n = recv(daemon_fd, text, sizeof(text) - 1, 0);
	char *from, *to;

	text[n < 0 ? 0 : n] = '\0';
	from = strchr(text, '[');
	to = from ? strchr(from, ']') : NULL;
	if (to) {
		cr_expect_eq(atoi(from + 1), (int)getpid());
		memmove(from + 1, to, strlen(to) + 1);
	}
	return text;
}

static void setup(void)
{
	capture_begin();
	scratch_make();
	(void)snprintf(path, sizeof(path), "%s/log", scratch);
	loop_init(&loop);
}

TestSuite(syslog, .init = setup, .fini = scratch_remove);

Test(syslog, U34_lines_with_their_severity)
{
	daemon_fd = syslog_daemon_open(path);
	cr_assert_eq(syslog_open(&syslog, path, "eth0"), 0);
	cr_expect(syslog_is_open(&syslog));
	log_error("an error");
	cr_expect_str_eq(receive(), "<27>calfpen-eth0[]: t: an error");
	log_warning("a warning");
	cr_expect_str_eq(receive(), "<28>calfpen-eth0[]: t: a warning");
	log_info("an information\nof two lines");
	cr_expect_str_eq(receive(), "<30>calfpen-eth0[]: t: an information?of two lines");
	log_debug("for --verbose");
	cr_expect_str_eq(receive(), "<31>calfpen-eth0[]: t: for --verbose");
	cr_expect_str_eq(capture_text(), "an error\na warning\nan information?of two lines\n"
					 "for --verbose\n");
	cr_assert_eq(syslog_send_record(&syslog, true, "{}", 2), 0);
	cr_expect_str_eq(receive(), "<84>calfpen-eth0[]: {}");
	cr_assert_eq(syslog_send_record(&syslog, false, "{}", 2), 0);
	cr_expect_str_eq(receive(), "<86>calfpen-eth0[]: {}");
	syslog_close(&syslog, 0);
	cr_expect(!syslog_is_open(&syslog));
	log_info("not any more");
	cr_expect_str_eq(receive(), "");
	syslog_close(&syslog, 0);
}

/* Until it is there, which is said once, everything waits. */
Test(syslog, U34_daemon_comes_later)
{
	const char *text;

	cr_assert_eq(syslog_open(&syslog, path, "eth0"), 0);
	cr_assert_eq(syslog_watch(&syslog, &loop), 0);
	log_info("before");
	cr_expect_neq(syslog_connect(&syslog), 0);
	daemon_fd = syslog_daemon_open(path);
	while (!queue_is_empty(&syslog.outlet.queue))
		cr_assert_eq(loop_run_once(&loop, loop_now_ns() + 10 * NS_PER_S), 0);
	text = receive();
	cr_expect_eq(strncmp(text, "<28>calfpen-eth0[]: t: syslog: ", 31), 0, "%s", text);
	cr_expect_not_null(strstr(text, "messages wait until a daemon takes them"));
	cr_expect_str_eq(receive(), "<30>calfpen-eth0[]: t: before");
	text = receive();
	cr_expect_not_null(strstr(text, " takes messages"), "%s", text);
	cr_expect_str_eq(receive(), "");
	cr_expect_null(strstr(strstr(capture_text(), "messages wait") + 1, "messages wait"));
}

/* Restarted, at the same place: the next line finds out. */
Test(syslog, U34_daemon_is_restarted)
{
	daemon_fd = syslog_daemon_open(path);
	cr_assert_eq(syslog_open(&syslog, path, "eth0"), 0);
	stop_daemon();
	daemon_fd = syslog_daemon_open(path);
	log_info("after");
	cr_expect_str_eq(receive(), "<30>calfpen-eth0[]: t: after");
	cr_expect_str_eq(capture_text(), "after\n");
	syslog_close(&syslog, 0);
}

/* A role has the same socket, and no right to connect it. */
Test(syslog, U34_role_asks_the_supervisor)
{
	struct pollfd ask;
	struct syslog role;

	daemon_fd = syslog_daemon_open(path);
	cr_assert_eq(syslog_open(&syslog, path, "eth0"), 0);
	cr_assert_eq(syslog_inherit(&role, syslog.outlet.fd, syslog.ask_fd, "eth0"), 0);
	ask = (struct pollfd){ .fd = syslog.ask_fd, .events = POLLIN };
	log_info("one");
	cr_expect_str_eq(receive(), "<30>calfpen-eth0[]: t: one");
	cr_expect_eq(poll(&ask, 1, 0), 0);
	stop_daemon();
	log_info("two");
	cr_expect_eq(poll(&ask, 1, 0), 1, "it asks");
	daemon_fd = syslog_daemon_open(path);
	cr_assert_eq(syslog_connect(&syslog), 0);
	cr_assert_eq(syslog_watch(&role, &loop), 0);
	while (!queue_is_empty(&role.outlet.queue))
		cr_assert_eq(loop_run_once(&loop, loop_now_ns() + 10 * NS_PER_S), 0);
	cr_expect_str_eq(receive(), "<30>calfpen-eth0[]: t: two");
	cr_expect_str_eq(receive(), "");
}

Test(syslog, U34_none)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	cr_expect_eq(syslog_inherit(&syslog, null, null, "eth0"), 0);
	cr_expect(!syslog_is_open(&syslog));
	cr_expect_eq(syslog_watch(&syslog, &loop), 0);
	log_info("to nobody else");
	syslog_close(&syslog, NS_PER_S);
	cr_expect_str_eq(capture_text(), "to nobody else\n");
}

/* Lines are lost in the end, and counted in syslog itself. */
Test(syslog, U34_daemon_does_not_read)
{
	static char text[1001];
	unsigned long long n_lost;
	unsigned int n = 0;
	const char *message;

	memset(text, 'x', sizeof(text) - 1);
	daemon_fd = syslog_daemon_open(path);
	cr_assert_eq(syslog_open(&syslog, path, "eth0"), 0);
	cr_assert_eq(syslog_watch(&syslog, &loop), 0);
	log_init("t", -1, LOG_LEVEL_INFO);
	for (int i = 0; i < 3000; i++)
		log_info("%s", text);
	n_lost = syslog.outlet.n_lost[OUTLET_LINE];
	cr_assert_gt(n_lost, 1000u);
	for (message = receive(); strstr(message, "xxx"); message = receive()) {
		n++;
		cr_assert_eq(loop_run_once(&loop, loop_now_ns()), 0);
	}
	cr_expect_eq(n + n_lost, 3000u, "%u %llu", n, n_lost);
	(void)snprintf(
		text, sizeof(text),
		"<28>calfpen-eth0[]: log: lost %llu lines: the syslog daemon did not keep up",
		n_lost);
	cr_expect_str_eq(message, text);
}

Test(syslog, U34_lost_at_the_end)
{
	cr_assert_eq(syslog_open(&syslog, path, "eth0"), 0);
	log_info("one");
	cr_assert_eq(syslog_send_record(&syslog, false, "{}", 2), 0);
	capture_begin();
	syslog_close(&syslog, NS_PER_S);
	/* the line is the second one, after that of the daemon that is missing */
	cr_expect_str_eq(capture_text(), "syslog: lost 1 audit records and 2 lines: the daemon did "
					 "not take them\n");
}

Test(syslog, path_too_long)
{
	static char long_path[200];

	memset(long_path, 'x', sizeof(long_path) - 1);
	cr_expect_eq(syslog_open(&syslog, long_path, "eth0"), -ENAMETOOLONG);
	cr_expect(!syslog_is_open(&syslog));
}
