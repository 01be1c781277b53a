/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/store/wanted.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int wanted_init(struct wanted *wanted, uint32_t max_keys)
{
	*wanted = (struct wanted){
		.keys = calloc(max_keys, sizeof(struct wanted_key *)),
		.max_keys = max_keys,
		.room = calloc(max_keys, sizeof(*wanted->room)),
	};
	if (wanted->keys && wanted->room)
		return 0;
	wanted_deinit(wanted);
	return -ENOMEM;
}

void wanted_deinit(struct wanted *wanted)
{
	free(wanted->keys);
	free(wanted->room);
	*wanted = WANTED_NULL(*wanted);
}

void wanted_clear(struct wanted *wanted)
{
	wanted->n_keys = 0;
	wanted->revision = 0;
}

/* Returns the index of the first key that does not sort before `path`. At most
 * KV_PATH_SIZE bytes are compared. */
static uint32_t find(const struct wanted *wanted, const char *path)
{
	uint32_t low = 0, high = wanted->n_keys;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strncmp(wanted->keys[middle]->key.path, path, KV_PATH_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct wanted *wanted, uint32_t i, const char *path)
{
	return i < wanted->n_keys && !strncmp(wanted->keys[i]->key.path, path, KV_PATH_SIZE);
}

/* Copy only up to the end of the text, because most texts are a few bytes long. */
static void copy_value(struct kv_value *to, const struct kv_value *from)
{
	memcpy(to, from, offsetof(struct kv_value, text) + from->length + 1);
}

int wanted_set(struct wanted *wanted, const struct kv_key *key, const struct kv_value *value)
{
	uint32_t i = find(wanted, key->path), n = wanted->n_keys;
	struct wanted_key *at;

	if (is_at(wanted, i, key->path)) {
		at = wanted->keys[i];
		if (at->value.revision <= value->revision)
			copy_value(&at->value, value);
		return 0;
	}
	if (n == wanted->max_keys)
		return -ENOSPC;
	/* Take memory that was released, else the first that was never used. */
	at = wanted->keys[n] ? wanted->keys[n] : &wanted->room[n];
	memmove(&wanted->keys[i + 1], &wanted->keys[i], (n - i) * sizeof(struct wanted_key *));
	wanted->keys[i] = at;
	wanted->n_keys++;
	at->key = *key;
	copy_value(&at->value, value);
	return 0;
}

void wanted_remove(struct wanted *wanted, const struct kv_key *key, uint64_t revision)
{
	uint32_t i = find(wanted, key->path);
	struct wanted_key *at;

	if (!is_at(wanted, i, key->path) || wanted->keys[i]->value.revision > revision)
		return;
	at = wanted->keys[i];
	wanted->n_keys--;
	memmove(&wanted->keys[i], &wanted->keys[i + 1],
		(wanted->n_keys - i) * sizeof(struct wanted_key *));
	wanted->keys[wanted->n_keys] = at;
}

const struct kv_value *wanted_get(const struct wanted *wanted, const char *path)
{
	uint32_t i = find(wanted, path);

	return is_at(wanted, i, path) ? &wanted->keys[i]->value : NULL;
}

uint32_t wanted_first_below(const struct wanted *wanted, const char *directory)
{
	uint32_t i = find(wanted, directory);

	return wanted_is_below(wanted, i, directory) ? i : wanted->n_keys;
}

bool wanted_is_below(const struct wanted *wanted, uint32_t i_key, const char *directory)
{
	return i_key < wanted->n_keys &&
	       !strncmp(wanted->keys[i_key]->key.path, directory, strlen(directory));
}
