/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes small files as a whole. */
#ifndef CALFPEN_PRIV_HANDLERS_FILE_H
#define CALFPEN_PRIV_HANDLERS_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define FILE_SIZE_MAX 65536

/* Read a whole file into `text`, NUL-terminated. Returns its length, or a negative
 * errno; -EFBIG if it does not fit. */
int file_read(const char *path, char *text, size_t size);

/*
 * Find the file that an absolute path means: `target` is a path without symbolic
 * links, "." and "..", so that each file has one. The file need not exist, nor its
 * directory. Returns 0, -ELOOP, -ENAMETOOLONG, -EINVAL for a relative path, -ENOENT
 * for ".." in a directory that does not exist, or the negative errno of readlink(2).
 */
int file_resolve(const char *path, char target[static PATH_MAX]);

/* Create the missing directories above a file that is below /run, where a directory
 * lasts only until the next boot; mode 0755 less the umask. `path` is of
 * file_resolve(). Returns 0, -ENOENT if it is elsewhere, or another negative errno. */
int file_make_directory(const char *path);

/*
 * Replace a file of Calfpen's own: temporary file in the same directory, fsync,
 * rename. A new file gets mode 0644, otherwise the mode is kept. `path` must not be a
 * symbolic link. Returns 0, or a negative errno.
 */
int file_write(const char *path, const char *text, size_t length);

/*
 * Replace the content of a file that others may have bound (mount --bind): they keep
 * the inode, so it is written in place. What is to be cut off becomes blank lines
 * first, then the file is truncated, so that a concurrent reader sees neither an
 * empty file nor lines of both texts, up to a page of 4096 bytes. If there is no
 * file, or it cannot be opened for writing, do as file_write(). `path` must not be a
 * symbolic link. Returns 0, or a negative errno.
 */
int file_overwrite(const char *path, const char *text, size_t length);

/* Returns true if `present` is what file_overwrite() of `text` leaves if the process is
 * killed before it truncates the file. */
bool file_is_half_overwritten(const char *text, size_t length, const char *present,
			      size_t n_present);

/* Remove a file, or empty it if it cannot be removed (a mount point). Returns 0,
 * also if it does not exist, or a negative errno. */
int file_remove(const char *path);

#endif
