/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/priv/description/loaded.h"
#include "userspace/priv/sealed.h"

static struct configuration_option options[] = {
	{ .calf = "dhcp4", .name = "hostname", .value = "web1", .is_set = true },
	{ .calf = "ntp", .name = "servers", .value = "192.0.2.1" },
};
static struct configuration configuration = { .handlers = { .metric = 77,
							    .resolv_conf = "/etc/resolv.conf" } };
static struct description descriptions[2] = { { .name = "dhcp4" }, { .name = "ntp" } };

/* With an option for each calf. */
static int seal(uint32_t n)
{
	int fd;

	configuration.options = options;
	configuration.n_options = n;
	fd = loaded_seal(&(const struct loaded){ .configuration = &configuration,
						 .descriptions = descriptions,
						 .n_descriptions = n });

	cr_assert_geq(fd, 0);
	return fd;
}

Test(loaded, arrives_as_it_was_loaded)
{
	for (uint32_t n = 0; n <= 2; n++) {
		struct loaded loaded = { .n_descriptions = 9 };
		int fd = seal(n);

		cr_assert_eq(loaded_map(fd, &loaded), 0);
		cr_assert_eq(loaded.n_descriptions, n);
		cr_expect_eq(loaded.configuration->handlers.metric, 77);
		cr_expect_str_eq(loaded.configuration->handlers.resolv_conf, "/etc/resolv.conf");
		cr_expect_eq(loaded.configuration->n_options, n);
		cr_expect(n == 0 || memcmp(loaded.configuration->options, options,
					   n * sizeof(options[0])) == 0);
		cr_expect_neq(loaded.configuration->options, options);
		for (uint32_t i = 0; i < n; i++)
			cr_expect_eq(memcmp(&loaded.descriptions[i], &descriptions[i],
					    sizeof(descriptions[i])),
				     0);
		free((void *)(uintptr_t)loaded.configuration); /* for the life of a process */
		close(fd);
	}
}

/* The bytes of one that was sealed, with one of them changed or so many left out. */
static int map_spoiled(size_t i_changed, size_t n_cut)
{
	struct loaded loaded = { .n_descriptions = 9 };
	int fd = seal(1), spoiled, r;
	struct sealed_part part;
	void *memory = NULL;
	size_t size = 0;
	char *copy;

	cr_assert_eq(sealed_map(fd, &memory, &size), 0);
	copy = malloc(size);
	cr_assert_not_null(copy);
	memcpy(copy, memory, size);
	copy[i_changed] ^= 1;
	part = (struct sealed_part){ .data = copy, .size = size - n_cut };
	spoiled = sealed_create("test", &part, 1);
	cr_assert_geq(spoiled, 0);
	r = loaded_map(spoiled, &loaded);
	cr_expect_eq(r == 0, loaded.n_descriptions == 1, "written on success only");
	free((void *)(uintptr_t)loaded.configuration);
	free(copy);
	close(spoiled);
	close(fd);
	return r;
}

Test(loaded, of_another_version_of_the_program)
{
	size_t size = 0;
	void *memory = NULL;
	int fd = seal(1);

	cr_assert_eq(sealed_map(fd, &memory, &size), 0);
	cr_expect_eq(map_spoiled(0, 0), -EPROTO, "the version");
	for (size_t i = 32; i < 56; i += 8)
		cr_expect_eq(map_spoiled(i, 0), -EPROTO, "a size");
	for (size_t i = 56; i < 64; i += 4) {
		cr_expect_eq(map_spoiled(i, 0), -EPROTO, "a number that does not fit the size");
		cr_expect_eq(map_spoiled(i + 3, 0), -EPROTO, "a number beyond all bounds");
	}
	cr_expect_eq(map_spoiled(size - 1, 1), -EPROTO, "too short");
	cr_expect_eq(map_spoiled(size - 1, size - 10), -EPROTO, "no header");
	cr_expect_eq(map_spoiled(size - 1, 0), 0, "another value is no other version");
	close(fd);
}
