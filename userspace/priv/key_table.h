/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key rules of a calf: description/ parses them, the supervisor seals them
 * and the gateway maps them. They are passed in a sealed memfd, so that the
 * gateway contains no file parser and cannot change its own rules.
 */
#ifndef CALFPEN_PRIV_KEY_TABLE_H
#define CALFPEN_PRIV_KEY_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/instance.h"
#include "userspace/common/key_rule.h"

#define KEY_TABLE_KEYS_MAX 96
#define KEY_TABLE_NAME_MAX 15
/* Increment with every change to struct key_table or a struct in it. */
#define KEY_TABLE_VERSION 4u

struct key_table {
	uint32_t version; /* KEY_TABLE_VERSION */
	uint32_t size;	  /* of this struct */
	uint32_t uid;	  /* that the gateway takes */
	bool verbose;
	uint32_t log_bytes_per_second;	      /* of the calf's log lines ... */
	uint32_t log_burst;		      /* ... with this many bytes at once */
	char name[KEY_TABLE_NAME_MAX + 1];    /* the calf's */
	char instance[INSTANCE_NAME_MAX + 1]; /* for syslog */
	uint32_t n_keys;
	struct key_rule keys[KEY_TABLE_KEYS_MAX];
};

/* Create a sealed memfd that holds `table` with version and size filled in.
 * Returns a close-on-exec descriptor, or a negative errno, not logged. */
int key_table_seal(const struct key_table *table);

/*
 * Map a memfd of key_table_seal() read-only, for the lifetime of the process.
 * Returns 0; or, not logged and with *tablep unchanged, -EPERM (not sealed),
 * -EPROTO (another version or size), -EBADMSG (an entry that no description can
 * contain), or another negative errno.
 */
int key_table_map(int fd, const struct key_table **tablep);

#endif
