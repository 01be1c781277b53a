/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the role that asks chronyd to reload its sources. The process exists for one
 * request. chronyd's socket is in a directory that only its own user can access, so
 * the role changes to the owner of that directory and has no other right: no
 * capability, and no other socket to use. Only this process reads bytes from chronyd;
 * the exit code is the result.
 */
/*
 * system calls after confine_enter() (from strace of the tests, including failure
 * paths; *: not seen there, but the C library may use it):
 *
 *   newfstatat         is chronyd's socket there?
 *   unlink, bind       its own socket in the same directory, removed at the end
 *   connect, write, ppoll, read  one request, up to three times
 *   clock_gettime *    if the vDSO cannot
 *   exit_group
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/loop.h"
#include "userspace/priv/chrony/chrony.h"
#include "userspace/priv/confine/confine.h"
#include "userspace/priv/roles.h"

/* A chronyd with thousands of clients needs a moment; 1 s in total. */
#define ATTEMPTS 3
#define ATTEMPT_NS 333000000ull
#define REPLY_MAX 1024 /* longer than any of its replies */

struct chrony {
	struct sockaddr_un theirs, ours;
	int fd;
	uint32_t sequence;
	bool has_malformed;
};

/* The path is absolute, because chronyd replies to the name as it was bound, from its
 * own working directory. The name is that of chronyc's socket, because the rules that
 * confine chronyd allow it. */
static int name_sockets(struct chrony *chrony)
{
	char link[32], directory[sizeof(chrony->theirs.sun_path)];
	ssize_t length;
	int n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", CHRONY_FD_DIRECTORY);
	length = readlink(link, directory, sizeof(directory));
	if (length < 0)
		return -errno;
	if (length == (ssize_t)sizeof(directory))
		return -ENAMETOOLONG;
	directory[length] = '\0';
	chrony->theirs.sun_family = chrony->ours.sun_family = AF_UNIX;
	n = snprintf(chrony->theirs.sun_path, sizeof(chrony->theirs.sun_path), "%s/" CHRONY_SOCKET,
		     directory);
	if (n < 0 || n >= (int)sizeof(chrony->theirs.sun_path))
		return -ENAMETOOLONG;
	n = snprintf(chrony->ours.sun_path, sizeof(chrony->ours.sun_path), "%s/chronyc.%d.sock",
		     directory, (int)getpid());
	return n < 0 || n >= (int)sizeof(chrony->ours.sun_path) ? -ENAMETOOLONG : 0;
}

/* Do what needs more rights than the role keeps. Returns 0, or a negative errno. */
static int prepare(struct chrony *chrony, struct stat *directory)
{
	if (fstat(CHRONY_FD_DIRECTORY, directory))
		return -errno;
	if (!S_ISDIR(directory->st_mode))
		return -ENOTDIR;
	chrony->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (chrony->fd < 0)
		return -errno;
	if (getrandom(&chrony->sequence, sizeof(chrony->sequence), 0) !=
	    (ssize_t)sizeof(chrony->sequence))
		return -errno;
	(void)umask(0111); /* socket mode 0666, because chronyd may run as another user */
	return name_sockets(chrony);
}

static int send_request(const struct chrony *chrony, uint16_t attempt)
{
	uint8_t request[CHRONY_SIZE];

	chrony_request(request, chrony->sequence, attempt);
	if (write(chrony->fd, request, sizeof(request)) >= 0)
		return 0;
	return errno == EAGAIN ? 0 : -errno; /* its queue is full: try again later */
}

/* Wait for a reply until `deadline_ns`. Returns 0 with its status, -ETIMEDOUT, or
 * another negative errno. */
static int await_reply(struct chrony *chrony, uint64_t deadline_ns, uint16_t *statusp)
{
	struct pollfd poll = { .fd = chrony->fd, .events = POLLIN };
	uint8_t bytes[REPLY_MAX];
	uint64_t now_ns;
	ssize_t size;

	while ((now_ns = loop_now_ns()) < deadline_ns) {
		const uint64_t left_ns = deadline_ns - now_ns;
		const struct timespec left = { .tv_nsec = (long)left_ns };

		if (ppoll(&poll, 1, &left, NULL) < 0 && errno != EINTR)
			return -errno;
		size = read(chrony->fd, bytes, sizeof(bytes));
		if (size < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (size < 0)
			continue;
		if (!chrony_reply(bytes, (size_t)size, chrony->sequence, statusp))
			return 0;
		chrony->has_malformed = true;
	}
	return -ETIMEDOUT;
}

static int result_of(int error)
{
	return error == -ECONNREFUSED || error == -ENOENT ? CHRONY_NOT_RUNNING :
							    chrony_error(-error);
}

static int converse(struct chrony *chrony)
{
	uint16_t i, status = 0;
	int r = -ETIMEDOUT;

	for (i = 0; i < ATTEMPTS && r == -ETIMEDOUT; i++) {
		r = send_request(chrony, i);
		if (!r)
			r = await_reply(chrony, loop_now_ns() + ATTEMPT_NS, &status);
	}
	if (r == -ETIMEDOUT)
		return chrony->has_malformed ? CHRONY_MALFORMED : CHRONY_SILENT;
	if (r)
		return result_of(r);
	return status ? chrony_refused(status) : CHRONY_RELOADED;
}

static int ask(struct chrony *chrony)
{
	struct stat socket;
	int result;

	if (lstat(chrony->theirs.sun_path, &socket))
		return result_of(-errno);
	/* connect() would return ECONNREFUSED, as if chronyd did not run. */
	if (!S_ISSOCK(socket.st_mode))
		return chrony_error(ENOTSOCK);
	(void)unlink(chrony->ours.sun_path); /* left by a process that was killed */
	if (bind(chrony->fd, (struct sockaddr *)&chrony->ours, sizeof(chrony->ours)))
		return chrony_error(errno);
	if (connect(chrony->fd, (struct sockaddr *)&chrony->theirs, sizeof(chrony->theirs)))
		result = result_of(-errno);
	else
		result = converse(chrony);
	(void)unlink(chrony->ours.sun_path);
	return result;
}

int chrony_main(void)
{
	struct chrony chrony = { .fd = -1 };
	struct stat directory;
	int r = prepare(&chrony, &directory);

	if (r)
		return chrony_error(-r);
	if (confine_enter(ROLE_CHRONY, directory.st_uid, directory.st_gid, false))
		return ROLE_EXIT_CONFINE;
	return ask(&chrony);
}
