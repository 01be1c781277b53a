/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which what the calves say counts. */
#include <errno.h>

#include "tests/unit/support-configuration.h"

TestSuite(description_providers, .init = setup, .fini = teardown);

static void name_calves(const char *first, const char *second)
{
	(void)snprintf(descriptions[0].name, sizeof(descriptions[0].name), "%s", first);
	(void)snprintf(descriptions[1].name, sizeof(descriptions[1].name), "%s", second);
}

static void expect_order(const char *text, const char *first, const char *second)
{
	const struct handler_options *handlers = &configuration.handlers;

	cr_assert_eq(load(text, 2), 0, "%s", text);
	cr_assert_eq(handlers->n_providers, 2, "%s", text);
	cr_expect_str_eq(handlers->providers[0], first, "%s", text);
	cr_expect_str_eq(handlers->providers[1], second, "%s", text);
}

Test(description_providers, dhcp_comes_before_advertisements)
{
	expect_order("", "a", "b");
	name_calves("ra", "dhcp6");
	expect_order("", "dhcp6", "ra");
	name_calves("dhcp6", "dhcp4");
	expect_order("", "dhcp4", "dhcp6");
	name_calves("a", "ra");
	expect_order("", "ra", "a");
}

Test(description_providers, the_operator_decides)
{
	expect_order("providers: [b, a]\n", "b", "a");
	expect_order("providers: [b]\n", "b", "a");
	expect_order("providers: []\n", "a", "b");
	name_calves("ra", "dhcp6");
	expect_order("providers: [ra]\n", "ra", "dhcp6");
}

Test(description_providers, one_calf)
{
	cr_assert_eq(load("providers: [a]\n", 1), 0);
	cr_expect_eq(configuration.handlers.n_providers, 1);
}

Test(description_providers, refused)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ "providers: [a, c]\n", ":1: providers: \"c\" is no calf of this instance; its "
					 "calves are: a, b\n" },
		{ "providers:\n- a\n- a\n", ":3: providers: \"a\" is repeated\n" },
		{ "providers: {a: b}\n", ":1: providers must be a list\n" },
		{ "providers: [[a]]\n", ":1: calf name must be text\n" },
		{ "providers: [abcdefghijklmnop]\n", ":1: calf name is longer than 15 bytes\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(load(rows[i].text, 2), -EINVAL, "%s", rows[i].text);
		cr_expect(strstr(capture_text(), rows[i].reason), "%s: %s", rows[i].text,
			  capture_text());
	}
}
