/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's part of a reload: when it starts the role, as the program
 * that is installed, and what it hands to the watcher. chronyd is the test's.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bpf/program.h"
#include "tests/unit/capture.h"
#include "userspace/common/clock.h"
#include "userspace/priv/chrony/chrony.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define DIRECTORY "/tmp/chrony"
#define SECOND_NS 1000000000ull

static struct supervisor s;
static struct options options;
static char *command_line[] = { (char[]){ "calfpen-priv" }, (char[]){ "-i" }, (char[]){ "lo" } };
static int server = -1;

static uint64_t clock_ns = 1000 * SECOND_NS; /* it goes when told to */

static uint64_t test_clock(void)
{
	return clock_ns;
}

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	capture_begin();
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	s.self_program = open_program("calfpen-priv");
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), 0);
	options = (struct options){ .argv = command_line, .argc = 3 };
	s.options = &options;
	memcpy(s.configuration.handlers.chronyd_directory, DIRECTORY, sizeof(DIRECTORY));
	loop_init(&s.loop);
	s.loop.now_ns = test_clock;
	s.launcher = LAUNCHER_NULL(s.launcher);
	cr_assert_eq(supervisor_start_chrony(&s), 0);
	cr_assert_eq(supervisor_start_launcher(&s), 0);
}

TestSuite(supervisor_chrony, .init = setup);

static void listen_as_chronyd(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
				       .sun_path = DIRECTORY "/" CHRONY_SOCKET };

	cr_assert_eq(mkdir(DIRECTORY, 0700), 0);
	server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(chown(DIRECTORY "/" CHRONY_SOCKET, 65500, 65500), 0);
	cr_assert_eq(chown(DIRECTORY, 65500, 65500), 0);
}

/* Answer what has come, and count it. */
static unsigned int n_served;

static void serve(void)
{
	uint8_t request[64], reply[CHRONY_SIZE] = { 6, 2, 0, 0, 0, 70, 0, 1 };
	struct sockaddr_un from;
	socklen_t length = sizeof(from);

	while (recvfrom(server, request, sizeof(request), 0, (struct sockaddr *)&from, &length) ==
	       CHRONY_SIZE) {
		memcpy(reply + 16, request + 8, 4);
		/* one that was answered before it asked again may be gone */
		n_served += sendto(server, reply, sizeof(reply), 0, (struct sockaddr *)&from,
				   length) == CHRONY_SIZE;
		length = sizeof(from);
	}
}

/* Requests that are not answered: one, and all that are there. */
static void await_request(void)
{
	struct pollfd poll_fd = { .fd = server, .events = POLLIN };

	cr_assert_eq(poll(&poll_fd, 1, 10000), 1);
}

static void forget_requests(void)
{
	while (recv(server, (char[64]){ 0 }, 64, 0) > 0)
		;
}

static void ask(void)
{
	cr_assert_eq(eventfd_write(s.chrony.ask_fd, 1), 0);
}

/* Some turns of the supervisor's loop; child ends as its signal handler takes
 * them. */
static void turn(bool serves)
{
	int i, status;

	for (i = 0; i < 10; i++) {
		cr_assert_eq(loop_run_once(&s.loop, clock_ns + 1000000), 0);
		if (serves)
			serve();
		if (s.chrony.pid > 0 && waitpid(s.chrony.pid, &status, WNOHANG) == s.chrony.pid)
			supervisor_chrony_ended(&s, status);
	}
}

/* What the watcher finds: one result, or -1. */
static int result(void)
{
	uint8_t byte;

	return read(s.chrony.results[0], &byte, 1) == 1 ? byte : -1;
}

static int await_result(bool serves)
{
	int i, found;

	for (i = 0; (found = result()) < 0 && i < 2000; i++)
		turn(serves);
	return found;
}

/* Ask, until the role runs. */
static pid_t begin(void)
{
	ask();
	for (int i = 0; s.chrony.pid <= 0 && i < 100; i++)
		turn(false);
	cr_assert_gt(s.chrony.pid, 0);
	return s.chrony.pid;
}

Test(supervisor_chrony, nobody_asks)
{
	listen_as_chronyd();
	turn(true);
	cr_expect_eq(n_served, 0);
	cr_expect_eq(result(), -1);
}

Test(supervisor_chrony, reload)
{
	listen_as_chronyd();
	ask();
	cr_expect_eq(await_result(true), CHRONY_RELOADED);
	turn(true);
	cr_expect_eq(result(), -1);
	cr_expect_geq(n_served, 1);
	cr_expect_str_eq(capture_text(), "");
}

/* Asked a hundred times while one goes on and before a second is over: one
 * more follows. */
Test(supervisor_chrony, many_become_two)
{
	unsigned int i;

	listen_as_chronyd();
	(void)begin();
	for (i = 0; i < 50; i++)
		ask();
	cr_expect_eq(await_result(true), CHRONY_RELOADED);
	for (i = 0; i < 50; i++) {
		ask();
		turn(true);
	}
	clock_ns += SECOND_NS - 1;
	turn(true);
	cr_expect_eq(s.chrony.pid, 0);
	clock_ns += 1;
	cr_expect_eq(await_result(true), CHRONY_RELOADED);
	clock_ns += 5 * SECOND_NS;
	turn(true);
	cr_expect_eq(result(), -1);
}

Test(supervisor_chrony, silent)
{
	listen_as_chronyd();
	ask();
	cr_expect_eq(await_result(false), CHRONY_SILENT);
}

Test(supervisor_chrony, no_directory)
{
	ask();
	cr_expect_eq(await_result(false), CHRONY_NOT_RUNNING);
	cr_expect_eq(s.chrony.pid, 0, "no process for that");
}

Test(supervisor_chrony, no_such_directory)
{
	cr_assert_eq(mkdir("/tmp/elsewhere", 0700), 0);
	cr_assert_eq(symlink("elsewhere", DIRECTORY), 0);
	ask();
	cr_expect_eq(await_result(false), CHRONY_ERROR + ENOTDIR, "a link is not followed");
	cr_assert_eq(unlink(DIRECTORY), 0);
	close(open(DIRECTORY, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	clock_ns += SECOND_NS;
	ask();
	cr_expect_eq(await_result(false), CHRONY_ERROR + ENOTDIR);
}

/* Whatever ends the role, the watcher is told, and the next one starts. */
Test(supervisor_chrony, role_is_killed)
{
	listen_as_chronyd();
	cr_assert_eq(kill(begin(), SIGKILL), 0);
	cr_expect_eq(await_result(false), CHRONY_FAILED);
	forget_requests();
	clock_ns += SECOND_NS;
	ask();
	cr_expect_eq(await_result(true), CHRONY_RELOADED);
}

/* One that hangs is ended, as the uid that it has taken. */
Test(supervisor_chrony, role_hangs)
{
	pid_t pid;

	listen_as_chronyd();
	pid = begin();
	await_request();
	cr_assert_eq(kill(pid, SIGSTOP), 0);
	ask(); /* waits for its end */
	clock_ns += 9 * SECOND_NS;
	turn(false);
	cr_expect_eq(s.chrony.pid, pid);
	clock_ns += SECOND_NS;
	cr_expect_eq(await_result(false), CHRONY_FAILED);
	forget_requests();
	cr_expect_eq(await_result(true), CHRONY_RELOADED);
}

/* Nobody reads: nothing waits for that. */
Test(supervisor_chrony, watcher_is_away)
{
	static const char full[65536];

	cr_assert_eq(write(s.chrony.results[1], full, sizeof(full)), (ssize_t)sizeof(full));
	ask();
	turn(false);
	cr_expect_eq(s.chrony.is_asked, false);
}

/* What the watcher asked for at its end is done before the supervisor's. */
Test(supervisor_chrony, end)
{
	pid_t chronyd;
	int status = 0;

	listen_as_chronyd();
	chronyd = fork();
	if (chronyd == 0) {
		await_request();
		serve();
		_exit((int)n_served);
	}
	ask();
	s.stop_ns = loop_now_ns();
	supervisor_stop_chrony(&s);
	cr_expect_eq(s.chrony.pid, 0);
	cr_assert_eq(waitpid(chronyd, &status, 0), chronyd);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) >= 1, "%x", status);
	forget_requests();
	supervisor_stop_chrony(&s); /* nothing more */
	cr_expect_lt(recv(server, (char[64]){ 0 }, 64, 0), 0);
}

/* A role that hangs is ended within the time of the shutdown, and no other starts. */
Test(supervisor_chrony, U16_hangs_at_the_end)
{
	pid_t pid;

	listen_as_chronyd();
	pid = begin();
	await_request();
	cr_assert_eq(kill(pid, SIGSTOP), 0);
	ask();
	s.stop_ns = loop_now_ns() - NS_PER_S;
	supervisor_stop_chrony(&s);
	cr_expect_eq(s.chrony.pid, 0);
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), -1, "it was reaped");
	forget_requests();
	cr_expect_lt(recv(server, (char[64]){ 0 }, 64, 0), 0);
}
