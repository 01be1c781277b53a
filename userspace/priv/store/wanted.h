/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wanted state: a copy of the store as of one revision, sorted by path. The
 * watcher maintains it; handlers/ and persist/ read it. Its memory is allocated
 * once, for a full store, and a key stays at its address while others are added
 * and removed.
 */
#ifndef CALFPEN_PRIV_STORE_WANTED_H
#define CALFPEN_PRIV_STORE_WANTED_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"

struct wanted_key {
	struct kv_key key;
	struct kv_value value;
};

struct wanted {
	struct wanted_key **keys; /* n_keys sorted ones, then free ones */
	uint32_t n_keys;
	uint32_t max_keys;
	uint64_t revision;
	struct wanted_key *room; /* memory of all keys */
};

#define WANTED_NULL(_x) ((struct wanted){ 0 })

/* for the watcher */

/* Allocate memory for `max_keys` keys; it is touched only as keys are added.
 * Returns 0 or -ENOMEM. */
int wanted_init(struct wanted *wanted, uint32_t max_keys);
void wanted_deinit(struct wanted *wanted);
/* Remove all keys and set the revision to 0. */
void wanted_clear(struct wanted *wanted);
/*
 * Set or remove a key as the commit of `value->revision` (`revision`) did. A key
 * written by a later commit is left alone, so that events older than a listing
 * do no harm. wanted_set() returns 0, or -ENOSPC if the table is full.
 */
int wanted_set(struct wanted *wanted, const struct kv_key *key, const struct kv_value *value);
void wanted_remove(struct wanted *wanted, const struct kv_key *key, uint64_t revision);

/* for handlers */

/* Return the value of `path`, or NULL. */
const struct kv_value *wanted_get(const struct wanted *wanted, const char *path);
/* Return the index of the first key below a directory such as "/nameserver/", or
 * n_keys. The others follow it in the order of their paths. */
uint32_t wanted_first_below(const struct wanted *wanted, const char *directory);
/* Return true if `i_key` is the index of a key below `directory`. */
bool wanted_is_below(const struct wanted *wanted, uint32_t i_key, const char *directory);

#endif
