/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/cli/store.h"
#include "userspace/common/gate.h"
#include "userspace/common/path.h"
#include "userspace/common/sanitise.h"

/* Listing all keys takes thousands of requests. If the operator's rate limit does
 * not allow that many at once, wait and retry. */
#define MAX_TRIES 1000
#define PAUSE_NS 5000000L

bool cli_is_worth_waiting(int error, int *n_triesp)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	if ((error != -EDQUOT && error != -EBUSY) || ++*n_triesp > MAX_TRIES)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

static int read_value(int gate, const char *path, struct kv_value *valuep)
{
	int n_tries = 0, r;

	do {
		r = gate_read(gate, path, valuep);
	} while (cli_is_worth_waiting(r, &n_tries));
	return r;
}

static int next_page(int gate, const char *directory, struct gate_page *page)
{
	int n_tries = 0, r;

	do {
		r = gate_list(gate, directory, page);
	} while (cli_is_worth_waiting(r, &n_tries));
	return r;
}

static int compare_keys(const void *left, const void *right)
{
	const struct cli_key *a = left, *b = right;
	int r = strncmp(a->key.path, b->key.path, sizeof(a->key.path));

	if (r)
		return r;
	return (a->value.revision < b->value.revision) - (a->value.revision > b->value.revision);
}

size_t cli_keys_tidy(struct cli_key *keys, size_t n_keys)
{
	size_t n_left = 0;

	for (size_t i = 0; i < n_keys; i++) {
		struct kv_value *value = &keys[i].value;
		size_t length = value->length < KV_VALUE_MAX ? value->length : KV_VALUE_MAX;

		/* The map itself has the text of a secret. It is shown by bpftool alone, so
		 * that no output that is kept or sent by mistake has it. */
		if (value->flags & KV_VALUE_SECRET) {
			length = KV_SECRET_LENGTH;
			memcpy(value->text, KV_SECRET_TEXT, sizeof(KV_SECRET_TEXT));
		}
		sanitise(value->text, sizeof(value->text), value->text, length);
		value->length = (uint16_t)length;
	}
	qsort(keys, n_keys, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < n_keys; i++)
		if (n_left == 0 || strncmp(keys[n_left - 1].key.path, keys[i].key.path,
					   sizeof(keys[i].key.path)) != 0)
			keys[n_left++] = keys[i];
	return n_left;
}

/* Read the paths of all pages, unsorted, into `keys` (STORE_KEYS_MAX elements). */
static int list_paths(int gate, const char *directory, struct cli_key *keys)
{
	struct gate_page page = { 0 };
	size_t n_keys = 0;

	do {
		uint64_t revision;
		const char *path;
		uint32_t at = 0;
		int r = next_page(gate, directory, &page);

		if (r < 0)
			return r;
		while (n_keys < STORE_KEYS_MAX && gate_page_next(&page, &at, &revision, &path))
			if (path_to_key(path, &keys[n_keys].key) == 0)
				n_keys++;
	} while (page.cursor != 0 && n_keys < STORE_KEYS_MAX);
	return (int)n_keys;
}

/* Read the values. Keys that were deleted meanwhile or that the operator may not
 * read are removed from the list. */
static int read_values(int gate, struct cli_key *keys, size_t n_keys)
{
	size_t n_left = 0;

	for (size_t i = 0; i < n_keys; i++) {
		struct cli_key *key = &keys[n_left];
		int r;

		if (n_left != i)
			*key = keys[i];
		r = read_value(gate, key->key.path, &key->value);
		if (r < 0 && r != -ENOENT && r != -EACCES)
			return r;
		n_left += !r;
	}
	return (int)n_left;
}

int cli_list(int gate, const char *directory, struct cli_key **keysp)
{
	struct cli_key *keys = calloc(STORE_KEYS_MAX, sizeof(*keys));
	int n_keys;

	if (!keys)
		return -ENOMEM;
	n_keys = list_paths(gate, directory, keys);
	if (n_keys > 0)
		n_keys = read_values(gate, keys, (size_t)n_keys);
	if (n_keys < 0) {
		free(keys);
		return n_keys;
	}
	*keysp = keys;
	return (int)cli_keys_tidy(keys, (size_t)n_keys);
}
