/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator withholds from a calf. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/support-shipped.h"

#define CHANGE (KV_ACCESS_WRITE | KV_ACCESS_DELETE)

TestSuite(description_grants, .init = shipped_setup, .fini = shipped_teardown);

static uint32_t access_to(const char *path)
{
	const struct key_rule *key = description_find_key(&descriptions[0], path);

	cr_assert_not_null(key, "%s", path);
	return key->access;
}

static const char *withheld(void)
{
	const struct configuration_option *option =
		configuration_find_option(&configuration, "dhcp4", DESCRIPTION_WITHHELD_OPTION);

	return option ? option->value : NULL;
}

Test(description_grants, everything_without_the_field)
{
	cr_assert_eq(shipped_load("calves: {dhcp4: {}}\n"), 0, "%s", capture_text());
	cr_expect_eq(access_to("/nameserver/001") & CHANGE, CHANGE);
	cr_expect_eq(descriptions[0].withheld, 0);
	cr_expect_null(withheld());
	cr_assert_eq(shipped_load(""), 0);
	cr_expect_eq(access_to("/nameserver/001") & CHANGE, CHANGE);
}

Test(description_grants, the_rest_is_taken_away)
{
	cr_assert_eq(shipped_load("calves: {dhcp4: {hostname: a, grants: [address, route]}}\n"), 0,
		     "%s", capture_text());
	cr_expect_eq(access_to("/ip") & CHANGE, CHANGE);
	cr_expect_eq(access_to("/lease/time") & CHANGE, CHANGE);
	cr_expect_eq(access_to("/gateway") & CHANGE, CHANGE);
	cr_expect_eq(access_to("/route/001") & CHANGE, CHANGE);
	cr_expect_eq(access_to("/mtu") & CHANGE, 0);
	cr_expect_eq(access_to("/nameserver/001") & CHANGE, 0);
	cr_expect_eq(access_to("/search") & CHANGE, 0);
	cr_expect_eq(access_to("/domain") & CHANGE, 0);
	cr_expect_eq(access_to("/hostname") & CHANGE, 0);
	cr_expect_eq(access_to("/ntp/001") & CHANGE, 0);
	/* what no handler applies, and what it may read */
	cr_expect_eq(access_to("/lease/state") & CHANGE, CHANGE);
	cr_expect_eq(access_to("/option/043"), KV_ACCESS_READ | CHANGE);
	cr_expect_eq(access_to("/mac"), KV_ACCESS_READ | KV_ACCESS_WATCH);
	cr_expect(strstr(withheld(), "/nameserver /search /domain"), "%s", withheld());
	cr_expect_eq(strncmp(withheld(), "/mtu ", 5), 0, "%s", withheld());
	cr_expect_str_eq(configuration.lease_calf, "dhcp4");
}

/* Without its address it is no calf of the host's lease. */
Test(description_grants, nothing)
{
	cr_assert_eq(shipped_load("calves: {dhcp4: {grants: []}}\n"), 0, "%s", capture_text());
	cr_expect_eq(access_to("/ip"), KV_ACCESS_READ);
	cr_expect_eq(access_to("/gateway"), 0);
	cr_expect(!description_leases_ip(&descriptions[0]));
	cr_expect_str_eq(configuration.lease_calf, "");
	cr_expect_eq(strncmp(withheld(), "/ip /lease/time ", 16), 0, "%s", withheld());
}

Test(description_grants, refused)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ "calves:\n  dhcp4:\n    grants: [address, rout]\n",
		  ":3: grants \"rout\" is not one of: address, link, route, dns, host, " },
		{ "calves:\n  dhcp4:\n    grants: [dns, dns]\n",
		  ":3: grants \"dns\" is repeated\n" },
		{ "calves: {dhcp4: {grants: all}}\n", ":1: grants must be a list\n" },
		{ "calves: {dhcp4: {grants: {dns: 1}}}\n", ":1: grants must be a list\n" },
		{ "calves: {dhcp4: {grants: }}\n", ":1: grants must be a list\n" },
		{ "calves: {dhcp4: {grants: [dns],\n grants: [host]}}\n",
		  ":2: \"grants\" is repeated, first on line 1\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(shipped_load(rows[i].text), -EINVAL, "%s", rows[i].text);
		cr_expect(strstr(capture_text(), rows[i].reason), "%s: %s", rows[i].text,
			  capture_text());
	}
}
