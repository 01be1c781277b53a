/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer of a BPF ring buffer (kernel: Documentation/bpf/ringbuf.rst) that
 * uses only the kernel's two mappings. poll() reports the ring's descriptor as
 * readable while there are unread records.
 */
#ifndef CALFPEN_COMMON_RING_H
#define CALFPEN_COMMON_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	unsigned long *consumer;       /* written by this consumer; NULL: not open */
	const unsigned long *producer; /* written by the kernel */
	const uint8_t *data;	       /* `size` bytes, mapped twice in a row */
	size_t size;		       /* a power of two */
	unsigned long seen;	       /* where ring_look() continues */
};

#define RING_KEEP 2

/* Handle one record, which is 8-byte aligned and valid during the call. Returns
 * 0 to continue, 1 to stop after this record, RING_KEEP to stop before it, or a
 * negative errno, which ring_consume() returns. */
typedef int (*ring_record_fn)(void *data, const void *record, size_t size);

/* Map the ring buffer `fd`. The descriptor remains the caller's. Returns 0,
 * -EINVAL (not a ring buffer), or another negative errno, not logged. */
int ring_open(struct ring *ring, int fd);
/* Unmap the ring. Does nothing if it is zeroed. */
void ring_close(struct ring *ring);

/*
 * Call `take` for each complete record, in order. Returns 0 when no complete
 * record is left, 1 or RING_KEEP if `take` stopped, the negative errno of `take`, or
 * -EBADMSG if the consumer's position or a length is not one that the kernel
 * wrote: every process that holds the ring can write the position. After
 * -EBADMSG all unread records are skipped, so that the ring can continue. A
 * record that was passed to `take` is consumed, unless `take` returned RING_KEEP:
 * then it is the first one of the next call. While a record is kept, the ring is
 * readable, and the kernel wakes nobody who waits for another one.
 */
int ring_consume(struct ring *ring, ring_record_fn take, void *data);

/*
 * Two-step variant for callers that must process a record before it is
 * released: ring_look() shows the records that have arrived since the last call
 * of it, then ring_consume_seen() consumes those that were shown. Both call the
 * function and return as ring_consume(). Other callers use ring_consume().
 */
int ring_look(struct ring *ring, ring_record_fn show, void *data);
int ring_consume_seen(struct ring *ring, ring_record_fn take, void *data);

#endif
