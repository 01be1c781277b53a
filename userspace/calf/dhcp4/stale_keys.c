/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/stale_keys.h"

#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/path.h"

#define OPTION_DIRECTORY "/option"
#define RETRY_NS (100 * NS_PER_MS)

static void list_stale_keys(struct stale_keys *stale);

static void retry(struct stale_keys *stale)
{
	loop_timer_set(&stale->retry, stale->calf->loop.now_ns() + RETRY_NS);
}

static void finish(struct stale_keys *stale)
{
	void (*done)(void *data) = stale->done;

	stale->done = NULL;
	if (done)
		done(stale->data);
}

static void on_entry(struct calf *calf, const struct calf_entry *entry, void *data)
{
	struct stale_keys *stale = data;

	(void)calf;
	if (entry->kind == CALF_ENTRY_LISTED && !lease_keys_found(&stale->keys, entry->path) &&
	    path_is_below(entry->path, OPTION_DIRECTORY))
		stale->is_full |= commit_delete(&stale->commit, entry->path) < 0;
}

static void on_committed(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct stale_keys *stale = data;

	(void)calf;
	(void)length;
	if (status == CALF_LATER)
		retry(stale);
	else if (status < 0)
		log_warning("cannot delete stale options: %s", text);
	else if (stale->is_full)
		list_stale_keys(stale);
}

static void on_listed(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct stale_keys *stale = data;

	(void)length;
	if (status == CALF_LATER) {
		retry(stale);
		return;
	}
	if (status < 0) {
		log_warning("cannot list the store: %s", text);
		lease_keys_all(&stale->keys);
	} else if (stale->commit.n_changes > 0 &&
		   calf_store_commit(calf, &stale->commit, on_committed, stale) < 0) {
		retry(stale);
	}
	finish(stale);
}

static void list_stale_keys(struct stale_keys *stale)
{
	commit_init(&stale->commit);
	stale->is_full = false;
	lease_keys_init(&stale->keys, stale->policy);
	if (calf_store_list(stale->calf, "", on_entry, on_listed, stale) < 0)
		retry(stale);
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	list_stale_keys(data);
	return 0;
}

int stale_keys_read(struct stale_keys *stale, struct calf *calf,
		    const struct message_policy *policy, void (*done)(void *data), void *data)
{
	int r;

	stale->calf = calf;
	stale->policy = policy;
	stale->done = done;
	stale->data = data;
	r = loop_add_timer(&calf->loop, &stale->retry, on_retry, stale);
	if (r < 0)
		log_error("event loop: cannot add a timer: %s", strerrordesc_np(-r));
	else
		list_stale_keys(stale);
	return r;
}
