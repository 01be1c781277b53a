/* SPDX-License-Identifier: Apache-2.0 */
/* Which descriptors a process keeps. */
#ifndef CALFPEN_COMMON_DESCRIPTORS_H
#define CALFPEN_COMMON_DESCRIPTORS_H

#include <stddef.h>

/* Close all descriptors but 0, 1, 2 and these; a negative one is none. Returns 0 or a
 * negative errno. */
int descriptors_keep(const int *fds, size_t n);

/* Return a copy of `fd`, to be closed by the caller, that is not 0, 1 or 2 and closes on exec; or
 * a negative errno. */
int descriptors_copy(int fd);

#endif
