/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/await.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "userspace/common/clock.h"

/* Between two looks at a child without a pidfd: too many descriptors are open. */
#define LOOK_NS NS_PER_MS

struct await_limit await_within(const struct await_limit *limit, uint64_t wait_ns)
{
	uint64_t until_ns = clock_now_ns(CLOCK_BOOTTIME) + wait_ns;

	return (struct await_limit){
		.stop_fd = limit->stop_fd,
		.until_ns = until_ns < limit->until_ns ? until_ns : limit->until_ns,
	};
}

/* Wait for `wait_ns`, for the limit, or until `fd` (-1: none) is readable. */
static int await_readable(int fd, const struct await_limit *limit, uint64_t wait_ns)
{
	struct pollfd fds[] = {
		{ .fd = limit->stop_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};
	uint64_t now_ns = clock_now_ns(CLOCK_BOOTTIME);
	uint64_t left_ns = limit->until_ns > now_ns ? limit->until_ns - now_ns : 0;
	struct timespec wait;

	if (left_ns > wait_ns)
		left_ns = wait_ns;
	wait = (struct timespec){ .tv_sec = (time_t)(left_ns / NS_PER_S),
				  .tv_nsec = (long)(left_ns % NS_PER_S) };
	if (ppoll(fds, 2, &wait, NULL) < 0)
		return 0; /* EINTR: the caller looks again */
	if (fds[0].revents)
		return -ECANCELED;
	if (fds[1].revents)
		return 0;
	return clock_now_ns(CLOCK_BOOTTIME) >= limit->until_ns ? -ETIMEDOUT : 0;
}

int await_check(const struct await_limit *limit)
{
	return await_readable(-1, limit, 0);
}

int await_input(int fd, const struct await_limit *limit)
{
	return await_readable(fd, limit, UINT64_MAX);
}

int await_pause(const struct await_limit *limit, uint64_t wait_ns)
{
	return await_readable(-1, limit, wait_ns);
}

int await_child(pid_t pid, int *statusp, const struct await_limit *limit)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0, r = 0;
	pid_t ended;

	while (!(ended = waitpid(pid, &status, WNOHANG)) && !r)
		r = await_readable(fd, limit, fd < 0 ? LOOK_NS : NS_PER_S);
	if (ended < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (ended <= 0)
		return r;
	if (statusp)
		*statusp = status;
	return 0;
}
