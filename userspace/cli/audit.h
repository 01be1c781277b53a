/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of `calfpen audit`: printing a line of the log (audit_line.c), reading its
 * files and following them while they grow and are rotated (audit_file.c), and checking
 * the chain of its lines (audit_verify.c).
 */
#ifndef CALFPEN_CLI_AUDIT_H
#define CALFPEN_CLI_AUDIT_H

#include <limits.h>
#include <sys/stat.h>

#include "userspace/cli/cli.h"
#include "userspace/common/audit_files.h"
#include "userspace/common/audit_head.h"

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
/* Return whether the line is a record. */
bool audit_line_is_record(const char *line, size_t length);

struct audit_file {
	char path[PATH_MAX]; /* of the newest file */
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

/* Read this file, whose descriptor becomes the struct's, from its start. Returns 0, or
 * -EINVAL if it is not a regular file: then the descriptor stays the caller's. */
int audit_file_use(struct audit_file *file, int fd);
/* Read up to the end of the file and call `call` for every complete line.
 * Returns 0 or a negative errno. */
int audit_file_read(struct audit_file *file, audit_file_fn call, void *data);
/* Call `call` for the last line if its newline is missing. */
void audit_file_end(struct audit_file *file, audit_file_fn call, void *data);
/* Start over if the file was truncated, and switch to the next file if it was
 * rotated. Call this periodically, after audit_file_read(). The old file is
 * closed only after two calls that found a new file which is not empty, because
 * the writer may still append to the old one. Returns 0 or a negative errno. */
int audit_file_follow(struct audit_file *file, audit_file_fn call, void *data);
void audit_file_close(struct audit_file *file);

/* The files of a log that were there at one moment, the newest first, then those in which
 * records wait. */
struct audit_set {
	unsigned int n;
	struct audit_set_file {
		int fd;
		unsigned int number; /* of the segment, or of the reserve */
		char path[PATH_MAX];
	} files[AUDIT_SEGMENTS_MAX], reserves[2];
	unsigned int n_reserves;
};

/* Open the files of the log `path`. Returns 0, or a negative errno: -EINVAL if the newest
 * one is not a regular file, or, if there is none, why it cannot be opened. */
int audit_set_open(struct audit_set *set, const struct cli *cli, const char *path);
void audit_set_close(struct audit_set *set);
/* Read what the watcher has noted of the end of the log `path`. Returns false if there is
 * nothing, or it is of another log. */
bool audit_read_head(const struct cli *cli, const char *path, struct audit_head *headp);

/* Check the log `path` and print the result. Returns an exit code: CLI_FAILURE if it is
 * damaged; or the negative errno of audit_set_open(). */
int audit_verify(const struct cli *cli, const char *path);

#endif
