/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of an adopted store, which other descriptions may have had: a start changes those
 * that do not fit to its own (orphans.h, hide_secrets.h) before any subject has a gate, and in
 * the name of their writers, so that the audit log says whose they were.
 */
#ifndef CALFPEN_PRIV_SUPERVISOR_ADOPTED_H
#define CALFPEN_PRIV_SUPERVISOR_ADOPTED_H

#include <stdint.h>

#include "userspace/priv/description/description.h"
#include "userspace/priv/store/store.h"

/* The calves of this start. */
struct adopted_calves {
	const struct description *descriptions;
	const uint32_t *numbers; /* their subjects, by description */
	uint32_t n;
};

/* Returns one bit for each subject that has written a key which does not fit. */
typedef bool (*adopted_fn)(const struct adopted_calves *calves, const struct kv_key *key,
			   const struct kv_value *value);
uint64_t adopted_find_writers(const struct store *store, const struct adopted_calves *calves,
			      adopted_fn is_unfit);

/*
 * Load a gate without limits for the subject `number`, whose only right is `rule`.
 * `name` must not be that of a subject, whose pins a client might open. Returns 0, or a
 * negative errno; call store_remove_subject(store, subjectp) in any case.
 */
int adopted_add_subject(struct store *store, uint32_t number, const char *name,
			const struct store_rule *rule, struct store_subject *subjectp);

#endif
