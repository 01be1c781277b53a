/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of the code under test, seen by the test: counted, and one
 * of them made to fail or to be the last. The C library's functions are
 * replaced in the program that includes this, for libnl as well: once in a
 * program, before any other header.
 */
#ifndef CALFPEN_TESTS_BPF_CALLS_H
#define CALFPEN_TESTS_BPF_CALLS_H

#undef _FORTIFY_SOURCE /* its inline functions have the same names */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum calls_action {
	CALLS_PASS = 0, /* count only */
	CALLS_FAIL,	/* the call returns `error` and is not made */
	CALLS_DIE,	/* the process ends before the call */
};

static struct calls {
	bool is_on;
	enum calls_action action;
	int error;	 /* of CALLS_FAIL, an errno */
	unsigned int at; /* the call that it concerns, from 1 */
	/* seen so far */
	unsigned int n;
	unsigned int n_requests; /* netlink messages sent */
	unsigned int n_files;	 /* calls on files */
	char name[32];		 /* of the call that it concerned */
} calls;

/* Forget what was seen, then do `action` at the call number `at`. */
static void calls_begin(enum calls_action action, unsigned int at, int error)
{
	calls = (struct calls){ .is_on = true, .action = action, .at = at, .error = error };
}

/* True if the call is to fail; errno is set. */
static bool calls_count(const char *name, unsigned int *kind)
{
	if (!calls.is_on)
		return false;
	(*kind)++;
	if (++calls.n != calls.at || calls.action == CALLS_PASS)
		return false;
	if (calls.action == CALLS_DIE)
		_exit(0);
	(void)snprintf(calls.name, sizeof(calls.name), "%s", name);
	errno = calls.error;
	return true;
}

#define CALLS_FILE(_type, _call, ...)                            \
	do {                                                     \
		if (calls_count(#_call, &calls.n_files))         \
			return -1;                               \
		return (_type)syscall(SYS_##_call, __VA_ARGS__); \
	} while (0)

/* So that libnl sees these. */
#pragma GCC visibility push(default)

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return calls_count("sendmsg", &calls.n_requests) ? -1 :
							   syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	unsigned int n = 0;

	return calls_count("recvmsg", &n) ? -1 : syscall(SYS_recvmsg, fd, message, flags);
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	unsigned int mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, unsigned int) : 0;
	va_end(arguments);
	CALLS_FILE(int, openat, AT_FDCWD, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	CALLS_FILE(int, openat, AT_FDCWD, path, flags, 0);
}

ssize_t read(int fd, void *bytes, size_t size)
{
	CALLS_FILE(ssize_t, read, fd, bytes, size);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	CALLS_FILE(ssize_t, write, fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	CALLS_FILE(ssize_t, pwrite64, fd, bytes, size, at);
}

int fsync(int fd)
{
	CALLS_FILE(int, fsync, fd);
}

int ftruncate(int fd, off_t size)
{
	CALLS_FILE(int, ftruncate, fd, size);
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
	CALLS_FILE(int, fallocate, fd, mode, at, size);
}

int fchmod(int fd, mode_t mode)
{
	CALLS_FILE(int, fchmod, fd, mode);
}

int rename(const char *from, const char *to)
{
	CALLS_FILE(int, renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int unlink(const char *path)
{
	CALLS_FILE(int, unlinkat, AT_FDCWD, path, 0);
}

int access(const char *path, int mode)
{
	CALLS_FILE(int, faccessat, AT_FDCWD, path, mode);
}

int stat(const char *path, struct stat *status)
{
	CALLS_FILE(int, newfstatat, AT_FDCWD, path, status, 0);
}

int fstat(int fd, struct stat *status)
{
	CALLS_FILE(int, newfstatat, fd, "", status, AT_EMPTY_PATH);
}

int flock(int fd, int operation)
{
	CALLS_FILE(int, flock, fd, operation);
}

ssize_t readlink(const char *path, char *target, size_t size)
{
	CALLS_FILE(ssize_t, readlinkat, AT_FDCWD, path, target, size);
}

#pragma GCC visibility pop

#endif
