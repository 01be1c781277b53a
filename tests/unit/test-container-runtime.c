/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a runtime, and what it says, with scripts in its place. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
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
#include "userspace/common/program.h"
#include "userspace/priv/container/runtime.h"

TestSuite(runtime, .init = setup, .fini = scratch_remove);

Test(runtime, found_in_path)
{
	struct stat st;
	char path[256];

	scratch_write_text("fake", "#!/bin/sh\necho >${0%/*}/ran\n", 0755);
	cr_assert(find("fake", -1) == 0, "%s", capture_text());
	snprintf(path, sizeof(path), "%s/fake", scratch);
	cr_expect_str_eq(runtime.path, path);
	cr_expect_str_eq(runtime.state, state);
	cr_assert(stat(state, &st) == 0);
	cr_expect((st.st_mode & 07777) == 0700);
	cr_expect(find(path, -1) == 0);
	cr_expect_str_eq(capture_text(), "");
	cr_expect_eq(access(scratch_path("ran"), F_OK), -1, "it is not executed");
}

/* Who sends them to all processes of this name hits a child before it executes, too. */
Test(runtime, U40_harmless_signals)
{
	pid_t pid = 0;

	cr_expect(start("#!/bin/sh\nkill -HUP $$; kill -USR1 $$; kill -USR2 $$\n"
			"[ \"$7\" = create ] && echo 4242 > ${11}\nexit 0\n",
			&pid) == 0,
		  "%s", capture_text());
	cr_expect(pid == 4242);
}

Test(runtime, not_found)
{
	runtime.path[0] = 'x';
	cr_expect(find("fake", -1) == -ENOENT);
	cr_expect_str_eq(capture_text(), "OCI runtime \"fake\": not found; install it, or choose "
					 "another with --runtime\n");
	cr_expect(runtime.path[0] == 'x');
	capture_begin();
	cr_expect(find("/nonexistent/runc", -1) == -ENOENT);
	cr_expect_str_eq(capture_text(), "OCI runtime \"/nonexistent/runc\": not found; install "
					 "it, or choose another with --runtime\n");
}

/* Without a name: the pen beside the program that runs, which is this one */
Test(runtime, the_pen)
{
	char pen[PATH_MAX], expected[PATH_MAX + 100];

	cr_assert_eq(program_path("calfpen-pen", pen, sizeof(pen)), 0);
	(void)unlink(pen);
	cr_expect_eq(find("", -1), -ENOENT);
	snprintf(expected, sizeof(expected),
		 "OCI runtime \"%s\": not found; install it, or choose another with --runtime\n",
		 pen);
	cr_expect_str_eq(capture_text(), expected);
	scratch_write_text("fake", "#!/bin/sh\n", 0755);
	cr_assert_eq(symlink(scratch_path("fake"), pen), 0);
	cr_expect_eq(find("", -1), 0, "%s", capture_text());
	cr_expect_str_eq(runtime.path, scratch_path("fake"));
	cr_expect(runtime.is_pen);
	cr_expect_eq(find("fake", -1), 0);
	cr_expect(runtime.is_pen, "the same file by another name");
	scratch_write_text("other", "#!/bin/sh\n", 0755);
	cr_expect_eq(find("other", -1), 0);
	cr_expect_not(runtime.is_pen);
	cr_assert_eq(unlink(pen), 0);
}

Test(runtime, not_executable)
{
	scratch_write_text("fake", "", 0644);
	cr_expect(find("fake", -1) == -EACCES);
	cr_expect_str_eq(capture_text(), "OCI runtime \"fake\": Permission denied; install it, or "
					 "choose another with --runtime\n");
}

/* Arguments, environment, descriptors: what the runtime is started with. */
Test(runtime, command_line)
{
	static const char script[] =
		"#!/bin/sh\n"
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

	cr_expect(start("#!/bin/sh\nexit 1\n", &pid) == -EIO);
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

/* No such container: the runtime is not even asked. */
Test(runtime, delete_nothing)
{
	scratch_write_text("fake", "#!/bin/sh\nexit 1\n", 0755);
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
		 "#!/bin/sh\necho 1234 >%s/one.pid\n"
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

/* Without a signal it is given up after its time, and that is said. */
Test(runtime, U16_hangs_until_the_limit)
{
	scratch_write_text("fake", "#!/bin/sh\nexec /bin/sleep 100\n", 0755);
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

	scratch_write_text("fake", "#!/bin/sh\nexit 1\n", 0755);
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
