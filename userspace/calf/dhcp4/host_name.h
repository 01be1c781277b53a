/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's host name (common/host_name.h), sent as option 12 or 81 if the
 * operator has configured `hostname: host` or `fqdn: host`. A change is sent with the
 * next message.
 */
#ifndef CALFPEN_CALF_DHCP4_HOST_NAME_H
#define CALFPEN_CALF_DHCP4_HOST_NAME_H

#include "userspace/calf/dhcp4/settings.h"

struct host_name {
	const struct settings_values *values;
	struct message_sender *sender;
	bool is_missing; /* not sent again since events were lost */
};

/* Watch the key if the name is to be sent, and keep it in `sender`; all arguments
 * must outlive the calf. Returns 0, or a negative errno, logged. */
int host_name_follow(struct host_name *host_name, struct calf *calf,
		     const struct settings_values *values, struct message_sender *sender);

#endif
