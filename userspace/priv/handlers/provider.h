/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calves as providers: what several of them say of one family (family.h), in the order of
 * context->options->providers. Only these calves are looked at: a directory that has another
 * name was left by somebody who is gone.
 *
 * The keys without the name of a calf, FAMILY and FAMILY/NNN, are those of the calf that wrote
 * them, and precede what is in its directory. They hold as long as the lease does (shared.h);
 * the caller says whether they count. If a subject wrote them that is no provider, they are the
 * first.
 */
#ifndef CALFPEN_PRIV_HANDLERS_PROVIDER_H
#define CALFPEN_PRIV_HANDLERS_PROVIDER_H

#include "userspace/priv/handlers/handler.h"

/* Each calf, and keys that are no calf's. */
#define PROVIDER_SOURCES_MAX (HANDLER_PROVIDERS_MAX + 1)
/* Each calf, one of them twice, or keys that are no calf's. */
#define PROVIDER_VALUES_MAX (HANDLER_PROVIDERS_MAX + 1)

/* One of a list. */
struct provider_element {
	const struct wanted_key *key;
	uint32_t i_provider; /* below PROVIDER_SOURCES_MAX, in order */
	bool is_own;	     /* has no calf's name, so it ends with the lease */
};

/*
 * Offer the elements of a family such as "/nameserver" in turns: the first of each provider,
 * then the second of each, until there are none. `take` returns false if an element is of no
 * use, so that the provider's next one is offered in the same turn.
 */
typedef bool (*provider_fn)(const struct provider_element *element, void *data);
void provider_take_turns(const struct handler_context *context, const struct wanted *wanted,
			 const char *family, bool is_leased, provider_fn take, void *data);

struct provider_value {
	char path[KV_PATH_SIZE]; /* "/search", "/search/ra" */
	const struct kv_value *value;
	bool is_own;
};

/* Find the values of a family that has one key for each provider, in order; `instead` is the
 * family that counts where there is none, or NULL. Returns their number. */
uint32_t provider_find_values(const struct handler_context *context, const struct wanted *wanted,
			      const char *family, const char *instead, bool is_leased,
			      struct provider_value values[static PROVIDER_VALUES_MAX]);

#endif
