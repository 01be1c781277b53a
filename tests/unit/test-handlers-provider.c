/* SPDX-License-Identifier: Apache-2.0 */
/* What several calves say of a family, in the operator's order. */
#include "tests/unit/support-wanted.h"
#include "userspace/priv/handlers/provider.h"

static const char subjects[KV_SUBJECTS_MAX][KV_NAME_SIZE] = { "supervisor", "dhcp4", "dhcp6", "ra",
							      "gone" };
static struct handler_options options;
static struct handler_context context;
static struct wanted wanted;
static char got[4096];

static void setup(void)
{
	options = (struct handler_options){ .providers = { "dhcp4", "dhcp6", "ra" },
					    .n_providers = 3 };
	context = (struct handler_context){ .options = &options, .subjects = subjects };
	cr_assert_eq(wanted_init(&wanted, 4096), 0);
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(handlers_provider, .init = setup, .fini = teardown);

/* A key of the calf with this number. */
static void set_by(uint16_t subject, const char *path, const char *text)
{
	struct kv_key key = test_key(path);
	struct kv_value value = test_value(text, ++wanted.revision, 0);

	value.subject = subject;
	cr_assert_eq(wanted_set(&wanted, &key, &value), 0);
}

static void set(const char *path, const char *text)
{
	set_by(0, path, text);
}

/* "0:a" for each element that was offered, "0:a!" for one of its own; "x" is of no use. */
static bool take(const struct provider_element *element, void *data)
{
	size_t at = strlen(got);
	bool is_of_use = element->key->value.text[0] != 'x';

	cr_assert_eq(data, &wanted);
	(void)snprintf(got + at, sizeof(got) - at, "%s%u:%s%s", at ? " " : "", element->i_provider,
		       element->key->value.text, element->is_own ? "!" : "");
	return is_of_use;
}

static const char *turns(bool is_leased)
{
	got[0] = '\0';
	provider_take_turns(&context, &wanted, "/nameserver", is_leased, take, &wanted);
	return got;
}

/* "/search/ra=a", followed by "!" if the key is without a calf's name. */
static const char *values_of(const char *family, const char *instead, bool is_leased)
{
	struct provider_value values[PROVIDER_VALUES_MAX];
	uint32_t n = provider_find_values(&context, &wanted, family, instead, is_leased, values);
	size_t at = 0;

	got[0] = '\0';
	for (uint32_t i = 0; i < n; i++)
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%s=%s%s", i ? " " : "",
				       values[i].path, values[i].value->text,
				       values[i].is_own ? "!" : "");
	return got;
}

Test(handlers_provider, no_keys)
{
	cr_expect_str_eq(turns(true), "");
	cr_expect_str_eq(values_of("/search", "/domain", true), "");
	options.n_providers = 0;
	cr_expect_str_eq(turns(true), "");
	cr_expect_str_eq(values_of("/search", NULL, true), "");
}

Test(handlers_provider, turns_in_the_operators_order)
{
	set("/nameserver/ra/001", "r1");
	set("/nameserver/ra/002", "r2");
	set("/nameserver/ra/003", "r3");
	set("/nameserver/dhcp6/005", "s5");
	set("/nameserver/dhcp6/002", "s2");
	set("/nameserver/dhcp4/001", "f1");
	cr_expect_str_eq(turns(true), "0:f1 1:s2 2:r1 1:s5 2:r2 2:r3");
	options = (struct handler_options){ .providers = { "ra", "dhcp4", "dhcp6" },
					    .n_providers = 3 };
	cr_expect_str_eq(turns(true), "0:r1 1:f1 2:s2 0:r2 2:s5 0:r3");
}

Test(handlers_provider, what_is_of_no_use_costs_no_turn)
{
	set("/nameserver/dhcp6/001", "x1");
	set("/nameserver/dhcp6/002", "x2");
	set("/nameserver/dhcp6/003", "s3");
	set("/nameserver/ra/001", "r1");
	set("/nameserver/ra/002", "x2");
	cr_expect_str_eq(turns(true), "1:x1 1:x2 1:s3 2:r1 2:x2");
}

/* They rank with the calf that wrote them, and are one list with its directory. */
Test(handlers_provider, keys_without_a_calfs_name)
{
	set_by(3, "/nameserver/001", "o1");
	set_by(3, "/nameserver/002", "o2");
	set("/nameserver/dhcp4/001", "f1");
	set("/nameserver/ra/001", "r1");
	cr_expect_str_eq(turns(true), "0:f1 2:o1! 2:o2! 2:r1");
	cr_expect_str_eq(turns(false), "0:f1 2:r1", "not without the lease");
	set_by(1, "/nameserver/001", "o1");
	cr_expect_str_eq(turns(true), "0:o1! 2:r1 0:o2! 0:f1");
}

Test(handlers_provider, writer_that_is_no_provider_is_first)
{
	set("/nameserver/dhcp4/001", "f1");
	for (uint16_t i = 0; i < 3; i++) {
		set_by(i ? 4 : 0, "/nameserver/001", "o1");
		context.subjects = i == 2 ? NULL : subjects; /* which are not known */
		cr_expect_str_eq(turns(true), "0:o1! 1:f1");
	}
	set_by(KV_SUBJECTS_MAX, "/nameserver/001", "o1");
	context.subjects = subjects;
	cr_expect_str_eq(turns(true), "0:o1! 1:f1");
	options.n_providers = 0;
	cr_expect_str_eq(turns(true), "0:o1!");
}

Test(handlers_provider, only_calves_of_the_instance_are_looked_at)
{
	set("/nameserver/gone/001", "g1");
	set("/nameserver/r/001", "g2");
	set("/nameserver/raa/001", "g3");
	set("/nameserver/ra-x/001", "g4");
	set("/nameserver", "g5");
	set("/nameservers/ra/001", "g6");
	cr_expect_str_eq(turns(true), "");
	set("/nameserver/ra/001", "r1");
	cr_expect_str_eq(turns(true), "2:r1");
	set("/search/gone", "g1");
	set("/search/r", "g2");
	cr_expect_str_eq(values_of("/search", NULL, true), "");
}

Test(handlers_provider, deeper_paths_are_no_elements)
{
	set("/nameserver/ra/001/x", "d1");
	set("/nameserver/ra/dhcp4/001", "d2");
	set("/nameserver/ra/002", "r2");
	set("/nameserver/ra/zz/001", "d3");
	set("/nameserver/000/001", "d4");
	cr_expect_str_eq(turns(true), "2:r2");
	set("/search/ra/001", "d1");
	cr_expect_str_eq(values_of("/search", NULL, true), "");
}

/* Those of others stand between the elements of a list. */
Test(handlers_provider, keys_of_other_families_in_between)
{
	set("/nameserver/001", "o1");
	set("/nameserver/5/1", "d");
	set("/nameserver/900", "o2");
	set("/nameserver/dhcp4/001", "f1");
	set("/nameserver/zz", "o3");
	set("/namesearch/001", "n");
	set("/nextserver/001", "n");
	cr_expect_str_eq(turns(true), "0:o1! 1:f1 0:o2! 0:o3!");
}

Test(handlers_provider, values_in_order)
{
	set_by(2, "/search", "o");
	set("/search/ra", "r");
	set("/search/dhcp4", "f");
	cr_expect_str_eq(values_of("/search", NULL, true),
			 "/search/dhcp4=f /search=o! /search/ra=r");
	cr_expect_str_eq(values_of("/search", NULL, false), "/search/dhcp4=f /search/ra=r");
	set("/search/dhcp6", "s");
	cr_expect_str_eq(values_of("/search", NULL, true),
			 "/search/dhcp4=f /search=o! /search/dhcp6=s /search/ra=r");
	set_by(4, "/search", "o");
	cr_expect_str_eq(values_of("/search", NULL, true),
			 "/search=o! /search/dhcp4=f /search/dhcp6=s /search/ra=r");
}

Test(handlers_provider, another_family_where_there_is_none)
{
	set_by(3, "/domain", "o");
	set("/domain/ra", "r");
	set("/domain/dhcp4", "f");
	set("/search/ra", "R");
	cr_expect_str_eq(values_of("/search", "/domain", true),
			 "/domain/dhcp4=f /domain=o! /search/ra=R");
	set_by(1, "/search", "O");
	cr_expect_str_eq(values_of("/search", "/domain", true),
			 "/search=O! /domain/dhcp4=f /search/ra=R");
	cr_expect_str_eq(values_of("/search", "/domain", false), "/domain/dhcp4=f /search/ra=R");
}

/* Of as many as the store has subjects, those count that are calves of the instance. */
Test(handlers_provider, directories_of_sixty_one_calves)
{
	char path[KV_PATH_SIZE], text[16], expected[256] = "";
	size_t at = 0;

	options.n_providers = HANDLER_PROVIDERS_MAX;
	for (unsigned int i = 0; i < HANDLER_PROVIDERS_MAX; i++)
		(void)snprintf(options.providers[i], KV_NAME_SIZE, "a-long-calf--%02u", 60 - 7 * i);
	for (unsigned int i = 0; i < 61; i++) {
		for (unsigned int j = 1; j <= 8; j++) {
			(void)snprintf(path, sizeof(path), "/nameserver/a-long-calf--%02u/%03u", i,
				       j);
			(void)snprintf(text, sizeof(text), "%u.%u", i, j);
			set(path, j % 2 ? "x" : text);
		}
	}
	set("/nameserver/001", "o");
	(void)turns(true);
	cr_expect_eq(strncmp(got, "0:o! 1:x 1:60.2 2:x 2:53.2 3:x 3:46.2 4:x 4:39.2 ", 49), 0, "%s",
		     got);
	for (unsigned int i = 0; i < 61; i++) {
		(void)snprintf(path, sizeof(path), "/search/a-long-calf--%02u", i);
		set(path, "d");
	}
	for (unsigned int i = 0; i < HANDLER_PROVIDERS_MAX; i++)
		at += (size_t)snprintf(expected + at, sizeof(expected) - at, "%s/search/%s=d",
				       i ? " " : "", options.providers[i]);
	cr_expect_str_eq(values_of("/search", NULL, true), expected);
}
