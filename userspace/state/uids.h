/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUN_ROOT/uids: which uids belong to which instance. Supervisors write it
 * (supervisor/uids.h), `calfpen list` and the next start read it. Each line is like
 * one of subuid(5), INSTANCE:FIRST:COUNT; COUNT is always INSTANCE_UIDS.
 */
#ifndef CALFPEN_STATE_UIDS_H
#define CALFPEN_STATE_UIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/instance.h"

#define UIDS_FILE INSTANCE_UIDS_FILE
#define UIDS_ENTRIES_MAX 1024
#define UIDS_SIZE_MAX 65536 /* more than so many lines need */

struct uids_entry {
	uint32_t first;
	char instance[INSTANCE_NAME_MAX + 1];
};

struct uids {
	size_t n_entries;
	struct uids_entry entries[UIDS_ENTRIES_MAX];
};

/*
 * Read the table at `path`; one that does not exist is empty. Lines that are not well
 * formed, and further lines of the same instance, are left out. Returns their number,
 * or a negative errno, not logged.
 */
int uids_load(const char *path, struct uids *uids);

/* Add an entry. Returns false if there is no room, or `first` is out of bounds. */
bool uids_add(struct uids *uids, const char *instance, uint32_t first);

/* Return the entry of this instance, or NULL. */
const struct uids_entry *uids_find(const struct uids *uids, const char *instance);

#endif
