/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are installed with the running program. */
#ifndef CALFPEN_COMMON_PROGRAM_H
#define CALFPEN_COMMON_PROGRAM_H

#include <stddef.h>

/*
 * Store the path of `relative`, as seen from the directory of the running
 * program: the same in the build tree and under any PREFIX. Returns 0,
 * -ENAMETOOLONG, or what readlink(2) says of /proc/self/exe.
 */
int program_path(const char *relative, char *path, size_t size);

/* The pure part: `self` is the path of the program. */
int program_path_of(const char *self, const char *relative, char *path, size_t size);

#endif
