/* SPDX-License-Identifier: Apache-2.0 */
/* Persistent secrets have a file of their own, and are in no other. */
#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/support-persist.h"

static const struct description descriptions[] = {
	{
		.name = "keeper",
		.keys = { { .path = "/psk",
			    .rule = { VALUE_TEXT, 0, 0, 32 },
			    .persistent = true,
			    .secret = true },
			  { .path = "/eap/",
			    .rule = { VALUE_TEXT, 0, 0, 32 },
			    .persistent = true,
			    .secret = true },
			  { .path = "/session", .rule = { VALUE_TEXT, 0, 0, 32 }, .secret = true },
			  { .path = "/plain",
			    .rule = { VALUE_TEXT, 0, 0, 32 },
			    .persistent = true } },
		.n_keys = 4,
	},
};

static struct wanted wanted;

static void setup(void)
{
	scratch_make();
	cr_assert_eq(wanted_init(&wanted, 16), 0);
	test_set(&wanted, "/psk", "hunter1", 1 * S);
	test_set(&wanted, "/eap/001", "hunter2", 2 * S);
	test_set(&wanted, "/session", "hunter3", 3 * S);
	test_set(&wanted, "/plain", "known", 4 * S);
	capture_begin();
}

static void teardown(void)
{
	wanted_deinit(&wanted);
	scratch_remove();
}

TestSuite(persist_secrets, .init = setup, .fini = teardown);

static void save(void)
{
	cr_assert_eq(persist_save(scratch, &wanted, descriptions, 1, 0), 0);
	cr_assert_eq(persist_save_secrets(scratch, &wanted, descriptions, 1, 0), 0);
}

/* The entries of a snapshot, as text. */
static const char *contents(int (*load)(const char *directory, struct persist_snapshot *snapshot))
{
	static char text[512];
	struct persist_snapshot snapshot;
	struct persist_entry entry;
	size_t used = 0;

	text[0] = '\0';
	cr_assert_eq(load(scratch, &snapshot), 0, "%s", capture_text());
	cr_expect_eq(snapshot.revision, wanted.revision);
	while (persist_next(&snapshot, &entry))
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s=%.*s ",
					 entry.key.path, entry.length, entry.text);
	persist_snapshot_deinit(&snapshot);
	return text;
}

Test(persist_secrets, each_is_in_one_file)
{
	struct stat status;
	char path[128];

	save();
	cr_expect_str_eq(contents(persist_load), "/plain=known ");
	cr_expect_str_eq(contents(persist_load_secrets), "/eap/001=hunter2 /psk=hunter1 ");
	(void)snprintf(path, sizeof(path), "%s/secrets", scratch);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	cr_expect_eq(status.st_uid, geteuid());
}

/* The description has changed since it was written: the watcher has no text to save. */
Test(persist_secrets, value_that_is_one_by_itself)
{
	struct kv_key key = test_key("/plain");
	struct kv_value value = test_value(KV_SECRET_TEXT, 5, 5 * S);

	value.flags = KV_VALUE_SECRET | KV_VALUE_HIDDEN;
	cr_assert_eq(wanted_set(&wanted, &key, &value), 0);
	wanted.revision = 5;
	cr_assert_eq(persist_save(scratch, &wanted, descriptions, 1, 0), 0);
	cr_expect_str_eq(contents(persist_load), "");
	value = test_value("hunter4", 5, 5 * S);
	value.flags = KV_VALUE_SECRET;
	cr_assert_eq(wanted_set(&wanted, &key, &value), 0);
	cr_assert_eq(persist_save_secrets(scratch, &wanted, descriptions, 1, 0), 0);
	cr_expect_str_eq(contents(persist_load_secrets),
			 "/eap/001=hunter2 /plain=hunter4 /psk=hunter1 ");
}

/* No file is made for nothing, but one that is there loses what is gone. */
Test(persist_secrets, none)
{
	struct persist_snapshot snapshot;

	wanted_clear(&wanted);
	test_set(&wanted, "/plain", "known", 4 * S);
	test_set(&wanted, "/session", "hunter3", 3 * S);
	save();
	cr_expect_eq(persist_load_secrets(scratch, &snapshot), -ENOENT);
	test_set(&wanted, "/psk", "hunter1", 1 * S);
	save();
	cr_expect_str_eq(contents(persist_load_secrets), "/psk=hunter1 ");
	test_remove(&wanted, "/psk");
	save();
	cr_expect_str_eq(contents(persist_load_secrets), "");
}

/* The same rules as for the file `store`. */
Test(persist_secrets, damaged)
{
	struct persist_snapshot snapshot;
	char path[128], expected[256];

	save();
	(void)snprintf(path, sizeof(path), "%s/secrets", scratch);
	cr_assert_eq(truncate(path, 50), 0);
	cr_expect_eq(persist_load_secrets(scratch, &snapshot), -EBADMSG);
	(void)snprintf(
		expected, sizeof(expected),
		"%s/secrets is damaged: its size differs from the size in its header; renamed "
		"to secrets.damaged-1\n",
		scratch);
	cr_expect_str_eq(capture_text(), expected);
	cr_expect_str_eq(contents(persist_load), "/plain=known ", "the other file is not affected");
}
