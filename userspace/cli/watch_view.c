/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cli/watch.h"
#include "userspace/common/path.h"
#include "userspace/common/sanitise.h"

/* A validated record. */
struct event {
	uint64_t revision;
	uint64_t sequence;
	struct kv_key key;
	bool is_delete;
	char text[KV_VALUE_SIZE]; /* printable */
};

/* Parse and validate a record. Returns false if the gate cannot have written it. */
static bool parse_record(struct event *event, const void *record, size_t size)
{
	const struct kv_watch_event *header = record;
	const struct kv_change *change = (const void *)(header + 1);

	if (size < sizeof(*header) + sizeof(*change) || header->type != KV_RECORD_CHANGE ||
	    change->length > KV_VALUE_MAX || header->size != KV_CHANGE_SIZE(change->length) ||
	    size < sizeof(*header) + header->size)
		return false;
	if (change->operation != KV_CHANGE_WRITE && change->operation != KV_CHANGE_DELETE)
		return false;
	memcpy(event->key.path, change->path, sizeof(event->key.path));
	if (!path_key_is_canonical(&event->key))
		return false;
	event->revision = header->revision;
	event->sequence = header->sequence;
	event->is_delete = change->operation == KV_CHANGE_DELETE;
	sanitise(event->text, sizeof(event->text), change + 1, change->length);
	return true;
}

/* Return the index of a path in the list, or the index to insert it at. */
static size_t find(const struct watch_view *view, const struct kv_key *key, bool *is_therep)
{
	size_t low = 0, high = view->n_keys;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strncmp(view->keys[middle].key.path, key->path, sizeof(key->path)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*is_therep = low < view->n_keys &&
		     strncmp(view->keys[low].key.path, key->path, sizeof(key->path)) == 0;
	return low;
}

/* Merge a change that was made while the keys were listed. */
static void merge(struct watch_view *view, const struct event *event)
{
	bool is_there;
	size_t i = find(view, &event->key, &is_there);
	struct cli_key *key = &view->keys[i];

	if (is_there && key->value.revision >= event->revision)
		return;
	if (event->is_delete && is_there) {
		memmove(key, key + 1, (view->n_keys - i - 1) * sizeof(*key));
		view->n_keys--;
	}
	if (event->is_delete)
		return;
	if (!is_there && view->n_keys == STORE_KEYS_MAX) {
		view->is_lost = true; /* more keys than a store can hold */
		return;
	}
	if (!is_there) {
		memmove(key + 1, key, (view->n_keys - i) * sizeof(*key));
		view->n_keys++;
	}
	memset(key, 0, sizeof(*key));
	key->key = event->key;
	key->value.revision = event->revision;
	key->value.length = (uint32_t)strlen(event->text);
	memcpy(key->value.text, event->text, sizeof(key->value.text));
}

void watch_view_begin(struct watch_view *view, struct cli_key *keys, size_t n_keys, uint64_t begun,
		      uint64_t synced)
{
	free(view->keys);
	view->keys = keys;
	view->n_keys = n_keys;
	view->begun = begun;
	view->synced = synced;
	view->has_sequence = false;
	view->is_announced = false;
	view->is_lost = false;
}

int watch_view_announce(struct watch_view *view, struct watch_output *output)
{
	int r = 0;

	if (view->is_announced)
		return 0;
	for (size_t i = 0; !r && i < view->n_keys; i++)
		if (view->keys[i].value.revision > view->from)
			r = watch_put_change(output, view->keys[i].value.revision,
					     view->keys[i].key.path, view->keys[i].value.text);
	view->is_announced = true;
	return r < 0 ? r : watch_put_synced(output, view->synced);
}

int watch_view_record(struct watch_view *view, struct watch_output *output, const void *record,
		      size_t size)
{
	struct event event;
	int r;

	if (view->is_lost)
		return 0; /* everything is listed again */
	if (!parse_record(&event, record, size) ||
	    (view->has_sequence && event.sequence != view->sequence + 1)) {
		view->is_lost = true;
		return 0;
	}
	view->has_sequence = true;
	view->sequence = event.sequence;
	if (event.revision <= view->begun || !path_is_below(event.key.path, view->directory))
		return 0;
	if (event.revision <= view->synced && !view->is_announced) {
		merge(view, &event);
		return 0;
	}
	r = watch_view_announce(view, output);
	return r < 0 ? r :
		       watch_put_change(output, event.revision, event.key.path,
					event.is_delete ? NULL : event.text);
}

void watch_view_deinit(struct watch_view *view)
{
	free(view->keys);
	view->keys = NULL;
	view->n_keys = 0;
}
