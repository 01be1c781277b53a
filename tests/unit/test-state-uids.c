/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the table of uids, whatever it has become. */
#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"
#include "userspace/state/uids.h"

TestSuite(state_uids, .init = scratch_make, .fini = scratch_remove);

static struct uids uids;

static int load(const char *text)
{
	scratch_write_text(UIDS_FILE, text, 0600);
	return uids_load(scratch_path(UIDS_FILE), &uids);
}

Test(state_uids, entries)
{
	cr_assert_eq(load("eth0:1879048192:128\nwan:65537:128\n"), 0);
	cr_assert_eq(uids.n_entries, 2);
	cr_expect_str_eq(uids.entries[0].instance, "eth0");
	cr_expect_eq(uids.entries[0].first, 1879048192u);
	cr_expect_eq(uids_find(&uids, "wan"), &uids.entries[1]);
	cr_expect_eq(uids.entries[1].first, 65537u);
	cr_expect_null(uids_find(&uids, "eth"));
}

Test(state_uids, no_table)
{
	uids.n_entries = 7;
	cr_assert_eq(uids_load(scratch_path("none"), &uids), 0);
	cr_assert_eq(uids.n_entries, 0);
	cr_assert_eq(load(""), 0);
	cr_assert_eq(uids_load(scratch, &uids), -EISDIR);
}

/* The rest of the table counts. */
Test(state_uids, damaged_lines)
{
	static const char *const rows[] = {
		"\n",
		"eth1\n",
		"eth1:1879048192\n",
		"eth1:1879048192:\n",
		"eth1:1879048192:64\n",
		"eth1:1879048192:128:\n",
		"eth1: 1879048192:128\n",
		"eth1:0:128\n",
		"eth1:65536:128\n",
		"eth1:4294967167:128\n",
		"eth1:4294967296:128\n",
		"eth1:-1:128\n",
		":1879048192:128\n",
		"../x:1879048192:128\n",
		"uids:1879048192:128\n",
		"eth0:1879048320:128\n",
		"a-name-of-thirty-two-octets-abcd:1879048192:128\n",
	};
	char text[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "eth0:1879048192:128\n%swan:1879048448:128\n",
			 rows[i]);
		cr_expect_eq(load(text), 1, "%s", rows[i]);
		cr_expect_eq(uids.n_entries, 2, "%s", rows[i]);
		cr_expect_not_null(uids_find(&uids, "wan"), "%s", rows[i]);
	}
	cr_expect_eq(load("eth0:1879048192:128\nwan:1879048320:128"), 1, "it has no end");
	cr_expect_eq(uids.n_entries, 1);
	cr_expect_eq(load("eth1:4294967166:128\n"), 0, "the highest uids");
}

Test(state_uids, zeros)
{
	static const char text[] = "eth0:1879048192:128\0\0\n\0\0wan:1879048320:128\n"
				   "lan:1879048448:128\n\0\0";

	scratch_write(UIDS_FILE, text, sizeof(text) - 1, 0600);
	cr_expect_eq(uids_load(scratch_path(UIDS_FILE), &uids), 3);
	cr_expect_eq(uids.n_entries, 1);
	cr_expect_not_null(uids_find(&uids, "lan"));
}

/* A file of any size is read up to a limit. */
Test(state_uids, limits)
{
	static char text[2 * UIDS_SIZE_MAX];
	size_t length = 0;

	for (uint32_t i = 0; i < 3000; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "e%u:%u:128\n", i,
					   1879048192u + 128 * i);
	cr_expect_gt(load(text), 0);
	cr_expect_eq(uids.n_entries, UIDS_ENTRIES_MAX);
	cr_expect(!uids_add(&uids, "more", 70000));
	memset(text, ':', sizeof(text) - 1);
	cr_expect_eq(load(text), 1);
	cr_expect_eq(uids.n_entries, 0);
}

Test(state_uids, bounds)
{
	uids.n_entries = 0;
	cr_expect(!uids_add(&uids, "a", 65536));
	cr_expect(uids_add(&uids, "a", 65537));
	cr_expect(uids_add(&uids, "b", UINT32_MAX - 129));
	cr_expect(!uids_add(&uids, "c", UINT32_MAX - 128), "2^32 - 2 would be one of them");
	cr_expect_eq(uids.n_entries, 2);
}
