/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/streams.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run `call` in a process, with `data`. Returns its wait status. */
static int run(int (*call)(int data), int data)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(call(data));
	cr_assert(pid > 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static bool is_null(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3) &&
	       (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* `closed`: a bit for each of 0, 1, 2. The others are a pipe. */
static int open_streams(int closed)
{
	struct stat before, after;
	int fds[2], next;

	if (pipe(fds) || fstat(fds[1], &before))
		return 1;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(fds[1], fd) < 0 || ((closed & 1 << fd) && close(fd)))
			return 2;
	next = dup(fds[1]); /* the lowest free one */
	if (next < 0 || (next < 3) != (closed != 0))
		return 3;
	close(next);
	next = fcntl(fds[1], F_DUPFD, 3);
	close(next);
	if (streams_open() || dup(fds[1]) != next)
		return 4;
	for (int fd = 0; fd < 3; fd++)
		if (closed & 1 << fd ? !is_null(fd) :
				       fstat(fd, &after) || after.st_ino != before.st_ino)
			return 5;
	return 0;
}

Test(streams, U17_closed_descriptors_are_opened)
{
	for (int closed = 0; closed < 8; closed++)
		cr_expect_eq(run(open_streams, closed), 0, "closed: %d", closed);
}

/* Descriptor 2 becomes a description of its own that does not block. */
static int own(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (dup2(fd, 2) < 0)
		return 1;
	streams_own_log();
	if (fcntl(fd, F_GETFL) != flags)
		return 2;
	if (fcntl(2, F_GETFD) & FD_CLOEXEC)
		return 3;
	return fcntl(2, F_GETFL) & O_NONBLOCK ? 0 : 4;
}

Test(streams, U16_pipe_is_reopened)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(run(own, fds[1]), 0);
}

Test(streams, U16_terminal_is_reopened)
{
	int keep, end;

	cr_assert_eq(openpty(&keep, &end, NULL, NULL, NULL), 0);
	cr_expect_eq(run(own, end), 0);
}

/* What cannot be reopened, or never blocks, is left alone. */
Test(streams, U16_others_are_left)
{
	cr_expect_eq(run(own, open("/dev/null", O_RDWR | O_CLOEXEC)), 4 << 8);
}

/* A stream for the audit log: not blocking if possible, and never by changing the mode of
 * the descriptor that others share. */
Test(streams, U39_own)
{
	int fds[2], own;

	cr_assert_eq(pipe(fds), 0);
	own = streams_own(fds[1]);
	cr_assert_gt(own, 2);
	cr_expect_neq(own, fds[1]);
	cr_expect(fcntl(own, F_GETFL) & O_NONBLOCK);
	cr_expect_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	cr_expect(fcntl(own, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(streams_own(fds[0]), -EBADF, "for reading only");
	cr_expect_eq(streams_own(open("/dev/null", O_PATH | O_CLOEXEC)), -EBADF);
	cr_expect_eq(streams_own(12345), -EBADF);
	/* a file keeps its position, which is shared */
	own = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	cr_assert_geq(own, 0);
	cr_assert_eq(write(own, "12345", 5), 5);
	cr_expect_eq(lseek(streams_own(own), 0, SEEK_CUR), 5);
}

static int write_beyond_limits(int fd)
{
	char bytes[64] = { 0 };

	if (dup2(fd, 2) < 0)
		return 1;
	streams_own_log();
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 10, 10 });
	(void)!write(fd, bytes, sizeof(bytes));
	(void)!write(fd, bytes, sizeof(bytes));
	return 0;
}

Test(streams, U16_no_write_is_a_signal)
{
	char path[] = "/tmp/calfpen-test-streams-XXXXXX";
	int fd = mkstemp(path), fds[2];

	cr_assert(fd >= 0);
	unlink(path);
	cr_expect_eq(run(write_beyond_limits, fd), 0, "SIGXFSZ");
	cr_assert_eq(pipe(fds), 0);
	close(fds[0]);
	cr_expect_eq(run(write_beyond_limits, fds[1]), 0, "SIGPIPE");
}
