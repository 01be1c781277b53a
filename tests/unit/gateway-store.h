/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in memory and a calf's keys for tests of the gateway: no
 * kernel program is needed. It counts revisions, fills a ring for a watching
 * client and drops what does not fit, as the kernel's does.
 */
#ifndef CALFPEN_TESTS_GATEWAY_STORE_H
#define CALFPEN_TESTS_GATEWAY_STORE_H

#include <errno.h>
#include <string.h>

#include "userspace/common/path.h"
#include "userspace/priv/gateway/request.h"

#define TEST_KEYS_MAX 512
#define TEST_RING_MAX 2048 /* records */

#define TEST_ALL (KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE)
#define TEST_SEEN (KV_ACCESS_READ | KV_ACCESS_WATCH)
#define TEST_KEY(_path, _access, _type, _max)                                                    \
	{                                                                                        \
		.path = (_path), .access = (_access),                                            \
		.rule = { .type = (_type), .max = UINT32_MAX, .max_length = (_max) }, .count = 1 \
	}

static const struct key_table test_table __attribute__((unused)) = {
	.name = "test",
	.keys = {
		TEST_KEY("/foo/bar", TEST_ALL, VALUE_TEXT, KV_VALUE_MAX),
		TEST_KEY("/a", TEST_ALL, VALUE_TEXT, 10),
		TEST_KEY("/b/c", TEST_ALL, VALUE_TEXT, KV_VALUE_MAX),
		TEST_KEY("/ip", KV_ACCESS_WRITE, VALUE_IPV4_NET, 18),
		TEST_KEY("/mac", KV_ACCESS_READ, VALUE_MAC, 17),
		TEST_KEY("/hex", TEST_ALL, VALUE_HEX, 16),
		TEST_KEY("/nameserver/", KV_ACCESS_WRITE | KV_ACCESS_DELETE, VALUE_IPV4, 15),
		TEST_KEY("/hidden", 0, VALUE_TEXT, 10),
		TEST_KEY("/empty", TEST_ALL, VALUE_TEXT, 0),
		TEST_KEY("/config/", TEST_SEEN, VALUE_TEXT, KV_VALUE_MAX),
		TEST_KEY("/config/unseen", KV_ACCESS_READ, VALUE_TEXT, KV_VALUE_MAX),
		TEST_KEY("/link", TEST_SEEN, VALUE_TEXT, 10),
	},
	.n_keys = 12,
};

struct test_record {
	struct kv_watch_event event;
	struct kv_change change;
	char text[KV_VALUE_SIZE];
};

struct test_store {
	struct {
		char path[KV_PATH_SIZE]; /* empty: free */
		char text[KV_VALUE_SIZE];
		size_t length;
		uint64_t revision;
	} keys[TEST_KEYS_MAX];
	size_t n_keys; /* slots ever used */
	uint64_t revision;
	int verdict; /* what every call answers, if not 0 */
	uint32_t i_refused;
	unsigned int n_calls;
	unsigned int n_asked; /* GATE_WATCH_ASK */
	uint32_t batch_max;   /* requests served of a batch, 0: as many as fit */
	unsigned int n_denials;
	struct {
		enum kv_verb verb;
		char path[KV_PATH_SIZE];
		int verdict;
	} denial; /* the last one that was noted */
	bool is_watched;
	uint64_t sequence, n_lost;
	size_t ring_at, ring_end, ring_bytes;
	struct test_record ring[TEST_RING_MAX];
	/* Called before a read or a page: the store changes meanwhile. */
	void (*meanwhile)(struct test_store *store);
};

static inline uint32_t test_access(const char *path)
{
	const struct key_rule *key = key_rule_find(test_table.keys, test_table.n_keys, path);

	return key ? key->access : 0;
}

static inline size_t test_store_find(const struct test_store *store, const char *path)
{
	size_t i = 0;

	while (i < store->n_keys && strcmp(store->keys[i].path, path) != 0)
		i++;
	return i;
}

/* Returns the value of a key; "absent" if there is none. */
static inline const char *test_store_text(const struct test_store *store, const char *path)
{
	size_t i = test_store_find(store, path);

	return i == store->n_keys ? "absent" : store->keys[i].text;
}

static inline void test_store_event(struct test_store *store, uint16_t operation, const char *path,
				    const char *text, size_t length)
{
	struct test_record *record = &store->ring[store->ring_end % TEST_RING_MAX];
	size_t size = sizeof(record->event) + KV_CHANGE_SIZE(length);

	if (!store->is_watched || !(test_access(path) & KV_ACCESS_WATCH))
		return;
	store->sequence++;
	if (store->ring_bytes + size + 8 > KV_WATCH_SIZE ||
	    store->ring_end - store->ring_at == TEST_RING_MAX) {
		store->n_lost++;
		return;
	}
	memset(record, 0, sizeof(*record));
	record->event.type = KV_RECORD_CHANGE;
	record->event.size = KV_CHANGE_SIZE(length);
	record->event.sequence = store->sequence;
	record->event.revision = store->revision;
	record->change.operation = operation;
	record->change.length = (uint16_t)length;
	record->change.noted = KV_NOTE(strrchr(path, '/') + 1 - path, strlen(path));
	strcpy(record->change.path, path);
	if (length > 0)
		memcpy(record->text, text, length);
	store->ring_bytes += size + 8;
	store->ring_end++;
}

/* A change of this revision, unchecked. */
static inline int test_store_put(struct test_store *store, const char *path, const char *text,
				 size_t length)
{
	size_t i = test_store_find(store, path);

	if (i == store->n_keys)
		i = test_store_find(store, "");
	if (i == TEST_KEYS_MAX)
		return -ENOSPC;
	if (i == store->n_keys)
		store->n_keys++;
	strcpy(store->keys[i].path, path);
	if (length > 0)
		memcpy(store->keys[i].text, text, length);
	store->keys[i].text[length] = '\0';
	store->keys[i].length = length;
	store->keys[i].revision = store->revision;
	test_store_event(store, KV_CHANGE_WRITE, path, text, length);
	return 0;
}

static inline void test_store_drop(struct test_store *store, const char *path)
{
	size_t i = test_store_find(store, path);

	if (i == store->n_keys)
		return;
	store->keys[i].path[0] = '\0';
	test_store_event(store, KV_CHANGE_DELETE, path, NULL, 0);
}

/* Changes by another subject, not by the calf. */
static inline void test_store_set(struct test_store *store, const char *path, const char *text)
{
	store->revision++;
	test_store_put(store, path, text, strlen(text));
}

static inline void test_store_delete(struct test_store *store, const char *path)
{
	store->revision++;
	test_store_drop(store, path);
}

static inline void test_store_meanwhile(struct test_store *store)
{
	if (store->meanwhile)
		store->meanwhile(store);
}

static inline int test_store_read(void *data, const char *path, struct kv_value *valuep)
{
	struct test_store *store = data;
	size_t i;

	store->n_calls++;
	if (store->verdict != 0)
		return store->verdict;
	test_store_meanwhile(store);
	i = test_store_find(store, path);
	if (i == store->n_keys)
		return -ENOENT;
	memset(valuep, 0, sizeof(*valuep));
	memcpy(valuep->text, store->keys[i].text, store->keys[i].length);
	valuep->length = (uint16_t)store->keys[i].length;
	valuep->revision = store->keys[i].revision;
	return 0;
}

static inline bool test_store_holds(const struct test_store *store, const char *path,
				    uint64_t condition)
{
	size_t i = test_store_find(store, path);

	if (condition == KV_REVISION_ANY)
		return true;
	if (condition == KV_REVISION_ABSENT)
		return i == store->n_keys;
	return i < store->n_keys && store->keys[i].revision == condition;
}

/* One request of a batch; its text is in the result if it is a read. */
static inline int test_store_serve(struct test_store *store, const struct kv_batched *header,
				   const struct kv_change *change, const char *text,
				   struct kv_value *valuep)
{
	if (header->verb == KV_VERB_READ)
		return test_store_read(store, change->path, valuep);
	if (!test_store_holds(store, change->path, header->revision))
		return -ESTALE;
	valuep->revision = ++store->revision;
	if (header->verb == KV_VERB_WRITE)
		return test_store_put(store, change->path, text, change->length);
	test_store_drop(store, change->path);
	return 0;
}

/* One call, however many it serves. */
static inline int test_store_batch(void *data, const struct batch *batch,
				   struct batch_results *results)
{
	struct test_store *store = data;
	unsigned int n_calls = store->n_calls + 1;
	size_t at = 0;

	store->n_calls = n_calls;
	if (store->verdict != 0)
		return store->verdict;
	results->n = results->length = 0;
	while (results->n < batch->n_requests &&
	       (store->batch_max == 0 || results->n < store->batch_max)) {
		struct kv_value value = { 0 };
		struct kv_batched header;
		struct kv_change change;
		struct kv_result result;

		memcpy(&header, batch->bytes + at, sizeof(header));
		memcpy(&change, batch->bytes + at + sizeof(header), sizeof(change));
		result.verdict = test_store_serve(
			store, &header, &change,
			(const char *)batch->bytes + at + sizeof(header) + sizeof(change), &value);
		result.revision = value.revision;
		result.length = value.length;
		if (results->length + KV_RESULT_SIZE(value.length) > sizeof(results->bytes))
			break;
		memcpy(results->bytes + results->length, &result, sizeof(result));
		memcpy(results->bytes + results->length + sizeof(result), value.text, value.length);
		results->length += KV_RESULT_SIZE(value.length);
		results->n++;
		at += sizeof(header) + KV_CHANGE_SIZE(change.length);
	}
	store->n_calls = n_calls;
	return 0;
}

static inline void test_store_note_denial(void *data, enum kv_verb verb, const char *path,
					  int verdict)
{
	struct test_store *store = data;

	store->n_denials++;
	store->denial.verb = verb;
	store->denial.verdict = verdict;
	strcpy(store->denial.path, path);
}

/* The i-th change, packed: its header, and its text behind it. */
static inline const char *test_change(const struct commit *commit, uint32_t i_change,
				      struct kv_change *changep)
{
	size_t at = 0;

	memcpy(changep, commit->bytes, sizeof(*changep));
	for (uint32_t i = 0; i < i_change; i++) {
		at += KV_CHANGE_SIZE(changep->length);
		memcpy(changep, commit->bytes + at, sizeof(*changep));
	}
	return (const char *)commit->bytes + at + KV_CHANGE_HEADER;
}

static inline int test_store_commit(void *data, const struct commit *commit, uint64_t *revisionp,
				    uint32_t *i_refusedp)
{
	struct test_store *store = data;
	struct kv_change change;

	store->n_calls++;
	*i_refusedp = store->i_refused;
	if (store->verdict != 0)
		return store->verdict;
	for (uint32_t i = 0; i < commit->n_changes; i++) {
		size_t found;

		test_change(commit, i, &change);
		found = test_store_find(store, change.path);
		*i_refusedp = i;
		if (commit->condition != KV_REVISION_ANY && found < store->n_keys &&
		    (commit->condition == KV_REVISION_ABSENT ||
		     store->keys[found].revision > commit->condition))
			return -ESTALE;
	}
	*revisionp = ++store->revision;
	for (uint32_t i = 0; i < commit->n_changes; i++) {
		const char *text = test_change(commit, i, &change);

		if (change.operation == KV_CHANGE_WRITE)
			test_store_put(store, change.path, text, change.length);
		else
			test_store_drop(store, change.path);
	}
	return 0;
}

static inline int test_store_list(void *data, const char *directory, struct gate_page *page)
{
	struct test_store *store = data;
	uint32_t i = page->cursor;

	store->n_calls++;
	if (store->verdict != 0)
		return store->verdict;
	test_store_meanwhile(store);
	memset(page->bytes, 0, sizeof(page->bytes));
	page->length = 0;
	page->revision = store->revision;
	for (; i < store->n_keys && page->length + KV_ENTRY_SIZE(KV_PATH_MAX) <= KV_VALUE_SIZE;
	     i++) {
		const char *path = store->keys[i].path;

		if (!path_is_below(path, directory) || !(test_access(path) & KV_ACCESS_READ))
			continue;
		memcpy(page->bytes + page->length, &store->keys[i].revision, sizeof(uint64_t));
		strcpy(page->bytes + page->length + sizeof(struct kv_entry), path);
		page->length += KV_ENTRY_SIZE(strlen(path));
	}
	page->cursor = i < store->n_keys ? i : 0;
	return 0;
}

static inline int test_store_watch(void *data, enum gate_watch operation, uint64_t *revisionp,
				   uint64_t *n_lostp)
{
	struct test_store *store = data;

	store->n_calls++;
	if (store->verdict != 0)
		return store->verdict;
	if (operation == GATE_WATCH_ASK)
		store->n_asked++;
	else
		store->is_watched = operation == GATE_WATCH_BEGIN;
	if (revisionp)
		*revisionp = store->revision;
	if (n_lostp)
		*n_lostp = store->n_lost;
	return 0;
}

static inline bool test_store_consume(void *data, gateway_record_fn take, void *take_data)
{
	struct test_store *store = data;

	while (store->ring_at < store->ring_end) {
		const struct test_record *record = &store->ring[store->ring_at % TEST_RING_MAX];
		size_t size = sizeof(record->event) + record->event.size;

		store->ring_at++;
		store->ring_bytes -= size + 8;
		if (take(take_data, record, size))
			return false;
	}
	return true;
}

static const struct gateway_store test_store_calls __attribute__((unused)) = {
	.read = test_store_read,
	.batch = test_store_batch,
	.commit = test_store_commit,
	.list = test_store_list,
	.watch = test_store_watch,
	.note_denial = test_store_note_denial,
	.consume = test_store_consume,
};

#endif
