/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the audit log's chain, in a file below /run: if the log, or its last lines,
 * are removed, this shows it as long as the host is up. The watcher writes it in shared
 * memory, because that costs no system call for each line; if the watcher is killed at any
 * moment, it has this end or the one before.
 */
#ifndef CALFPEN_COMMON_AUDIT_HEAD_H
#define CALFPEN_COMMON_AUDIT_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/common/chain.h"

#define AUDIT_RESERVES 2

struct audit_head {
	char hash[CHAIN_SIZE];		  /* of the last line, wherever it is */
	char log_hash[CHAIN_SIZE];	  /* of the last one in the log itself; "": not known */
	uint64_t log;			  /* audit_head_log() of its path; 0: it is no file */
	bool is_cut;			  /* a stream has taken a part of a line */
	uint32_t segment;		  /* of a file; 0: none is known */
	uint64_t drained[AUDIT_RESERVES]; /* bytes of each reserve that are in the log already */
};

struct audit_head_page;

/* Return a number that is another one for another path. */
uint64_t audit_head_log(const char *path);

/* Map the file for writing, and create it, mode 0600, if it is missing. Returns 0, or a
 * negative errno, not logged. */
int audit_head_open(const char *path, struct audit_head_page **pagep);
void audit_head_close(struct audit_head_page *page);
void audit_head_set(struct audit_head_page *page, const struct audit_head *head);
/* Get what was set last. Returns 0, or -ENODATA: nothing yet. */
int audit_head_get(const struct audit_head_page *page, struct audit_head *headp);
/* Do the same with the file. Returns -ENODATA also if it is not such a file, or another
 * negative errno, -ENOENT if it is missing. */
int audit_head_read(const char *path, struct audit_head *headp);

#endif
