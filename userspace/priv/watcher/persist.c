/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/persist.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/backoff.h"
#include "userspace/common/directory.h"
#include "userspace/common/log.h"
#include "userspace/priv/persist/revision.h"

/* A slow save is followed by a pause of this many times its duration. */
#define PAUSE_FACTOR 9

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void watcher_persist_init(struct watcher_persist *persist, const char *directory,
			  const struct description *descriptions, uint32_t n_descriptions)
{
	int r = 0;

	*persist = (struct watcher_persist){
		.directory = directory,
		.descriptions = descriptions,
		.n_descriptions = n_descriptions,
		.due_ns = UINT64_MAX,
	};
	if (directory[0])
		r = directory_make(directory, 0700);
	if (r)
		log_warning("%s: cannot create: %s", directory, strerror(-r));
	if (directory[0] && !r)
		(void)persist_revision_load(directory, &persist->ahead);
}

void watcher_persist_mark_path(struct watcher_persist *persist, const char *path, uint64_t revision)
{
	const struct key_rule *key =
		persist_find_key(persist->descriptions, persist->n_descriptions, path);

	if (!key)
		return;
	if (key->secret) {
		persist->must_tell = true;
		return;
	}
	/* A list may have been newer than this change. */
	persist->changed = later(persist->changed, revision);
	persist->must_save = true;
}

void watcher_persist_mark_all(struct watcher_persist *persist, const struct wanted *wanted)
{
	const struct kv_value *value = wanted_get(wanted, WATCHER_PERSIST_KEY);

	(void)snprintf(persist->written, RECONCILE_STATUS_SIZE, "%.*s", RECONCILE_STATUS_SIZE - 1,
		       value ? value->text : "");
	for (uint32_t i = 0; i < wanted->n_keys; i++) {
		const struct wanted_key *key = wanted->keys[i];

		const struct key_rule *rule = persist_find_key(
			persist->descriptions, persist->n_descriptions, key->key.path);

		if (key->value.revision > persist->changed && rule && !rule->secret)
			persist->changed = key->value.revision;
	}
	persist->must_save = true;
	persist->must_tell = true;
}

bool watcher_persist_take_told(struct watcher_persist *persist)
{
	bool must_tell = persist->must_tell;

	persist->must_tell = false;
	return must_tell;
}

static void schedule_retry(struct watcher_persist *persist, int error, uint64_t now_ns)
{
	char status[RECONCILE_STATUS_SIZE];

	(void)snprintf(status, sizeof(status), "error: %s: %s", persist->directory,
		       strerror(-error));
	if (!persist->n_failures++ || strcmp(status, persist->status) != 0)
		log_error("cannot save the store in %s: %s; retrying", persist->directory,
			  strerror(-error));
	memcpy(persist->status, status, sizeof(status));
	persist->due_ns = now_ns + backoff_ns(persist->n_failures, BACKOFF_MIN_NS, BACKOFF_MAX_NS);
	persist->earliest_ns = persist->due_ns;
}

static void record_success(struct watcher_persist *persist)
{
	if (persist->n_failures)
		log_info("saving the store works again");
	persist->n_failures = 0;
	(void)snprintf(persist->status, RECONCILE_STATUS_SIZE, "ok %" PRIu64,
		       persist->saved_changed);
}

/* Keep the file `revision` ahead of the store. Returns false if it is not. */
static bool reserve(struct watcher_persist *persist, uint64_t revision, uint64_t (*now_ns)(void))
{
	int r;

	if (persist->ahead >= revision + PERSIST_REVISION_AHEAD / 2)
		return true;
	if (persist->n_failures && persist->due_ns > now_ns())
		return false;
	r = persist_revision_save(persist->directory, revision + PERSIST_REVISION_AHEAD);
	if (r) {
		schedule_retry(persist, r, now_ns());
		return false;
	}
	persist->ahead = revision + PERSIST_REVISION_AHEAD;
	return true;
}

static void save(struct watcher_persist *persist, const struct wanted *wanted,
		 uint64_t wall_offset_ns, uint64_t (*now_ns)(void))
{
	uint64_t begin_ns = now_ns(), end_ns;
	int r = persist_save(persist->directory, wanted, persist->descriptions,
			     persist->n_descriptions, wall_offset_ns);

	end_ns = now_ns();
	if (r) {
		schedule_retry(persist, r, end_ns);
		return;
	}
	persist->must_save = false;
	persist->saved = wanted->revision;
	persist->saved_changed = persist->changed;
	persist->due_ns = UINT64_MAX;
	persist->earliest_ns =
		end_ns + later(WATCHER_PERSIST_INTERVAL_NS, PAUSE_FACTOR * (end_ns - begin_ns));
	record_success(persist);
}

uint64_t watcher_persist_run(struct watcher_persist *persist, const struct wanted *wanted,
			     uint64_t wall_offset_ns, uint64_t (*now_ns)(void))
{
	uint64_t start_ns, due_ns;

	if (!persist->directory[0] || !reserve(persist, wanted->revision, now_ns))
		return persist->due_ns;
	start_ns = now_ns();
	if (persist->must_save && persist->due_ns <= start_ns) {
		save(persist, wanted, wall_offset_ns, now_ns);
	} else if (persist->must_save) {
		due_ns = later(start_ns + WATCHER_PERSIST_DELAY_NS, persist->earliest_ns);
		if (due_ns < persist->due_ns)
			persist->due_ns = due_ns;
	} else {
		/* Only the file `revision` had failed, and it is written now. */
		if (persist->n_failures)
			record_success(persist);
		persist->due_ns = UINT64_MAX;
	}
	return persist->due_ns;
}

void watcher_persist_finish(struct watcher_persist *persist, const struct wanted *wanted,
			    uint64_t wall_offset_ns, uint64_t (*now_ns)(void))
{
	if (persist->directory[0] && (persist->must_save || wanted->revision != persist->saved))
		save(persist, wanted, wall_offset_ns, now_ns);
}
