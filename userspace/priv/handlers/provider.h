/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calves as providers: what several of them say of one family (family.h), in the order of
 * context->options->providers. Only these calves are looked at: a directory that has another
 * name was left by somebody who is gone.
 *
 * The keys without the name of a calf, FAMILY and FAMILY/NNN, are those of the calf that wrote
 * them. They hold as long as the lease does (shared.h); the caller says whether they count. If
 * a subject wrote them that is no provider, they are the first.
 */
#ifndef CALFPEN_PRIV_HANDLERS_PROVIDER_H
#define CALFPEN_PRIV_HANDLERS_PROVIDER_H

#include "userspace/priv/handlers/handler.h"

/* Each calf, and keys that are no calf's. */
#define PROVIDER_SOURCES_MAX (HANDLER_PROVIDERS_MAX + 1)

/* The elements of one provider's list that were not taken yet. */
struct provider_list {
	const struct wanted *wanted;
	uint32_t i_key;
	char directory[KV_PATH_SIZE]; /* "/nameserver/", "/nameserver/ra/" */
};

/* Find the lists of a family such as "/nameserver" that have elements, in order. Returns their
 * number. */
uint32_t provider_find_lists(const struct handler_context *context, const struct wanted *wanted,
			     const char *family, bool is_leased,
			     struct provider_list lists[static PROVIDER_SOURCES_MAX]);
/* Take the next element in the order of the paths. Returns NULL at the end. */
const struct wanted_key *provider_take(struct provider_list *list);

struct provider_value {
	char path[KV_PATH_SIZE]; /* "/search", "/search/ra" */
	const struct kv_value *value;
};

/* Find the values of a family that has one key for each provider, in order. Returns their
 * number. */
uint32_t provider_find_values(const struct handler_context *context, const struct wanted *wanted,
			      const char *family, bool is_leased,
			      struct provider_value values[static PROVIDER_SOURCES_MAX]);

#endif
