/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Up to which revision any may have been given out, in the file
 * DIRECTORY/revision, mode 0600. While an instance runs it is ahead of the
 * store by PERSIST_REVISION_AHEAD, renewed when half of that is used, so that
 * after a power cut the store goes on above every revision that anybody has
 * seen. A clean end leaves the store's own: then the next boot goes on without
 * a gap.
 *
 * Half of it is more than can ever be unread in the ring of events: further
 * changes are refused there. So nobody is given a revision above the file's,
 * unless the file cannot be written, which is logged.
 *
 *   offset  bytes, numbers little-endian
 *        0      8  magic "CALFREVN"
 *        8      4  layout version, 1
 *       12      8  revision, below 2^63
 *       20      4  CRC-32 (zlib's) of all before it
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
/* Where the file is damaged the store goes on so far above what else is known. */
#define PERSIST_REVISION_DAMAGED_JUMP (1ull << 32)

/* Read the file: 0; -ENOENT if there is none; -EBADMSG, not logged, if it is
 * damaged or cannot be read. */
int persist_revision_load(const char *directory, uint64_t *revisionp);

/* Replace the file: written under another name, synced, renamed, the
 * directory synced. 0, or a negative errno, not logged. */
int persist_revision_save(const char *directory, uint64_t revision);

/* From which revision a store that is made anew goes on: the greater of what
 * the file and the snapshot (persist.h) say, 0 where there are neither. What
 * is damaged is logged and set aside. */
uint64_t persist_revision_last(const char *directory);

/*
 * Let the file be ahead of `revision`, in a process of its own: the disk takes
 * its time while the supervisor loads programs. Then wait for it, before the
 * first revision is given out. What fails is logged, and no reason not to
 * start. The pid, or 0: nothing to wait for.
 */
pid_t persist_revision_begin(const char *directory, uint64_t revision);
void persist_revision_end(const char *directory, pid_t pid);

#endif
