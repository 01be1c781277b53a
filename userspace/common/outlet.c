/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/outlet.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "userspace/common/backoff.h"
#include "userspace/common/clock.h"
#include "userspace/common/nowait.h"

/* While there is nobody to write to. */
#define RETRY_MAX_NS (5 * NS_PER_S)

int outlet_init(struct outlet *outlet)
{
	*outlet = OUTLET_NULL(*outlet);
	return queue_init(&outlet->queue, OUTLET_QUEUE_SIZE);
}

void outlet_open(struct outlet *outlet, int fd)
{
	outlet->fd = fd;
}

static void stop_polling(struct outlet *outlet)
{
	if (outlet->is_polled)
		loop_remove_fd(outlet->loop, outlet->fd);
	outlet->is_polled = false;
}

void outlet_deinit(struct outlet *outlet)
{
	if (outlet->loop) {
		stop_polling(outlet);
		loop_remove_timer(outlet->loop, &outlet->timer);
	}
	queue_deinit(&outlet->queue);
	*outlet = OUTLET_NULL(*outlet);
}

static void count_record(struct outlet *outlet, enum outlet_kind kind, int change)
{
	if (kind == OUTLET_RECORD && outlet->n_recordsp)
		*outlet->n_recordsp += (uint64_t)change;
}

static void pop(struct outlet *outlet, enum outlet_kind kind)
{
	queue_pop(&outlet->queue);
	count_record(outlet, kind, -1);
}

static int write_now(const struct outlet *outlet, const char *bytes, size_t length)
{
	ssize_t n;

	do
		n = nowait_write(outlet->fd, NOWAIT_SEND, bytes, length);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Returns 0, or a negative errno: nothing of the message was written. */
static int write_message(struct outlet *outlet, const char *bytes, size_t length)
{
	int r;

	outlet->is_busy = true;
	r = write_now(outlet, bytes, length);
	if (r && r != -EAGAIN && r != -EMSGSIZE && outlet->repair) {
		r = outlet->repair(outlet->data);
		if (!r)
			r = write_now(outlet, bytes, length);
	}
	outlet->is_busy = false;
	return r;
}

static int on_writable(struct loop *loop, int fd, short revents, void *data)
{
	(void)loop;
	(void)fd;
	(void)revents;
	outlet_flush(data);
	return 0;
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	outlet_flush(data);
	return 0;
}

/* Wait for the reader, or, if there is none, for some time. */
static void wait_for_reader(struct outlet *outlet, int error)
{
	bool is_full = error == -EAGAIN;
	uint64_t wait_ns = backoff_ns(outlet->n_failures + 1, BACKOFF_MIN_NS, RETRY_MAX_NS);
	uint64_t retry_ns = clock_now_ns(CLOCK_BOOTTIME) + wait_ns;

	outlet->error = error;
	outlet->retry_ns = is_full ? 0 : retry_ns;
	outlet->n_failures += !is_full;
	if (!outlet->loop)
		return;
	if (is_full && !outlet->is_polled)
		outlet->is_polled =
			!loop_add_fd(outlet->loop, outlet->fd, POLLOUT, on_writable, outlet);
	if (!is_full)
		stop_polling(outlet);
	loop_timer_set(&outlet->timer, outlet->is_polled ? LOOP_NEVER : retry_ns);
}

static void nothing_waits(struct outlet *outlet)
{
	outlet->error = 0;
	outlet->n_failures = 0;
	outlet->retry_ns = 0;
	if (!outlet->loop)
		return;
	stop_polling(outlet);
	loop_timer_set(&outlet->timer, LOOP_NEVER);
}

void outlet_share_waiting(struct outlet *outlet, uint64_t *n_recordsp)
{
	outlet->n_lost[OUTLET_RECORD] += *n_recordsp;
	*n_recordsp = 0;
	outlet->n_recordsp = n_recordsp;
}

int outlet_watch(struct outlet *outlet, struct loop *loop)
{
	int r = loop_add_timer(loop, &outlet->timer, on_timer, outlet);

	if (r)
		return r;
	outlet->loop = loop;
	if (outlet->error)
		wait_for_reader(outlet, outlet->error);
	return 0;
}

void outlet_flush(struct outlet *outlet)
{
	const char *bytes;
	uint32_t kind;
	size_t length;

	if (outlet->is_busy || queue_is_empty(&outlet->queue))
		return;
	while ((bytes = queue_first(&outlet->queue, &length, &kind))) {
		int r = write_message(outlet, bytes, length);

		if (r == -EMSGSIZE) {
			outlet->n_lost[kind]++;
		} else if (r) {
			wait_for_reader(outlet, r);
			return;
		}
		pop(outlet, kind);
	}
	nothing_waits(outlet);
	if (outlet->on_empty)
		outlet->on_empty(outlet->data);
}

bool outlet_has_room(const struct outlet *outlet)
{
	return queue_used(&outlet->queue) <= outlet->queue.size / 2;
}

int outlet_send(struct outlet *outlet, enum outlet_kind kind, const void *bytes, size_t length)
{
	int error = 0, r;

	if (!queue_is_empty(&outlet->queue) &&
	    (!outlet->retry_ns || outlet->retry_ns <= clock_now_ns(CLOCK_BOOTTIME)))
		outlet_flush(outlet);
	if (!outlet->is_busy && queue_is_empty(&outlet->queue)) {
		error = write_message(outlet, bytes, length);
		if (!error)
			outlet_flush(outlet); /* what the repair has logged */
		if (!error || error == -EMSGSIZE)
			return error;
	}
	r = queue_push(&outlet->queue, kind, bytes, length);
	if (!r)
		count_record(outlet, kind, 1);
	if (error)
		wait_for_reader(outlet, error);
	return r;
}

int outlet_close(struct outlet *outlet, uint64_t wait_ns)
{
	uint64_t until_ns = clock_now_ns(CLOCK_BOOTTIME) + wait_ns;
	size_t length;
	uint32_t kind;
	int fd;

	do
		outlet_flush(outlet);
	while (!queue_is_empty(&outlet->queue) && outlet->error == -EAGAIN &&
	       nowait_await(outlet->fd, until_ns));
	while (queue_first(&outlet->queue, &length, &kind)) {
		outlet->n_lost[kind]++;
		pop(outlet, kind);
	}
	nothing_waits(outlet);
	fd = outlet->fd;
	outlet->fd = -1;
	return fd;
}
