/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/watch_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "maps/kv.h"

#define FLAGS (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)
#define RECORD_MAX \
	(BPF_RINGBUF_HDR_SZ + sizeof(struct kv_watch_event) + KV_CHANGE_SIZE(KV_VALUE_MAX))
#define LOCK_TRIES 100
#define LOCK_PAUSE_NS 10000000

/* The file is locked exclusively only for the moment in which the watch is ended. */
static int lock_shared(int fd)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	for (int i = 0; flock(fd, LOCK_SH | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (i == LOCK_TRIES)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int watch_ring_lock(struct watch_ring *ring, const char *path)
{
	int r;

	ring->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (ring->lock < 0)
		return -errno;
	r = lock_shared(ring->lock);
	if (r < 0)
		return r;
	ring->bell = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (ring->bell < 0 || inotify_add_watch(ring->bell, path, IN_ATTRIB) < 0)
		return -errno;
	return 0;
}

int watch_ring_open(struct watch_ring *ring, int fd)
{
	int r;

	ring->fd = fd;
	r = ring_open(&ring->ring, fd);
	if (!r)
		ring->at = *ring->ring.consumer;
	return r;
}

static void close_fd(int *fdp)
{
	if (*fdp >= 0)
		close(*fdp);
	*fdp = -1;
}

void watch_ring_close(struct watch_ring *ring)
{
	ring_close(&ring->ring);
	close_fd(&ring->fd);
	close_fd(&ring->bell);
	close_fd(&ring->lock);
}

static unsigned long end_of(const struct watch_ring *ring)
{
	return __atomic_load_n(ring->ring.producer, __ATOMIC_ACQUIRE);
}

/* Return whether the common position is behind ours. One that the kernel cannot
 * have reached counts as behind: any process that holds the ring can write it. */
static bool is_behind(const struct watch_ring *ring, unsigned long common)
{
	unsigned long end = end_of(ring);

	return common != ring->at && end - common > end - ring->at;
}

/*
 * Return whether what was read at our position may have been overwritten: only what
 * is before the common position is. The kernel writes the header of a record before
 * it moves the producer's position, and a CPU may show its content as early; so the
 * room of one record more does not count.
 */
static bool is_overwritten(const struct watch_ring *ring)
{
	unsigned long common;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	common = __atomic_load_n(ring->ring.consumer, __ATOMIC_ACQUIRE);
	return common != ring->at && !is_behind(ring, common) &&
	       end_of(ring) - ring->at > ring->ring.size - RECORD_MAX;
}

static void forget_bells(const struct watch_ring *ring)
{
	_Alignas(struct inotify_event) char events[1024];

	while (read(ring->bell, events, sizeof(events)) > 0)
		;
}

/*
 * Move the common position to ours, unless it is beyond. Others are woken before:
 * those that see the ring empty afterwards have then been told. If this process is
 * killed in between, the ring is still readable for them.
 */
static void release(const struct watch_ring *ring)
{
	unsigned long *consumer = ring->ring.consumer;
	unsigned long common = __atomic_load_n(consumer, __ATOMIC_ACQUIRE);

	if (is_behind(ring, common))
		(void)futimens(ring->lock, NULL);
	while (is_behind(ring, common) &&
	       !__atomic_compare_exchange_n(consumer, &common, ring->at, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE))
		;
}

void watch_ring_skip(struct watch_ring *ring)
{
	ring->at = end_of(ring);
	ring->n_read = 0;
	ring->is_suspect = false;
	release(ring);
}

/* Copy the record at our position and step over it. Returns its size; 0 if it was
 * discarded; -EAGAIN if it is not complete yet; or -EBADMSG if it is lost. */
static int next_record(struct watch_ring *ring, unsigned long end, uint8_t bytes[RECORD_MAX])
{
	const uint8_t *record = ring->ring.data + (ring->at & (ring->ring.size - 1));
	uint32_t head, size;

	head = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
	size = (head & ~FLAGS) + BPF_RINGBUF_HDR_SZ;
	if (!(head & FLAGS) && size <= RECORD_MAX)
		memcpy(bytes, record + BPF_RINGBUF_HDR_SZ, size - BPF_RINGBUF_HDR_SZ);
	if (is_overwritten(ring))
		return -EBADMSG;
	if (head & BPF_RINGBUF_BUSY_BIT)
		return -EAGAIN;
	if (size > RECORD_MAX || size > end - ring->at)
		return -EBADMSG;
	size = (size + 7) & ~7u;
	ring->at += size;
	ring->n_read += size;
	return head & BPF_RINGBUF_DISCARD_BIT ? 0 : (int)(head & ~FLAGS);
}

/* Read the records before `end`. Returns as watch_ring_read(), or -EAGAIN. */
static int read_until(struct watch_ring *ring, unsigned long end, ring_record_fn take, void *data)
{
	_Alignas(8) uint8_t bytes[RECORD_MAX];
	int r = 0;

	while (!r && ring->at != end) {
		int size = next_record(ring, end, bytes);

		if (size < 0)
			return size == -EBADMSG ? WATCH_RING_LOST : size;
		r = size > 0 ? take(data, bytes, (size_t)size) : 0;
	}
	return r;
}

int watch_ring_read(struct watch_ring *ring, ring_record_fn take, void *data)
{
	unsigned long end;
	int r = 0;

	/* Forget bells first: what was rung for is then seen below. */
	forget_bells(ring);
	while (!r && (end = end_of(ring)) != ring->at) {
		r = read_until(ring, end, take, data);
		if (r != WATCH_RING_LOST)
			release(ring);
		forget_bells(ring); /* our own */
	}
	/* If the ring never held more than this, it had room for any record. */
	if (ring->n_read >= ring->ring.size - 2 * RECORD_MAX)
		ring->is_suspect = true;
	ring->n_read = 0;
	return r == -EAGAIN ? 0 : r;
}
