/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The first page holds the consumer's position, which we write; the
 * second the producer's, and behind it the records, mapped twice so that none
 * is ever in two pieces. A record is a word with its length and two flags, a
 * word that is the kernel's own, and its bytes. The producer's position moves
 * when a record is reserved; the busy flag goes when it is complete.
 */
#include "userspace/common/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAGS (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)

static int get_size(int fd, size_t *sizep)
{
	struct bpf_map_info info = { 0 };
	union bpf_attr attr = { 0 };

	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) < 0)
		return -errno;
	if (info.type != BPF_MAP_TYPE_RINGBUF)
		return -EINVAL;
	*sizep = info.max_entries;
	return 0;
}

int ring_open(struct ring *ring, int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 0;
	uint8_t *records;
	void *consumer;
	int r = get_size(fd, &size);

	if (r < 0)
		return r;
	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	records = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (records == MAP_FAILED) {
		r = -errno;
		(void)munmap(consumer, page);
		return r;
	}
	*ring = (struct ring){ consumer, (const unsigned long *)(const void *)records,
			       records + page, size };
	return 0;
}

void ring_close(struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!ring->consumer)
		return;
	(void)munmap(ring->consumer, page);
	(void)munmap((void *)(uintptr_t)(ring->data - page), page + 2 * ring->size);
	*ring = (struct ring){ 0 };
}

int ring_consume(struct ring *ring, ring_record_fn take, void *data)
{
	unsigned long at = *ring->consumer, end;
	int r = 0;

	/* Asked again after the last: what came meanwhile wakes nobody. */
	while (r == 0 && (end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE)) != at) {
		const uint8_t *record = ring->data + (at & (ring->size - 1));
		uint32_t head = 0;
		size_t size;

		if (end - at <= ring->size && at % 8 == 0)
			head = __atomic_load_n((const uint32_t *)(const void *)record,
					       __ATOMIC_ACQUIRE);
		if (head & BPF_RINGBUF_BUSY_BIT)
			return 0; /* not complete yet */
		size = ((head & ~FLAGS) + BPF_RINGBUF_HDR_SZ + 7) & ~(size_t)7;
		if (end - at > ring->size || at % 8 != 0 || size > end - at) {
			r = -EBADMSG;
			at = end;
		} else {
			if (!(head & BPF_RINGBUF_DISCARD_BIT))
				r = take(data, record + BPF_RINGBUF_HDR_SZ, head & ~FLAGS);
			at += size;
		}
		__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	}
	return r;
}
