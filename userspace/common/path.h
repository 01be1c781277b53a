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

/* Set `key` to `path`, zero-padded. -EILSEQ (key untouched) if the path is
 * not canonical. */
int path_to_key(const char *path, struct kv_key *key);
/* True if the text is a canonical path. */
bool path_is_canonical(const char *path);
/* True if the 64 bytes are a canonical path followed by NULs only. */
bool path_key_is_canonical(const struct kv_key *key);
/* True if `path` is `directory` itself or lies below it, at a '/' boundary;
 * the directory is given without a trailing slash, "" or "/" is the root. */
bool path_is_below(const char *path, const char *directory);

#endif
