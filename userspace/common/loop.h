/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small event loop on ppoll(): descriptors and one-shot timers on
 * CLOCK_BOOTTIME. No allocation, no globals, no other system call than
 * ppoll and clock_gettime, so a confined calf can run it.
 */
#ifndef CALFPEN_COMMON_LOOP_H
#define CALFPEN_COMMON_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define LOOP_FDS_MAX 32
#define LOOP_TIMERS_MAX 96
#define LOOP_NEVER UINT64_MAX

struct loop;

/* Called with the poll(2) revents of its descriptor. A negative return ends
 * loop_run() with that value. */
typedef int (*loop_fd_fn)(struct loop *loop, int fd, short revents, void *data);
/* Called once when its deadline has passed; may set the timer again. */
typedef int (*loop_timer_fn)(struct loop *loop, uint64_t now_ns, void *data);

struct loop_timer {
	uint64_t deadline_ns; /* CLOCK_BOOTTIME, LOOP_NEVER: not set */
	loop_timer_fn call;
	void *data;
};

struct loop {
	struct pollfd fds[LOOP_FDS_MAX]; /* fd -1: free */
	struct {
		loop_fd_fn call;
		void *data;
	} fd_calls[LOOP_FDS_MAX];
	uint32_t n_fds;				    /* slots ever used: what ppoll() looks at */
	struct loop_timer *timers[LOOP_TIMERS_MAX]; /* NULL: free */
	uint32_t n_timers;			    /* slots ever used */
	uint64_t (*now_ns)(void);		    /* loop_now_ns, or a test's clock */
	bool stop;
};

void loop_init(struct loop *loop);
/* CLOCK_BOOTTIME in nanoseconds. */
uint64_t loop_now_ns(void);
/* Watch `fd` for poll(2) `events`: 0, -ENOSPC, -EEXIST, -EBADF (negative). The descriptor stays
 * the caller's. */
int loop_add_fd(struct loop *loop, int fd, short events, loop_fd_fn call, void *data);
/* Change the events; -ENOENT. */
int loop_set_events(struct loop *loop, int fd, short events);
/* Forget `fd`; no-op if unknown. Legal inside a callback. */
void loop_remove_fd(struct loop *loop, int fd);
/* Register a timer (caller's memory, outlives the loop or is removed): 0,
 * -ENOSPC. It is not running until loop_timer_set(). */
int loop_add_timer(struct loop *loop, struct loop_timer *timer, loop_timer_fn call, void *data);
void loop_remove_timer(struct loop *loop, struct loop_timer *timer);
/* Run at `deadline_ns`; LOOP_NEVER disarms. */
void loop_timer_set(struct loop_timer *timer, uint64_t deadline_ns);
/* Wait once and dispatch due timers, then descriptors: 0, or the first
 * negative return of a callback, or -errno of ppoll (never -EINTR). Waits at
 * most until `until_ns`, and never longer than 60 s (suspend: loop.c). */
int loop_run_once(struct loop *loop, uint64_t until_ns);
/* Until loop->stop: 0, or as loop_run_once(). */
int loop_run(struct loop *loop);

#endif
