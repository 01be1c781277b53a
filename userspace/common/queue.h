/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of messages, in memory that is only used while messages wait in
 * it. A child process finds it empty, so that no message is sent twice.
 */
#ifndef CALFPEN_COMMON_QUEUE_H
#define CALFPEN_COMMON_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_memory;

struct queue {
	struct queue_memory *memory; /* NULL: none */
	size_t size;		     /* of the messages with their headers */
};

#define QUEUE_NULL(_x) ((struct queue){ .memory = NULL })

/* Map memory for `size` bytes of messages. Returns 0, or a negative errno. */
int queue_init(struct queue *queue, size_t size);
/* Unmap the memory. No-op on QUEUE_NULL. */
void queue_deinit(struct queue *queue);

bool queue_is_empty(const struct queue *queue);
/* Return how much of the memory the messages take. */
size_t queue_used(const struct queue *queue);
/* Append a message; `kind` is the caller's. Returns 0, or -ENOBUFS: no room. */
int queue_push(struct queue *queue, uint32_t kind, const void *bytes, size_t length);
/* Return the first message that is not empty, and its length and kind, or NULL. */
const char *queue_first(const struct queue *queue, size_t *lengthp, uint32_t *kindp);
/* Remove the first message. */
void queue_pop(struct queue *queue);

#endif
