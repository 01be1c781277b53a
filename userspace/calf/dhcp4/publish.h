/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores the lease: one commit at a time, retried until the store accepts it.
 * The content of a commit is computed when it is sent, from the client's state
 * at that time, so a late commit is never out of date.
 */
#ifndef CALFPEN_CALF_DHCP4_PUBLISH_H
#define CALFPEN_CALF_DHCP4_PUBLISH_H

#include "userspace/calf/dhcp4/lease_keys.h"

struct publisher {
	struct calf *calf;
	const struct client *client;
	const struct message_policy *policy;
	const char *withheld;	 /* paths that this calf may not write */
	struct lease_keys there; /* the present keys of the store */
	struct lease_keys sent;
	struct commit commit;
	bool is_sent;	   /* a commit is unanswered */
	bool sent_renewed; /* the unanswered commit is that of a renewal */
	bool sent_state_only;
	bool is_due; /* something must be sent */
	bool due_renewed;
	uint32_t n_failures; /* in a row */
	struct loop_timer retry;
};

/* Initialise a publisher; the other arguments must outlive it, and may be filled in until
 * publish_begin(). Returns 0, or -ENOSPC if there is no timer left. */
int publish_init(struct publisher *publisher, struct calf *calf, const struct client *client,
		 const struct message_policy *policy, const char *withheld);

/* Set the keys that exist before the first publish_update(); copied. */
void publish_begin(struct publisher *publisher, const struct lease_keys *there);

/* Publish the client's changed lease or state. `renewed`: it was changed by an
 * ACK. */
void publish_update(struct publisher *publisher, bool renewed);

/* Return whether the store has accepted all changes. */
bool publish_is_idle(const struct publisher *publisher);

#endif
