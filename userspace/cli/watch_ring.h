/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's ring, which all processes that watch an instance read together.
 *
 * A BPF ring has one position up to which it may be overwritten. Each process has
 * a position of its own besides, reads without taking anything away from others,
 * and moves the common position forward to its own: so the ring is full only if
 * nobody reads, and whoever is slower finds its next record overwritten and starts
 * over. The kernel wakes a reader only if the common position is not at the end,
 * so a process that moves it wakes the others first, through the time stamp of a
 * file that all of them follow by inotify.
 *
 * The supervisor ends the watch in the gate when the last process has unlocked
 * that file, however it ended (supervisor/watches.h).
 */
#ifndef CALFPEN_CLI_WATCH_RING_H
#define CALFPEN_CLI_WATCH_RING_H

#include <stdbool.h>

#include "userspace/common/ring.h"

struct watch_ring {
	int fd;	  /* of the ring, owned by this struct, as are the others; -1: closed */
	int lock; /* of the file, locked shared */
	int bell; /* inotify: readable if another process has moved the common position */
	struct ring ring;
	unsigned long at; /* own position */
	size_t n_read;	  /* bytes since the ring was last read to its end */
	bool is_suspect;  /* it was so much that the ring may have been full */
};

#define WATCH_RING_NULL(_x) ((struct watch_ring){ .fd = -1, .lock = -1, .bell = -1 })
#define WATCH_RING_LOST 1

/* Create the file at `path` if it is missing, lock it, and follow it. Returns 0;
 * -EMFILE if the user has too many inotify instances; -EBUSY if another process
 * keeps the file locked for longer than a moment; or another negative errno. */
int watch_ring_lock(struct watch_ring *ring, const char *path);
/* Map the ring `fd`, which then belongs to `ring`, also on failure. Returns as
 * ring_open(). */
int watch_ring_open(struct watch_ring *ring, int fd);
/* Unlock and close everything. */
void watch_ring_close(struct watch_ring *ring);

/* Leave out everything that is in the ring now. */
void watch_ring_skip(struct watch_ring *ring);
/*
 * Call `take` for a copy of each complete record, in order. Returns 0 when none is
 * left; WATCH_RING_LOST if a record was overwritten or is not one that the kernel
 * wrote, then call watch_ring_skip(); or what `take` returned, if that is not 0.
 */
int watch_ring_read(struct watch_ring *ring, ring_record_fn take, void *data);

#endif
