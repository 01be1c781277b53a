/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cli/watch.h"
#include "userspace/common/path.h"
#include "userspace/common/record.h"

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
static void merge(struct watch_view *view, uint64_t revision, const struct record_change *change)
{
	bool is_delete = change->operation == KV_CHANGE_DELETE, is_there;
	size_t i = find(view, &change->key, &is_there);
	struct cli_key *key = &view->keys[i];

	if (is_there && key->value.revision >= revision)
		return;
	if (is_delete && is_there) {
		memmove(key, key + 1, (view->n_keys - i - 1) * sizeof(*key));
		view->n_keys--;
	}
	if (is_delete)
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
	key->key = change->key;
	key->value.revision = revision;
	key->value.length = change->length;
	key->value.flags = change->is_secret ? KV_VALUE_SECRET : 0;
	memcpy(key->value.text, change->text, change->length);
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

static int put_value(const struct watch_view *view, struct watch_output *output, uint64_t revision,
		     const char *path, const char *text, bool is_secret)
{
	char room[CLI_FLAW_SIZE];
	const char *flaw = is_secret ? NULL :
				       cli_types_flaw(&view->types, path, text, strlen(text), room);

	return watch_put_change(output, revision, path, text, flaw, is_secret);
}

int watch_view_announce(struct watch_view *view, struct watch_output *output)
{
	int r = 0;

	if (view->is_announced)
		return 0;
	for (size_t i = 0; !r && i < view->n_keys; i++)
		if (view->keys[i].value.revision > view->from)
			r = put_value(view, output, view->keys[i].value.revision,
				      view->keys[i].key.path, view->keys[i].value.text,
				      view->keys[i].value.flags & KV_VALUE_SECRET);
	view->is_announced = true;
	return r < 0 ? r : watch_put_synced(output, view->synced);
}

int watch_view_record(struct watch_view *view, struct watch_output *output, const void *record,
		      size_t size)
{
	struct record_change change;
	struct kv_watch_event event;
	int r;

	if (view->is_lost)
		return 0; /* everything is listed again */
	if (record_watch_init(&event, &change, record, size) ||
	    (view->has_sequence && event.sequence != view->sequence + 1)) {
		view->is_lost = true;
		return 0;
	}
	view->has_sequence = true;
	view->sequence = event.sequence;
	if (event.revision <= view->begun || !path_is_below(change.key.path, view->directory))
		return 0;
	if (event.revision <= view->synced && !view->is_announced) {
		merge(view, event.revision, &change);
		return 0;
	}
	r = watch_view_announce(view, output);
	if (r < 0)
		return r;
	return change.operation == KV_CHANGE_WRITE ?
		       put_value(view, output, event.revision, change.key.path, change.text,
				 change.is_secret) :
		       watch_put_change(output, event.revision, change.key.path, NULL, NULL, false);
}

void watch_view_deinit(struct watch_view *view)
{
	free(view->keys);
	view->keys = NULL;
	view->n_keys = 0;
	cli_types_deinit(&view->types);
}
