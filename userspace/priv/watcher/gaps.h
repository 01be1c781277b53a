/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which revisions have no line in the audit log, because their record is missing or
 * cannot be read. Revisions have no gaps of their own, so a missing one shows when the
 * next record is read. After the store was listed, the keys of these revisions get a
 * line from the list.
 */
#ifndef CALFPEN_PRIV_WATCHER_GAPS_H
#define CALFPEN_PRIV_WATCHER_GAPS_H

#include <stdbool.h>
#include <stdint.h>

#define GAPS_MAX 16 /* ranges; then the last one grows over what is between */

struct gaps {
	/* The first revision that has no line yet, 0: unknown. The caller's; it may outlive the
	 * process, so that the next watcher tells what this one did not. */
	uint64_t *nextp;
	uint64_t next; /* the revision that is read next, 0: unknown */
	struct {
		uint64_t first, last;
	} ranges[GAPS_MAX];
	uint32_t n;
};

/* Begin without a gap, at *nextp. */
void gaps_init(struct gaps *gaps, uint64_t *nextp);
/* Note that the record of a revision was read; `is_told`: and has a line in the log. */
void gaps_note(struct gaps *gaps, uint64_t revision, bool is_told);
/* Note that records may be lost: if it is not known which one is read next, every revision
 * before that counts as a gap. */
void gaps_note_damage(struct gaps *gaps);
/* Returns whether the revision is in a gap. */
bool gaps_contain(const struct gaps *gaps, uint64_t revision);
/* Forget the gaps: they are told. */
void gaps_clear(struct gaps *gaps);

#endif
