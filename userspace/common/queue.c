/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: a ring in which each message is contiguous. One that does not fit behind the
 * last one is placed at the start, if that is free, and a mark tells the reader.
 */
#include "userspace/common/queue.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT sizeof(struct header)
#define MARK UINT32_MAX /* the next message is at the start */

struct header {
	uint32_t length;
	uint32_t kind;
};

struct queue_memory {
	size_t head, tail; /* of the first message; where the next one goes */
	size_t n;	   /* 0: empty, and both are 0 */
	struct header messages[];
};

int queue_init(struct queue *queue, size_t size)
{
	size_t rounded = size / ALIGNMENT * ALIGNMENT;
	void *memory = mmap(NULL, sizeof(struct queue_memory) + rounded, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r;

	if (memory == MAP_FAILED)
		return -errno;
	if (madvise(memory, sizeof(struct queue_memory) + rounded, MADV_WIPEONFORK)) {
		r = -errno;
		(void)munmap(memory, sizeof(struct queue_memory) + rounded);
		return r;
	}
	*queue = (struct queue){ .memory = memory, .size = rounded };
	return 0;
}

void queue_deinit(struct queue *queue)
{
	if (queue->memory)
		(void)munmap(queue->memory, sizeof(struct queue_memory) + queue->size);
	*queue = QUEUE_NULL(*queue);
}

bool queue_is_empty(const struct queue *queue)
{
	return !queue->memory || !queue->memory->n;
}

size_t queue_used(const struct queue *queue)
{
	const struct queue_memory *memory = queue->memory;

	if (queue_is_empty(queue))
		return 0;
	return memory->tail > memory->head ? memory->tail - memory->head :
					     queue->size - memory->head + memory->tail;
}

static struct header *header_at(const struct queue *queue, size_t at)
{
	return &queue->memory->messages[at / ALIGNMENT];
}

static size_t room_for(size_t length)
{
	return sizeof(struct header) + (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int queue_push(struct queue *queue, uint32_t kind, const void *bytes, size_t length)
{
	struct queue_memory *memory = queue->memory;
	size_t need = room_for(length), at;
	struct header *header;

	if (!memory || length >= MARK || need > queue->size)
		return -ENOBUFS;
	at = memory->tail;
	if (memory->n && memory->tail <= memory->head) {
		if (need > memory->head - at)
			return -ENOBUFS;
	} else if (need > queue->size - at) {
		if (need > memory->head)
			return -ENOBUFS;
		if (at < queue->size)
			header_at(queue, at)->length = MARK;
		at = 0;
	}
	header = header_at(queue, at);
	*header = (struct header){ .length = (uint32_t)length, .kind = kind };
	memcpy(header + 1, bytes, length);
	memory->tail = at + need;
	memory->n++;
	return 0;
}

const char *queue_first(const struct queue *queue, size_t *lengthp, uint32_t *kindp)
{
	const struct header *header;

	if (queue_is_empty(queue))
		return NULL;
	header = header_at(queue, queue->memory->head);
	*lengthp = header->length;
	*kindp = header->kind;
	return (const char *)(header + 1);
}

void queue_pop(struct queue *queue)
{
	struct queue_memory *memory = queue->memory;

	if (queue_is_empty(queue))
		return;
	memory->head += room_for(header_at(queue, memory->head)->length);
	if (!--memory->n)
		memory->head = memory->tail = 0;
	else if (memory->head == queue->size || header_at(queue, memory->head)->length == MARK)
		memory->head = 0;
}
