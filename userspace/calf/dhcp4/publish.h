/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings the lease into the store: one commit at a time, tried again until the
 * store takes it. What a commit says is worked out when it is sent, from the
 * client's state at that moment, so a late one is never out of date.
 */
#ifndef CALFPEN_CALF_DHCP4_PUBLISH_H
#define CALFPEN_CALF_DHCP4_PUBLISH_H

#include "userspace/calf/dhcp4/lease_keys.h"

struct publisher {
	struct calf *calf;
	const struct client *client;
	const struct message_policy *policy;
	struct lease_keys there; /* what stands in the store */
	struct lease_keys sent;
	struct commit commit;
	bool is_sent;	   /* unanswered */
	bool sent_renewed; /* what was sent told of a renewal */
	bool sent_state_only;
	bool is_due; /* something is to be sent */
	bool due_renewed;
	uint32_t n_failures; /* in a row */
	struct loop_timer retry;
};

/* All three outlive it. 0, or -ENOSPC: no timer left. */
int publish_init(struct publisher *publisher, struct calf *calf, const struct client *client,
		 const struct message_policy *policy);

/* What is there before the first publish_update(); copied. */
void publish_begin(struct publisher *publisher, const struct lease_keys *there);

/* The client's lease or state has changed; `renewed`: by an ACK. */
void publish_update(struct publisher *publisher, bool renewed);

/* True if the store has taken all that it was told. */
bool publish_is_idle(const struct publisher *publisher);

#endif
