/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The client of the control socket. Requests are encoded into a fixed
 * buffer and written as the socket takes them; responses are collected in
 * another and matched by id. The gateway is our own peer: a response that is
 * malformed or that nobody asked for ends the calf, which is then started
 * anew, but an `error` is the failure of one request only.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "userspace/calf/sdk/calf.h"
#include "userspace/common/log.h"

static int want_events(struct calf *calf)
{
	const struct calf_store *store = &calf->store;
	short events = store->tx_at < store->tx_size ? POLLIN | POLLOUT : POLLIN;

	return loop_set_events(&calf->loop, calf->fds.control, events);
}

/* Write what the socket takes. */
static int flush(struct calf *calf)
{
	struct calf_store *store = &calf->store;

	while (store->tx_at < store->tx_size) {
		ssize_t n = write(calf->fds.control, store->tx + store->tx_at,
				  store->tx_size - store->tx_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -errno;
		store->tx_at += (size_t)n;
	}
	if (store->tx_at == store->tx_size)
		store->tx_at = store->tx_size = 0;
	return want_events(calf);
}

/* Move what is unsent to the front: where to encode, and how much fits. */
static uint8_t *tx_room(struct calf_store *store, size_t *sizep)
{
	if (store->tx_at > 0) {
		memmove(store->tx, store->tx + store->tx_at, store->tx_size - store->tx_at);
		store->tx_size -= store->tx_at;
		store->tx_at = 0;
	}
	*sizep = sizeof(store->tx) - store->tx_size;
	return store->tx + store->tx_size;
}

/* After the encoder: `r` is its size, or its error. */
static int send_encoded(struct calf *calf, int r, int32_t id, calf_response_fn call, void *data)
{
	struct calf_store *store = &calf->store;

	if (r == -EMSGSIZE)
		return -ENOBUFS;
	if (r < 0)
		return r;
	store->tx_size += (size_t)r;
	store->last_id = id;
	store->pending[store->n_pending].id = id;
	store->pending[store->n_pending].call = call;
	store->pending[store->n_pending].data = data;
	store->n_pending++;
	/* An error of the socket shows again when the loop polls it. */
	(void)flush(calf);
	return 0;
}

/* 1, 2, 3, ... and from the largest back to 1. */
static int32_t next_id(const struct calf_store *store)
{
	return store->last_id == INT32_MAX ? 1 : store->last_id + 1;
}

int calf_store_read(struct calf *calf, const char *path, calf_response_fn call, void *data)
{
	struct calf_store *store = &calf->store;
	int32_t id = next_id(store);
	uint8_t *room;
	size_t size;
	int r;

	if (store->n_pending == CALF_PENDING_MAX)
		return -ENOBUFS;
	room = tx_room(store, &size);
	r = wire_encode_request(id, WIRE_READ, path, NULL, 0, 0, room, size);
	return send_encoded(calf, r, id, call, data);
}

int calf_store_commit(struct calf *calf, const struct calf_commit *commit, calf_response_fn call,
		      void *data)
{
	struct calf_store *store = &calf->store;
	int32_t id = next_id(store);
	uint8_t *room;
	size_t size;
	int r;

	if (commit->n_changes == 0)
		return -EINVAL;
	if (store->n_pending == CALF_PENDING_MAX)
		return -ENOBUFS;
	room = tx_room(store, &size);
	r = wire_encode_commit(id, commit->bytes, commit->size, commit->n_changes, 0, room, size);
	return send_encoded(calf, r, id, call, data);
}

/* What an error text means to the one who asked. */
static int status_of_error(const char *text)
{
	static const struct {
		const char *text;
		int status;
	} known[] = {
		{ "err-not-found", -ENOENT },
		{ "try again", -EAGAIN },
		{ "quota exceeded", -EAGAIN },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(text, known[i].text) == 0)
			return known[i].status;
	return -EREMOTEIO;
}

static int dispatch_response(struct calf *calf, const uint8_t *frame, size_t size)
{
	struct calf_store *store = &calf->store;
	struct wire_response response;
	char text[KV_VALUE_SIZE];
	calf_response_fn call;
	size_t length;
	void *data;
	uint32_t i = 0;
	int r;

	r = wire_decode_response(frame, size, &response);
	if (r < 0)
		return r;
	while (i < store->n_pending && store->pending[i].id != response.id)
		i++;
	if (i == store->n_pending || (response.tag != WIRE_OK && response.tag != WIRE_ERROR) ||
	    response.value.size > KV_VALUE_MAX)
		return -EPROTO;
	call = store->pending[i].call;
	data = store->pending[i].data;
	store->n_pending--;
	memmove(&store->pending[i], &store->pending[i + 1],
		(store->n_pending - i) * sizeof(store->pending[0]));

	length = response.value.size;
	if (length > 0)
		memcpy(text, response.value.bytes, length);
	text[length] = '\0';
	/* A text may come with the newline it was written with. */
	if (response.tag == WIRE_OK && length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	call(calf, response.tag == WIRE_OK ? 0 : status_of_error(text), text, length, data);
	return 0;
}

/* Serve every whole frame of the buffer. */
static int dispatch_buffer(struct calf *calf)
{
	struct calf_store *store = &calf->store;
	size_t at = 0;
	int r = 0;

	while (r == 0 && at < store->rx_size) {
		int size = wire_frame_size(store->rx + at, store->rx_size - at);

		if (size < 0)
			return size;
		if (size == 0 || (size_t)size > store->rx_size - at)
			break;
		r = dispatch_response(calf, store->rx + at, (size_t)size);
		at += (size_t)size;
	}
	memmove(store->rx, store->rx + at, store->rx_size - at);
	store->rx_size -= at;
	return r;
}

static int receive(struct calf *calf)
{
	struct calf_store *store = &calf->store;
	ssize_t n;

	/* A whole frame fits, so after dispatch_buffer() there is always room. */
	n = read(calf->fds.control, store->rx + store->rx_size, sizeof(store->rx) - store->rx_size);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return -errno;
	if (n <= 0) {
		calf_stop(calf, 0);
		return 0;
	}
	store->rx_size += (size_t)n;
	return dispatch_buffer(calf);
}

int calf_store_dispatch(struct loop *loop, int fd, short revents, void *data)
{
	struct calf *calf = data;
	int r = 0;

	(void)loop;
	(void)fd;
	/* Responses first: they may be there although the peer is gone. */
	if (revents & (POLLIN | POLLHUP | POLLERR))
		r = receive(calf);
	if (r == 0 && (revents & POLLOUT) && !calf->loop.stop)
		r = flush(calf);
	if (r == -EPIPE) {
		calf_stop(calf, 0);
		return 0;
	}
	if (r < 0)
		log_error("control socket: %s", strerrordesc_np(-r));
	return r;
}
