/* SPDX-License-Identifier: Apache-2.0 */
/* Make untrusted text safe for a log line or a terminal. */
#ifndef CALFPEN_COMMON_SANITISE_H
#define CALFPEN_COMMON_SANITISE_H

#include <stddef.h>

/*
 * Copy at most `size` - 1 bytes of untrusted text, each byte outside 0x20..0x7e
 * replaced by '?'. The result is NUL-terminated unless `size` is 0. `to` and
 * `from` may be the same. Returns the number of bytes written, the NUL
 * excluded.
 */
size_t sanitise(char *to, size_t size, const void *from, size_t length);

#endif
