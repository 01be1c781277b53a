/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/stale.h"

#include <string.h>

#include "userspace/calf/dhcp4/lease.h"
#include "userspace/common/log.h"

#define DIRECTORY "/option"
#define RETRY_NS 1000000000ull

static void look(struct stale *stale);

static void retry(struct stale *stale)
{
	loop_timer_set(&stale->retry, stale->calf->loop.now_ns() + RETRY_NS);
}

/* True if it is the key of an option that was asked for. */
static bool is_asked(const struct message_policy *policy, const char *path)
{
	char wanted[KV_PATH_SIZE];

	for (uint8_t i = 0; i < policy->n_options; i++) {
		lease_option_path(policy->options[i], wanted);
		if (strcmp(path, wanted) == 0)
			return true;
	}
	return false;
}

static void on_entry(struct calf *calf, const struct calf_entry *entry, void *data)
{
	struct stale *stale = data;

	(void)calf;
	if (entry->kind == CALF_ENTRY_LISTED && !is_asked(stale->policy, entry->path))
		stale->is_full |= commit_delete(&stale->commit, entry->path) < 0;
}

static void on_committed(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct stale *stale = data;

	(void)calf;
	(void)length;
	if (status == CALF_LATER)
		retry(stale);
	else if (status < 0)
		log_warning("options of a former life are not deleted: %s", text);
	else if (stale->is_full)
		look(stale);
}

static void on_listed(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct stale *stale = data;

	(void)length;
	if (status == CALF_LATER) {
		retry(stale);
	} else if (status < 0) {
		log_warning("%s cannot be listed: %s", DIRECTORY, text);
	} else if (stale->commit.n_changes > 0) {
		if (calf_store_commit(calf, &stale->commit, on_committed, stale) < 0)
			retry(stale);
	}
}

static void look(struct stale *stale)
{
	commit_init(&stale->commit);
	stale->is_full = false;
	if (calf_store_list(stale->calf, DIRECTORY, on_entry, on_listed, stale) < 0)
		retry(stale);
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	look(data);
	return 0;
}

int stale_start(struct stale *stale, struct calf *calf, const struct message_policy *policy)
{
	int r;

	stale->calf = calf;
	stale->policy = policy;
	r = loop_add_timer(&calf->loop, &stale->retry, on_retry, stale);
	if (r == 0)
		look(stale);
	return r;
}
