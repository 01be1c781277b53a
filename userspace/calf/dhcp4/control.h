/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the client through the store: /link says whether the uplink is
 * attached, and the keys below it which MACs are this host's (host_macs.h); a key
 * /control/dhcp4/renew, /control/dhcp4/release or /control/dhcp4/stop, whatever its value, is
 * an operator's request and is deleted after it was carried out.
 */
#ifndef CALFPEN_CALF_DHCP4_CONTROL_H
#define CALFPEN_CALF_DHCP4_CONTROL_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/dhcp4/host_macs.h"
#include "userspace/calf/sdk/calf.h"

enum control_key {
	CONTROL_RENEW = 0,
	CONTROL_RELEASE,
	CONTROL_STOP,
	_CONTROL_KEY_N,
};

struct control;

/* A request that was carried out and is to be deleted. */
struct control_request {
	struct control *control;
	uint64_t revision; /* of the last value of the key; 0: none */
	uint64_t asked;	   /* of the value that the store was asked to delete; 0: none */
};

struct control {
	struct calf *calf;
	/* CLIENT_LINK_UP, _LINK_DOWN, _RENEW, _RELEASE or _STOP. */
	void (*call)(enum client_event_type type, void *data);
	void *data;
	struct control_request requests[_CONTROL_KEY_N];
	struct loop_timer retry;
	struct host_macs host_macs;
};

/* Watch the keys. If the store refuses to watch a key, that is logged and
 * changes of the key are never noticed. Returns 0, or a negative errno,
 * logged. */
int control_start(struct control *control, struct calf *calf,
		  void (*call)(enum client_event_type type, void *data), void *data);

/* Return whether every request that was carried out is deleted. */
bool control_is_idle(const struct control *control);

#endif
