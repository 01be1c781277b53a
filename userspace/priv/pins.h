/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pin directory of an instance, PINS_ROOT/INSTANCE, mode 0700.
 */
#ifndef CALFPEN_PRIV_PINS_H
#define CALFPEN_PRIV_PINS_H

#include <limits.h>

struct pins {
	char directory[PATH_MAX];
};

/* Make PINS_ROOT and the instance's directory (0700), refusing one that
 * another user owns. 0, or a negative errno after one line on stderr that
 * says what to mount where, if no bpffs is there. */
int pins_init(struct pins *pins, const char *instance);

/* Pin `fd` as `name` (prefix and suffix joined), replacing an older pin of
 * that name. 0 or a negative errno, logged. */
int pins_put(const struct pins *pins, const char *prefix, const char *name, int fd);

/* Open a pinned object: a descriptor (owned by the caller), or -ENOENT, or
 * another negative errno. */
int pins_get(const struct pins *pins, const char *name);

/* Unpin; a missing pin is no error. */
void pins_remove(const struct pins *pins, const char *name);

/* Unpin everything whose name begins with `prefix`. */
void pins_remove_all(const struct pins *pins, const char *prefix);

/* Remove the directory with all that is left in it. */
void pins_deinit(const struct pins *pins);

#endif
