/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A datagram socket to somebody who may read slowly, or not at all for a while:
 * messages that cannot be written now wait in a bounded queue, in their order.
 * Nothing waits for the reader, except outlet_close(), for as long as it is told.
 * Whoever sends counts and reports what is lost.
 */
#ifndef CALFPEN_COMMON_OUTLET_H
#define CALFPEN_COMMON_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/loop.h"
#include "userspace/common/queue.h"

/* Thousands of records; the memory is used only while they wait. */
#define OUTLET_QUEUE_SIZE ((size_t)1 << 20)

/* What waits is counted separately for each kind of message. */
enum outlet_kind { OUTLET_LINE, OUTLET_RECORD, _OUTLET_KIND_N };

struct outlet {
	int fd;				 /* the owner's; -1: none */
	int error;			 /* why messages wait, a negative errno; 0: none does */
	uint64_t n_lost[_OUTLET_KIND_N]; /* by us; the owner adds its own, and resets it */
	struct queue queue;
	/* Called after any error but EAGAIN. Returns 0 if another attempt is worth it, or a
	 * negative errno, the reason. May log to this outlet. NULL: nothing to repair. */
	int (*repair)(void *data);
	/* Called when no message waits any more; NULL: not. */
	void (*on_empty)(void *data);
	void *data;	      /* of both */
	uint64_t *n_recordsp; /* outlet_share_waiting(); or NULL */
	struct loop *loop;    /* NULL: none yet */
	struct loop_timer timer;
	bool is_polled, is_busy;
	uint32_t n_failures;
	uint64_t retry_ns; /* CLOCK_BOOTTIME: no attempt before */
};

#define OUTLET_NULL(_x) ((struct outlet){ .fd = -1 })

/* Map the memory of the queue, for which a role has no right later. Returns 0, or a
 * negative errno. */
int outlet_init(struct outlet *outlet);
/* Unmap it, with what waits. No-op on OUTLET_NULL. */
void outlet_deinit(struct outlet *outlet);
/* Begin to write to the socket `fd`, which stays the caller's. */
void outlet_open(struct outlet *outlet, int fd);
/* Write what waits, for at most `wait_ns`, drop the rest, which is counted as lost, and no
 * longer use the descriptor. Returns it, or -1 if there was none. */
int outlet_close(struct outlet *outlet, uint64_t wait_ns);
/* Count the records that wait in this memory, too, which outlives the process. What it
 * contains when this is called is lost: it waited in a process that was killed. */
void outlet_share_waiting(struct outlet *outlet, uint64_t *n_recordsp);
/* Let this event loop, which must outlive the outlet, write what waits as soon as its
 * reader takes it. Returns 0 or -ENOSPC. */
int outlet_watch(struct outlet *outlet, struct loop *loop);
/* Write a message now, or let it wait. Returns 0; or, for the caller to count, -ENOBUFS
 * (too many wait) or -EMSGSIZE (it is too long for a datagram). */
int outlet_send(struct outlet *outlet, enum outlet_kind kind, const void *bytes, size_t length);
/* Return whether at least half of the queue is free. Once a message was lost, it is worth
 * to report that, and to send others, only from then on. */
bool outlet_has_room(const struct outlet *outlet);
/* Write what waits, as far as that is possible now. */
void outlet_flush(struct outlet *outlet);

#endif
