/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files an audit log has, for the watcher, which writes them, and `calfpen`:
 *
 *	LOG, LOG.1, LOG.2, ...			segments, the newest first
 *	LOG without ".jsonl", with ".reserve"	records that LOG did not take
 *	RUN/audit-reserve			and those that did not fit there
 *	RUN/audit-head				the end of the chain (audit_head.h)
 *
 * All but the last have the same lines. RUN is the run directory of the instance.
 */
#ifndef CALFPEN_COMMON_AUDIT_FILES_H
#define CALFPEN_COMMON_AUDIT_FILES_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_SEGMENTS_MAX 100 /* LOG and up to LOG.99 */
#define AUDIT_LINE_SIZE 8192   /* of the longest line, with its newline and NUL */
#define AUDIT_RESERVE_SIZE (1u << 20)
#define AUDIT_RESERVE_NAME "audit-reserve"
#define AUDIT_HEAD_NAME "audit-head"
/* Verbs of records of the subject "audit" */
#define AUDIT_BEGIN "begin"	  /* the first record of a segment */
#define AUDIT_MISMATCH "mismatch" /* the end of the log was not what was written last */

/* Store the path of segment `i`, or of the reserve beside the log. Each returns 0, or
 * -ENAMETOOLONG. */
int audit_segment_path(const char *log, unsigned int i, char path[static PATH_MAX]);
int audit_reserve_path(const char *log, char path[static PATH_MAX]);
/* Return the number of the segment that this line begins, or 0: it begins none. */
uint32_t audit_segment_of(const char *line, size_t length);

#endif
