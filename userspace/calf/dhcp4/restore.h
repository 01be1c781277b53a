/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store remembers of a former life: the lease in /lease/NAME. It is
 * read as if an enemy had written it: with a value that is not of its type the
 * whole lease is ignored.
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
	_RESTORE_KEY_N,
};

/* The values as they were read; "": there is none. */
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
 * Read all keys at once and call done(). What cannot be read counts as absent;
 * what the store is too busy to answer is asked again. Returns 0, or a negative
 * errno, logged.
 */
int restore_read(struct restore *restore, struct calf *calf, void (*done)(void *data), void *data);

/* "/lease/address" */
const char *restore_path(unsigned int key);

/*
 * The lease: 0 with *saved; -ENOENT if there is none; -EBADMSG with *wrong the
 * first value that is missing or not what we write. `wall_s`: seconds since
 * 1970, as far as the host knows.
 */
int restore_lease(const struct restore_values *values, const struct client_config *config,
		  int64_t wall_s, struct client_saved *saved, enum restore_key *wrong);

/* The operator had the lease given back and has not asked for one again. */
bool restore_is_released(const struct restore_values *values);

#endif
