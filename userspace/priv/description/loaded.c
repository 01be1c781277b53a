/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/description/loaded.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "userspace/priv/sealed.h"

/* The structures are passed as they are: both processes run the same file, which
 * the supervisor keeps open. */
struct header {
	char version[32];
	uint64_t configuration_size, description_size;
	uint64_t n_descriptions;
};

static struct header header_of(uint32_t n_descriptions)
{
	return (struct header){ .version = CALFPEN_VERSION,
				.configuration_size = sizeof(struct configuration),
				.description_size = sizeof(struct description),
				.n_descriptions = n_descriptions };
}

_Static_assert(sizeof(struct header) % _Alignof(struct description) == 0 &&
		       sizeof(struct description) % _Alignof(struct configuration) == 0,
	       "the parts are aligned one after the other");

int loaded_seal(const struct loaded *loaded)
{
	struct header header = header_of(loaded->n_descriptions);
	const struct sealed_part parts[] = {
		{ .data = &header, .size = sizeof(header) },
		{ .data = loaded->descriptions,
		  .size = loaded->n_descriptions * sizeof(*loaded->descriptions) },
		{ .data = loaded->configuration, .size = sizeof(*loaded->configuration) },
	};

	return sealed_create("calfpen-loaded", parts, 3);
}

static bool is_ours(const void *memory, size_t size)
{
	struct header header, own;

	if (size < sizeof(header))
		return false;
	memcpy(&header, memory, sizeof(header));
	if (header.n_descriptions > OPTIONS_CALVES_MAX)
		return false;
	own = header_of((uint32_t)header.n_descriptions);
	return memcmp(&header, &own, sizeof(own)) == 0 &&
	       size == sizeof(header) + sizeof(struct configuration) +
			       header.n_descriptions * sizeof(struct description);
}

int loaded_map(int fd, struct loaded *loaded)
{
	void *memory = NULL;
	const char *at;
	uint32_t n;
	size_t size = 0;
	int r = sealed_map(fd, &memory, &size);

	if (r)
		return r;
	if (!is_ours(memory, size)) {
		(void)munmap(memory, size);
		return -EPROTO;
	}
	n = (uint32_t)((const struct header *)memory)->n_descriptions;
	at = (const char *)memory + sizeof(struct header);
	*loaded = (struct loaded){
		.descriptions = (const void *)at,
		.n_descriptions = n,
		.configuration = (const void *)(at + n * sizeof(struct description)),
	};
	return 0;
}
