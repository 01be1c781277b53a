/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "tests/unit/support-wanted.h"

Test(wanted, sorted_whatever_the_order_of_arrival)
{
	static const char *const paths[] = { "/route/002", "/ip",     "/route/010", "/a",
					     "/route/001", "/routes", "/mtu" };
	struct wanted wanted;
	uint32_t i;

	cr_assert_eq(wanted_init(&wanted, 16), 0);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		test_set(&wanted, paths[i], paths[i], 0);
	cr_assert_eq(wanted.n_keys, 7);
	for (i = 1; i < wanted.n_keys; i++)
		cr_expect_lt(strcmp(wanted.keys[i - 1]->key.path, wanted.keys[i]->key.path), 0);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		cr_expect_str_eq(wanted_get(&wanted, paths[i])->text, paths[i]);
	cr_expect_null(wanted_get(&wanted, "/i"));
	cr_expect_null(wanted_get(&wanted, "/ipx"));
	cr_expect_null(wanted_get(&wanted, "/zz"));

	i = wanted_first_below(&wanted, "/route/");
	cr_expect_str_eq(wanted.keys[i]->key.path, "/route/001");
	cr_expect(wanted_is_below(&wanted, i + 2, "/route/"));
	cr_expect_not(wanted_is_below(&wanted, i + 3, "/route/"), "/routes is not below");
	cr_expect_eq(wanted_first_below(&wanted, "/nameserver/"), wanted.n_keys);
	cr_expect_eq(wanted_first_below(&wanted, "/zz/"), wanted.n_keys);

	test_remove(&wanted, "/ip");
	test_remove(&wanted, "/not-there");
	cr_expect_eq(wanted.n_keys, 6);
	cr_expect_null(wanted_get(&wanted, "/ip"));
	wanted_clear(&wanted);
	cr_expect_eq(wanted.n_keys, 0);
	cr_expect_null(wanted_get(&wanted, "/a"));
	wanted_deinit(&wanted);
}

Test(wanted, older_events_do_not_undo_a_list)
{
	struct kv_key ip = test_key("/ip");
	struct kv_value older = test_value("old", 5, 0), newer = test_value("new", 7, 0);
	struct wanted wanted;

	cr_assert_eq(wanted_init(&wanted, 4), 0);
	cr_assert_eq(wanted_set(&wanted, &ip, &newer), 0);
	cr_assert_eq(wanted_set(&wanted, &ip, &older), 0);
	cr_expect_str_eq(wanted_get(&wanted, "/ip")->text, "new");
	wanted_remove(&wanted, &ip, 6);
	cr_expect_not_null(wanted_get(&wanted, "/ip"));
	/* one commit may write and remove the same key */
	wanted_remove(&wanted, &ip, 7);
	cr_expect_null(wanted_get(&wanted, "/ip"));
	wanted_deinit(&wanted);
}

Test(wanted, full_table)
{
	struct kv_key key = test_key("/c");
	struct kv_value value = test_value("x", 9, 0);
	struct wanted wanted;

	cr_assert_eq(wanted_init(&wanted, 2), 0);
	test_set(&wanted, "/a", "1", 0);
	test_set(&wanted, "/b", "2", 0);
	cr_expect_eq(wanted_set(&wanted, &key, &value), -ENOSPC);
	test_set(&wanted, "/a", "3", 0);
	cr_expect_str_eq(wanted_get(&wanted, "/a")->text, "3");
	wanted_deinit(&wanted);
}

/* Keys come and go in any order: each has a place of its own, which no other
 * key's coming and going moves. */
Test(wanted, places_are_used_again)
{
	const struct kv_value *kept;
	struct wanted wanted;
	char path[8];

	cr_assert_eq(wanted_init(&wanted, 10), 0);
	test_set(&wanted, "/k", "kept", 0);
	kept = wanted_get(&wanted, "/k");
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 9; i++) {
			snprintf(path, sizeof(path), "/%c", "azbycxdwe"[(i + round) % 9]);
			test_set(&wanted, path, path, 0);
		}
		cr_assert_eq(wanted.n_keys, 10);
		for (uint32_t i = 1; i < wanted.n_keys; i++)
			cr_assert_lt(strcmp(wanted.keys[i - 1]->key.path, wanted.keys[i]->key.path),
				     0);
		for (int i = 0; i < 9; i++) {
			snprintf(path, sizeof(path), "/%c", "azbycxdwe"[i * round % 9]);
			if (wanted_get(&wanted, path))
				cr_assert_str_eq(wanted_get(&wanted, path)->text, path);
			test_remove(&wanted, path);
			cr_assert_null(wanted_get(&wanted, path));
		}
		cr_assert_eq(wanted_get(&wanted, "/k"), kept);
		cr_assert_str_eq(kept->text, "kept");
	}
	wanted_deinit(&wanted);
}
