/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The first page holds the consumer's position, which this file writes.
 * The second page holds the producer's position, followed by the records, which
 * are mapped twice so that no record is ever split. A record is a word with its
 * length and two flags, a word that the kernel uses, and the data. The
 * producer's position moves when a record is reserved; the busy flag is cleared
 * when it is complete.
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
			       records + page, size, *(unsigned long *)consumer };
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

/*
 * Visit the record at *atp, which is before `end`. Returns false if it is not
 * complete yet. Otherwise *atp is moved behind it, unless `take` keeps it, and
 * *rp is the result of `take`. If this is not a record, everything up to `end` is skipped with
 * -EBADMSG.
 */
static bool visit(const struct ring *ring, unsigned long *atp, unsigned long end,
		  ring_record_fn take, void *data, int *rp)
{
	const uint8_t *record = ring->data + (*atp & (ring->size - 1));
	bool is_sound = end - *atp <= ring->size && *atp % 8 == 0;
	uint32_t head = 0;
	size_t size;

	if (is_sound)
		head = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
	if (head & BPF_RINGBUF_BUSY_BIT)
		return false;
	size = ((head & ~FLAGS) + BPF_RINGBUF_HDR_SZ + 7) & ~(size_t)7;
	if (!is_sound || size > end - *atp) {
		*rp = -EBADMSG;
		*atp = end;
		return true;
	}
	if (!(head & BPF_RINGBUF_DISCARD_BIT))
		*rp = take(data, record + BPF_RINGBUF_HDR_SZ, head & ~FLAGS);
	if (*rp != RING_KEEP)
		*atp += size;
	return true;
}

int ring_consume(struct ring *ring, ring_record_fn take, void *data)
{
	unsigned long at = *ring->consumer, end;
	int r = 0;

	/* Check again after the last record: a record that arrives meanwhile
	 * causes no wakeup. */
	while (!r && (end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE)) != at) {
		if (!visit(ring, &at, end, take, data, &r))
			return 0;
		__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	}
	return r;
}

/* Return whether `a` is older than `b`; both are before the producer's
 * position. */
static bool is_older(const struct ring *ring, unsigned long a, unsigned long b)
{
	unsigned long end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	return end - b <= ring->size && end - a > end - b;
}

int ring_look(struct ring *ring, ring_record_fn show, void *data)
{
	unsigned long end;
	int r = 0;

	/* Records that another reader has consumed may be overwritten. */
	if (is_older(ring, ring->seen, *ring->consumer))
		ring->seen = *ring->consumer;
	while (!r && (end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE)) != ring->seen)
		if (!visit(ring, &ring->seen, end, show, data, &r))
			return 0;
	return r;
}

int ring_consume_seen(struct ring *ring, ring_record_fn take, void *data)
{
	unsigned long at = *ring->consumer;
	int r = 0;

	if (is_older(ring, ring->seen, at))
		return 0;
	while (!r && at != ring->seen) {
		if (!visit(ring, &at, ring->seen, take, data, &r))
			return 0;
		__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	}
	return r;
}
