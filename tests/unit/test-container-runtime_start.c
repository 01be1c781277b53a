/* SPDX-License-Identifier: Apache-2.0 */
/* The process that starts a container, and its end, with scripts as the runtime. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/start-container.h"
#include "tests/unit/support-runtime.h"
#include "userspace/common/clock.h"
#include "userspace/priv/container/runtime.h"

TestSuite(runtime_start, .init = setup, .fini = scratch_remove);

static int refuse_to_confine(void)
{
	return -EPERM;
}

/* Whoever could not drop its rights executes no runtime. */
Test(runtime_start, unconfined)
{
	const struct runtime_fds fds = { -1, -1, -1, -1, -1 };
	pid_t pid = 77;
	char ran[256];

	snprintf(ran, sizeof(ran), "%s/ran", scratch);
	scratch_write_text("fake", "#!/bin/sh\necho > ${0%/*}/ran\n", 0755);
	cr_assert(find("fake", -1) == 0, "%s", capture_text());
	cr_expect_eq(start_container(&runtime, "one", bundle, &fds, RUNTIME_GO, refuse_to_confine,
				     &pid),
		     -EPERM);
	cr_expect_eq(pid, 77);
	cr_expect_eq(access(ran, F_OK), -1);
	cr_expect(strstr(capture_text(), "container one: ") &&
			  strstr(capture_text(), "/fake create: "),
		  "%s", capture_text());
	(void)start_container(&runtime, "one", bundle, &fds, RUNTIME_GO, NULL, &pid);
	cr_expect_eq(access(ran, F_OK), 0, "it would have been seen");
}

#define CREATES                                       \
	"#!/bin/sh\n"                                 \
	"echo $7 >>${0%/*}/said\n"                    \
	"[ \"$7\" = create ] && echo 4242 >${11}\n"   \
	"[ \"$7\" != create ] || /bin/mkdir $2/one\n" \
	"[ \"$7\" != delete ] || /bin/rmdir $2/one\n"

/* Returns true if the runtime was asked for these commands, a line for each. */
static bool was_asked_for(const char *expected)
{
	char text[256] = "";
	int fd = open(scratch_path("said"), O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_geq(read(fd, text, sizeof(text) - 1), 0);
	(void)close(fd);
	return strcmp(text, expected) == 0;
}

/* It is created, but not started if nobody wants it any more. */
Test(runtime_start, not_wanted)
{
	const struct runtime_fds fds = { -1, -1, -1, -1, -1 };
	pid_t pid = 77;

	scratch_write_text("fake", CREATES, 0755);
	cr_assert(find("fake", -1) == 0, "%s", capture_text());
	cr_expect_eq(start_container(&runtime, "one", bundle, &fds, 0, NULL, &pid), -ECANCELED);
	cr_expect_eq(pid, 77);
	cr_expect(was_asked_for("create\ndelete\n"));
	cr_expect_str_eq(strstr(capture_text(), "start") ?: "", "");
}

/* The container of the start before is deleted first. */
Test(runtime_start, started_again)
{
	pid_t pid = 77;

	cr_expect_eq(start(CREATES, &pid), 0, "%s", capture_text());
	cr_expect_eq(pid, 4242);
	cr_expect_eq(runtime_pid(&runtime, "one"), 0, "it is known to whoever started it");
	(void)start(CREATES, &pid);
	cr_expect(was_asked_for("create\nstart\ndelete\ncreate\nstart\n"));
}

/* A start that hangs in create, with a process that the runtime has started. */
#define HANGS_IN_CREATE                                                            \
	"#!/bin/sh\n"                                                              \
	"echo $7 >>${0%/*}/said\n"                                                 \
	"[ \"$7\" = create ] || exit 0\n"                                          \
	"/bin/sleep 100 & echo $! >${0%/*}/hidden; /bin/mv ${0%/*}/hidden ${11}\n" \
	"wait\n"

static pid_t start_that_hangs(int stop_fd)
{
	static const struct runtime_fds fds = { -1, -1, -1, -1, -1 };
	const struct runtime_starter_fds own = { .go = -1, .log = capture_fd, .log_ask = -1 };
	pid_t creating;

	scratch_write_text("fake", HANGS_IN_CREATE, 0755);
	cr_assert_eq(find("fake", stop_fd), 0, "%s", capture_text());
	creating = runtime_create(&runtime, "one", bundle, &fds, &own, NULL);
	cr_assert_gt(creating, 0);
	while (!runtime_pid(&runtime, "one"))
		(void)usleep(1000);
	return creating;
}

/* Wait up to 5 s. */
static bool exits(pid_t pid)
{
	for (int i = 0; i < 5000 && !kill(pid, 0); i++)
		(void)usleep(1000);
	return kill(pid, 0) < 0;
}

/* The process that starts it is killed, whoever does it: nothing that it has executed is
 * left, and the runtime, which may hang, is not asked. */
Test(runtime_start, starter_is_killed)
{
	pid_t pid = 77, creating, left;
	char expected[128];
	int status;

	creating = start_that_hangs(-1);
	left = runtime_pid(&runtime, "one");
	cr_assert_eq(kill(creating, SIGKILL), 0);
	cr_assert_eq(waitpid(creating, &status, 0), creating);
	cr_expect_eq(kill(left, 0), 0);
	cr_expect_eq(runtime_started(&runtime, "one", creating, status, &pid), -EIO);
	cr_expect(exits(left));
	cr_expect_eq(pid, 77);
	cr_expect_eq(runtime_pid(&runtime, "one"), 0, "it is no start any more");
	cr_expect(was_asked_for("create\n"));
	snprintf(expected, sizeof(expected),
		 "container one: the process that starts it was killed by signal %d\n", SIGKILL);
	cr_expect_str_eq(capture_text(), expected);
}

/* It is stopped, so that it does not exit: it is killed with what it has executed. */
Test(runtime_start, starter_that_does_not_exit)
{
	const struct await_limit limit = await_within(&AWAIT_FOREVER, 20 * NS_PER_MS);
	pid_t creating = start_that_hangs(-1), left = runtime_pid(&runtime, "one");

	cr_assert_eq(kill(creating, SIGSTOP), 0);
	runtime_cancel(creating, &limit);
	cr_expect_eq(waitpid(creating, NULL, WNOHANG), -1, "it was reaped");
	cr_expect(exits(left));
}

/* It ends the runtime by itself, with what that has executed, and goes on. */
Test(runtime_start, starter_is_cancelled)
{
	int stop[2], status;
	pid_t creating, left, pid = 77;

	cr_assert_eq(pipe2(stop, O_CLOEXEC), 0);
	creating = start_that_hangs(stop[0]);
	left = runtime_pid(&runtime, "one");
	cr_assert_eq(write(stop[1], "x", 1), 1);
	cr_assert_eq(waitpid(creating, &status, 0), creating);
	cr_expect(exits(left));
	cr_expect_eq(runtime_started(&runtime, "one", creating, status, &pid), -ECANCELED);
	cr_expect_str_eq(capture_text(), "");
}

/* Whoever started it is killed: it takes SIGTERM. */
Test(runtime_start, supervisor_is_killed)
{
	pid_t supervisor, creating, left;
	int told[2];

	cr_assert_eq(pipe2(told, O_CLOEXEC), 0);
	supervisor = fork();
	cr_assert_geq(supervisor, 0);
	if (!supervisor) {
		sigset_t signals;

		sigemptyset(&signals);
		sigaddset(&signals, SIGTERM);
		cr_assert_eq(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
		creating = start_that_hangs(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
		cr_assert_eq(write(told[1], &creating, sizeof(creating)), sizeof(creating));
		(void)pause();
	}
	cr_assert_eq(read(told[0], &creating, sizeof(creating)), sizeof(creating));
	memcpy(runtime.state, state, sizeof(state));
	left = runtime_pid(&runtime, "one");
	cr_assert_gt(left, 0);
	cr_assert_eq(kill(supervisor, SIGKILL), 0);
	cr_expect(exits(left));
	cr_expect(exits(creating));
	(void)waitpid(supervisor, NULL, 0);
}

/* The numbers and files of the descriptors of a process, but for its standard ones. */
static void list_descriptors(pid_t pid, char *text, size_t size)
{
	char path[64], file[256];
	size_t length = 0;

	text[0] = '\0';
	for (int fd = 3; fd < 256; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		n = readlink(path, file, sizeof(file) - 1);
		if (n < 0)
			continue;
		file[n] = '\0';
		length += (size_t)snprintf(text + length, size - length, "%d %s\n", fd, file);
		cr_assert_lt(length, size);
	}
}

static void add_descriptor(char *text, size_t size, int fd)
{
	size_t length = strlen(text);
	char path[64], file[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, file, sizeof(file) - 1);
	cr_assert_gt(n, 0);
	file[n] = '\0';
	snprintf(text + length, size - length, "%d %s\n", fd, file);
}

/* While it waits it holds what it needs, and nothing else of the supervisor's. */
Test(runtime_start, descriptors_of_the_starter)
{
	int pipes[8][2], status;
	char expected[2048] = "", text[2048];
	struct runtime_starter_fds own;
	struct runtime_fds fds;
	pid_t creating;

	for (size_t i = 0; i < 8; i++)
		cr_assert_eq(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK), 0);
	for (size_t i = 0; i < 8; i++)
		add_descriptor(expected, sizeof(expected), pipes[i][0]);
	fds = (struct runtime_fds){ .log_stdout = pipes[4][0],
				    .log_stderr = pipes[1][0],
				    .frames = -1,
				    .control = pipes[3][0],
				    .metrics = pipes[0][0] };
	own = (struct runtime_starter_fds){ .go = pipes[2][0],
					    .log = pipes[7][0],
					    .log_ask = pipes[5][0] };
	scratch_write_text("fake", CREATES, 0755);
	cr_assert_eq(find("fake", pipes[6][0]), 0, "%s", capture_text());
	creating = runtime_create(&runtime, "one", bundle, &fds, &own, NULL);
	cr_assert_gt(creating, 0);
	/* Until the runtime has exited it holds descriptors for that, too. */
	for (int i = 0; i < 5000; i++) {
		list_descriptors(creating, text, sizeof(text));
		if (runtime_pid(&runtime, "one") && !strcmp(text, expected))
			break;
		(void)usleep(1000);
	}
	cr_expect_str_eq(text, expected);
	cr_assert_eq(write(pipes[2][1], "x", 1), 1);
	cr_assert_eq(waitpid(creating, &status, 0), creating);
}
