/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that have no writer in this start: those that a calf wrote which is not part of it,
 * and those that no description of this start lets its calf write or delete, whoever wrote
 * them. Nobody would ever delete them, and the watcher would go on configuring the host with
 * them. The keys of the host are none.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_ORPHANS_H
#define CALFPEN_PRIV_SUPERVISOR_ORPHANS_H

#include <stdint.h>

#include "userspace/priv/supervisor/adopted.h"

/* Returns one bit for each subject that has written such keys. */
uint64_t orphans_find(const struct store *store, const struct adopted_calves *calves);

/*
 * Delete such keys of the subjects of orphans_find(), before any of them has a gate. Those
 * of one subject are deleted in one commit, in its own name, so that the audit log says
 * whose they were; more than KV_CHANGES_MAX take several. Returns 0, or a negative errno,
 * logged: then some are left, so nothing may act on the store. -EAGAIN: the ring of changes
 * is full, and has to be read first.
 */
int orphans_delete(struct store *store, const struct adopted_calves *calves, uint64_t writers);

#endif
