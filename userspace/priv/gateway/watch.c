/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: a watch begins with a revision R from the store: changes newer than R are in
 * the ring. Then everything is listed and read. A key with a revision above R is left
 * out, because the ring has that change, or had it and it was sent; a key with an
 * older revision is sent, and every change of it in the ring is newer. So the
 * revisions of each key are sent in order and none twice, however the store changes
 * during the listing, and no state per key is needed. `synced` follows when the ring
 * was found empty after the last page.
 *
 * Losses show as a gap in the sequence numbers of the records, or, if no record
 * follows, in the store's own count. The store is asked for it if so much was
 * consumed without a pause that the ring may have been full, and once a second while
 * records arrive.
 */
#include "userspace/priv/gateway/watch.h"

#include <errno.h>
#include <string.h>

#include "userspace/common/path.h"
#include "userspace/common/record.h"

/* A record in the ring, with its header. */
#define RECORD_SIZE(size) (8u + (((size) + 7u) & ~(size_t)7u))
#define RECORD_MAX RECORD_SIZE(sizeof(struct kv_watch_event) + KV_CHANGE_SIZE(KV_VALUE_MAX))
/* If the ring never held more than this, it had room for any record (one more may be
 * in progress). */
#define FULL_SIZE (KV_WATCH_SIZE - 2 * RECORD_MAX)

void gateway_watches_init(struct gateway_watches *watches, const struct key_table *table,
			  const struct gateway_store *store, void *store_data)
{
	memset(watches, 0, sizeof(*watches));
	watches->table = table;
	watches->store = store;
	watches->store_data = store_data;
}

/* --- output --- */

/* One record may produce an entry for every watch, and end a listing, too. */
static bool has_room(const struct gateway_watches *watches)
{
	return gateway_output_room(watches->output) >= (size_t)watches->n * WIRE_RESPONSE_MAX;
}

static void put_entry(struct gateway_watches *watches, const struct gateway_watch *watch,
		      const struct wire_entry *entry)
{
	struct gateway_output *output = watches->output;
	int r = wire_encode_entries(watch->id, entry, 1, 0, true, gateway_output_end(output),
				    gateway_output_room(output));

	if (r > 0)
		output->size += (size_t)r;
}

static void put_synced(struct gateway_watches *watches, struct gateway_watch *watch)
{
	put_entry(watches, watch,
		  &(struct wire_entry){ .tag = WIRE_ENTRY_SYNCED, .revision = watch->listed });
	watch->state = GATEWAY_WATCH_LIVE;
}

/* --- losses --- */

/* Mark the watches that began before `revision`: they may have lost something. */
static void mark_lost(struct gateway_watches *watches, uint64_t revision)
{
	for (uint32_t i = 0; i < watches->n; i++)
		if (watches->watches[i].began < revision)
			watches->watches[i].state = GATEWAY_WATCH_RESYNC;
}

/* Compare the store's count of lost records with the number that was handled. */
static void note_lost(struct gateway_watches *watches, uint64_t n_lost)
{
	n_lost -= watches->n_lost_before;
	if (n_lost > watches->n_lost) {
		watches->n_lost = n_lost;
		mark_lost(watches, UINT64_MAX);
	}
}

/* Check the sequence number of a record. The store may have reported the loss of
 * missing numbers before. */
static void note_sequence(struct gateway_watches *watches, const struct kv_watch_event *event)
{
	if (watches->next_sequence != 0 && event->sequence != watches->next_sequence) {
		watches->n_missing += event->sequence - watches->next_sequence;
		if (watches->n_missing > watches->n_lost) {
			watches->n_lost = watches->n_missing;
			mark_lost(watches, event->revision);
		}
	}
	watches->next_sequence = event->sequence + 1;
}

/* Ask the store for losses if needed. Returns false if it must be asked again later. */
static bool check_losses(struct gateway_watches *watches)
{
	uint64_t n_lost;

	if (!watches->is_suspect)
		return true;
	if (watches->store->watch(watches->store_data, GATE_WATCH_ASK, NULL, &n_lost) < 0) {
		watches->wants_retry = true;
		return false;
	}
	watches->is_suspect = false;
	watches->is_unsettled = false;
	note_lost(watches, n_lost);
	return true;
}

/* --- records of the ring --- */

/* Return whether the value is what the calf may expect of the key: the kernel checks
 * classes only, so that the gateway of another calf that was taken over could store
 * anything. */
static bool is_valid(const struct gateway_watches *watches, const char *path, const char *text,
		     size_t length)
{
	const struct key_rule *key =
		key_rule_find(watches->table->keys, watches->table->n_keys, path);

	return key && value_check(&key->rule, text, length) == 0;
}

static void deliver(struct gateway_watches *watches, struct gateway_watch *watch, uint64_t revision,
		    const struct record_change *change)
{
	struct wire_entry entry = {
		.path = change->key,
		.revision = revision,
		.tag = change->operation == KV_CHANGE_WRITE ? WIRE_ENTRY_VALUE : WIRE_ENTRY_DELETED,
		.value = { (const uint8_t *)change->text, change->length },
	};

	if (watch->state == GATEWAY_WATCH_RESYNC || revision <= watch->began ||
	    !path_is_below(change->key.path, watch->directory))
		return;
	if (watch->state == GATEWAY_WATCH_CATCHING_UP && revision > watch->listed)
		put_synced(watches, watch);
	put_entry(watches, watch, &entry);
}

static bool take_record(void *data, const void *record, size_t size)
{
	struct gateway_watches *watches = data;
	struct record_change change;
	struct kv_watch_event event;

	watches->n_consumed += RECORD_SIZE(size);
	watches->is_unsettled = true;
	if (record_watch_init(&event, &change, record, size)) {
		mark_lost(watches, UINT64_MAX); /* its content is lost */
		return !has_room(watches);
	}
	note_sequence(watches, &event);
	/* A value that is not valid is none, as for a read, and so is the secret of another. */
	if (change.operation == KV_CHANGE_WRITE &&
	    (change.is_secret || !is_valid(watches, change.key.path, change.text, change.length))) {
		change.operation = KV_CHANGE_DELETE;
		change.length = 0;
	}
	for (uint32_t i = 0; i < watches->n; i++)
		deliver(watches, &watches->watches[i], event.revision, &change);
	return !has_room(watches);
}

/* Process the records of the ring. Returns true if it is empty. */
static bool consume(struct gateway_watches *watches)
{
	if (!watches->store->consume(watches->store_data, take_record, watches))
		return false;
	if (watches->n_consumed >= FULL_SIZE)
		watches->is_suspect = true;
	watches->n_consumed = 0;
	return true;
}

/* --- listing --- */

/* Start the listing of a watch. Returns 0, or the store's error. */
static int begin(struct gateway_watches *watches, struct gateway_watch *watch)
{
	uint64_t revision, n_lost;
	int r = watches->store->watch(watches->store_data, GATE_WATCH_BEGIN, &revision, &n_lost);

	if (r < 0)
		return r;
	if (watches->n == 0)
		watches->n_lost_before = n_lost;
	note_lost(watches, n_lost);
	watch->state = GATEWAY_WATCH_LISTING;
	watch->began = revision;
	watch->is_last = false;
	watch->at = 0;
	watch->page = (struct gate_page){ 0 };
	return 0;
}

/* Does this watch send the listed key now, rather than from the ring? */
static bool is_wanted(const struct gateway_watches *watches, const struct gateway_watch *watch,
		      const char *path, uint64_t revision, struct kv_key *keyp)
{
	const uint32_t needed = KV_ACCESS_READ | KV_ACCESS_WATCH;
	const struct key_rule *key =
		key_rule_find(watches->table->keys, watches->table->n_keys, path);

	return revision <= watch->began && key && (key->access & needed) == needed &&
	       path_to_key(path, keyp) == 0;
}

static int list_key(struct gateway_watches *watches, const struct gateway_watch *watch,
		    const struct kv_key *key)
{
	struct kv_value value;
	struct wire_entry entry = { .path = *key, .tag = WIRE_ENTRY_VALUE };
	int r = watches->store->read(watches->store_data, key->path, &value);

	if (r == -ENOENT || r == -EACCES || (!r && value.revision > watch->began))
		return 0; /* changed meanwhile: the ring has the change */
	if (r < 0)
		return r;
	entry.revision = value.revision;
	entry.value = (struct wire_data){ (const uint8_t *)value.text, value.length };
	if (is_valid(watches, key->path, value.text, value.length))
		put_entry(watches, watch, &entry);
	return 0;
}

/* List while there is room. Returns 0, or the store's error. */
static int list(struct gateway_watches *watches, struct gateway_watch *watch)
{
	while (gateway_output_room(watches->output) >= WIRE_RESPONSE_MAX) {
		uint32_t at = watch->at;
		uint64_t revision;
		struct kv_key key;
		const char *path;
		int r = 0;

		if (gate_page_next(&watch->page, &at, &revision, &path)) {
			if (is_wanted(watches, watch, path, revision, &key))
				r = list_key(watches, watch, &key);
			if (!r)
				watch->at = at;
		} else if (watch->is_last) {
			watch->listed = watch->page.revision;
			watch->state = GATEWAY_WATCH_CATCHING_UP;
			return 0;
		} else {
			r = watches->store->list(watches->store_data, watch->directory,
						 &watch->page);
			if (!r) {
				watch->at = 0;
				watch->is_last = watch->page.cursor == 0;
			}
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Continue a watch when the ring is empty. Returns true if there is more to do. */
static bool advance(struct gateway_watches *watches, struct gateway_watch *watch)
{
	int r = 0;

	if (watches->wants_retry || gateway_output_room(watches->output) < WIRE_RESPONSE_MAX)
		return false;
	switch (watch->state) {
	case GATEWAY_WATCH_RESYNC:
		r = begin(watches, watch);
		if (!r)
			put_entry(watches, watch, &(struct wire_entry){ .tag = WIRE_ENTRY_RESYNC });
		break;
	case GATEWAY_WATCH_LISTING:
		r = list(watches, watch);
		break;
	case GATEWAY_WATCH_CATCHING_UP:
		put_synced(watches, watch); /* the ring was empty since */
		return false;
	case GATEWAY_WATCH_LIVE:
		return false;
	}
	watches->wants_retry = r < 0;
	return !r;
}

bool gateway_watches_run(struct gateway_watches *watches, struct gateway_output *output)
{
	size_t size = output->size;
	bool goes_on = watches->n > 0;

	watches->output = output;
	while (goes_on && has_room(watches)) {
		if (!consume(watches) || watches->wants_retry || !check_losses(watches))
			break;
		goes_on = false;
		for (uint32_t i = 0; i < watches->n; i++)
			goes_on |= advance(watches, &watches->watches[i]);
	}
	return output->size != size;
}

void gateway_watches_tick(struct gateway_watches *watches)
{
	watches->is_suspect |= watches->is_unsettled;
}

/* --- a new watch --- */

static bool may_watch(const struct key_table *table, const char *directory)
{
	const struct key_rule *key = key_rule_find(table->keys, table->n_keys, directory);

	if (key && (key->access & KV_ACCESS_WATCH))
		return true;
	for (uint32_t i = 0; i < table->n_keys; i++)
		if ((table->keys[i].access & KV_ACCESS_WATCH) &&
		    path_is_below(table->keys[i].path, directory))
			return true;
	return false;
}

/* Discard records for an earlier gateway of this subject. */
static bool discard(void *data, const void *record, size_t size)
{
	(void)data;
	(void)record;
	(void)size;
	return false;
}

int gateway_watches_add(struct gateway_watches *watches, const struct wire_request *request)
{
	struct gateway_watch *watch = &watches->watches[watches->n];
	struct kv_key directory = { "/" };
	int r;

	if (request->path.path[0] != '\0')
		directory = request->path;
	if (!may_watch(watches->table, directory.path))
		return -EACCES;
	if (watches->n == GATEWAY_WATCHES_MAX)
		return -EUSERS;
	if (watches->n == 0)
		watches->store->consume(watches->store_data, discard, NULL);
	r = begin(watches, watch);
	if (r < 0)
		return r;
	watch->id = request->id;
	memcpy(watch->directory, directory.path, sizeof(watch->directory));
	watches->n++;
	return 0;
}
