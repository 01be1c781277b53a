/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/description/loaded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "userspace/priv/sealed.h"

/* The structures are passed as they are: both processes run the same file, which
 * the supervisor keeps open. */
struct header {
	char version[32];
	uint64_t configuration_size, option_size, description_size;
	uint32_t n_descriptions, n_options;
};

static struct header header_of(uint32_t n_descriptions, uint32_t n_options)
{
	return (struct header){ .version = CALFPEN_VERSION,
				.configuration_size = sizeof(struct configuration),
				.option_size = sizeof(struct configuration_option),
				.description_size = sizeof(struct description),
				.n_descriptions = n_descriptions,
				.n_options = n_options };
}

_Static_assert(sizeof(struct header) % _Alignof(struct description) == 0 &&
		       sizeof(struct description) % _Alignof(struct configuration) == 0 &&
		       sizeof(struct configuration) % _Alignof(struct configuration_option) == 0,
	       "the parts are aligned one after the other");

int loaded_seal(const struct loaded *loaded)
{
	struct configuration configuration = *loaded->configuration;
	const struct sealed_part options = {
		.data = configuration.options,
		.size = configuration.n_options * sizeof(*configuration.options),
	};
	struct header header = header_of(loaded->n_descriptions, configuration.n_options);
	const struct sealed_part parts[] = {
		{ .data = &header, .size = sizeof(header) },
		{ .data = loaded->descriptions,
		  .size = loaded->n_descriptions * sizeof(*loaded->descriptions) },
		{ .data = &configuration, .size = sizeof(configuration) },
		options,
	};

	configuration.options = NULL; /* loaded_map() sets it */
	return sealed_create("calfpen-loaded", parts, 4);
}

static bool is_ours(const void *memory, size_t size)
{
	struct header header, own;

	if (size < sizeof(header))
		return false;
	memcpy(&header, memory, sizeof(header));
	if (header.n_descriptions > OPTIONS_CALVES_MAX ||
	    header.n_options > header.n_descriptions * DESCRIPTION_OPTIONS_MAX)
		return false;
	own = header_of(header.n_descriptions, header.n_options);
	return memcmp(&header, &own, sizeof(own)) == 0 &&
	       size == sizeof(header) + header.n_descriptions * sizeof(struct description) +
			       sizeof(struct configuration) +
			       header.n_options * sizeof(struct configuration_option);
}

int loaded_map(int fd, struct loaded *loaded)
{
	struct configuration *configuration = NULL;
	const struct header *header;
	void *memory = NULL;
	const char *at;
	size_t size = 0;
	int r = sealed_map(fd, &memory, &size);

	if (r)
		return r;
	if (!is_ours(memory, size)) {
		r = -EPROTO;
		goto cleanup;
	}
	configuration = malloc(sizeof(*configuration));
	if (!configuration) {
		r = -ENOMEM;
		goto cleanup;
	}
	header = memory;
	*loaded = (struct loaded){
		.descriptions = (const void *)(header + 1),
		.n_descriptions = header->n_descriptions,
		.configuration = configuration,
	};
	/* A copy, because it points to its options. */
	at = (const char *)(loaded->descriptions + loaded->n_descriptions);
	memcpy(configuration, at, sizeof(*configuration));
	configuration->options = (void *)(uintptr_t)(at + sizeof(*configuration));
	configuration->n_options = header->n_options;
	return 0;
cleanup:
	(void)munmap(memory, size);
	return r;
}
