/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file in which records wait that the log does not take: AUDIT_RESERVE_SIZE bytes of it
 * are allocated before they are needed, so that it can be written on a full disk. Its
 * content outlives the process.
 */
#ifndef CALFPEN_PRIV_AUDIT_RESERVE_H
#define CALFPEN_PRIV_AUDIT_RESERVE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/audit_files.h"
#include "userspace/common/chain.h"

struct audit_reserve {
	char path[PATH_MAX]; /* "": none */
	int fd;		     /* -1: not open */
	bool is_allocated;
	uint64_t at, used; /* of the first line that waits; where the next one goes */
	char line[AUDIT_LINE_SIZE];
};

#define AUDIT_RESERVE_NULL(_x) ((struct audit_reserve){ .fd = -1 })

/* Open the file or create it, mode 0600, and allocate its memory, unless that is done; it
 * may have lines already. Returns 0, or a negative errno, not logged. */
int audit_reserve_prepare(struct audit_reserve *reserve);
/* Close it, and remove it if nothing waits in it. */
void audit_reserve_close(struct audit_reserve *reserve);
bool audit_reserve_is_empty(const struct audit_reserve *reserve);
/* Append a line, newline included. Returns 0, or a negative errno. */
int audit_reserve_append(struct audit_reserve *reserve, const char *line, size_t length);
/* Return the first line that waits, newline included, which is valid until the next call,
 * and its length; or NULL: none waits, or it cannot be read. */
const char *audit_reserve_first(struct audit_reserve *reserve, size_t *lengthp);
/* Step behind this line; it stays in the file. */
void audit_reserve_pop(struct audit_reserve *reserve, size_t length);
/* Forget all lines, and allocate the memory again. */
void audit_reserve_reset(struct audit_reserve *reserve);

#endif
