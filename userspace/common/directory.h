/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of what an instance leaves on disk: audit log, saved store. */
#ifndef CALFPEN_COMMON_DIRECTORY_H
#define CALFPEN_COMMON_DIRECTORY_H

/* Make `path` with all above it where they are missing; the last gets mode
 * 0700, the others 0755. 0, or a negative errno. */
int directory_make(const char *path);

/* Write a whole file to `fd`: 0, or a negative errno. */
typedef int (*directory_fill_fn)(int fd, const void *data);

/*
 * Replace the file `name` of `directory` in one step: `fill` writes NAME.new,
 * mode 0600, which is synced and renamed, and the directory is synced. 0, or a
 * negative errno (not logged); then the former file is there as it was, unless
 * it is the directory that could not be synced.
 */
int directory_replace_file(const char *directory, const char *name, directory_fill_fn fill,
			   const void *data);

#endif
