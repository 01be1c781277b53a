/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a runtime, and what it says, with scripts in its place. */
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
#include "userspace/common/clock.h"
#include "userspace/priv/container/runtime.h"

static char state[128], bundle[128];
static struct runtime runtime;

static void setup(void)
{
	scratch_make();
	snprintf(state, sizeof(state), "%s/state", scratch);
	snprintf(bundle, sizeof(bundle), "%s/bundle", scratch);
	cr_assert(mkdir(bundle, 0700) == 0);
	scratch_write_text("bundle/config.json",
			   "{\"linux\": {\"cgroupsPath\": \"/calfpen-test/none\"}}", 0600);
	cr_assert(setenv("PATH", scratch, 1) == 0);
	capture_begin();
}

TestSuite(runtime, .init = setup, .fini = scratch_remove);

static int find(const char *name, int stop_fd)
{
	int r = runtime_find(name, &runtime);

	return r ? r : runtime_prepare(&runtime, state, stop_fd);
}

static int start(const char *script, pid_t *pidp)
{
	const struct runtime_fds fds = { -1, -1, -1, -1, -1 };

	scratch_write_text("fake", script, 0755);
	cr_assert(find("fake", -1) == 0, "%s", capture_text());
	return start_container(&runtime, "one", bundle, &fds, RUNTIME_GO, NULL, pidp);
}

Test(runtime, found_in_path)
{
	struct stat st;
	char path[256];

	scratch_write_text("fake", "#!/bin/sh\n[ \"$*\" = --version ]\n", 0755);
	cr_assert(find("fake", -1) == 0, "%s", capture_text());
	snprintf(path, sizeof(path), "%s/fake", scratch);
	cr_expect_str_eq(runtime.path, path);
	cr_expect_str_eq(runtime.state, state);
	cr_assert(stat(state, &st) == 0);
	cr_expect((st.st_mode & 07777) == 0700);
	cr_expect(find(path, -1) == 0);
	cr_expect_str_eq(capture_text(), "");
}

/* Who sends them to all processes of this name hits a child before it executes, too. */
Test(runtime, U40_harmless_signals)
{
	scratch_write_text("fake", "#!/bin/sh\nkill -HUP $$; kill -USR1 $$; kill -USR2 $$\n", 0755);
	cr_expect(find("fake", -1) == 0, "%s", capture_text());
}

Test(runtime, not_found)
{
	runtime.path[0] = 'x';
	cr_expect(find("fake", -1) == -ENOENT);
	cr_expect_str_eq(capture_text(), "OCI runtime \"fake\": not found; install runc, or choose "
					 "another with --runtime\n");
	cr_expect(runtime.path[0] == 'x');
	capture_begin();
	cr_expect(find("/nonexistent/runc", -1) == -ENOENT);
	cr_expect_str_eq(capture_text(), "OCI runtime \"/nonexistent/runc\": not found; install "
					 "runc, or choose another with --runtime\n");
}

Test(runtime, not_executable)
{
	scratch_write_text("fake", "", 0644);
	cr_expect(find("fake", -1) == -EACCES);
	cr_expect_str_eq(capture_text(),
			 "OCI runtime \"fake\": Permission denied; install runc, or "
			 "choose another with --runtime\n");
}

Test(runtime, no_answer)
{
	char expected[256];

	scratch_write_text("fake", "#!/bin/sh\nexit 1\n", 0755);
	cr_expect(find("fake", -1) == -EPROTO);
	snprintf(expected, sizeof(expected),
		 "OCI runtime %s/fake: does not answer --version; choose another with --runtime\n",
		 scratch);
	cr_expect_str_eq(capture_text(), expected);
	cr_expect(access(state, F_OK) < 0);
}

/* Arguments, environment, descriptors: what the runtime is started with. */
Test(runtime, command_line)
{
	static const char script[] =
		"#!/bin/sh\n"
		"[ \"$1\" = --version ] && exit 0\n"
		"IFS=; env=$(/usr/bin/env -0 | /usr/bin/tr '\\0' ' ')\n"
		"dir=${0%/*}; IFS=' '\n"
		"echo \"$*|$env|$(cd /proc/self/fd && echo [0-9]*)\" >> $dir/said\n"
		"[ \"$7\" = create ] && echo 4242 > ${11}\n"
		"exit 0\n";
	char text[4096] = "", expected[4096], path[256];
	pid_t pid = 0;
	int fd;

	cr_assert(start(script, &pid) == 0, "%s", capture_text());
	cr_expect(pid == 4242);
	snprintf(path, sizeof(path), "%s/said", scratch);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert(fd >= 0);
	cr_assert(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	snprintf(expected, sizeof(expected),
		 "--root %s --log %s/one.log --log-format json create --bundle %s --pid-file "
		 "%s/one.pid --no-new-keyring --preserve-fds 3 one|",
		 state, state, bundle, state);
	cr_expect(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
	cr_expect(strstr(text, "|PATH=/usr/local/sbin:") != NULL, "%s", text);
	cr_expect(strstr(text, "HOME=") == NULL && strstr(text, "LISTEN_FDS") == NULL, "%s", text);
	cr_expect(strstr(text, "|0 1 2 3 4 5") != NULL, "%s", text);
	snprintf(expected, sizeof(expected),
		 "--root %s --log %s/one.log --log-format json start one|", state, state);
	cr_expect(strstr(text, expected) != NULL, "%s", text);
}

/* The last error counts, whatever comes after it. */
Test(runtime, message)
{
	static const char script[] =
		"#!/bin/sh\n"
		"[ \"$1\" = --version ] && exit 0\n"
		"{ echo '{\"level\":\"error\",\"msg\":\"first\"}'\n"
		"echo 'no json'\n"
		"echo '{\"level\":\"error\",\"msg\":\"the \\u001b[1mcause\"}'\n"
		"echo '{\"level\":\"warning\",\"msg\":\"after\"}'\n"
		"} > \"$4\"\n"
		"exit 1\n";
	char expected[512];
	pid_t pid;

	cr_expect(start(script, &pid) == -EIO);
	snprintf(expected, sizeof(expected), "container one: %s/fake create: the ?[1mcause\n",
		 scratch);
	cr_expect_str_eq(capture_text(), expected);
}

Test(runtime, silent_failure)
{
	char expected[512];
	pid_t pid;

	cr_expect(start("#!/bin/sh\n[ \"$1\" = --version ]\n", &pid) == -EIO);
	snprintf(expected, sizeof(expected),
		 "container one: %s/fake create: failed without a message\n", scratch);
	cr_expect_str_eq(capture_text(), expected);
}

Test(runtime, no_pid)
{
	static const char *const scripts[] = {
		"#!/bin/sh\nexit 0\n",
		"#!/bin/sh\n[ \"$7\" = create ] && echo x > ${11}\nexit 0\n",
		"#!/bin/sh\n[ \"$7\" = create ] && echo 1 > ${11}\nexit 0\n",
		"#!/bin/sh\n[ \"$7\" = create ] && echo -5 > ${11}\nexit 0\n",
	};
	char expected[512];
	pid_t pid;

	snprintf(expected, sizeof(expected), "%s/one.pid: the runtime wrote no process id\n",
		 state);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		capture_begin();
		cr_expect(start(scripts[i], &pid) == -EPROTO);
		cr_expect_str_eq(capture_text(), expected);
	}
}

static int refuse_to_confine(void)
{
	return -EPERM;
}

/* Whoever could not drop its rights executes no runtime. */
Test(runtime, unconfined)
{
	const struct runtime_fds fds = { -1, -1, -1, -1, -1 };
	pid_t pid = 77;
	char ran[256];

	snprintf(ran, sizeof(ran), "%s/ran", scratch);
	scratch_write_text("fake", "#!/bin/sh\n[ \"$1\" = --version ] || echo > ${0%/*}/ran\n",
			   0755);
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

#define CREATES                                              \
	"#!/bin/sh\n"                                        \
	"[ \"$1\" = --version ] || echo $7 >>${0%/*}/said\n" \
	"[ \"$7\" = create ] && echo 4242 >${11}\n"          \
	"[ \"$7\" != create ] || /bin/mkdir $2/one\n"        \
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
Test(runtime, not_wanted)
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
Test(runtime, started_again)
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
	"[ \"$1\" = --version ] || echo $7 >>${0%/*}/said\n"                       \
	"[ \"$7\" = create ] || exit 0\n"                                          \
	"/bin/sleep 100 & echo $! >${0%/*}/hidden; /bin/mv ${0%/*}/hidden ${11}\n" \
	"wait\n"

static pid_t start_that_hangs(int stop_fd)
{
	static const struct runtime_fds fds = { -1, -1, -1, -1, -1 };
	const struct runtime_starter_fds own = { -1, capture_fd, -1 };
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
Test(runtime, starter_is_killed)
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
Test(runtime, starter_that_does_not_exit)
{
	const struct await_limit limit = await_within(&AWAIT_FOREVER, 20 * NS_PER_MS);
	pid_t creating = start_that_hangs(-1), left = runtime_pid(&runtime, "one");

	cr_assert_eq(kill(creating, SIGSTOP), 0);
	runtime_cancel(creating, &limit);
	cr_expect_eq(waitpid(creating, NULL, WNOHANG), -1, "it was reaped");
	cr_expect(exits(left));
}

/* It ends the runtime by itself, with what that has executed, and goes on. */
Test(runtime, starter_is_cancelled)
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
Test(runtime, supervisor_is_killed)
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
Test(runtime, descriptors_of_the_starter)
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

/* No such container: the runtime is not even asked. */
Test(runtime, delete_nothing)
{
	scratch_write_text("fake", "#!/bin/sh\n[ \"$1\" = --version ]\n", 0755);
	cr_assert(find("fake", -1) == 0);
	cr_expect(runtime_delete(&runtime, "one") == 0);
	cr_expect_str_eq(capture_text(), "");
}

/* Make `fd` readable when the runtime hangs. */
static void stop_when_it_hangs(int fd)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid)
		return;
	while (access(scratch_path("hangs"), F_OK))
		(void)usleep(1000);
	_exit(write(fd, "x", 1) == 1 ? 0 : 1);
}

/* Run a command of a runtime that hangs, until a signal to stop. */
static void hang_in(const char *command)
{
	const struct runtime_fds fds = { -1, -1, -1, -1, -1 };
	pid_t pid = 77;
	char script[512];
	int stop[2];

	snprintf(script, sizeof(script),
		 "#!/bin/sh\n[ \"$1\" = --version ] || echo 1234 >%s/one.pid\n"
		 "[ \"$7\" = %s ] || exit 0\necho >%s/hangs\nexec /bin/sleep 100\n",
		 state, command, scratch);
	scratch_write_text("fake", script, 0755);
	cr_assert(pipe(stop) == 0);
	cr_assert(find("fake", stop[0]) == 0, "%s", capture_text());
	/* The process that creates the container handles the signal by itself. */
	stop_when_it_hangs(stop[1]);
	cr_expect_eq(start_container(&runtime, "one", bundle, &fds, RUNTIME_GO, NULL, &pid),
		     -ECANCELED);
	cr_expect_eq(pid, 77);
	cr_expect_str_eq(capture_text(), "");
}

Test(runtime, U16_hangs_in_create)
{
	hang_in("create");
}

Test(runtime, U16_hangs_in_start)
{
	hang_in("start");
}

Test(runtime, U16_hangs_in_version)
{
	int stop[2];

	scratch_write_text("fake", "#!/bin/sh\nexec /bin/sleep 100\n", 0755);
	cr_assert(pipe(stop) == 0);
	cr_assert(write(stop[1], "x", 1) == 1);
	cr_expect_eq(find("fake", stop[0]), -ECANCELED);
	cr_expect_str_eq(capture_text(), "");
}

/* A start that fails between question and answer leaves no process. */
Test(runtime, U16_hangs_in_version_and_is_released)
{
	pid_t pid;

	scratch_write_text("fake", "#!/bin/sh\n/bin/sleep 100 & wait\n", 0755);
	cr_assert_eq(runtime_find("fake", &runtime), 0, "%s", capture_text());
	pid = runtime.asked_pid;
	cr_assert_gt(pid, 0);
	runtime_release(&runtime);
	cr_expect_eq(runtime.asked_pid, 0);
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), -1, "it was reaped");
	runtime_release(&runtime);
	cr_expect_str_eq(capture_text(), "");
}

/* Without a signal it is given up after its time, and that is said. */
Test(runtime, U16_hangs_until_the_limit)
{
	scratch_write_text("fake", "#!/bin/sh\n[ \"$1\" = --version ] || exec /bin/sleep 100\n",
			   0755);
	cr_assert(find("fake", -1) == 0);
	cr_assert_eq(mkdir(scratch_path("state/one"), 0700), 0);
	runtime.limit = await_within(&AWAIT_FOREVER, 50 * NS_PER_MS);
	cr_expect_eq(runtime_delete(&runtime, "one"), 0, "it is removed without the runtime");
	cr_expect(strstr(capture_text(), "/fake delete: did not exit; killed it\n"), "%s",
		  capture_text());
	cr_expect(strstr(capture_text(), "which the runtime could not delete\n"), "%s",
		  capture_text());
	cr_expect_eq(access(scratch_path("state/one"), F_OK), -1);
}

/* As runc: .ID.pid must be new, and it is renamed. Fails in between if "full" exists. */
#define LIKE_RUNC                                                   \
	"#!/bin/sh\n"                                               \
	"[ \"$1\" = --version ] && exit 0\n"                        \
	"[ \"$7\" = create ] || exit 0\n"                           \
	"set -eC; hidden=${11%/*}/.${11##*/}; echo 4242 >$hidden\n" \
	"[ ! -e ${0%/*}/full ]\n"                                   \
	"/bin/mv $hidden ${11}\n"

static void expect_state_is_empty(void)
{
	cr_expect_eq(rmdir(state), 0, "something is left in %s", state);
}

/* A runtime that ended in the middle of create must not hinder the next one. */
Test(runtime, U15_create_after_a_failed_one)
{
	pid_t pid = 0;

	scratch_write_text("full", "", 0600);
	cr_expect_eq(start(LIKE_RUNC, &pid), -EIO);
	expect_state_is_empty();
	cr_assert_eq(unlink(scratch_path("full")), 0);
	capture_begin();
	cr_expect_eq(start(LIKE_RUNC, &pid), 0, "%s", capture_text());
	cr_expect_eq(pid, 4242);
}

/* The same if calfpen was killed, too, so that nothing was deleted. Files of another
 * container stay. */
Test(runtime, U15_create_after_a_killed_calfpen)
{
	pid_t pid = 0;

	cr_assert_eq(mkdir(state, 0700), 0);
	scratch_write_text("state/.one.pid", "4241", 0600);
	scratch_write_text("state/one.pid.tmp", "", 0600);
	scratch_write_text("state/.one-more.pid", "", 0600);
	cr_expect_eq(start(LIKE_RUNC, &pid), 0, "%s", capture_text());
	cr_expect_eq(pid, 4242);
	cr_expect_eq(runtime_delete(&runtime, "one"), 0);
	cr_assert_eq(unlink(scratch_path("state/.one-more.pid")), 0);
	expect_state_is_empty();
}

/* A state that the runtime itself cannot read is removed without it. */
Test(runtime, U15_delete_what_the_runtime_cannot)
{
	char expected[512];

	scratch_write_text("fake", "#!/bin/sh\n[ \"$1\" = --version ]\n", 0755);
	cr_assert_eq(find("fake", -1), 0);
	snprintf(expected, sizeof(expected), "%s/one", state);
	cr_assert_eq(mkdir(expected, 0700), 0);
	scratch_write_text("state/one/state.json", "{", 0600);
	cr_expect_eq(runtime_delete(&runtime, "one"), 0);
	snprintf(expected, sizeof(expected),
		 "container one: %s/fake delete: failed without a message\n"
		 "container one: removed %s/one, which the runtime could not delete\n",
		 scratch, state);
	cr_expect_str_eq(capture_text(), expected);
	expect_state_is_empty();
}
