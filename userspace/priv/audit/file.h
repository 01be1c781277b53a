/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regular file of lines that only this process appends to: a line is in it as a whole or
 * not at all, except for one that was being written when the power failed.
 */
#ifndef CALFPEN_PRIV_AUDIT_FILE_H
#define CALFPEN_PRIV_AUDIT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/chain.h"

struct audit_file {
	int fd;	      /* -1: not open */
	uint64_t end; /* of the file, after our last write */
	bool is_cut;  /* its last line has no newline */
};

#define AUDIT_FILE_NULL(_x) ((struct audit_file){ .fd = -1 })

/* What a file that exists says about the chain. */
struct audit_end {
	uint64_t size;
	uint32_t segment;	   /* of its first line, if that begins one; or 0 */
	bool is_cut;		   /* its last line has no newline */
	char hash[CHAIN_SIZE];	   /* of its last whole line; "": there is none */
	char previous[CHAIN_SIZE]; /* that this line has; "": none */
};

/* Read the end of a file. Returns 0, or a negative errno. */
int audit_file_read_end(int fd, struct audit_end *endp);
/* Use this descriptor, which was opened with O_APPEND and becomes the file's. */
void audit_file_use(struct audit_file *file, int fd, const struct audit_end *end);
void audit_file_close(struct audit_file *file);

#define AUDIT_FILE_GONE 1

/* Look whether somebody else has changed the file. Returns 0 with `end` up to date,
 * AUDIT_FILE_GONE if it has no name any more, or a negative errno. */
int audit_file_look(struct audit_file *file);
/* Append a line, newline included, after audit_file_look(). Returns 0, or a negative errno:
 * then nothing of it is in the file. */
int audit_file_append(struct audit_file *file, const char *line, size_t length);

#endif
