/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream between a calf and its gateway: one fixed receive buffer, one bounded
 * buffer of unsent responses. While responses are unsent, no request is read and no
 * event taken: a calf that does not read its responses is not served and costs
 * nothing; after a timeout it is disconnected.
 */
#ifndef CALFPEN_PRIV_GATEWAY_CONNECTION_H
#define CALFPEN_PRIV_GATEWAY_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/wire.h"
#include "userspace/priv/gateway/output.h"
#include "userspace/priv/gateway/request.h"

#define GATEWAY_STALLED_TICKS 10 /* seconds without a byte read by the calf */

enum gateway_step {
	GATEWAY_GOES_ON = 0,
	GATEWAY_CLOSED = 1,  /* the calf closed its end */
	GATEWAY_FAILED = 2,  /* the socket failed, reason in errno */
	GATEWAY_STALLED = 3, /* the calf does not read its responses */
};

struct gateway_connection {
	struct gateway_responder *responder;
	int fd;
	bool is_unfinished;	/* there is more to do immediately */
	unsigned int n_stalled; /* ticks */
	size_t received_at;	/* requests before this offset are served */
	size_t n_received;
	uint64_t n_served;
	uint8_t received[WIRE_FRAME_MAX];
	struct gateway_output output;
};

/* Initialize. The responder and the socket stay owned by the caller. */
void gateway_connection_init(struct gateway_connection *connection,
			     struct gateway_responder *responder, int fd);
/* Returns the events to wait for: POLLIN, POLLOUT while there is something to send,
 * or both if there is more to do immediately. */
short gateway_connection_events(const struct gateway_connection *connection);
/* Returns the same for the subject's ring: POLLIN while the calf watches anything and
 * there is room for events, otherwise 0. */
short gateway_connection_ring_events(const struct gateway_connection *connection);
/*
 * Send unsent responses, serve every complete request, pass on events, and read;
 * never blocks. Call it whenever the socket is ready. Returns an enum gateway_step,
 * or a negative errno if the calf sent something malformed; responses to the requests
 * before that are sent if the socket accepts them.
 */
int gateway_connection_step(struct gateway_connection *connection);
/* The same without reading requests, when the ring has records. */
int gateway_connection_push(struct gateway_connection *connection);
/* The same, some time after the store could not continue a watch. */
int gateway_connection_retry(struct gateway_connection *connection);
/* Returns true if gateway_connection_retry() must be called. */
bool gateway_connection_needs_retry(const struct gateway_connection *connection);
/* Call once a second while gateway_connection_needs_tick(). Returns as
 * gateway_connection_push(), or GATEWAY_STALLED if the calf has not read anything for
 * GATEWAY_STALLED_TICKS. Ticks are counted instead of time, because a calf that was
 * suspended with its host has not stalled. */
int gateway_connection_tick(struct gateway_connection *connection);
/* Returns true if gateway_connection_tick() must be called. */
bool gateway_connection_needs_tick(const struct gateway_connection *connection);

#endif
