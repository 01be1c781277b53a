/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subjects of an instance's store with their access rules, which are built
 * from the descriptions at every start, and the keys that the supervisor itself
 * writes.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_SUBJECTS_H
#define CALFPEN_PRIV_SUPERVISOR_SUBJECTS_H

#include <stdint.h>

#include "userspace/priv/description/configuration.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/store/store.h"

/* The request /control/CALF/stop is written when the instance stops, so that a calf that
 * watches it can shut down. */
#define SUBJECTS_STOP "stop"

/* Return the maximum number of keys of all descriptions and of priv itself. */
uint32_t subjects_count_keys(const struct description *descriptions, uint32_t n_descriptions);

/* Store the subject number of each description's calf, which the store keeps by name,
 * in `numbers`. Returns 0, or a negative errno, logged: -ENOSPC if the store has no number
 * left for a calf, with file and line of its name. */
int subjects_number(const struct store *store, const struct description *descriptions,
		    uint32_t n_descriptions, uint32_t *numbers);

/* Begin to load the gates of the supervisor, the watcher, the operator and each
 * description's calf, which has the number of subjects_number(). store_finish_subjects() and
 * store_seal() must follow. Returns 0, or a negative errno, logged. */
int subjects_begin(struct store *store, const struct description *descriptions,
		   const uint32_t *numbers, uint32_t n_descriptions);

/* Delete FRAME_QUARANTINE_KEY, because a lease of the previous run must not end
 * the quarantine of this one. Returns 0, or a negative errno, logged. */
int subjects_forget_lease(const struct store *store);

/*
 * Write /mac, every /config/CALF/NAME, and /address, the address that the calf
 * requests first (NULL: none), in one commit if they fit into one. Before, or in the
 * same commit, delete stale keys of the previous run, which may have been of another
 * version or have had other calves: keys below /config that the configuration does not
 * contain, requests that no calf would ever delete, /address, and requests to stop. Returns
 * 0, or a negative errno, logged.
 */
int subjects_write_keys(const struct store *store, const uint8_t mac[6],
			const struct description *descriptions, uint32_t n_descriptions,
			const struct configuration *configuration,
			const struct value_ipv4_net *address);

#endif
