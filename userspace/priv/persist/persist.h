/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the store survives a reboot: the keys that a description marks
 * persistent and the revision of when they were saved, in the file
 * DIRECTORY/store, mode 0600. (The revision it goes on from: revision.h.) The
 * watcher replaces it in one step; the supervisor reads it, as hostile input,
 * when it had to make the store anew.
 *
 * The file, numbers little-endian:
 *
 *   offset  bytes
 *        0      8  magic "CALFKEPT"
 *        8      4  layout version, 1
 *       12      4  number of entries, at most PERSIST_ENTRIES_MAX
 *       16      8  revision of the store, below 2^63
 *       24      8  size of the file
 *       32         entries, in ascending order of path:
 *                    8  revision that wrote it, at most the store's
 *                    8  when that was, nanoseconds since 1970
 *                    2  length of the path, 2 length of the value
 *                       path, value: no NULs
 *   size-4      4  CRC-32 (zlib's) of all before it
 *
 * The CRC finds every damage of up to 32 neighbouring bits, so every changed
 * byte; the size finds what was cut or added. Neither is meant against an
 * attacker: the directory is root's alone.
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

/* The key of the first description that keeps `path`, or NULL: not persistent. */
const struct key_rule *persist_find_key(const struct description *descriptions,
					uint32_t n_descriptions, const char *path);

/*
 * Replace the file by the persistent keys of `wanted` and its revision:
 * written under another name, synced, renamed, the directory synced.
 * wall_offset_ns is CLOCK_REALTIME - CLOCK_BOOTTIME. 0, or a negative errno
 * (not logged); then the former file is there as it was, unless it is the
 * directory that could not be synced.
 */
int persist_save(const char *directory, const struct wanted *wanted,
		 const struct description *descriptions, uint32_t n_descriptions,
		 uint64_t wall_offset_ns);

struct persist_entry {
	struct kv_key key;
	uint64_t revision;
	uint64_t wall_ns;
	const char *text; /* `length` bytes, no NUL; lives as long as the snapshot */
	uint16_t length;
};

struct persist_snapshot {
	uint8_t *bytes; /* owned, NULL after persist_check() alone */
	uint64_t revision;
	uint32_t n_entries;
	struct bytes_reader entries; /* what persist_next() has not given yet */
};

#define PERSIST_SNAPSHOT_NULL(_x) ((struct persist_snapshot){ 0 })

/* Check `size` bytes, all of them; they must outlive the snapshot. NULL, or
 * the reason why they are no snapshot. */
const char *persist_check(struct persist_snapshot *snapshot, const void *bytes, size_t size);
/* The next entry: true, or false after the last. */
bool persist_next(struct persist_snapshot *snapshot, struct persist_entry *entry);

/* Read the file: 0; -ENOENT if there is none; -EBADMSG if it is damaged or
 * cannot be read: then it is renamed store.damaged-N, and one line says why. */
int persist_load(const char *directory, struct persist_snapshot *snapshot);
/* No-op on PERSIST_SNAPSHOT_NULL. */
void persist_snapshot_deinit(struct persist_snapshot *snapshot);

/*
 * Bring a new store, of revision 0, to what the file holds: its revision, or
 * `revision` (persist_revision_last()) if that is greater, then its keys in
 * commits of the supervisor, whose rules must let it write them.
 * Keys that no description keeps, or whose type refuses the value, are left
 * out. 0, also where there is no file or a damaged one; else a negative errno
 * (-EAGAIN: more than the supervisor's share of the event ring, which nobody
 * reads yet): the store may hold a part, and a caller goes on with that; the
 * file is set aside, logged, so that the next save does not replace it.
 */
int persist_restore(const char *directory, int supervisor_gate_fd, uint64_t revision,
		    const struct description *descriptions, uint32_t n_descriptions);

#endif
