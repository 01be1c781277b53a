/* SPDX-License-Identifier: Apache-2.0 */
/* The whole store, read through the watcher's gate. */
#ifndef CALFPEN_PRIV_WATCHER_LIST_H
#define CALFPEN_PRIV_WATCHER_LIST_H

#include "userspace/priv/store/wanted.h"

/*
 * Replace `wanted` by the store's keys and values. wanted->revision is the
 * store's before the first key was read: keys may be newer, and the events
 * after it, in the ring by then, bring all of it to one revision.
 * 0, or a negative errno (then the table is empty).
 */
int watcher_list(struct wanted *wanted, int gate_fd, int kv_fd, int ctl_fd);

/* Sort by path, drop what is there twice: the number that is left. Pure. */
uint32_t watcher_list_sort(struct kv_key *keys, uint32_t n_keys);

#endif
