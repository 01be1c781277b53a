/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what in the store: the subjects of an instance with their access
 * rules, built from the descriptions at every start, and the keys that the
 * supervisor itself writes.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_SUBJECTS_H
#define CALFPEN_PRIV_SUPERVISOR_SUBJECTS_H

#include <stdint.h>

#include "userspace/priv/description/configuration.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/store/store.h"

/* Written when the instance ends: a calf that watches it ends in order. */
#define SUBJECTS_STOP_KEY "/control/stop"

/* Keys that all descriptions and priv itself can add up to. */
uint32_t subjects_count_keys(const struct description *descriptions, uint32_t n_descriptions);

/* Load the gates of the supervisor, the watcher, the operator and of each
 * description's calf. 0 or a negative errno, logged. */
int subjects_add(struct store *store, const struct description *descriptions,
		 uint32_t n_descriptions);

/* A lease of a former life opens no quarantine of this one: delete
 * FRAME_QUARANTINE_KEY. 0 or a negative errno, logged. */
int subjects_forget_lease(const struct store *store);

/*
 * Write in one commit: /mac, every /config/NAME, and /address, the address
 * that the calf asks for first (NULL: none). A /config key of a former life
 * that the configuration no longer holds is deleted, and so is a former
 * /address or SUBJECTS_STOP_KEY. 0 or a negative errno, logged.
 */
int subjects_write_keys(const struct store *store, const uint8_t mac[6],
			const struct configuration *configuration,
			const struct value_ipv4_net *address);

#endif
