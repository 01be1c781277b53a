/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/provider.h"

#include <stdio.h>
#include <string.h>

/* Who may say something, as the last part of a directory or path: names of calves in order,
 * "" for the keys without one, of which `own` is the first. Returns their number. */
static uint32_t find_sources(const struct handler_context *context, const struct kv_value *own,
			     const char *sources[static PROVIDER_SOURCES_MAX])
{
	const struct handler_options *options = context->options;
	const char *writer = "";
	uint32_t n = 0;

	if (own && context->subjects && own->subject < KV_SUBJECTS_MAX)
		writer = context->subjects[own->subject];
	for (uint32_t i = 0; i < options->n_providers; i++) {
		if (!strcmp(writer, options->providers[i])) {
			sources[n++] = "";
			own = NULL;
		}
		sources[n++] = options->providers[i];
	}
	if (!own)
		return n;
	memmove(&sources[1], &sources[0], n * sizeof(sources[0]));
	sources[0] = "";
	return n + 1;
}

/* Skip what is in a directory of a calf. */
static void skip_deeper(struct provider_list *list)
{
	size_t length = strlen(list->directory);

	while (wanted_is_below(list->wanted, list->i_key, list->directory) &&
	       memchr(list->wanted->keys[list->i_key]->key.path + length, '/',
		      KV_PATH_SIZE - length))
		list->i_key++;
}

/* Find the list in a directory FAMILY/ or FAMILY/CALF/. Returns true if it has an element. */
static bool find_list(struct provider_list *list, const struct wanted *wanted, const char *family,
		      const char *calf)
{
	list->wanted = wanted;
	(void)snprintf(list->directory, sizeof(list->directory), "%s/%s%s", family, calf,
		       calf[0] ? "/" : "");
	list->i_key = wanted_first_below(wanted, list->directory);
	skip_deeper(list);
	return wanted_is_below(wanted, list->i_key, list->directory);
}

uint32_t provider_find_lists(const struct handler_context *context, const struct wanted *wanted,
			     const char *family, bool is_leased,
			     struct provider_list lists[static PROVIDER_SOURCES_MAX])
{
	bool has_own = is_leased && find_list(&lists[0], wanted, family, "");
	const struct kv_value *own = has_own ? &wanted->keys[lists[0].i_key]->value : NULL;
	const char *sources[PROVIDER_SOURCES_MAX];
	uint32_t n_sources = find_sources(context, own, sources), n = 0;

	for (uint32_t i = 0; i < n_sources; i++)
		n += find_list(&lists[n], wanted, family, sources[i]);
	return n;
}

const struct wanted_key *provider_take(struct provider_list *list)
{
	const struct wanted_key *key;

	if (!wanted_is_below(list->wanted, list->i_key, list->directory))
		return NULL;
	key = list->wanted->keys[list->i_key++];
	skip_deeper(list);
	return key;
}

static bool find_value(struct provider_value *value, const struct wanted *wanted,
		       const char *family, const char *calf)
{
	(void)snprintf(value->path, sizeof(value->path), "%s%s%s", family, calf[0] ? "/" : "",
		       calf);
	value->value = wanted_get(wanted, value->path);
	return value->value;
}

uint32_t provider_find_values(const struct handler_context *context, const struct wanted *wanted,
			      const char *family, bool is_leased,
			      struct provider_value values[static PROVIDER_SOURCES_MAX])
{
	const struct kv_value *own = is_leased ? wanted_get(wanted, family) : NULL;
	const char *sources[PROVIDER_SOURCES_MAX];
	uint32_t n_sources = find_sources(context, own, sources), n = 0;

	for (uint32_t i = 0; i < n_sources; i++)
		n += find_value(&values[n], wanted, family, sources[i]);
	return n;
}
