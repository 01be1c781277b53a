/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/file_events.h"

#include <criterion/criterion.h>
#include <sys/timerfd.h>

#include "tests/unit/no-inotify.h"
#include "userspace/common/log.h"

static bool has_flags(int fd)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

Test(file_events, inotify)
{
	bool is_timer = true;
	int fd = file_events_open("/etc/resolv.conf", &is_timer);

	cr_assert_geq(fd, 0);
	cr_expect_not(is_timer);
	cr_expect_geq(inotify_add_watch(fd, "/", IN_CREATE), 0);
	cr_expect(has_flags(fd));
	close(fd);
}

static int log_fds[2];

static bool opens_timer(void)
{
	struct itimerspec left;
	bool is_timer = false;
	int fd;

	log_init("x", log_fds[1], LOG_LEVEL_INFO);
	fd = file_events_open("/etc/resolv.conf", &is_timer);
	return fd >= 0 && is_timer && has_flags(fd) && !timerfd_gettime(fd, &left) &&
	       left.it_interval.tv_sec == FILE_EVENTS_TIMER_S && left.it_value.tv_nsec > 0;
}

Test(file_events, timer_if_no_instance_is_left)
{
	char text[256] = "";

	cr_assert_eq(pipe2(log_fds, O_NONBLOCK), 0);
	expect_without_inotify(opens_timer);
	cr_expect_gt(read(log_fds[0], text, sizeof(text) - 1), 0);
	cr_expect_str_eq(text,
			 "<warning> x: /etc/resolv.conf: looked at only every 10 s: the user has "
			 "too many inotify instances; raise fs.inotify.max_user_instances\n");
}
