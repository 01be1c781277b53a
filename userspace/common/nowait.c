/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/nowait.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/clock.h"

enum nowait nowait_how(int fd)
{
	struct stat status;
	int flags;

	if (fstat(fd, &status))
		return NOWAIT_POLL;
	if (S_ISSOCK(status.st_mode))
		return NOWAIT_SEND;
	flags = fcntl(fd, F_GETFL);
	return S_ISREG(status.st_mode) || (flags >= 0 && (flags & O_NONBLOCK)) ? NOWAIT_WRITE :
										 NOWAIT_POLL;
}

ssize_t nowait_write(int fd, enum nowait how, const void *bytes, size_t size)
{
	static const struct timespec no_wait;
	struct pollfd out = { .fd = fd, .events = POLLOUT };

	if (how == NOWAIT_SEND)
		return send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (how == NOWAIT_WRITE)
		return write(fd, bytes, size);
	if (ppoll(&out, 1, &no_wait, NULL) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, bytes, size < PIPE_BUF ? size : PIPE_BUF);
}

bool nowait_await(int fd, uint64_t until_ns)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };
	uint64_t now_ns = clock_now_ns(CLOCK_BOOTTIME);
	struct timespec left;

	if (now_ns >= until_ns)
		return false;
	left = (struct timespec){ .tv_sec = (time_t)((until_ns - now_ns) / NS_PER_S),
				  .tv_nsec = (long)((until_ns - now_ns) % NS_PER_S) };
	return ppoll(&out, 1, &left, NULL) > 0;
}
