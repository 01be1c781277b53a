/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The client of the control socket. Requests are encoded into a fixed
 * buffer and written as fast as the socket accepts them. Responses are
 * collected in another buffer and matched by id; a list and a watch have many
 * responses with the same id. The gateway is trusted: a malformed or
 * unsolicited response stops the calf, which the supervisor then restarts. An
 * `error` fails one request only.
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

/* Write as much as the socket accepts. */
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

/* Move unsent bytes to the front of the buffer. Returns where to encode the
 * next request, and stores how many bytes fit there in *sizep. */
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

/* Return the next id: 1, 2, 3, ... and after the largest 1 again, skipping the
 * ids of requests that are still pending. */
static int32_t next_id(const struct calf_store *store)
{
	int32_t id = store->last_id;
	uint32_t i;

	do {
		id = id == INT32_MAX ? 1 : id + 1;
		for (i = 0; i < store->n_pending && store->pending[i].id != id; i++)
			;
	} while (i < store->n_pending);
	return id;
}

/* Send a request after it was encoded; `r` is the encoder's result, a size or a
 * negative errno. */
static int send_encoded(struct calf *calf, int r, const struct calf_pending *pending)
{
	struct calf_store *store = &calf->store;

	if (r == -EMSGSIZE)
		return -ENOBUFS;
	if (r < 0)
		return r;
	store->tx_size += (size_t)r;
	store->last_id = pending->id;
	store->pending[store->n_pending++] = *pending;
	/* The loop reports an error of the socket again. */
	(void)flush(calf);
	return 0;
}

/* Send a request with one path. `pending` has no id yet. */
static int submit(struct calf *calf, struct calf_pending pending, const char *path,
		  const char *text, uint64_t revision)
{
	struct calf_store *store = &calf->store;
	size_t length = strlen(text);
	uint8_t *room;
	size_t size;
	int r;

	if (store->n_pending == CALF_PENDING_MAX)
		return -ENOBUFS;
	if (length > KV_VALUE_MAX)
		return -EMSGSIZE;
	pending.id = next_id(store);
	room = tx_room(store, &size);
	r = wire_encode_request(pending.id, (enum wire_request_tag)pending.tag, path, text, length,
				revision, room, size);
	return send_encoded(calf, r, &pending);
}

int calf_store_read(struct calf *calf, const char *path, calf_response_fn call, void *data)
{
	return submit(calf, (struct calf_pending){ .tag = WIRE_READ, .call = call, .data = data },
		      path, "", 0);
}

int calf_store_read_revision(struct calf *calf, const char *path, calf_response_fn call, void *data)
{
	/* With any revision in the request, the response has one, too. */
	return submit(calf, (struct calf_pending){ .tag = WIRE_READ, .call = call, .data = data },
		      path, "", 1);
}

int calf_store_write(struct calf *calf, const char *path, const char *text, uint64_t condition,
		     calf_response_fn call, void *data)
{
	return submit(calf, (struct calf_pending){ .tag = WIRE_WRITE, .call = call, .data = data },
		      path, text, condition);
}

int calf_store_delete(struct calf *calf, const char *path, uint64_t condition,
		      calf_response_fn call, void *data)
{
	return submit(calf, (struct calf_pending){ .tag = WIRE_DELETE, .call = call, .data = data },
		      path, "", condition);
}

int calf_store_list(struct calf *calf, const char *directory, calf_entry_fn entry,
		    calf_response_fn call, void *data)
{
	return submit(calf,
		      (struct calf_pending){
			      .tag = WIRE_LIST, .call = call, .entry_call = entry, .data = data },
		      directory, "", 0);
}

int calf_store_watch(struct calf *calf, const char *directory, calf_entry_fn entry,
		     calf_response_fn call, void *data)
{
	return submit(calf,
		      (struct calf_pending){
			      .tag = WIRE_WATCH, .call = call, .entry_call = entry, .data = data },
		      directory, "", 0);
}

int calf_store_commit(struct calf *calf, const struct commit *commit, calf_response_fn call,
		      void *data)
{
	struct calf_store *store = &calf->store;
	const struct calf_pending pending = {
		.id = next_id(store), .tag = WIRE_COMMIT, .call = call, .data = data
	};
	uint8_t *room;
	size_t size;
	int r;

	if (commit->n_changes == 0)
		return -EINVAL;
	if (store->n_pending == CALF_PENDING_MAX)
		return -ENOBUFS;
	room = tx_room(store, &size);
	r = wire_encode_commit(pending.id, commit->bytes, commit->size, commit->n_changes,
			       commit->condition, room, size);
	return send_encoded(calf, r, &pending);
}

uint64_t calf_store_revision(const struct calf *calf)
{
	return calf->store.revision;
}

/* Return the status for an error code. */
static enum calf_status status_of_code(uint8_t code)
{
	switch (code) {
	case WIRE_CODE_NOT_FOUND:
		return CALF_NOT_FOUND;
	case WIRE_CODE_TRY_AGAIN:
	case WIRE_CODE_QUOTA_EXCEEDED:
		return CALF_LATER;
	case WIRE_CODE_CONFLICT:
		return CALF_CONFLICT;
	case WIRE_CODE_NOT_ALLOWED:
	case WIRE_CODE_VALUE_TOO_LARGE:
	case WIRE_CODE_WRONG_TYPE:
	case WIRE_CODE_TOO_MANY_CHANGES:
	case WIRE_CODE_TOO_MANY_WATCHES:
	case WIRE_CODE_UNKNOWN_OPERATION:
		return CALF_REFUSED;
	default:
		return CALF_FAILED;
	}
}

/* Log an error that has no code or an unknown one, because the gateway is older
 * or newer than this calf. Once only: all of its errors may be like that. */
static void log_unknown_code(struct calf_store *store, uint8_t code, const char *text)
{
	if (store->unknown_code_logged || (code != WIRE_CODE_NONE && code < _WIRE_CODE_N))
		return;
	store->unknown_code_logged = true;
	log_warning("control socket: unknown error code %u: %s; treating it as a failure", code,
		    text);
}

/* Copy a blob from the gateway as NUL-terminated text. Returns its length, or
 * -EPROTO if it is too long. */
static int copy_text(char text[KV_VALUE_SIZE], const struct wire_data *value)
{
	if (value->size > KV_VALUE_MAX)
		return -EPROTO;
	if (value->size > 0)
		memcpy(text, value->bytes, value->size);
	text[value->size] = '\0';
	return (int)value->size;
}

static struct calf_pending *find_pending(struct calf_store *store, int32_t id)
{
	for (uint32_t i = 0; i < store->n_pending; i++)
		if (store->pending[i].id == id)
			return &store->pending[i];
	return NULL;
}

/* Remove a pending request and pass the result to its caller. */
static void end_pending(struct calf *calf, struct calf_pending *pending, enum calf_status status,
			const char *text, size_t length)
{
	struct calf_store *store = &calf->store;
	const struct calf_pending ended = *pending;
	size_t behind = (size_t)(&store->pending[store->n_pending] - pending) - 1;

	memmove(pending, pending + 1, behind * sizeof(*pending));
	store->n_pending--;
	ended.call(calf, status, text, length, ended.data);
}

/* Handle an `ok` or an `error`. */
static int dispatch_end(struct calf *calf, struct calf_pending *pending,
			const struct wire_response *response)
{
	char text[KV_VALUE_SIZE];
	int length = copy_text(text, &response->value);

	if (length < 0)
		return length;
	if (response->tag == WIRE_ERROR) {
		log_unknown_code(&calf->store, response->code, text);
		end_pending(calf, pending, status_of_code(response->code), text, (size_t)length);
		return 0;
	}
	if (pending->entry_call)
		return -EPROTO;
	/* A value may end with the newline with which it was written. */
	if (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	end_pending(calf, pending, CALF_OK, text, (size_t)length);
	return 0;
}

/* Return whether such a request may have this entry as a response. */
static bool is_expected(const struct wire_entry *entry, uint16_t tag)
{
	if (tag == WIRE_LIST)
		return entry->tag == WIRE_ENTRY_LISTED;
	return entry->tag == WIRE_ENTRY_VALUE || entry->tag == WIRE_ENTRY_DELETED ||
	       entry->tag == WIRE_ENTRY_SYNCED || entry->tag == WIRE_ENTRY_RESYNC;
}

static int dispatch_entries(struct calf *calf, struct calf_pending *pending, const uint8_t *frame,
			    size_t size, const struct wire_response *response)
{
	/* The callback may send requests, but never ends a pending one. */
	const struct calf_pending request = *pending;

	if (!request.entry_call || (request.tag == WIRE_WATCH && !response->more))
		return -EPROTO;
	for (uint32_t i = 0; i < response->n_entries; i++) {
		struct wire_entry entry;
		char text[KV_VALUE_SIZE];
		int r = wire_response_entry(frame, size, response, i, &entry);

		if (!r && !is_expected(&entry, request.tag))
			r = -EPROTO;
		if (!r)
			r = copy_text(text, &entry.value);
		if (r < 0)
			return r;
		request.entry_call(calf,
				   &(struct calf_entry){ .kind = (enum calf_entry_kind)entry.tag,
							 .path = entry.path.path,
							 .revision = entry.revision,
							 .text = text,
							 .length = (size_t)r },
				   request.data);
	}
	if (!response->more)
		end_pending(calf, pending, CALF_OK, "", 0);
	return 0;
}

static int dispatch_response(struct calf *calf, const uint8_t *frame, size_t size)
{
	struct calf_store *store = &calf->store;
	struct wire_response response;
	struct calf_pending *pending;
	int r = wire_decode_response(frame, size, &response);

	if (r < 0)
		return r;
	pending = find_pending(store, response.id);
	if (!pending)
		return -EPROTO;
	store->revision = response.revision;
	if (response.tag == WIRE_ENTRIES)
		r = dispatch_entries(calf, pending, frame, size, &response);
	else if (response.tag == WIRE_OK || response.tag == WIRE_ERROR)
		r = dispatch_end(calf, pending, &response);
	else
		r = -EPROTO;
	store->revision = 0;
	return r;
}

/* Dispatch every complete frame in the buffer. */
static int dispatch_buffer(struct calf *calf)
{
	struct calf_store *store = &calf->store;
	size_t at = 0;
	int r = 0;

	while (!r && at < store->rx_size) {
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

	/* A complete frame fits, so after dispatch_buffer() there is always
	 * room. */
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
	/* Responses first: some may be readable after the peer has closed. */
	if (revents & (POLLIN | POLLHUP | POLLERR))
		r = receive(calf);
	if (!r && (revents & POLLOUT) && !calf->loop.stop)
		r = flush(calf);
	if (r == -EPIPE) {
		calf_stop(calf, 0);
		return 0;
	}
	if (r < 0)
		log_error("control socket: %s", strerrordesc_np(-r));
	return r;
}
