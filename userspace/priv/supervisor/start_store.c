/* SPDX-License-Identifier: Apache-2.0 */
/* Start the store: adopted, restored from disk, or empty. */
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/priv/persist/persist.h"
#include "userspace/priv/persist/revision.h"
#include "userspace/priv/supervisor/hide_secrets.h"
#include "userspace/priv/supervisor/orphans.h"
#include "userspace/priv/supervisor/subjects.h"
#include "userspace/priv/supervisor/supervisor-private.h"
#include "userspace/priv/supervisor/takeover.h"

int supervisor_write_keys(const struct supervisor *s)
{
	struct value_ipv4_net address = s->former_address;
	int found = address.prefix_length > 0;

	if (s->options->takeover && !found)
		found = takeover_find(s->netlink, s->uplink.ifindex, &address);
	if (found < 0) {
		log_error("%s: cannot read the addresses: %s", s->uplink.name, strerror(-found));
		return found;
	}
	return subjects_write_keys(&s->store, s->uplink.mac, s->descriptions, s->n_descriptions,
				   &s->configuration, found ? &address : NULL);
}

/* What the descriptions of this start do not have any more, or not in the open. Before anything
 * reads the store to act on it. */
static int adapt_keys(struct supervisor *s)
{
	const struct adopted_calves calves = { .descriptions = s->descriptions,
					       .numbers = s->numbers,
					       .n = s->n_descriptions };
	uint64_t writers = orphans_find(&s->store, &calves);
	uint64_t shown = hide_secrets_find(&s->store, &calves);
	const char *state = s->options->state;

	if (!writers && !shown)
		return 0;
	/* the first revisions of this run are used */
	persist_revision_end(state, persist_revision_begin(state, store_revision(&s->store)));
	hide_secrets(&s->store, &calves, shown);
	return orphans_delete(&s->store, &calves, writers);
}

int supervisor_open_store(struct supervisor *s)
{
	int r = pins_init(&s->pins, s->options->instance);

	if (!r)
		r = store_init(&s->store, &s->pins,
			       subjects_count_keys(s->descriptions, s->n_descriptions),
			       KV_SUBJECT_CALF + s->n_descriptions);
	if (!r)
		r = subjects_number(&s->store, s->descriptions, s->n_descriptions, s->numbers);
	return r ? r : adapt_keys(s);
}

int supervisor_begin_store(struct supervisor *s)
{
	const char *state = s->options->state;

	s->first_revision = s->store.adopted ? store_revision(&s->store) :
					       persist_revision_last(state);
	/* a process: before there are threads */
	s->reserving = persist_revision_begin(state, s->first_revision);
	return subjects_begin(&s->store, s->descriptions, s->numbers, s->n_descriptions);
}

void supervisor_end_reserving(struct supervisor *s)
{
	persist_revision_end(s->options->state, s->reserving);
	s->reserving = 0;
}

int supervisor_start_store(struct supervisor *s)
{
	int r = store_finish_subjects(&s->store);

	if (!r)
		r = store_seal(&s->store);
	supervisor_end_reserving(s);
	/* A new store continues where the one before the reboot ended. Values that
	 * cannot be restored are logged, but do not prevent the start. */
	if (!r && !s->store.adopted)
		persist_restore(s->options->state, s->store.gate_fds[KV_SUBJECT_SUPERVISOR],
				s->first_revision, s->descriptions, s->n_descriptions);
	if (!r)
		supervisor_adopt_identity(s);
	if (!r)
		r = supervisor_write_keys(s);
	s->former_address.prefix_length = 0;
	if (!r && s->store.adopted)
		r = subjects_forget_lease(&s->store);
	return r;
}

void supervisor_save_revision(const struct supervisor *s)
{
	const char *state = s->options->state;
	uint64_t revision = store_revision(&s->store);
	int r = revision && state[0] ? persist_revision_save(state, revision) : 0;

	if (r)
		log_warning("%s: cannot save the store's revision: %s", state, strerror(-r));
}
