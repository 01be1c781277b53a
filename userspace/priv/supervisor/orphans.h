/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of calves that are not part of this start. Nobody would ever delete them, and the
 * watcher would go on configuring the host with them.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_ORPHANS_H
#define CALFPEN_PRIV_SUPERVISOR_ORPHANS_H

#include <stdint.h>

#include "userspace/priv/store/store.h"

/*
 * Delete the keys that were last written by calves other than the `n` with these subject
 * numbers. Those of one calf are deleted in one commit, in its own name, so that the audit
 * log says whose they were; more than KV_CHANGES_MAX take several. Must be called before
 * anything reads the store to act on it. What fails is logged, and left for the next start.
 */
void orphans_delete(struct store *store, const uint32_t *numbers, uint32_t n);

#endif
