/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/file_events.h"

#include <errno.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "userspace/common/log.h"

static int open_timer(void)
{
	static const struct itimerspec period = { .it_interval.tv_sec = FILE_EVENTS_TIMER_S,
						  .it_value.tv_sec = FILE_EVENTS_TIMER_S };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	if (!timerfd_settime(fd, 0, &period, NULL))
		return fd;
	r = -errno;
	(void)close(fd);
	return r;
}

int file_events_open(const char *file, bool *is_timerp)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	*is_timerp = fd < 0 && errno == EMFILE;
	if (fd >= 0)
		return fd;
	if (!*is_timerp)
		return -errno;
	log_warning("%s: looked at only every %d s: the user has too many inotify instances; raise "
		    "fs.inotify.max_user_instances",
		    file, FILE_EVENTS_TIMER_S);
	return open_timer();
}
