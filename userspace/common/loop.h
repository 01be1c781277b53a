/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small event loop on ppoll(): descriptors and one-shot timers on
 * CLOCK_BOOTTIME. No allocation, no globals, and no system calls other than
 * ppoll and clock_gettime, so that a confined calf can run it. If log lines were
 * lost, it also wakes up to log how many (log.h).
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

/* Called with the poll(2) revents of its descriptor. If it returns a negative
 * value, loop_run() returns that value. */
typedef int (*loop_fd_fn)(struct loop *loop, int fd, short revents, void *data);
/* Called once after its deadline; it may set the timer again. Returns as
 * loop_fd_fn. */
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
	uint32_t n_fds;				    /* slots ever used, which ppoll() gets */
	struct loop_timer *timers[LOOP_TIMERS_MAX]; /* NULL: free */
	uint32_t n_timers;			    /* slots ever used */
	uint64_t (*now_ns)(void);		    /* loop_now_ns, or a test's clock */
	bool stop;
};

/* Initialise an empty loop. */
void loop_init(struct loop *loop);
/* Return CLOCK_BOOTTIME in nanoseconds. */
uint64_t loop_now_ns(void);
/* Watch `fd` for poll(2) `events`. The descriptor remains the caller's. Returns
 * 0, -ENOSPC, -EEXIST or -EBADF (`fd` is negative). */
int loop_add_fd(struct loop *loop, int fd, short events, loop_fd_fn call, void *data);
/* Change the events of `fd`. Returns 0, or -ENOENT if it is not watched. */
int loop_set_events(struct loop *loop, int fd, short events);
/* Stop watching `fd`, if it is watched. Allowed inside a callback. */
void loop_remove_fd(struct loop *loop, int fd);
/* Register a timer in the caller's memory, which must outlive the loop unless
 * the timer is removed. It does not run before loop_timer_set(). Returns 0 or
 * -ENOSPC. */
int loop_add_timer(struct loop *loop, struct loop_timer *timer, loop_timer_fn call, void *data);
/* Remove a timer, if it is registered. */
void loop_remove_timer(struct loop *loop, struct loop_timer *timer);
/* Set the deadline of a timer; LOOP_NEVER disarms it. */
void loop_timer_set(struct loop_timer *timer, uint64_t deadline_ns);
/*
 * Wait once, then dispatch due timers, then descriptors. Waits at most until
 * `until_ns`, and never longer than 60 s (suspend: loop.c). Returns 0, the
 * first negative value that a callback returns, or -errno of ppoll (never
 * -EINTR).
 */
int loop_run_once(struct loop *loop, uint64_t until_ns);
/* Run until loop->stop is set. Returns 0, or as loop_run_once(). */
int loop_run(struct loop *loop);

#endif
