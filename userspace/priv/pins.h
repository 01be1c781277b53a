/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pin directory of an instance, PINS_ROOT/INSTANCE, mode 0700. The
 * supervisor creates it; the store and the frame programs pin their objects in
 * it.
 */
#ifndef CALFPEN_PRIV_PINS_H
#define CALFPEN_PRIV_PINS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct pins {
	char directory[PATH_MAX];
};

/* Create PINS_ROOT and the instance's directory (0700). A directory owned by
 * another user is refused. Returns 0, or a negative errno after one line on
 * stderr, which says what to mount where if there is no bpffs. */
int pins_init(struct pins *pins, const char *instance);

/* Pin `fd` as PREFIXNAME, replacing an older pin of that name. Returns 0, or a
 * negative errno, logged. */
int pins_put(const struct pins *pins, const char *prefix, const char *name, int fd);

/* Rename the pin `name`, in one step, also over an older one. Returns 0, or a negative
 * errno, not logged. */
int pins_rename(const struct pins *pins, const char *name, const char *to);

/* Returns true if the name of a pin begins with `prefix` and goes on with none of these
 * names, or if that cannot be told. */
bool pins_has_other(const struct pins *pins, const char *prefix, const char *const *names,
		    size_t n_names);

/* Open a pinned object. Returns a descriptor, owned by the caller; -ENOENT if
 * there is none; or another negative errno. */
int pins_get(const struct pins *pins, const char *name);

/* Returns true if no system call can change the map, an array or a hash, whatever process
 * holds it: if nobody but BPF programs can have written what is in a pinned one. */
bool pins_is_frozen(int fd);

/* Call `call`, which may unpin it, for each pin whose name begins with `prefix`. Returns 0,
 * the first result of `call` that is not 0, or a negative errno, logged. */
typedef int (*pins_each_fn)(const struct pins *pins, const char *name);
int pins_each(const struct pins *pins, const char *prefix, pins_each_fn call);

/* Unpin `name`. A missing pin is not an error. */
void pins_remove(const struct pins *pins, const char *name);

/* Unpin every object whose name begins with `prefix`. */
void pins_remove_all(const struct pins *pins, const char *prefix);

/* Remove the directory and everything still pinned in it, but not what was set aside
 * (PIN_ASIDE_PREFIX). */
void pins_deinit(const struct pins *pins);

#endif
