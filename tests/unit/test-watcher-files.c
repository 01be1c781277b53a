/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/files.h"

#include <criterion/criterion.h>
#include <sys/timerfd.h>

#include "tests/unit/no-inotify.h"

/* Each time is a change, and there is no other. */
static bool follows_timer(void)
{
	static const struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	struct watcher_files files;

	if (watcher_files_init(&files, "/etc/resolv.conf") || !files.is_timer ||
	    watcher_files_drain(&files) || timerfd_settime(files.fd, 0, &soon, NULL))
		return false;
	usleep(20000);
	return watcher_files_drain(&files) && !watcher_files_drain(&files);
}

Test(watcher_files, timer_if_no_instance_is_left)
{
	expect_without_inotify(follows_timer);
}
