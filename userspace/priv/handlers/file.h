/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small configuration files, replaced whole. A reader sees the old or the new
 * content wherever the file system allows it.
 */
#ifndef CALFPEN_PRIV_HANDLERS_FILE_H
#define CALFPEN_PRIV_HANDLERS_FILE_H

#include <limits.h>
#include <stddef.h>

#define FILE_SIZE_MAX 65536

/* Read a whole file into `text`, NUL-terminated: its length, or a negative
 * errno, -EFBIG if it does not fit. */
int file_read(const char *path, char *text, size_t size);

/* Follow symbolic links to the file that is meant, which need not exist:
 * 0, -ELOOP, -ENAMETOOLONG, or what readlink(2) says. */
int file_resolve(const char *path, char target[static PATH_MAX]);

/*
 * Replace the content: temporary file beside it, fsync, rename. Where that
 * cannot be (the file is a mount point, its directory not writable) it is
 * written in place: text first, then cut, so a reader that comes in between
 * sees no empty file. Mode of a new file 0644, else that of the old one.
 * `path` is not a symbolic link. 0, or a negative errno.
 */
int file_write(const char *path, const char *text, size_t length);

/* Remove; empty it where it cannot be removed (a mount point). 0 if there is
 * none. */
int file_remove(const char *path);

#endif
