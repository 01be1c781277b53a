/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease of a previous run, as saved in /lease/NAME and /ip. It is read as untrusted
 * input: if one value does not have its type, the lease is ignored.
 */
#ifndef CALFPEN_CALF_DHCP4_RESTORE_H
#define CALFPEN_CALF_DHCP4_RESTORE_H

#include "userspace/calf/dhcp4/client/client.h"
#include "userspace/calf/sdk/calf.h"
#include "userspace/calf/sdk/keys.h"

enum restore_key {
	RESTORE_ADDRESS = 0,
	RESTORE_SERVER,
	RESTORE_TIME,
	RESTORE_EXPIRES,
	RESTORE_STATE,
	RESTORE_IP,
	_RESTORE_KEY_N,
};

/* The values as they were read; "": the key does not exist. */
struct restore_values {
	char text[_RESTORE_KEY_N][KV_VALUE_SIZE];
};

struct restore {
	struct calf *calf;
	struct restore_values values;
	struct keys keys;
	void (*done)(void *data);
	void *data;
};

/*
 * Read all keys at once and call done(). A key that cannot be read counts as
 * missing. If the store is busy, retry. Returns 0, or a negative errno, logged.
 */
int restore_read(struct restore *restore, struct calf *calf, void (*done)(void *data), void *data);

/* Return the path of an enum restore_key: "/lease/address". */
const char *restore_path(unsigned int key);

/*
 * Parse the saved lease. Returns 0 with *saved; -ENOENT if there is none;
 * -EBADMSG, with *wrong the first key that is missing or has a value that the
 * calf does not write. `wall_s`: seconds since 1970, as far as the host knows.
 */
int restore_lease(const struct restore_values *values, const struct client_config *config,
		  int64_t wall_s, struct client_saved *saved, enum restore_key *wrong);

/* Return whether the operator released the lease and has not requested a new
 * one. */
bool restore_is_released(const struct restore_values *values);

#endif
