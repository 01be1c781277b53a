/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others want of the client by way of the store: /link says whether the
 * uplink is attached; a key /control/renew, /control/release or /control/stop,
 * whatever its value, is a request, and is deleted when it has been acted on.
 */
#ifndef CALFPEN_CALF_DHCP4_CONTROL_H
#define CALFPEN_CALF_DHCP4_CONTROL_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/sdk/calf.h"

enum control_key {
	CONTROL_RENEW = 0,
	CONTROL_RELEASE,
	CONTROL_STOP,
	_CONTROL_KEY_N,
};

struct control;

/* A request that has been acted on and is to be deleted. */
struct control_request {
	struct control *control;
	uint64_t revision; /* of its last value; 0: none */
	uint64_t asked;	   /* of what the store is asked to delete; 0: nothing */
};

struct control {
	struct calf *calf;
	/* CLIENT_LINK_UP, _LINK_DOWN, _RENEW, _RELEASE or _STOP. */
	void (*call)(enum client_event_type type, void *data);
	void *data;
	struct control_request requests[_CONTROL_KEY_N];
	struct loop_timer retry;
};

/* Watch the keys. One that may not be watched is logged, and nothing is ever
 * heard of it. 0, or a negative errno, logged. */
int control_start(struct control *control, struct calf *calf,
		  void (*call)(enum client_event_type type, void *data), void *data);

/* True if every request that was acted on is deleted. */
bool control_is_idle(const struct control *control);

#endif
