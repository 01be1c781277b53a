/* SPDX-License-Identifier: Apache-2.0 */
/* What store.c uses of the other files of this directory. */
#ifndef CALFPEN_PRIV_STORE_STORE_PRIVATE_H
#define CALFPEN_PRIV_STORE_STORE_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/kv.h"
#include "userspace/priv/pins.h"
#include "userspace/priv/store/store.h"

/* Close what this process has of a subject (store.c); pins stay. */
void store_close_subject(struct store *store, uint32_t number);

/* Enter the names of the subjects that every store has (names.c). */
void store_names_init(struct kv_ctl *ctl);

/* Returns true if the table can be one of names: those that every store has, and names of
 * calves, each in NUL-padded printable text without "/", and without a gap. */
bool store_names_are_valid(const struct kv_ctl *ctl);

/*
 * Make a pinned store of a former layout one of this layout. One of layout 3, which has no
 * names, gets the name of its only calf, dhcp4; if it has had others, its pins are renamed to
 * aside_NAME, and the next store is an empty one. A kill leaves the old store or the new one
 * (upgrade.c). Returns 0, also if there is nothing to do; or a negative errno, logged.
 */
int store_upgrade(const struct pins *pins);

/* The maps of a store that depend on its number of keys. */
struct store_sized {
	int kv_fd, slots_fd, ctl_fd;
};

/* Complete what store_grow() of a killed start has begun, or undo it (grow.c). Returns 0,
 * or a negative errno, logged. */
int store_finish_growth(const struct pins *pins);

/*
 * Replace the pinned, frozen maps of a store by larger ones with the same contents, for
 * `max_keys` keys, closing the descriptors in *maps and storing new ones there. A kill
 * leaves the old maps or the new ones. Returns 0, or a negative errno, logged; then *maps
 * is unchanged.
 */
int store_grow(const struct pins *pins, struct store_sized *maps, uint32_t max_keys);

#endif
