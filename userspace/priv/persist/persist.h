/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the store that survives a reboot: the keys that a description marks
 * persistent, and the store's revision when they were saved, in the file
 * DIRECTORY/store, or, if they are secrets, DIRECTORY/secrets, both of mode 0600. The
 * watcher replaces the first one atomically, the supervisor the second one, because the
 * watcher may not read secrets; the supervisor reads both, as untrusted input, when it had
 * to create a new store. Only these two use this directory. revision.h keeps the revision
 * from which a new store continues.
 *
 * Either file, numbers little-endian:
 *
 *   offset  bytes
 *        0      8  magic "CALFKEPT"
 *        8      4  layout version, 1
 *       12      4  number of entries, at most PERSIST_ENTRIES_MAX
 *       16      8  revision of the store, below 2^63
 *       24      8  size of the file
 *       32         entries, in ascending order of path:
 *                    8  revision that wrote it, at most the store's
 *                    8  time of that, nanoseconds since 1970
 *                    2  length of the path, 2 length of the value
 *                       path, value: no NULs
 *   size-4      4  CRC-32 (zlib's) of all bytes before it
 *
 * The CRC detects every error of up to 32 adjacent bits, so every changed byte; the
 * size detects truncation and additions. Neither protects against an attacker: only
 * root can access the directory.
 */
#ifndef CALFPEN_PRIV_PERSIST_PERSIST_H
#define CALFPEN_PRIV_PERSIST_PERSIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/common/bytes.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/store/wanted.h"

#define PERSIST_FILE "store"
#define PERSIST_SECRETS_FILE "secrets"
#define PERSIST_MAGIC "CALFKEPT"
#define PERSIST_VERSION 1u
#define PERSIST_HEADER_SIZE 32u
#define PERSIST_ENTRY_HEADER_SIZE 20u
#define PERSIST_TRAILER_SIZE 4u
#define PERSIST_ENTRIES_MAX (KV_KEYS_MAX + KV_KEYS_SLACK)
#define PERSIST_SIZE_MIN (PERSIST_HEADER_SIZE + PERSIST_TRAILER_SIZE)
#define PERSIST_SIZE_MAX    \
	(PERSIST_SIZE_MIN + \
	 PERSIST_ENTRIES_MAX * (PERSIST_ENTRY_HEADER_SIZE + KV_PATH_MAX + (size_t)KV_VALUE_MAX))

/* Find the first description key that makes `path` persistent. Returns NULL if there
 * is none. */
const struct key_rule *persist_find_key(const struct description *descriptions,
					uint32_t n_descriptions, const char *path);

/*
 * Replace the file `store` with the persistent keys of `wanted` that are no secrets, and its
 * revision: write it under another name, sync, rename, sync the directory. wall_offset_ns is
 * CLOCK_REALTIME - CLOCK_BOOTTIME. Returns 0, or a negative errno (not logged); then
 * the old file is unchanged, unless syncing the directory failed.
 */
int persist_save(const char *directory, const struct wanted *wanted,
		 const struct description *descriptions, uint32_t n_descriptions,
		 uint64_t wall_offset_ns);

/* Replace the file `secrets` with the persistent keys of `wanted` that are secrets, as
 * persist_save() does. Without such a key, a file that does not exist is not created. */
int persist_save_secrets(const char *directory, const struct wanted *wanted,
			 const struct description *descriptions, uint32_t n_descriptions,
			 uint64_t wall_offset_ns);

/* Return true if there can be something to save by persist_save_secrets(): a description has
 * a persistent secret, or the file is there and may have what no description keeps. */
bool persist_has_secrets(const char *directory, const struct description *descriptions,
			 uint32_t n_descriptions);

struct persist_entry {
	struct kv_key key;
	uint64_t revision;
	uint64_t wall_ns;
	const char *text; /* `length` bytes, no NUL; valid as long as the snapshot */
	uint16_t length;
};

struct persist_snapshot {
	uint8_t *bytes; /* owned, NULL after persist_check() alone */
	uint64_t revision;
	uint32_t n_entries;
	struct bytes_reader entries; /* those not returned by persist_next() yet */
};

#define PERSIST_SNAPSHOT_NULL(_x) ((struct persist_snapshot){ 0 })

/* Check all of `size` bytes, which must outlive the snapshot. Returns NULL, or the
 * reason why they are not a valid snapshot. */
const char *persist_check(struct persist_snapshot *snapshot, const void *bytes, size_t size);
/* Get the next entry. Returns false after the last one. */
bool persist_next(struct persist_snapshot *snapshot, struct persist_entry *entry);

/* Read the file `store`. Returns 0, -ENOENT if there is none, or -EBADMSG if it is damaged or
 * cannot be read: then it is renamed to store.damaged-N, and one line is logged. */
int persist_load(const char *directory, struct persist_snapshot *snapshot);
/* Read the file `secrets` in the same way. */
int persist_load_secrets(const char *directory, struct persist_snapshot *snapshot);
/* Free a snapshot. No-op on PERSIST_SNAPSHOT_NULL. */
void persist_snapshot_deinit(struct persist_snapshot *snapshot);

/*
 * Restore a new store, of revision 0, from both files: set its revision, or `revision`
 * (persist_revision_last()) if that is greater, then write their keys in commits of
 * the supervisor, whose rules must allow that, and say what is a secret. Keys that are not
 * persistent in any description, or whose type rejects the value, are left out; of a key that
 * is in both files, as after a power cut soon after it became a secret, the newer one counts.
 * Returns 0, also if there is no file or a damaged one, otherwise a negative errno (-EAGAIN:
 * more than the supervisor's share of the event ring, which is not read yet). After an error
 * the store may contain a part of the keys, and the caller continues with that; the
 * files are renamed, which is logged, so that the next save does not replace them.
 */
int persist_restore(const char *directory, int supervisor_gate_fd, uint64_t revision,
		    const struct description *descriptions, uint32_t n_descriptions);

#endif
