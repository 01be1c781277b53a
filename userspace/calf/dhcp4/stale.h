/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys /option/NNN that a former life wrote because it was asked to, and this
 * one is not: they are deleted. All other keys of a lease have fixed names,
 * and publish.h writes or deletes them all.
 */
#ifndef CALFPEN_CALF_DHCP4_STALE_H
#define CALFPEN_CALF_DHCP4_STALE_H

#include "userspace/calf/dhcp4/message.h"
#include "userspace/calf/sdk/calf.h"

struct stale {
	struct calf *calf;
	const struct message_policy *policy;
	struct commit commit; /* the deletions */
	bool is_full;	      /* there are more than it holds */
	struct loop_timer retry;
};

/* Look for them and delete them while the loop runs; what the store is too
 * busy for is tried again. `policy` outlives it. 0, or -ENOSPC: no timer. */
int stale_start(struct stale *stale, struct calf *calf, const struct message_policy *policy);

#endif
