/* SPDX-License-Identifier: Apache-2.0 */
#undef _FORTIFY_SOURCE /* its inline ppoll() has the name of ours */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "userspace/common/loop.h"

#define NS_PER_S 1000000000ull

/* The loop's own wait: the kernel's, or what it was to be and no time passes. */
static bool no_time_passes;
static uint64_t wait_ns;

int ppoll(struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout, const sigset_t *signals)
{
	struct timespec wait = timeout ? *timeout : (struct timespec){ 0 };

	if (no_time_passes) {
		wait_ns = timeout ? (uint64_t)wait.tv_sec * NS_PER_S + (uint64_t)wait.tv_nsec :
				    LOOP_NEVER;
		return 0;
	}
	return (int)syscall(SYS_ppoll, fds, n_fds, timeout ? &wait : NULL, signals, _NSIG / 8);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout,
		const sigset_t *signals, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout,
		const sigset_t *signals, size_t size)
{
	cr_assert_leq(n_fds * sizeof(*fds), size);
	return ppoll(fds, n_fds, timeout, signals);
}

static uint64_t clock_ns;
static char order[64];

static uint64_t test_now_ns(void)
{
	return clock_ns;
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	strcat(order, data);
	return 0;
}

static int on_readable(struct loop *loop, int fd, short revents, void *data)
{
	char byte;

	(void)loop;
	cr_assert(revents & (POLLIN | POLLHUP));
	if (read(fd, &byte, 1) == 1)
		strcat(order, data);
	return 0;
}

static int on_stop(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)now_ns;
	(void)data;
	loop->stop = true;
	return 0;
}

Test(loop, timers_run_in_order_of_their_deadlines)
{
	struct loop_timer timers[3];
	struct loop loop;

	loop_init(&loop);
	loop.now_ns = test_now_ns;
	clock_ns = 100;
	cr_assert_eq(loop_add_timer(&loop, &timers[0], on_timer, "0"), 0);
	cr_assert_eq(loop_add_timer(&loop, &timers[1], on_timer, "1"), 0);
	cr_assert_eq(loop_add_timer(&loop, &timers[2], on_timer, "2"), 0);
	loop_timer_set(&timers[0], 50);
	loop_timer_set(&timers[1], 40);
	loop_timer_set(&timers[2], 101);
	cr_assert_eq(loop_run_once(&loop, 0), 0);
	cr_assert_str_eq(order, "10");
	cr_assert_eq(timers[0].deadline_ns, LOOP_NEVER, "one shot");
	clock_ns = 101;
	loop_timer_set(&timers[0], 90);
	loop_timer_set(&timers[0], LOOP_NEVER);
	cr_assert_eq(loop_run_once(&loop, 0), 0);
	cr_assert_str_eq(order, "102");
}

/* The kernel's wait does not count the time that the host sleeps. */
Test(loop, a_wait_ends_before_its_deadline_to_look_at_the_clock)
{
	struct loop_timer timer;
	struct loop loop;

	no_time_passes = true;
	loop_init(&loop);
	loop.now_ns = test_now_ns;
	clock_ns = 100;
	cr_assert_eq(loop_run_once(&loop, LOOP_NEVER), 0);
	cr_assert_eq(wait_ns, LOOP_NEVER, "for nothing");
	cr_assert_eq(loop_add_timer(&loop, &timer, on_timer, "0"), 0);
	loop_timer_set(&timer, clock_ns + 3600 * NS_PER_S);
	cr_assert_eq(loop_run_once(&loop, LOOP_NEVER), 0);
	cr_assert_eq(wait_ns, 60 * NS_PER_S);
	cr_assert_str_eq(order, "", "not early");
	cr_assert_eq(loop_run_once(&loop, clock_ns + 61 * NS_PER_S), 0);
	cr_assert_eq(wait_ns, 60 * NS_PER_S);
	clock_ns += 3600 * NS_PER_S - 5;
	cr_assert_eq(loop_run_once(&loop, LOOP_NEVER), 0);
	cr_assert_eq(wait_ns, 5);
	cr_assert_str_eq(order, "");
	clock_ns += 5;
	cr_assert_eq(loop_run_once(&loop, LOOP_NEVER), 0);
	cr_assert_eq(wait_ns, 0);
	cr_assert_str_eq(order, "0");
}

static int on_again(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	loop_timer_set(data, now_ns);
	return 0;
}

Test(loop, a_timer_set_into_the_past_does_not_hold_the_descriptors)
{
	struct loop_timer timer;
	struct loop loop;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
	loop_init(&loop);
	cr_assert_eq(loop_add_timer(&loop, &timer, on_again, &timer), 0);
	loop_timer_set(&timer, 1);
	cr_assert_eq(loop_add_fd(&loop, fds[0], POLLIN, on_readable, "r"), 0);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_assert_eq(loop_run_once(&loop, LOOP_NEVER), 0);
	cr_assert_str_eq(order, "r");
}

Test(loop, real_clock_waits)
{
	struct loop_timer timer;
	struct loop loop;
	uint64_t start_ns = loop_now_ns(), took_ns;

	loop_init(&loop);
	cr_assert_eq(loop_add_timer(&loop, &timer, on_stop, NULL), 0);
	loop_timer_set(&timer, start_ns + 20000000);
	cr_assert_eq(loop_run(&loop), 0);
	took_ns = loop_now_ns() - start_ns;
	cr_assert_geq(took_ns, 20000000);
	cr_assert_lt(took_ns, 5000000000);
}

static int other_fd;

static int remove_other(struct loop *loop, int fd, short revents, void *data)
{
	(void)fd;
	(void)revents;
	strcat(order, data);
	loop_remove_fd(loop, other_fd);
	return 0;
}

Test(loop, descriptor_removed_by_a_callback_is_not_called)
{
	struct loop loop;
	int a[2], b[2];

	cr_assert_eq(pipe2(a, O_NONBLOCK), 0);
	cr_assert_eq(pipe2(b, O_NONBLOCK), 0);
	loop_init(&loop);
	other_fd = b[0];
	cr_assert_eq(loop_add_fd(&loop, a[0], POLLIN, remove_other, "a"), 0);
	cr_assert_eq(loop_add_fd(&loop, b[0], POLLIN, on_readable, "b"), 0);
	cr_assert_eq(write(a[1], "x", 1), 1);
	cr_assert_eq(write(b[1], "x", 1), 1);
	cr_assert_eq(loop_run_once(&loop, LOOP_NEVER), 0);
	cr_assert_str_eq(order, "a");
}

static int refuse(struct loop *loop, int fd, short revents, void *data)
{
	(void)loop;
	(void)fd;
	(void)revents;
	(void)data;
	return -EPROTO;
}

Test(loop, registration)
{
	struct loop_timer timers[LOOP_TIMERS_MAX + 1];
	struct loop loop;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
	loop_init(&loop);
	cr_assert_eq(loop_add_fd(&loop, fds[1], 0, refuse, NULL), 0);
	cr_assert_eq(loop_add_fd(&loop, fds[1], 0, refuse, NULL), -EEXIST);
	cr_assert_eq(loop_add_fd(&loop, -1, 0, refuse, NULL), -EBADF);
	cr_assert_eq(loop_run_once(&loop, 0), 0);
	cr_assert_eq(loop_set_events(&loop, fds[1], POLLOUT), 0);
	cr_assert_eq(loop_set_events(&loop, fds[0], POLLOUT), -ENOENT);
	cr_assert_eq(loop_set_events(&loop, -1, POLLOUT), -ENOENT);
	cr_assert_eq(loop_run(&loop), -EPROTO, "a callback ends the loop");
	loop_remove_fd(&loop, fds[1]);
	loop_remove_fd(&loop, fds[1]);
	loop_remove_fd(&loop, -1);
	cr_assert_eq(loop_run_once(&loop, 0), 0);

	for (int i = 0; i < LOOP_FDS_MAX; i++)
		cr_assert_eq(loop_add_fd(&loop, 1000 + i, 0, refuse, NULL), 0);
	cr_assert_eq(loop_add_fd(&loop, 999, 0, refuse, NULL), -ENOSPC);
	for (int i = 0; i < LOOP_TIMERS_MAX; i++)
		cr_assert_eq(loop_add_timer(&loop, &timers[i], on_timer, ""), 0);
	cr_assert_eq(loop_add_timer(&loop, &timers[LOOP_TIMERS_MAX], on_timer, ""), -ENOSPC);
	loop_remove_timer(&loop, &timers[3]);
	cr_assert_eq(loop_add_timer(&loop, &timers[LOOP_TIMERS_MAX], on_timer, ""), 0);
}
