/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the whole store through the watcher's gate. */
#ifndef CALFPEN_PRIV_WATCHER_LIST_H
#define CALFPEN_PRIV_WATCHER_LIST_H

#include "userspace/priv/store/wanted.h"

/*
 * Replace `wanted` with the store's keys and values. wanted->revision is the
 * store's revision before the first key was read: keys may be newer, and the
 * later events, which are in the ring by then, bring everything to one revision.
 * Returns 0, or a negative errno; then the table is empty.
 */
int watcher_list(struct wanted *wanted, int gate_fd, int kv_fd, int ctl_fd);

/* Sort by path and drop duplicates. Returns the number of keys left. Pure. */
uint32_t watcher_list_sort(struct kv_key *keys, uint32_t n_keys);

#endif
