/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/gateway/connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* Rounds of one step, each as much as the response buffer holds; then the other
 * descriptors of the loop are served. */
#define ROUNDS_MAX 32

void gateway_connection_init(struct gateway_connection *connection,
			     struct gateway_responder *responder, int fd)
{
	connection->responder = responder;
	connection->fd = fd;
	connection->is_unfinished = false;
	connection->n_stalled = 0;
	connection->received_at = 0;
	connection->n_received = 0;
	connection->output.at = 0;
	connection->output.size = 0;
	connection->n_served = 0;
}

static bool is_blocked(const struct gateway_connection *connection)
{
	return connection->output.size > connection->output.at;
}

short gateway_connection_events(const struct gateway_connection *connection)
{
	if (is_blocked(connection))
		return POLLOUT;
	return connection->is_unfinished ? POLLIN | POLLOUT : POLLIN;
}

short gateway_connection_ring_events(const struct gateway_connection *connection)
{
	return connection->responder->watches.n > 0 && !is_blocked(connection) ? POLLIN : 0;
}

bool gateway_connection_needs_tick(const struct gateway_connection *connection)
{
	return is_blocked(connection) || connection->responder->watches.is_unsettled;
}

/* Returns an enum gateway_step; GATEWAY_GOES_ON also if the socket accepts no more. */
static int send_unsent(struct gateway_connection *connection)
{
	struct gateway_output *output = &connection->output;

	while (output->at < output->size) {
		ssize_t n = send(connection->fd, output->bytes + output->at,
				 output->size - output->at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN)
				return GATEWAY_GOES_ON;
			return errno == EPIPE || errno == ECONNRESET ? GATEWAY_CLOSED :
								       GATEWAY_FAILED;
		}
		output->at += (size_t)n;
		connection->n_stalled = 0;
	}
	output->at = 0;
	output->size = 0;
	return GATEWAY_GOES_ON;
}

/* Write the next response of the list in progress, or the responses to the next
 * requests that are served together. Returns 1, 0 if there is neither, or a negative
 * errno: malformed. */
static int serve_some(struct gateway_connection *connection)
{
	struct gateway_responder *responder = connection->responder;
	struct gateway_output *output = &connection->output;
	size_t used = 0;
	int r;

	if (responder->list.is_active) {
		r = gateway_list_next(&responder->list, responder->store, responder->store_data,
				      gateway_output_end(output), WIRE_RESPONSE_MAX);
		if (r < 0)
			return r;
		output->size += (size_t)r;
		return 1;
	}
	r = gateway_answer(responder, connection->received + connection->received_at,
			   connection->n_received - connection->received_at, &used, output);
	if (r <= 0)
		return r;
	connection->received_at += used;
	connection->n_served += (size_t)r;
	return 1;
}

/* Serve requests and pass on events while there is room. Returns 1 if anything was
 * done, 0 if not, or a negative errno: malformed. */
static int produce(struct gateway_connection *connection)
{
	struct gateway_output *output = &connection->output;
	int done = 0;

	while (gateway_output_room(output) >= WIRE_RESPONSE_MAX) {
		int r = serve_some(connection);

		if (r < 0)
			return r;
		if (!r)
			break;
		done = 1;
	}
	if (gateway_watches_run(&connection->responder->watches, output))
		done = 1;
	return done;
}

/*
 * Read once, after the unserved rest of the last read. There is no buffer for control
 * data, so the kernel drops a passed descriptor before it reaches this process, and
 * reports that: -EPROTO. Returns the number of bytes, 0 if there is nothing to read,
 * -ECONNRESET if the peer closed, or another negative errno of the socket.
 */
static ssize_t receive(struct gateway_connection *connection)
{
	size_t left = connection->n_received - connection->received_at;
	struct iovec part;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	memmove(connection->received, connection->received + connection->received_at, left);
	connection->received_at = 0;
	connection->n_received = left;
	part.iov_base = connection->received + left;
	part.iov_len = sizeof(connection->received) - left;
	do {
		n = recvmsg(connection->fd, &message, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (message.msg_flags & MSG_CTRUNC)
		return -EPROTO;
	if (n == 0)
		return -ECONNRESET;
	connection->n_received += (size_t)n;
	return n;
}

static int run(struct gateway_connection *connection, bool may_read)
{
	connection->is_unfinished = false;
	for (int i = 0; i < ROUNDS_MAX; i++) {
		ssize_t n;
		int r = send_unsent(connection);

		if (r != GATEWAY_GOES_ON || is_blocked(connection))
			return r;
		r = produce(connection);
		if (r < 0) {
			/* Malformed: send the responses to earlier requests. */
			send_unsent(connection);
			return r;
		}
		if (r > 0)
			continue;
		if (!may_read)
			return GATEWAY_GOES_ON;
		/* Read until there is nothing: a client that waits for each
		 * response has often sent its next request by now, and a read
		 * that finds none is cheaper than the ppoll it saves. */
		n = receive(connection);
		if (n == 0)
			return GATEWAY_GOES_ON;
		if (n == -EPROTO)
			return -EPROTO;
		if (n == -ECONNRESET)
			return GATEWAY_CLOSED;
		if (n < 0) {
			errno = (int)-n;
			return GATEWAY_FAILED;
		}
	}
	connection->is_unfinished = true;
	return GATEWAY_GOES_ON;
}

int gateway_connection_step(struct gateway_connection *connection)
{
	return run(connection, true);
}

int gateway_connection_push(struct gateway_connection *connection)
{
	return run(connection, false);
}

int gateway_connection_retry(struct gateway_connection *connection)
{
	connection->responder->watches.wants_retry = false;
	return run(connection, false);
}

bool gateway_connection_needs_retry(const struct gateway_connection *connection)
{
	return connection->responder->watches.wants_retry;
}

int gateway_connection_tick(struct gateway_connection *connection)
{
	int r;

	gateway_watches_tick(&connection->responder->watches);
	r = gateway_connection_push(connection);
	if (r != GATEWAY_GOES_ON)
		return r;
	if (!is_blocked(connection))
		connection->n_stalled = 0;
	else if (++connection->n_stalled >= GATEWAY_STALLED_TICKS)
		return GATEWAY_STALLED;
	return GATEWAY_GOES_ON;
}
