/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/gateway_connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

void gateway_connection_init(struct gateway_connection *connection,
			     struct gateway_responder *responder, int fd)
{
	connection->responder = responder;
	connection->fd = fd;
	connection->received_at = 0;
	connection->n_received = 0;
	connection->unsent_at = 0;
	connection->n_unsent = 0;
	connection->n_served = 0;
}

short gateway_connection_events(const struct gateway_connection *connection)
{
	return connection->n_unsent > connection->unsent_at ? POLLOUT : POLLIN;
}

/* An enum gateway_step; GATEWAY_GOES_ON also if the socket takes no more. */
static int send_unsent(struct gateway_connection *connection)
{
	while (connection->unsent_at < connection->n_unsent) {
		ssize_t n = send(connection->fd, connection->unsent + connection->unsent_at,
				 connection->n_unsent - connection->unsent_at,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN)
				return GATEWAY_GOES_ON;
			return errno == EPIPE || errno == ECONNRESET ? GATEWAY_CLOSED :
								       GATEWAY_FAILED;
		}
		connection->unsent_at += (size_t)n;
	}
	connection->unsent_at = 0;
	connection->n_unsent = 0;
	return GATEWAY_GOES_ON;
}

/* Serve complete requests while there is room for a response. 1 if any was
 * served, 0 if not, or a negative errno: malformed. */
static int serve_received(struct gateway_connection *connection)
{
	int served = 0;

	while (GATEWAY_UNSENT_MAX - connection->n_unsent >= WIRE_RESPONSE_MAX) {
		const uint8_t *frame = connection->received + connection->received_at;
		size_t left = connection->n_received - connection->received_at;
		int size = wire_frame_size(frame, left);
		int r;

		if (size < 0)
			return size;
		if (size == 0 || (size_t)size > left)
			return served;
		r = gateway_answer(connection->responder, frame, (size_t)size,
				   connection->unsent + connection->n_unsent, WIRE_RESPONSE_MAX);
		if (r < 0)
			return r;
		connection->received_at += (size_t)size;
		connection->n_unsent += (size_t)r;
		connection->n_served++;
		served = 1;
	}
	return served;
}

/*
 * Read once behind what is left of the last read: bytes read, 0 if there is
 * nothing, -ECONNRESET at the end, or another negative errno of the socket.
 * No room for control data is offered, so the kernel drops a passed
 * descriptor before it can reach this process, and says so: -EPROTO.
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

int gateway_connection_step(struct gateway_connection *connection)
{
	bool has_read = false;

	for (;;) {
		ssize_t n;
		int r = send_unsent(connection);

		if (r != GATEWAY_GOES_ON || connection->n_unsent > 0)
			return r;
		r = serve_received(connection);
		if (r < 0) {
			/* Malformed: send what was answered before it. */
			send_unsent(connection);
			return r;
		}
		if (r > 0)
			continue;
		if (has_read)
			return GATEWAY_GOES_ON;
		has_read = true;
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
}
