/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "userspace/common/key_rule.h"

static const struct key_rule keys[] = {
	{ .path = "/ip" },
	{ .path = "/nameserver/" },
	{ .path = "/nameserver/backup/" },
	{ .path = "/nameserver/first" },
};

static const char *found(const char *path)
{
	const struct key_rule *key = key_rule_find(keys, sizeof(keys) / sizeof(keys[0]), path);

	return key ? key->path : "none";
}

/* A directory's entry is one of its own children only. */
Test(key_rule, which_entry_a_path_has)
{
	cr_assert_str_eq(found("/ip"), "/ip");
	cr_assert_str_eq(found("/ip/x"), "none");
	cr_assert_str_eq(found("/i"), "none");
	cr_assert_str_eq(found("/ipx"), "none");
	cr_assert_str_eq(found("/nameserver/a"), "/nameserver/");
	cr_assert_str_eq(found("/nameserver/a/b"), "none");
	cr_assert_str_eq(found("/nameserver"), "none");
	cr_assert_str_eq(found("/nameserver/backup/a"), "/nameserver/backup/");
	cr_assert_str_eq(found("/nameserver/first"), "/nameserver/first");
	cr_assert_str_eq(found("/nameserver/first/a"), "none");
}
