/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/inventory.h"

#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/path.h"

#define OPTION_DIRECTORY "/option"
#define RETRY_NS (100 * NS_PER_MS)

static void look(struct inventory *inventory);

static void retry(struct inventory *inventory)
{
	loop_timer_set(&inventory->retry, inventory->calf->loop.now_ns() + RETRY_NS);
}

static void finish(struct inventory *inventory)
{
	void (*done)(void *data) = inventory->done;

	inventory->done = NULL;
	if (done)
		done(inventory->data);
}

static void on_entry(struct calf *calf, const struct calf_entry *entry, void *data)
{
	struct inventory *inventory = data;

	(void)calf;
	if (entry->kind == CALF_ENTRY_LISTED && !lease_keys_found(&inventory->keys, entry->path) &&
	    path_is_below(entry->path, OPTION_DIRECTORY))
		inventory->is_full |= commit_delete(&inventory->commit, entry->path) < 0;
}

static void on_committed(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct inventory *inventory = data;

	(void)calf;
	(void)length;
	if (status == CALF_LATER)
		retry(inventory);
	else if (status < 0)
		log_warning("options of a former life are not deleted: %s", text);
	else if (inventory->is_full)
		look(inventory);
}

static void on_listed(struct calf *calf, int status, const char *text, size_t length, void *data)
{
	struct inventory *inventory = data;

	(void)length;
	if (status == CALF_LATER) {
		retry(inventory);
		return;
	}
	if (status < 0) {
		log_warning("the store cannot be listed: %s", text);
		lease_keys_all(&inventory->keys);
	} else if (inventory->commit.n_changes > 0 &&
		   calf_store_commit(calf, &inventory->commit, on_committed, inventory) < 0) {
		retry(inventory);
	}
	finish(inventory);
}

static void look(struct inventory *inventory)
{
	commit_init(&inventory->commit);
	inventory->is_full = false;
	lease_keys_init(&inventory->keys, inventory->policy);
	if (calf_store_list(inventory->calf, "", on_entry, on_listed, inventory) < 0)
		retry(inventory);
}

static int on_retry(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)loop;
	(void)now_ns;
	look(data);
	return 0;
}

int inventory_read(struct inventory *inventory, struct calf *calf,
		   const struct message_policy *policy, void (*done)(void *data), void *data)
{
	int r;

	inventory->calf = calf;
	inventory->policy = policy;
	inventory->done = done;
	inventory->data = data;
	r = loop_add_timer(&calf->loop, &inventory->retry, on_retry, inventory);
	if (r < 0)
		log_error("event loop: %s", strerrordesc_np(-r));
	else
		look(inventory);
	return r;
}
