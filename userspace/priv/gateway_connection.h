/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream between a calf and its gateway: one fixed receive buffer, one
 * bounded buffer of unsent responses. While responses are unsent no request
 * is read, so a calf that does not read is made to wait and costs nothing.
 */
#ifndef CALFPEN_PRIV_GATEWAY_CONNECTION_H
#define CALFPEN_PRIV_GATEWAY_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include "userspace/common/wire.h"
#include "userspace/priv/gateway_request.h"

#define GATEWAY_UNSENT_MAX 32768

enum gateway_step {
	GATEWAY_GOES_ON = 0,
	GATEWAY_CLOSED = 1, /* the calf closed its end */
	GATEWAY_FAILED = 2, /* the socket failed, reason in errno */
};

struct gateway_connection {
	struct gateway_responder *responder;
	int fd;
	size_t received_at; /* requests before it are served */
	size_t n_received;
	size_t unsent_at; /* responses before it are sent */
	size_t n_unsent;
	uint64_t n_served;
	uint8_t received[WIRE_FRAME_MAX];
	uint8_t unsent[GATEWAY_UNSENT_MAX];
};

/* The responder and the socket stay the caller's. */
void gateway_connection_init(struct gateway_connection *connection,
			     struct gateway_responder *responder, int fd);
/* What to wait for: POLLIN, or POLLOUT while responses are unsent. */
short gateway_connection_events(const struct gateway_connection *connection);
/*
 * Send what is unsent, serve every complete request, read once; never blocks.
 * An enum gateway_step, or a negative errno: the calf sent something
 * malformed. Responses to the requests before it are sent if the socket takes
 * them. Call it whenever the socket is ready for what was asked.
 */
int gateway_connection_step(struct gateway_connection *connection);

#endif
