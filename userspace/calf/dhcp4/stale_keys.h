/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a former life that are still there. The calf may not read most
 * of what it writes; that they are there is all it needs: its next lease
 * replaces them. Keys /option/NNN that the former life was asked for and this
 * one is not are deleted.
 */
#ifndef CALFPEN_CALF_DHCP4_STALE_KEYS_H
#define CALFPEN_CALF_DHCP4_STALE_KEYS_H

#include "userspace/calf/dhcp4/lease_keys.h"
#include "userspace/calf/sdk/calf.h"

struct stale_keys {
	struct calf *calf;
	const struct message_policy *policy;
	struct lease_keys keys;
	struct commit commit; /* the deletions */
	bool is_full;	      /* there are more than it holds */
	struct loop_timer retry;
	void (*done)(void *data); /* NULL: was called */
	void *data;
};

/*
 * List the store, call done() when stale->keys holds all keys of a lease
 * that are there, with values that are not known, and delete what is not asked
 * for while the loop runs. What the store is too busy for is tried again; a
 * list that it refuses counts as if all keys were there. `policy` outlives it.
 * 0, or a negative errno, logged.
 */
int stale_keys_read(struct stale_keys *stale, struct calf *calf,
		    const struct message_policy *policy, void (*done)(void *data), void *data);

#endif
