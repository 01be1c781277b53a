/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a calf, as its gateway needs them. The supervisor, which has
 * parsed the description, hands them over in a sealed memfd: so the gateway
 * holds no parser of files, and cannot change its own rules.
 */
#ifndef CALFPEN_PRIV_KEY_TABLE_H
#define CALFPEN_PRIV_KEY_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/value.h"

#define KEY_TABLE_KEYS_MAX 96
#define KEY_TABLE_NAME_MAX 15
/* Of struct key_table and all that it holds: one more with every change. */
#define KEY_TABLE_VERSION 1u

struct key_rule {
	char path[KV_PATH_SIZE]; /* "/ip", or "/nameserver/": each key below it */
	uint32_t access;	 /* KV_ACCESS_* of the calf */
	struct value_rule rule;
	uint32_t count;	 /* keys this entry can add up to: 1, or of a directory */
	bool persistent; /* survives a reboot in the snapshot (persist.h) */
};

struct key_table {
	uint32_t version; /* KEY_TABLE_VERSION */
	uint32_t size;	  /* of this struct */
	uint32_t uid;	  /* what the gateway is to run as */
	bool verbose;
	char name[KEY_TABLE_NAME_MAX + 1]; /* of the calf */
	uint32_t n_keys;
	struct key_rule keys[KEY_TABLE_KEYS_MAX];
};

/* The entry for a path among `n_keys`: the exact one, else its directory's,
 * else NULL. */
const struct key_rule *key_table_find(const struct key_rule *keys, uint32_t n_keys,
				      const char *path);

/* A sealed memfd that holds `table`, version and size filled in: its
 * descriptor, close-on-exec, or a negative errno, not logged. */
int key_table_seal(const struct key_table *table);

/*
 * Map what key_table_seal() made, read-only and for the life of the process.
 * 0; or, not logged, with *tablep untouched: -EPERM (not sealed), -EPROTO
 * (another version or size), -EBADMSG (an entry that no description has), or
 * another negative errno.
 */
int key_table_map(int fd, const struct key_table **tablep);

#endif
