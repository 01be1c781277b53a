/* SPDX-License-Identifier: Apache-2.0 */
/* Lock files that their owner may remove or replace. */
#ifndef CALFPEN_PRIV_SUPERVISOR_LOCK_H
#define CALFPEN_PRIV_SUPERVISOR_LOCK_H

/*
 * Open the file at `path`, which is created with mode 0600 if it does not exist, and
 * lock it; the descriptor is that of the file which is there when the lock is held.
 * Does not wait. The lock ends when the descriptor is closed, also by a kill. Returns
 * the descriptor; -EBUSY if another process holds the lock; or another negative errno.
 * Not logged.
 */
int lock_take(const char *path);

#endif
