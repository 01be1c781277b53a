/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of `calfpen audit`: lines of the log (audit_line.c), and the file
 * as it grows, is rotated or cut (audit_file.c).
 */
#ifndef CALFPEN_CLI_AUDIT_H
#define CALFPEN_CLI_AUDIT_H

#include <limits.h>
#include <sys/stat.h>

#include "userspace/cli/cli.h"

/* A line as long as this, or longer, is none of the log's. */
#define AUDIT_LINE_MAX 16384

/*
 * Print one line, which has no newline, if the options of `cli` ask for it;
 * `directory` is --path's as cli_directory() makes it, or NULL. What is no
 * record is printed as damaged, whatever was asked for.
 */
void audit_line_print(const struct cli *cli, const char *directory, const char *line,
		      size_t length);

struct audit_file {
	char path[PATH_MAX];
	int fd;
	dev_t device;
	ino_t inode;
	off_t offset;	/* of what was read */
	int n_replaced; /* times in a row that another file was found there */
	size_t used;	/* of `line`: one that has no end yet */
	char line[AUDIT_LINE_MAX];
};

#define AUDIT_FILE_NULL(_x) ((struct audit_file){ .fd = -1 })

typedef void (*audit_file_fn)(void *data, const char *line, size_t length);

/* Open path: 0, or a negative errno; -EINVAL if it is no regular file. */
int audit_file_open(struct audit_file *file);
/* Read all that is there and call for every line: 0 or a negative errno. */
int audit_file_read(struct audit_file *file, audit_file_fn call, void *data);
/* The last line even if its newline is missing. */
void audit_file_end(struct audit_file *file, audit_file_fn call, void *data);
/* Look whether the file was cut or another one is in its place, and go on
 * there. To be called from time to time, after audit_file_read(). The old
 * file is left only after it was read twice while there was something in the
 * new: its writer may not have noticed yet. 0 or a negative errno. */
int audit_file_follow(struct audit_file *file, audit_file_fn call, void *data);
void audit_file_close(struct audit_file *file);

#endif
