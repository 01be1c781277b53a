/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Write to a descriptor without waiting for its reader, or only until a given time, and
 * without changing its mode, which others may share.
 */
#ifndef CALFPEN_COMMON_NOWAIT_H
#define CALFPEN_COMMON_NOWAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum nowait {
	NOWAIT_POLL,  /* write() blocks, so ask first */
	NOWAIT_WRITE, /* a regular file, or O_NONBLOCK */
	NOWAIT_SEND,  /* a socket */
};

/* Return how to write to `fd`. */
enum nowait nowait_how(int fd);

/* As write(2), with EAGAIN if it would have to wait; it never raises SIGPIPE on a
 * socket. With NOWAIT_POLL at most PIPE_BUF bytes are written, because no more are
 * known to fit. A socket needs sendto(2), everything else write(2) and ppoll(2). */
ssize_t nowait_write(int fd, enum nowait how, const void *bytes, size_t size);
/* Wait until `fd` takes more, at most until `until_ns` (CLOCK_BOOTTIME). Returns false if the
 * time is over or the wait was interrupted. */
bool nowait_await(int fd, uint64_t until_ns);

#endif
