/* SPDX-License-Identifier: Apache-2.0 */
/* A description with persistent keys and a store to save, for tests. */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_PERSIST_H
#define CALFPEN_TESTS_UNIT_SUPPORT_PERSIST_H

#include <stdlib.h>

#include "tests/unit/support-wanted.h"
#include "userspace/priv/persist/persist.h"

static const struct description test_descriptions[2] = {
	{
		.name = "first",
		.keys = { { .path = "/ip", .rule = { VALUE_IPV4_NET, 0, 0, 18 }, .count = 1 },
			  { .path = "/lease/state",
			    .rule = { VALUE_TEXT, 0, 0, 15 },
			    .count = 1,
			    .persistent = true },
			  { .path = "/lease/t1",
			    .rule = { VALUE_U32, 0, 1000, 10 },
			    .count = 1,
			    .persistent = true } },
		.n_keys = 3,
	},
	{
		.name = "second",
		.keys = { { .path = "/x/",
			    .rule = { VALUE_TEXT, 0, 0, KV_VALUE_MAX },
			    .count = KV_KEYS_MAX,
			    .persistent = true },
			  { .path = "/x/not", .rule = { VALUE_TEXT, 0, 0, 9 }, .count = 1 } },
		.n_keys = 2,
	},
};

/* Keys of both kinds, 4 of them persistent, revision 7. */
static inline void test_fill(struct wanted *wanted)
{
	cr_assert_eq(wanted_init(wanted, PERSIST_ENTRIES_MAX), 0);
	test_set(wanted, "/ip", "192.0.2.5/24", 1 * S);
	test_set(wanted, "/lease/state", "bound", 2 * S);
	test_set(wanted, "/lease/t1", "60", 3 * S);
	test_set(wanted, "/x/001", "", 4 * S);
	test_set(wanted, "/x/002", "with  blanks and ~", 5 * S);
	test_set(wanted, "/x/not", "not", 6 * S);
	test_set(wanted, "/status/dns", "ok 3", 7 * S);
}

#define TEST_WALL_OFFSET_NS (1795486525ull * S)

static inline int test_save(const char *directory, const struct wanted *wanted)
{
	return persist_save(directory, wanted, test_descriptions, 2, TEST_WALL_OFFSET_NS);
}

#endif
