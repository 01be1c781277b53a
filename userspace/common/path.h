/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of the store. On the wire a path is a list of segments without
 * slashes; in the maps it is the joined text with a leading slash, NUL-padded
 * to KV_PATH_SIZE. A canonical path has 1..8 segments of 1..31 bytes from
 * a-z 0-9 . _ -, none of them "." or "..", and at most 63 bytes in all.
 */
#ifndef CALFPEN_COMMON_PATH_H
#define CALFPEN_COMMON_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "maps/kv.h"

/* Set `key` to `path`, zero-padded. Returns 0, or -EILSEQ, with `key`
 * unchanged, if the path is not canonical. */
int path_to_key(const char *path, struct kv_key *key);
/* Return whether the text is a canonical path. */
bool path_is_canonical(const char *path);
/* Return whether the 64 bytes are a canonical path followed only by NULs. */
bool path_key_is_canonical(const struct kv_key *key);
/* Return whether `path` is `directory` itself or below it, at a '/' boundary.
 * The directory has no trailing slash; "" or "/" is the root. */
bool path_is_below(const char *path, const char *directory);

#endif
