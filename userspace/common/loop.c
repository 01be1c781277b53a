/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: ppoll() sleeps on CLOCK_MONOTONIC, which does not advance while the host
 * is suspended, but deadlines are on CLOCK_BOOTTIME. A wait is therefore split
 * into waits of at most WAIT_MAX_NS, so that after a resume no timer is later
 * than that.
 */
#include "userspace/common/loop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"

#define WAIT_MAX_NS (60 * NS_PER_S)

uint64_t loop_now_ns(void)
{
	return clock_now_ns(CLOCK_BOOTTIME);
}

void loop_init(struct loop *loop)
{
	*loop = (struct loop){ .now_ns = loop_now_ns };
	for (size_t i = 0; i < LOOP_FDS_MAX; i++)
		loop->fds[i].fd = -1;
}

/* Return the slot of `fd`, or -1. With fd -1, return a free slot. */
static int find_slot(const struct loop *loop, int fd)
{
	for (int i = 0; i < LOOP_FDS_MAX; i++)
		if (loop->fds[i].fd == fd)
			return i;
	return -1;
}

int loop_add_fd(struct loop *loop, int fd, short events, loop_fd_fn call, void *data)
{
	int i_free = find_slot(loop, -1);

	if (fd < 0)
		return -EBADF;
	if (find_slot(loop, fd) >= 0)
		return -EEXIST;
	if (i_free < 0)
		return -ENOSPC;
	loop->fds[i_free] = (struct pollfd){ .fd = fd, .events = events };
	loop->fd_calls[i_free].call = call;
	loop->fd_calls[i_free].data = data;
	if ((uint32_t)i_free >= loop->n_fds)
		loop->n_fds = (uint32_t)i_free + 1;
	return 0;
}

int loop_set_events(struct loop *loop, int fd, short events)
{
	int i = fd < 0 ? -1 : find_slot(loop, fd);

	if (i < 0)
		return -ENOENT;
	loop->fds[i].events = events;
	return 0;
}

void loop_remove_fd(struct loop *loop, int fd)
{
	int i = fd < 0 ? -1 : find_slot(loop, fd);

	if (i >= 0)
		loop->fds[i] = (struct pollfd){ .fd = -1 };
}

int loop_add_timer(struct loop *loop, struct loop_timer *timer, loop_timer_fn call, void *data)
{
	for (size_t i = 0; i < LOOP_TIMERS_MAX; i++) {
		if (loop->timers[i])
			continue;
		*timer = (struct loop_timer){
			.deadline_ns = LOOP_NEVER,
			.call = call,
			.data = data,
		};
		loop->timers[i] = timer;
		if (i >= loop->n_timers)
			loop->n_timers = (uint32_t)i + 1;
		return 0;
	}
	return -ENOSPC;
}

void loop_remove_timer(struct loop *loop, struct loop_timer *timer)
{
	for (size_t i = 0; i < LOOP_TIMERS_MAX; i++)
		if (loop->timers[i] == timer)
			loop->timers[i] = NULL;
}

void loop_timer_set(struct loop_timer *timer, uint64_t deadline_ns)
{
	timer->deadline_ns = deadline_ns;
}

static struct loop_timer *earliest_timer(const struct loop *loop)
{
	struct loop_timer *earliest = NULL;

	for (size_t i = 0; i < loop->n_timers; i++) {
		struct loop_timer *timer = loop->timers[i];

		if (!timer || timer->deadline_ns == LOOP_NEVER)
			continue;
		if (!earliest || timer->deadline_ns < earliest->deadline_ns)
			earliest = timer;
	}
	return earliest;
}

/* Bounded: a timer that sets itself into the past is called again, but it
 * cannot keep the descriptors waiting forever. */
static int dispatch_timers(struct loop *loop)
{
	struct loop_timer *timer = earliest_timer(loop);
	uint64_t now_ns = timer ? loop->now_ns() : 0;

	for (size_t i = 0; i < LOOP_TIMERS_MAX && !loop->stop; i++) {
		int r;

		if (!timer || timer->deadline_ns > now_ns)
			return 0;
		timer->deadline_ns = LOOP_NEVER;
		r = timer->call(loop, now_ns, timer->data);
		if (r < 0)
			return r;
		timer = earliest_timer(loop);
	}
	return 0;
}

/* Return how long to wait for a deadline, or NULL to wait forever. */
static const struct timespec *wait_until(const struct loop *loop, uint64_t deadline_ns,
					 struct timespec *wait)
{
	uint64_t now_ns, wait_ns = 0;

	if (deadline_ns == LOOP_NEVER)
		return NULL;
	now_ns = loop->now_ns();
	if (deadline_ns > now_ns)
		wait_ns = deadline_ns - now_ns;
	if (wait_ns > WAIT_MAX_NS)
		wait_ns = WAIT_MAX_NS;
	*wait = (struct timespec){ .tv_sec = (time_t)(wait_ns / NS_PER_S),
				   .tv_nsec = (long)(wait_ns % NS_PER_S) };
	return wait;
}

static int dispatch_fds(struct loop *loop)
{
	for (size_t i = 0; i < loop->n_fds && !loop->stop; i++) {
		short revents = loop->fds[i].revents;
		int r;

		if (loop->fds[i].fd < 0 || revents == 0)
			continue;
		loop->fds[i].revents = 0;
		r = loop->fd_calls[i].call(loop, loop->fds[i].fd, revents, loop->fd_calls[i].data);
		if (r < 0)
			return r;
	}
	return 0;
}

int loop_run_once(struct loop *loop, uint64_t until_ns)
{
	const struct loop_timer *timer = earliest_timer(loop);
	uint64_t log_ns = log_report_lost();
	struct timespec wait;
	int r;

	if (timer && timer->deadline_ns < until_ns)
		until_ns = timer->deadline_ns;
	if (log_ns != UINT64_MAX && until_ns > loop->now_ns() + log_ns)
		until_ns = loop->now_ns() + log_ns;
	r = ppoll(loop->fds, loop->n_fds, wait_until(loop, until_ns, &wait), NULL);
	if (r < 0) {
		r = -errno;
		for (size_t i = 0; i < loop->n_fds; i++)
			loop->fds[i].revents = 0;
		if (r != -EINTR)
			return r;
	}
	r = dispatch_timers(loop);
	if (r < 0)
		return r;
	return dispatch_fds(loop);
}

int loop_run(struct loop *loop)
{
	while (!loop->stop) {
		int r = loop_run_once(loop, LOOP_NEVER);

		if (r < 0)
			return r;
	}
	return 0;
}
