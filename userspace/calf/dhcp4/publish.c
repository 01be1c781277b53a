/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The store may have keys of a previous run, with values that this calf
 * may not even read. The first commit of a lease writes the keys of the lease
 * and deletes all other existing ones. As long as the lease of a previous run
 * is held, only the state is published, because this calf does not know the
 * other values.
 */
#include "userspace/calf/dhcp4/publish.h"

#include <errno.h>

#include "userspace/calf/dhcp4/metrics.h"
#include "userspace/common/backoff.h"
#include "userspace/common/log.h"

#define RETRY_MIN_NS (NS_PER_S / 10)
#define RETRY_MAX_NS (10 * NS_PER_S)

static void submit(struct publisher *publisher);

static void schedule_retry(struct publisher *publisher, const char *reason)
{
	calf_metric_add(publisher->calf, METRIC_COMMIT_FAILED, 1);
	if (publisher->n_failures == 0)
		log_warning("cannot store the lease: %s; retrying", reason);
	publisher->n_failures++;
	publisher->is_due = true;
	publisher->due_renewed |= publisher->sent_renewed;
	loop_timer_set(&publisher->retry,
		       publisher->calf->loop.now_ns() +
			       backoff_ns(publisher->n_failures, RETRY_MIN_NS, RETRY_MAX_NS));
}

static void on_response(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct publisher *publisher = data;

	(void)length;
	publisher->is_sent = false;
	if (status < 0) {
		schedule_retry(publisher, text);
		return;
	}
	calf_metric_add(calf, METRIC_COMMIT, 1);
	if (!publisher->sent_state_only)
		publisher->there = publisher->sent;
	publisher->n_failures = 0;
	if (publisher->is_due)
		submit(publisher);
}

/* Set the commit to the changes from the present keys to the wanted ones. */
static void make_commit(struct publisher *publisher)
{
	const struct client *client = publisher->client;
	struct calf *calf = publisher->calf;
	const struct client_lease *lease = client->is_in_use ? &client->lease : NULL;

	publisher->sent_state_only = client->has_lease && client->is_restored;
	lease_project(lease, client->state, publisher->policy, calf->loop.now_ns(),
		      calf->wall_clock(), &publisher->sent);
	if (lease)
		lease_keys_continue(&publisher->there, lease, publisher->policy, &publisher->sent);
	lease_keys_withhold(&publisher->sent, publisher->withheld);
	if (publisher->sent_state_only)
		lease_change_state(&publisher->sent, &publisher->commit);
	else
		lease_changes(&publisher->there, &publisher->sent, publisher->sent_renewed,
			      &publisher->commit);
}

static void submit(struct publisher *publisher)
{
	int r;

	publisher->is_due = false;
	publisher->sent_renewed = publisher->due_renewed;
	publisher->due_renewed = false;
	make_commit(publisher);
	if (publisher->commit.n_changes == 0)
		return;
	r = calf_store_commit(publisher->calf, &publisher->commit, on_response, publisher);
	if (r < 0)
		schedule_retry(publisher, "too many unanswered requests");
	else
		publisher->is_sent = true;
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	struct publisher *publisher = data;

	(void)loop;
	(void)now_ns;
	submit(publisher);
	return 0;
}

int publish_init(struct publisher *publisher, struct calf *calf, const struct client *client,
		 const struct message_policy *policy, const char *withheld)
{
	*publisher = (struct publisher){
		.calf = calf, .client = client, .policy = policy, .withheld = withheld
	};
	return loop_add_timer(&calf->loop, &publisher->retry, on_retry, publisher);
}

void publish_begin(struct publisher *publisher, const struct lease_keys *there)
{
	publisher->there = *there;
	lease_keys_withhold(&publisher->there, publisher->withheld);
}

void publish_update(struct publisher *publisher, bool renewed)
{
	publisher->is_due = true;
	publisher->due_renewed |= renewed;
	if (!publisher->is_sent && publisher->n_failures == 0)
		submit(publisher);
}

bool publish_is_idle(const struct publisher *publisher)
{
	return !publisher->is_due && !publisher->is_sent;
}
