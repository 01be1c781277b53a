/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of `calfpen audit`: printing a line of the log (audit_line.c), and
 * following the file while it grows, is rotated or truncated (audit_file.c).
 */
#ifndef CALFPEN_CLI_AUDIT_H
#define CALFPEN_CLI_AUDIT_H

#include <limits.h>
#include <sys/stat.h>

#include "userspace/cli/cli.h"

/* Every line of the log is shorter than this. */
#define AUDIT_LINE_MAX 16384

/*
 * Print `line`, which has no newline, if it matches the options of `cli`.
 * `directory` is the argument of --path, converted by cli_directory(), or NULL.
 * A line that is not a record is always printed, as damaged, up to the record that
 * was appended to it, if there is one.
 */
void audit_line_print(const struct cli *cli, const char *directory, const char *line,
		      size_t length);

struct audit_file {
	char path[PATH_MAX];
	int fd;
	dev_t device;
	ino_t inode;
	off_t offset;	/* of the next byte to read */
	int n_replaced; /* how many times in a row `path` was another file */
	size_t used;	/* bytes of `line`, whose newline was not read yet */
	char line[AUDIT_LINE_MAX];
};

#define AUDIT_FILE_NULL(_x) ((struct audit_file){ .fd = -1 })

typedef void (*audit_file_fn)(void *data, const char *line, size_t length);

/* Open file->path. Returns 0, -EINVAL if it is not a regular file, or another
 * negative errno. */
int audit_file_open(struct audit_file *file);
/* Read up to the end of the file and call `call` for every complete line.
 * Returns 0 or a negative errno. */
int audit_file_read(struct audit_file *file, audit_file_fn call, void *data);
/* Call `call` for the last line if its newline is missing. */
void audit_file_end(struct audit_file *file, audit_file_fn call, void *data);
/* Start over if the file was truncated, and switch to the new file if it was
 * rotated. Call this periodically, after audit_file_read(). The old file is
 * closed only after two calls that found a new file which is not empty, because
 * the writer may still append to the old one. Returns 0 or a negative errno. */
int audit_file_follow(struct audit_file *file, audit_file_fn call, void *data);
void audit_file_close(struct audit_file *file);

#endif
