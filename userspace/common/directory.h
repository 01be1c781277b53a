/* SPDX-License-Identifier: Apache-2.0 */
/* Create directories, and replace files in one step. */
#ifndef CALFPEN_COMMON_DIRECTORY_H
#define CALFPEN_COMMON_DIRECTORY_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Create `path` and all missing directories above it: `path` with `mode`, the
 * others with 0755, both less the umask. Returns 0, or a negative errno, not
 * logged.
 */
int directory_make(const char *path, mode_t mode);

/*
 * Create the directory `path` unless it exists, and set its mode. Returns 0;
 * -EPERM if it is not a directory (for example a symbolic link) or belongs to
 * another user, who could put anything into it; or another negative errno. Not
 * logged.
 */
int directory_make_own(const char *path, mode_t mode);

/*
 * Remove the directory `path` and everything in it, up to DIRECTORY_DEPTH_MAX levels
 * deep; symbolic links are removed, not followed. Returns 0, also if there is none;
 * -ELOOP if it is deeper, or another negative errno, not logged; then a part of it
 * may be left.
 */
int directory_remove(const char *path);
#define DIRECTORY_DEPTH_MAX 8

/* Write a whole file to `fd`. Returns 0, or a negative errno. */
typedef int (*directory_fill_fn)(int fd, const void *data);

/* The data that directory_fill_text() writes. */
struct directory_text {
	const char *bytes;
	size_t length;
};

/* A directory_fill_fn: write the struct directory_text `data` from the start of
 * the file. */
int directory_fill_text(int fd, const void *data);

/*
 * Replace the file `name` of `directory` in one step: `fill` writes a temporary
 * file .NAME.calfpen, which gets `mode`, is synced and renamed; then the
 * directory is synced, so that the new name survives a power cut (in a tmpfs
 * syncing costs nothing). Returns 0, or a negative errno, not logged; the old
 * file is then unchanged, unless only the directory could not be synced.
 */
int directory_replace_file(const char *directory, const char *name, mode_t mode,
			   directory_fill_fn fill, const void *data);

#endif
