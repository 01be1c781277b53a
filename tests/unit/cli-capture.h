/* SPDX-License-Identifier: Apache-2.0 */
/* Run an operator's command with private roots and capture its output. */
#ifndef CALFPEN_TESTS_CLI_CAPTURE_H
#define CALFPEN_TESTS_CLI_CAPTURE_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "userspace/cli/cli.h"

static char pins_root[128], run_root[128], saved_root[128];
static char out_text[65536], err_text[8192];
static FILE *in_file, *out_file, *err_file;
static const char *in_text = ""; /* standard input of the next command */

static inline void make_roots(void)
{
	scratch_make();
	snprintf(pins_root, sizeof(pins_root), "%s/pins", scratch);
	snprintf(run_root, sizeof(run_root), "%s/run", scratch);
	snprintf(saved_root, sizeof(saved_root), "%s/saved", scratch);
	cr_assert_eq(mkdir(run_root, 0700), 0);
}

static inline void make_directory(const char *directory, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	cr_assert_eq(mkdir(path, 0700), 0);
}

/* Hold the lock of an instance as its supervisor does; the directory exists. Returns
 * the descriptor: closing it ends the instance. */
static inline int make_running(const char *instance)
{
	char path[256], pid[16];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/lock", run_root, instance);
	snprintf(pid, sizeof(pid), "%d\n", getpid());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	cr_assert_eq(write(fd, pid, strlen(pid)), (ssize_t)strlen(pid));
	return fd;
}

static inline struct cli capture(void)
{
	memset(out_text, 0, sizeof(out_text));
	memset(err_text, 0, sizeof(err_text));
	out_file = fmemopen(out_text, sizeof(out_text), "w");
	err_file = fmemopen(err_text, sizeof(err_text), "w");
	in_file = *in_text ? fmemopen((void *)(uintptr_t)in_text, strlen(in_text), "r") :
			     fopen("/dev/null", "r");
	return (struct cli){
		.pins_root = pins_root,
		.run_root = run_root,
		.audit_root = scratch,
		.saved_root = saved_root,
		.in = in_file,
		.out = out_file,
		.err = err_file,
	};
}

static inline int captured(int r)
{
	fclose(in_file);
	fclose(out_file);
	fclose(err_file);
	return r;
}

/* Run a command line, words ended by NULL. */
static inline int calfpen(const char *word, ...)
{
	struct cli cli = capture();
	char words[12][256] = { "calfpen" };
	char *argv[13] = { words[0] };
	va_list rest;
	int argc = 1;

	va_start(rest, word);
	for (; word; word = va_arg(rest, const char *)) {
		snprintf(words[argc], sizeof(words[argc]), "%s", word);
		argv[argc] = words[argc];
		argc++;
	}
	va_end(rest);
	return captured(cli_dispatch(&cli, argc, argv));
}

/* Run a long-running command as a process; its output is at *fdp. */
static inline pid_t follower(int argc, char **argv, int *fdp)
{
	struct cli cli = {
		.pins_root = pins_root,
		.run_root = run_root,
		.audit_root = scratch,
		.saved_root = saved_root,
		.err = stderr,
	};
	int fds[2];
	pid_t pid;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		close(fds[0]);
		cli.out = fdopen(fds[1], "w");
		_exit(cli_dispatch(&cli, argc, argv));
	}
	close(fds[1]);
	*fdp = fds[0];
	return pid;
}

/* Close its output; it must then exit cleanly. */
static inline void follower_end(pid_t pid, int fd)
{
	int status;

	close(fd);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == CLI_OK, "%d", status);
}

#endif
