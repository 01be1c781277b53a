/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream between a calf and its gateway: one fixed receive buffer, one
 * bounded buffer of unsent responses. While responses are unsent no request
 * is read and no event taken, so a calf that does not read is made to wait
 * and costs nothing; one that goes on so is given up.
 */
#ifndef CALFPEN_PRIV_GATEWAY_CONNECTION_H
#define CALFPEN_PRIV_GATEWAY_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/wire.h"
#include "userspace/priv/gateway/output.h"
#include "userspace/priv/gateway/request.h"

#define GATEWAY_STALLED_TICKS 10 /* without a byte read by the calf */

enum gateway_step {
	GATEWAY_GOES_ON = 0,
	GATEWAY_CLOSED = 1,  /* the calf closed its end */
	GATEWAY_FAILED = 2,  /* the socket failed, reason in errno */
	GATEWAY_STALLED = 3, /* the calf does not read what it asked for */
};

struct gateway_connection {
	struct gateway_responder *responder;
	int fd;
	bool is_unfinished;	/* there is more to do at once */
	unsigned int n_stalled; /* ticks */
	size_t received_at;	/* requests before it are served */
	size_t n_received;
	uint64_t n_served;
	uint8_t received[WIRE_FRAME_MAX];
	struct gateway_output output;
};

/* The responder and the socket stay the caller's. */
void gateway_connection_init(struct gateway_connection *connection,
			     struct gateway_responder *responder, int fd);
/* What to wait for: POLLIN, or POLLOUT while there is something to send. */
short gateway_connection_events(const struct gateway_connection *connection);
/* The same of the subject's ring: POLLIN while somebody watches and there is
 * room for events, else 0. */
short gateway_connection_ring_events(const struct gateway_connection *connection);
/*
 * Send what is unsent, serve every complete request, pass on events, read
 * once; never blocks. An enum gateway_step, or a negative errno: the calf sent
 * something malformed. Responses to the requests before it are sent if the
 * socket takes them. Call it whenever the socket is ready for what was asked.
 */
int gateway_connection_step(struct gateway_connection *connection);
/* The same without reading: the ring has something. */
int gateway_connection_push(struct gateway_connection *connection);
/* The same, some time after the store could not go on with a watch. */
int gateway_connection_retry(struct gateway_connection *connection);
bool gateway_connection_needs_retry(const struct gateway_connection *connection);
/* Once a second while gateway_connection_needs_tick(): as the push, and
 * GATEWAY_STALLED if the calf has not read for GATEWAY_STALLED_TICKS. Ticks are
 * counted, not time: a calf that slept with its host has not stalled. */
int gateway_connection_tick(struct gateway_connection *connection);
bool gateway_connection_needs_tick(const struct gateway_connection *connection);

#endif
