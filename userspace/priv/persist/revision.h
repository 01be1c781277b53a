/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The highest revision that may have been used, in the file DIRECTORY/revision, mode
 * 0600. While an instance runs, the file is ahead of the store by
 * PERSIST_REVISION_AHEAD, renewed when half of that is used, so that after a power
 * cut the store continues above every revision that any client has seen. A clean
 * shutdown leaves the store's own revision, so that the next boot continues without
 * a gap.
 *
 * Half of the lead is more than can ever be unread in the event ring, because the
 * store refuses further changes. So no client gets a revision above that in the
 * file, unless the file cannot be written, which is logged.
 *
 *   offset  bytes, numbers little-endian
 *        0      8  magic "CALFREVN"
 *        8      4  layout version, 1
 *       12      8  revision, below 2^63
 *       20      4  CRC-32 (zlib's) of all bytes before it
 */
#ifndef CALFPEN_PRIV_PERSIST_REVISION_H
#define CALFPEN_PRIV_PERSIST_REVISION_H

#include <stdint.h>
#include <sys/types.h>

#define PERSIST_REVISION_FILE "revision"
#define PERSIST_REVISION_MAGIC "CALFREVN"
#define PERSIST_REVISION_VERSION 1u
#define PERSIST_REVISION_SIZE 24u
#define PERSIST_REVISION_AHEAD (1ull << 18)
/* If the file is damaged, revisions continue this far above the highest known one. */
#define PERSIST_REVISION_DAMAGED_JUMP (1ull << 32)

/* Read the file. Returns 0, -ENOENT if there is none, or -EBADMSG, not logged, if it
 * is damaged or cannot be read. */
int persist_revision_load(const char *directory, uint64_t *revisionp);

/* Replace the file: write it under another name, sync, rename, sync the directory.
 * Returns 0, or a negative errno, not logged. */
int persist_revision_save(const char *directory, uint64_t revision);

/* Returns the revision from which a new store continues: the greater of those in the
 * file and in the snapshot (persist.h), 0 if there is neither. Damaged files are
 * logged and renamed. */
uint64_t persist_revision_last(const char *directory);

/*
 * Write the file ahead of `revision` in a child process, so that the disk works while
 * the supervisor loads programs; persist_revision_end() waits for it before the first
 * revision is used. A failure is logged and does not prevent the start.
 * persist_revision_begin() returns the pid, or 0: nothing to wait for.
 */
pid_t persist_revision_begin(const char *directory, uint64_t revision);
void persist_revision_end(const char *directory, pid_t pid);

#endif
