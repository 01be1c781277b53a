/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: reading the witness
 *
 * The frame programs write it while it is read, and one lookup copies in no
 * particular order. So it is copied twice: a record that is the same in both copies
 * and has an even version was not being written.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/watcher-private.h"

/* A record that is still being written after so many pairs of copies is left out
 * until the next pass. */
#define READS 4

void watcher_witness_init(struct watcher *watcher)
{
	const struct loaded *loaded = &watcher->loaded;

	/* Nobody else's leases are recorded. */
	for (uint32_t i = 0; i < loaded->n_descriptions; i++)
		if (description_leases_ip(&loaded->descriptions[i]) &&
		    description_has_check(&loaded->descriptions[i], FRAME_CHECK_DHCP4))
			watcher->context.witness.is_in_force = true;
}

static int read_witness(struct frame_witness *witness)
{
	return bpf_map_lookup_elem(WATCHER_FD_WITNESS, &(uint32_t){ 0 }, witness);
}

static bool is_stable(const struct frame_witnessed *first, const struct frame_witnessed *second)
{
	return !(first->version & 1) && !memcmp(first, second, sizeof(*first));
}

/* Returns true if no record was being written. */
static bool take_stable(const struct frame_witness *first, const struct frame_witness *second,
			struct witness *witness)
{
	bool is_complete = true;

	witness->n_acks = 0;
	for (uint32_t i = 0; i < FRAME_WITNESSED_MAX; i++) {
		if (!is_stable(&first->slot[i], &second->slot[i]))
			is_complete = false;
		else if (first->slot[i].ack_ns)
			witness->acks[witness->n_acks++] = first->slot[i];
	}
	return is_complete;
}

void watcher_witness_read(struct watcher *watcher)
{
	struct witness *witness = &watcher->context.witness;
	struct frame_witness copies[2];
	int r = 0;

	if (!witness->is_in_force)
		return;
	for (int i = 0; i < READS; i++) {
		r = read_witness(&copies[0]);
		if (!r)
			r = read_witness(&copies[1]);
		if (r || take_stable(&copies[0], &copies[1], witness))
			break;
	}
	if (r)
		witness->n_acks = 0;
	if (r && !watcher->has_witness_failed)
		log_error("cannot read what servers have given: %s", strerror(-r));
	watcher->has_witness_failed = r;
}
