// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/wanted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int wanted_init(struct wanted *wanted, uint32_t max_keys)
{
	struct wanted_key *keys = calloc(max_keys, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	*wanted = (struct wanted){ .keys = keys, .max_keys = max_keys };
	return 0;
}

void wanted_deinit(struct wanted *wanted)
{
	free(wanted->keys);
	*wanted = WANTED_NULL(*wanted);
}

void wanted_clear(struct wanted *wanted)
{
	wanted->n_keys = 0;
	wanted->revision = 0;
}

/* Index of the first key that is not before `path` (at most KV_PATH_SIZE
 * bytes are compared). */
static uint32_t find(const struct wanted *wanted, const char *path)
{
	uint32_t low = 0, high = wanted->n_keys;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strncmp(wanted->keys[middle].key.path, path, KV_PATH_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct wanted *wanted, uint32_t i, const char *path)
{
	return i < wanted->n_keys && !strncmp(wanted->keys[i].key.path, path, KV_PATH_SIZE);
}

int wanted_set(struct wanted *wanted, const struct kv_key *key, const struct kv_value *value)
{
	uint32_t i = find(wanted, key->path);
	struct wanted_key *at = &wanted->keys[i];

	if (is_at(wanted, i, key->path)) {
		if (at->value.revision <= value->revision)
			at->value = *value;
		return 0;
	}
	if (wanted->n_keys == wanted->max_keys)
		return -ENOSPC;
	memmove(at + 1, at, (wanted->n_keys - i) * sizeof(*at));
	at->key = *key;
	at->value = *value;
	wanted->n_keys++;
	return 0;
}

void wanted_remove(struct wanted *wanted, const struct kv_key *key, uint64_t revision)
{
	uint32_t i = find(wanted, key->path);
	struct wanted_key *at = &wanted->keys[i];

	if (!is_at(wanted, i, key->path) || at->value.revision > revision)
		return;
	wanted->n_keys--;
	memmove(at, at + 1, (wanted->n_keys - i) * sizeof(*at));
}

const struct kv_value *wanted_get(const struct wanted *wanted, const char *path)
{
	uint32_t i = find(wanted, path);

	return is_at(wanted, i, path) ? &wanted->keys[i].value : NULL;
}

uint32_t wanted_first_below(const struct wanted *wanted, const char *directory)
{
	uint32_t i = find(wanted, directory);

	return wanted_is_below(wanted, i, directory) ? i : wanted->n_keys;
}

bool wanted_is_below(const struct wanted *wanted, uint32_t i_key, const char *directory)
{
	return i_key < wanted->n_keys &&
	       !strncmp(wanted->keys[i_key].key.path, directory, strlen(directory));
}
