/* SPDX-License-Identifier: Apache-2.0 */
/* Wait for a child process, but only as long as the caller can afford. */
#ifndef CALFPEN_COMMON_AWAIT_H
#define CALFPEN_COMMON_AWAIT_H

#include <stdint.h>
#include <sys/types.h>

/* When to give up waiting. */
struct await_limit {
	int stop_fd;	   /* as soon as it is readable; -1: never */
	uint64_t until_ns; /* CLOCK_BOOTTIME; UINT64_MAX: never */
};

#define AWAIT_FOREVER ((const struct await_limit){ .stop_fd = -1, .until_ns = UINT64_MAX })

/* Return `limit`, at most `wait_ns` from now. */
struct await_limit await_within(const struct await_limit *limit, uint64_t wait_ns);

/* Returns 0 if there is time left, else -ECANCELED (stop_fd) or -ETIMEDOUT. */
int await_check(const struct await_limit *limit);

/* Wait for `wait_ns`. Returns 0 afterwards, or -ECANCELED or -ETIMEDOUT as soon as
 * the limit is reached. */
int await_pause(const struct await_limit *limit, uint64_t wait_ns);

/* Wait until `fd` is readable. Returns 0, also if a signal handler ran, so that the caller
 * reads from a non-blocking descriptor; or -ECANCELED or -ETIMEDOUT as soon as the limit is
 * reached. */
int await_input(int fd, const struct await_limit *limit);

/*
 * Wait for a child to exit, and reap it. Returns 0 with its wait status (waitpid(2))
 * in *statusp, unless that is NULL; a child that has exited is reaped also if there
 * is no time left. Returns -ECANCELED or -ETIMEDOUT if the limit was reached (the
 * child is still running), or another negative errno of waitpid(2).
 */
int await_child(pid_t pid, int *statusp, const struct await_limit *limit);

#endif
