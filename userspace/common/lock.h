/* SPDX-License-Identifier: Apache-2.0 */
/* Lock files that their owner may remove or replace. */
#ifndef CALFPEN_COMMON_LOCK_H
#define CALFPEN_COMMON_LOCK_H

#include <stdbool.h>

/*
 * Open the file at `path` and lock it; with `create`, it is created with mode 0600 if it
 * does not exist; the descriptor is that of the file which is there when the lock is held.
 * Does not wait. The lock ends when the descriptor is closed, also by a kill. Returns
 * the descriptor; -EBUSY if another process holds the lock; -ENOENT if there is no file; or another negative errno.
 * Not logged.
 */
int lock_take(const char *path, bool create);

#endif
