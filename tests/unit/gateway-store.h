/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in memory and a calf's description for tests of the gateway: no
 * kernel program is needed.
 */
#ifndef CALFPEN_TESTS_GATEWAY_STORE_H
#define CALFPEN_TESTS_GATEWAY_STORE_H

#include <errno.h>
#include <string.h>

#include "userspace/priv/gateway_request.h"

#define TEST_KEYS_MAX 32

struct test_store {
	struct {
		char path[KV_PATH_SIZE];
		char text[KV_VALUE_SIZE];
		size_t length;
	} keys[TEST_KEYS_MAX];
	size_t n_keys;
	int verdict; /* what every call answers, if not 0 */
	uint32_t i_refused;
	unsigned int n_calls;
};

static inline size_t test_store_find(const struct test_store *store, const char *path)
{
	size_t i = 0;

	while (i < store->n_keys && strcmp(store->keys[i].path, path) != 0)
		i++;
	return i;
}

static inline int test_store_read(void *data, const char *path, struct kv_value *valuep)
{
	struct test_store *store = data;
	size_t i = test_store_find(store, path);

	store->n_calls++;
	if (store->verdict != 0)
		return store->verdict;
	if (i == store->n_keys)
		return -ENOENT;
	memset(valuep, 0, sizeof(*valuep));
	memcpy(valuep->text, store->keys[i].text, store->keys[i].length);
	valuep->length = (uint32_t)store->keys[i].length;
	return 0;
}

static inline int test_store_write(void *data, const char *path, const char *text, size_t length)
{
	struct test_store *store = data;
	size_t i = test_store_find(store, path);

	store->n_calls++;
	if (store->verdict != 0)
		return store->verdict;
	if (i == TEST_KEYS_MAX)
		return -ENOSPC;
	if (i == store->n_keys)
		store->n_keys++;
	strcpy(store->keys[i].path, path);
	memcpy(store->keys[i].text, text, length);
	store->keys[i].length = length;
	return 0;
}

static inline int test_store_remove(void *data, const char *path)
{
	struct test_store *store = data;
	size_t i = test_store_find(store, path);

	store->n_calls++;
	if (store->verdict != 0)
		return store->verdict;
	if (i < store->n_keys)
		store->keys[i] = store->keys[--store->n_keys];
	return 0;
}

static inline int test_store_commit(void *data, const struct gate_commit *commit,
				    uint32_t *i_refusedp)
{
	struct test_store *store = data;
	size_t at = 0;

	store->n_calls++;
	if (store->verdict != 0) {
		*i_refusedp = store->i_refused;
		return store->verdict;
	}
	for (uint32_t i = 0; i < commit->n_changes; i++) {
		struct kv_change change;

		memcpy(&change, commit->bytes + at, sizeof(change));
		if (change.operation == KV_CHANGE_WRITE)
			test_store_write(store, change.path,
					 (const char *)commit->bytes + at + KV_CHANGE_HEADER,
					 change.length);
		else
			test_store_remove(store, change.path);
		at += KV_CHANGE_SIZE(change.length);
	}
	return 0;
}

static const struct gateway_store test_store_calls __attribute__((unused)) = {
	.read = test_store_read,
	.write = test_store_write,
	.remove = test_store_remove,
	.commit = test_store_commit,
};

#define TEST_ALL (KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE)
#define TEST_KEY(_path, _access, _type, _max)                                                    \
	{                                                                                        \
		.path = (_path), .access = (_access),                                            \
		.rule = { .type = (_type), .max = UINT32_MAX, .max_length = (_max) }, .count = 1 \
	}

static const struct description test_description __attribute__((unused)) = {
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
	},
	.n_keys = 9,
};

#endif
