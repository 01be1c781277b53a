/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys left in the store by a previous run. The calf has no read access to most
 * of them and only needs to know that they exist, because its next lease
 * replaces them. Keys /option/NNN that the previous run was configured to
 * request and this one is not are deleted.
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
	bool is_full;	      /* there are more deletions than one commit holds */
	struct loop_timer retry;
	void (*done)(void *data); /* NULL after it was called */
	void *data;
};

/*
 * List the store, call done() when stale->keys holds all existing keys of a
 * lease, with unknown values, and delete unrequested options while the loop
 * runs. If the store is busy, retry. If it refuses the list, assume that all
 * keys exist. `policy` must outlive `stale`. Returns 0, or a negative errno,
 * logged.
 */
int stale_keys_read(struct stale_keys *stale, struct calf *calf,
		    const struct message_policy *policy, void (*done)(void *data), void *data);

#endif
