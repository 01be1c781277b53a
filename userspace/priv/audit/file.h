/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regular file that lines are appended to, by several processes, so that each line
 * is whole: on a full disk, write(2) may cut one. The rest of it is written before
 * anything else, or, if another process has appended something since, all of it once
 * more. A line always begins in a new line, whatever the last process left.
 */
#ifndef CALFPEN_PRIV_AUDIT_FILE_H
#define CALFPEN_PRIV_AUDIT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_LINE_SIZE 8192 /* the longest line with its newline and NUL */

struct audit_file {
	int fd;		  /* -1: not open */
	bool is_readable; /* whether the last line is whole can be looked up */
	uint64_t end;	  /* of the file, after our last write */
	bool is_cut;	  /* `line` is in the file in part: `done` bytes of it */
	size_t done;
	size_t length;
	char line[1 + AUDIT_LINE_SIZE]; /* after a newline that ends a line of others */
};

#define AUDIT_FILE_NULL(_x) ((struct audit_file){ .fd = -1 })

/* Use this descriptor, which is shared by all who write, or opened with O_APPEND, then for
 * reading, too. A line that was cut in another file is written to it as a whole. */
void audit_file_init(struct audit_file *file, int fd);
#define AUDIT_FILE_CUT 1

/* Append a line, which ends with a newline and is shorter than AUDIT_LINE_SIZE. Returns
 * 0; AUDIT_FILE_CUT if the disk is full and the rest will be written by the next
 * call, or by audit_file_complete(); or a negative errno: then the line is lost. */
int audit_file_append(struct audit_file *file, const char *line, size_t length);
/* Write the rest of a line that was cut. Returns 0, also if none was; or AUDIT_FILE_CUT
 * or a negative errno, if that is still not possible. */
int audit_file_complete(struct audit_file *file);

#endif
