/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer of a BPF ring buffer (kernel: Documentation/bpf/ringbuf.rst): the
 * kernel's two mappings and nothing else. The ring's descriptor is readable
 * for poll() while anything is unread.
 */
#ifndef CALFPEN_COMMON_RING_H
#define CALFPEN_COMMON_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	unsigned long *consumer;       /* ours to write; NULL: not open */
	const unsigned long *producer; /* the kernel's */
	const uint8_t *data;	       /* `size` bytes, mapped twice in a row */
	size_t size;		       /* a power of two */
	unsigned long seen;	       /* where ring_look() goes on */
};

/* Take one record, 8-byte aligned and valid during the call. 0: go on;
 * 1: this one is taken, no more now; a negative errno: passed on. */
typedef int (*ring_record_fn)(void *data, const void *record, size_t size);

/* Map the ring that `fd` is. The descriptor stays the caller's. 0, -EINVAL (no
 * ring), or another negative errno, not logged. */
int ring_open(struct ring *ring, int fd);
/* Legal on a zeroed one. */
void ring_close(struct ring *ring);

/*
 * `take` for each complete record, in order: 0 once there is none left, 1 if
 * `take` wanted no more, a negative errno of `take`, or -EBADMSG: the
 * consumer's position, which whoever holds the ring can write, or a length is
 * not the kernel's. Then all that was unread is skipped, which lets the ring
 * go on. A record that was taken is consumed, whatever `take` returned.
 */
int ring_consume(struct ring *ring, ring_record_fn take, void *data);

/*
 * In two steps, for whom a record must not leave the ring before it is done
 * with: ring_look() shows what has come since the last look, ring_consume_seen()
 * then consumes as much as was shown. Both call, and answer, as ring_consume();
 * one that keeps to ring_consume() needs neither.
 */
int ring_look(struct ring *ring, ring_record_fn show, void *data);
int ring_consume_seen(struct ring *ring, ring_record_fn take, void *data);

#endif
