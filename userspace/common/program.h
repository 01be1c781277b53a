/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are installed with the running program. */
#ifndef CALFPEN_COMMON_PROGRAM_H
#define CALFPEN_COMMON_PROGRAM_H

#include <stddef.h>

/*
 * Store the path of `relative`, as seen from the directory of the running
 * program: this works in the build tree and under any PREFIX. Returns 0,
 * -ENAMETOOLONG, or the negative errno of readlink(2) on /proc/self/exe.
 */
int program_path(const char *relative, char *path, size_t size);

/* The same for the program whose path is `self`, without I/O. Returns 0 or
 * -ENAMETOOLONG. */
int program_path_of(const char *self, const char *relative, char *path, size_t size);

#endif
