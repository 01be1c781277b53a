/* SPDX-License-Identifier: Apache-2.0 */
/* Read a set of keys before a calf starts its work. */
#ifndef CALFPEN_CALF_SDK_KEYS_H
#define CALFPEN_CALF_SDK_KEYS_H

#include "userspace/calf/sdk/calf.h"

/*
 * Called once for each key with the response to its read: CALF_OK, or an error
 * and its text. Returns 0 to continue, or a negative errno, logged by the
 * callee, with which the calf is to stop.
 */
typedef int (*keys_value_fn)(void *data, unsigned int i, int status, const char *text,
			     size_t length);

struct keys {
	struct calf *calf;
	const char *(*path)(unsigned int i);
	unsigned int n_keys, n_done;
	struct keys_entry {
		struct keys *keys;
		bool is_done;
		bool is_requested; /* the response is outstanding */
	} entries[CALF_PENDING_MAX];
	struct loop_timer retry; /* of keys that are neither done nor requested */
	keys_value_fn value;
	void (*done)(void *data);
	void *data;
};

/*
 * Read the keys path(0) .. path(n_keys - 1), at most CALF_PENDING_MAX, all at
 * once. `value` gets each response, in any order; after the last one `done` is
 * called once. Reads that the busy store refuses are retried every 100 ms.
 * `keys` must live until then; both functions get `data`. Returns 0, or a
 * negative errno, logged.
 */
int keys_read(struct keys *keys, struct calf *calf, const char *(*path)(unsigned int i),
	      unsigned int n_keys, keys_value_fn value, void (*done)(void *data), void *data);

#endif
