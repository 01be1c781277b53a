/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wanted state: a copy of the store as of one revision, sorted by path.
 * Its memory is taken once, for a full store; a key stays where it is while
 * others come and go.
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
	struct wanted_key **keys; /* n_keys of them sorted, then those that are free */
	uint32_t n_keys;
	uint32_t max_keys;
	uint64_t revision;
	struct wanted_key *room; /* where all of them are */
};

#define WANTED_NULL(_x) ((struct wanted){ 0 })

/* for the watcher */

/* Room for `max_keys`; -ENOMEM. Memory is touched as keys come. */
int wanted_init(struct wanted *wanted, uint32_t max_keys);
void wanted_deinit(struct wanted *wanted);
/* Forget all keys; the revision becomes 0. */
void wanted_clear(struct wanted *wanted);
/*
 * Set or remove a key as the commit of `value->revision` (`revision`) did. A
 * key that a later commit wrote is left alone, so events that a list has
 * overtaken do no harm. 0, or -ENOSPC if the table is full.
 */
int wanted_set(struct wanted *wanted, const struct kv_key *key, const struct kv_value *value);
void wanted_remove(struct wanted *wanted, const struct kv_key *key, uint64_t revision);

/* for handlers */

/* The value of `path`, or NULL. */
const struct kv_value *wanted_get(const struct wanted *wanted, const char *path);
/* Index of the first key below directory "/nameserver/", or n_keys; the
 * others follow in order of path. */
uint32_t wanted_first_below(const struct wanted *wanted, const char *directory);
/* True while `i_key` is a key below it. */
bool wanted_is_below(const struct wanted *wanted, uint32_t i_key, const char *directory);

#endif
