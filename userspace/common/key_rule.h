/* SPDX-License-Identifier: Apache-2.0 */
/* What a calf may do with a key, or with the keys of a directory, and what their values
 * are. Descriptions consist of these; the gateway and the command line look them up. */
#ifndef CALFPEN_COMMON_KEY_RULE_H
#define CALFPEN_COMMON_KEY_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/value.h"

struct key_rule {
	char path[KV_PATH_SIZE]; /* "/ip", or "/nameserver/": each key below it */
	uint32_t access;	 /* KV_ACCESS_* of the calf */
	struct value_rule rule;
	uint32_t count;	 /* maximum number of keys matching this entry; 1 unless a directory */
	bool persistent; /* saved on disk, so that it survives a reboot (persist.h) */
	bool secret;	 /* only the calf that writes it may read it (KV_ACCESS_SECRET) */
};

/* Find the entry for `path` among `n_keys`. Returns the exact one, else the one
 * of its directory, else NULL. */
const struct key_rule *key_rule_find(const struct key_rule *keys, uint32_t n_keys,
				     const char *path);

#endif
