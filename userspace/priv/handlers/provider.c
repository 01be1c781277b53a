/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/provider.h"

#include <stdio.h>
#include <string.h>

struct source {
	const char *calf; /* "": none of this instance */
	bool has_own;	  /* the keys without the name of a calf are its */
};

/* Find who may say something, in order. `own` is the first of the keys without the name of a
 * calf; NULL: there are none that count. Returns their number. */
static uint32_t find_sources(const struct handler_context *context, const struct kv_value *own,
			     struct source sources[static PROVIDER_SOURCES_MAX])
{
	const struct handler_options *options = context->options;
	const char *writer = "";
	uint32_t n = 0;

	if (own && context->subjects && own->subject < KV_SUBJECTS_MAX)
		writer = context->subjects[own->subject];
	for (uint32_t i = 0; i < options->n_providers; i++) {
		sources[n].calf = options->providers[i];
		sources[n].has_own = own && !strcmp(writer, options->providers[i]);
		if (sources[n++].has_own)
			own = NULL;
	}
	if (!own)
		return n;
	memmove(&sources[1], &sources[0], n * sizeof(sources[0]));
	sources[0] = (struct source){ .calf = "", .has_own = true };
	return n + 1;
}

/* A directory, without what is below in directories of its own. */
struct walk {
	const struct wanted *wanted;
	uint32_t i_key;
	char directory[KV_PATH_SIZE]; /* "/nameserver/", "/nameserver/ra/" */
};

static bool is_at_end(const struct walk *walk)
{
	return !wanted_is_below(walk->wanted, walk->i_key, walk->directory);
}

static void skip_deeper(struct walk *walk)
{
	size_t length = strlen(walk->directory);

	while (!is_at_end(walk) && memchr(walk->wanted->keys[walk->i_key]->key.path + length, '/',
					  KV_PATH_SIZE - length))
		walk->i_key++;
}

static void walk_begin(struct walk *walk, const struct wanted *wanted, const char *family,
		       const char *calf)
{
	walk->wanted = wanted;
	(void)snprintf(walk->directory, sizeof(walk->directory), "%s/%s%s", family, calf,
		       calf[0] ? "/" : "");
	walk->i_key = wanted_first_below(wanted, walk->directory);
	skip_deeper(walk);
}

/* Take the next key. Returns NULL at the end. */
static const struct wanted_key *walk_next(struct walk *walk)
{
	const struct wanted_key *key;

	if (is_at_end(walk))
		return NULL;
	key = walk->wanted->keys[walk->i_key++];
	skip_deeper(walk);
	return key;
}

/* The elements of one provider that were not offered yet. */
struct list {
	bool has_own, has_directory;
	struct walk own, directory;
};

static bool next_element(struct list *list, struct provider_element *element)
{
	element->key = list->has_own ? walk_next(&list->own) : NULL;
	element->is_own = element->key != NULL;
	if (!element->key && list->has_directory)
		element->key = walk_next(&list->directory);
	return element->key;
}

void provider_take_turns(const struct handler_context *context, const struct wanted *wanted,
			 const char *family, bool is_leased, provider_fn take, void *data)
{
	struct source sources[PROVIDER_SOURCES_MAX];
	struct list lists[PROVIDER_SOURCES_MAX];
	struct provider_element element;
	const struct kv_value *first = NULL;
	uint32_t n_lists, n_left;
	struct walk own;

	walk_begin(&own, wanted, family, "");
	if (is_leased && !is_at_end(&own))
		first = &wanted->keys[own.i_key]->value;
	n_lists = find_sources(context, first, sources);
	for (uint32_t i = 0; i < n_lists; i++) {
		lists[i].has_own = sources[i].has_own;
		lists[i].own = own;
		lists[i].has_directory = sources[i].calf[0];
		if (lists[i].has_directory)
			walk_begin(&lists[i].directory, wanted, family, sources[i].calf);
	}
	do {
		n_left = 0;
		for (uint32_t i = 0; i < n_lists; i++) {
			bool is_taken = false;

			element.i_provider = i;
			while (!is_taken && next_element(&lists[i], &element))
				is_taken = take(&element, data);
			n_left += is_taken;
		}
	} while (n_left);
}

static bool find_value(struct provider_value *value, const struct wanted *wanted,
		       const char *family, const char *calf)
{
	(void)snprintf(value->path, sizeof(value->path), "%s%s%s", family, calf[0] ? "/" : "",
		       calf);
	value->value = wanted_get(wanted, value->path);
	value->is_own = !calf[0];
	return value->value;
}

uint32_t provider_find_values(const struct handler_context *context, const struct wanted *wanted,
			      const char *family, const char *instead, bool is_leased,
			      struct provider_value values[static PROVIDER_VALUES_MAX])
{
	struct source sources[PROVIDER_SOURCES_MAX];
	struct provider_value own;
	bool has_own = is_leased && (find_value(&own, wanted, family, "") ||
				     (instead && find_value(&own, wanted, instead, "")));
	uint32_t n_sources = find_sources(context, has_own ? own.value : NULL, sources), n = 0;

	for (uint32_t i = 0; i < n_sources; i++) {
		const char *calf = sources[i].calf;

		if (sources[i].has_own)
			values[n++] = own;
		if (calf[0])
			n += find_value(&values[n], wanted, family, calf) ||
			     (instead && find_value(&values[n], wanted, instead, calf));
	}
	return n;
}
