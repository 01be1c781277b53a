/* SPDX-License-Identifier: Apache-2.0 */
/* What the calf reads from the store before it starts: /mac and /config/NAME. */
#ifndef CALFPEN_CALF_DHCP4_SETTINGS_H
#define CALFPEN_CALF_DHCP4_SETTINGS_H

#include "userspace/calf/dhcp4/client.h"
#include "userspace/calf/sdk/calf.h"

struct settings {
	struct calf *calf;
	struct client_config config;
	struct message_policy policy;
	unsigned int i_key; /* being read */
	struct loop_timer retry;
	void (*done)(void *data);
	void *data;
};

/*
 * Read all keys, one after the other, and call done(). A key that is absent
 * leaves the default, but without /mac the calf stops. What the store is too
 * busy to answer is asked again. 0, or a negative errno, logged.
 */
int settings_read(struct settings *settings, struct calf *calf, void (*done)(void *data),
		  void *data);

#endif
