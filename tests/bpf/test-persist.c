/* SPDX-License-Identifier: Apache-2.0 */
/* Restoring the saved store through a real gate; a full disk. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/bpf/support-gate.h"
#include "tests/unit/capture.h"
#include "tests/unit/support-persist.h"
#include "userspace/priv/persist/revision.h"

static const struct test_rule supervisor_rules[] = {
	{ "/", KV_ACCESS_READ, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/lease/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/x/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ NULL }
};
static const struct test_rule calf_rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
					       { NULL } };

static struct gate_test test;
static struct wanted wanted;
static int supervisor, calf;
static char directory[] = "/tmp/calfpen-restore-XXXXXX";

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), 0);
	cr_assert_not_null(mkdtemp(directory));
	test_fill(&wanted);
	gate_test_begin(&test, 1024, 4);
	supervisor = gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, supervisor_rules, FAST, 1000);
	calf = gate_test_subject(&test, KV_SUBJECT_CALF, calf_rules, FAST, 1000);
	cr_assert_eq(store_seal(&test.store), 0);
	capture_begin();
}

static void teardown(void)
{
	gate_test_end(&test);
	wanted_deinit(&wanted);
}

TestSuite(persist, .init = setup, .fini = teardown);

static int restore(void)
{
	return persist_restore(directory, supervisor, persist_revision_last(directory),
			       test_descriptions, 2);
}

/* The value of a key, or "(none)". */
static const char *value_of(const char *path)
{
	static struct kv_value value;
	int r = gate_read(calf, path, &value);

	cr_assert(!r || r == -ENOENT, "%s: %d", path, r);
	return r ? "(none)" : value.text;
}

Test(persist, revision_and_keys_come_back)
{
	struct kv_value value;
	uint64_t revision;

	cr_assert_eq(test_save(directory, &wanted), 0);
	cr_assert_eq(restore(), 0, "%s", capture_text());
	cr_expect_str_eq(capture_text(), "restored 4 keys as of revision 7\n");
	cr_expect_eq(gate_test_ctl(&test).revision, 8, "one commit");
	cr_expect_eq(gate_test_ctl(&test).n_keys, 4);
	cr_expect_str_eq(value_of("/lease/state"), "bound");
	cr_expect_str_eq(value_of("/lease/t1"), "60");
	cr_expect_str_eq(value_of("/x/001"), "");
	cr_expect_str_eq(value_of("/x/002"), "with  blanks and ~");
	cr_expect_str_eq(value_of("/ip"), "(none)");
	cr_assert_eq(gate_read(calf, "/lease/state", &value), 0);
	cr_expect_eq(value.revision, 8);
	cr_expect_eq(value.subject, KV_SUBJECT_SUPERVISOR);
	cr_expect_eq(gate_write(calf, "/ip", "x", 1, &revision), 0);
	cr_expect_eq(revision, 9);
}

Test(persist, revision_alone)
{
	uint64_t revision;

	cr_assert_eq(persist_save(directory, &wanted, NULL, 0, 0), 0);
	cr_assert_eq(restore(), 0, "%s", capture_text());
	cr_expect_eq(gate_write(calf, "/ip", "x", 1, &revision), 0);
	cr_expect_eq(revision, 8);
}

/* After a power cut: the file `revision` was ahead of the snapshot, and no revision
 * below it is reused, also if the snapshot is gone. */
Test(persist, revision_ahead_of_the_keys)
{
	uint64_t revision;

	cr_assert_eq(test_save(directory, &wanted), 0);
	cr_assert_eq(persist_revision_save(directory, 7 + PERSIST_REVISION_AHEAD), 0);
	cr_assert_eq(restore(), 0, "%s", capture_text());
	cr_expect_str_eq(value_of("/lease/state"), "bound");
	cr_expect_eq(gate_write(calf, "/ip", "x", 1, &revision), 0);
	cr_expect_eq(revision, 7 + PERSIST_REVISION_AHEAD + 2, "one commit of the restore");
}

Test(persist, revision_without_keys)
{
	uint64_t revision;

	cr_assert_eq(persist_revision_save(directory, 99), 0);
	cr_assert_eq(restore(), 0, "%s", capture_text());
	cr_expect_eq(gate_write(calf, "/ip", "x", 1, &revision), 0);
	cr_expect_eq(revision, 100);
	cr_expect_eq(store_revision(&test.store), 100);
}

Test(persist, many_keys_in_chunks)
{
	static struct kv_value value;
	char path[KV_PATH_SIZE], text[200];
	uint64_t revision;
	unsigned int i;

	wanted_clear(&wanted);
	wanted.revision = 1000;
	for (i = 0; i < 500; i++) {
		(void)snprintf(path, sizeof(path), "/x/%03u", i);
		(void)snprintf(text, sizeof(text), "%0150u", i);
		test_set(&wanted, path, text, S);
	}
	cr_assert_eq(test_save(directory, &wanted), 0);
	cr_assert_eq(restore(), 0, "%s", capture_text());
	cr_expect_eq(gate_test_ctl(&test).n_keys, 500);
	revision = gate_test_ctl(&test).revision;
	cr_expect_eq(revision, 1500 + (500 + 127) / 128);
	for (i = 0; i < 500; i++) {
		(void)snprintf(path, sizeof(path), "/x/%03u", i);
		(void)snprintf(text, sizeof(text), "%0150u", i);
		cr_assert_eq(gate_read(calf, path, &value), 0);
		cr_expect_str_eq(value.text, text);
	}
	cr_expect_eq(gate_write(calf, "/ip", "x", 1, &revision), 0);
	cr_expect_eq(revision, 1505);
}

/* The descriptions have changed since the store was saved. */
Test(persist, what_no_description_keeps)
{
	static struct description changed[2];

	memcpy(changed, test_descriptions, sizeof(changed));
	changed[0].keys[1].persistent = false;
	changed[0].keys[2].rule.max = 59;
	cr_assert_eq(test_save(directory, &wanted), 0);
	cr_assert_eq(persist_restore(directory, supervisor, 0, changed, 2), 0);
	cr_expect_str_eq(value_of("/lease/state"), "(none)");
	cr_expect_str_eq(value_of("/lease/t1"), "(none)");
	cr_expect_str_eq(value_of("/x/001"), "");
	cr_expect_str_eq(capture_text(), "not restoring /lease/state: not persistent in any "
					 "description\n"
					 "not restoring /lease/t1: the saved value is not a valid "
					 "u32\n"
					 "restored 2 keys as of revision 7\n");
}

Test(persist, nothing_or_damage_is_no_failure)
{
	char path[128];

	cr_expect_eq(restore(), 0);
	cr_expect_str_eq(capture_text(), "");
	cr_assert_eq(test_save(directory, &wanted), 0);
	(void)snprintf(path, sizeof(path), "%s/store", directory);
	cr_assert_eq(truncate(path, 40), 0);
	cr_expect_eq(restore(), 0);
	cr_expect_not_null(strstr(capture_text(), "renamed to store.damaged-1"));
	cr_expect_eq(gate_test_ctl(&test).revision, 0);
	capture_begin();
	cr_expect_eq(restore(), 0);
	cr_expect_str_eq(capture_text(), "", "once");
}

/* A store that has a revision is not reset; and only the supervisor may restore. */
Test(persist, only_a_new_store_and_only_by_the_supervisor)
{
	cr_assert_eq(test_save(directory, &wanted), 0);
	cr_expect_eq(persist_restore(directory, calf, 0, test_descriptions, 2), -EACCES);
	cr_expect_eq(gate_test_ctl(&test).revision, 0);
	cr_assert_eq(test_save(directory, &wanted), 0);
	cr_assert_eq(gate_write(calf, "/lease/state", "new", 3, NULL), 0);
	cr_expect_eq(restore(), -EEXIST);
	cr_expect_str_eq(value_of("/lease/state"), "new");
	cr_expect_eq(gate_test_ctl(&test).revision, 1);
}

/* More than fits into the ring while it has no reader: a part is restored, and the next
 * save does not replace the file. */
Test(persist, more_than_the_ring_takes)
{
	char path[KV_PATH_SIZE], text[1001];
	uint32_t n_keys;
	unsigned int i;

	memset(text, 'x', 1000);
	text[1000] = '\0';
	for (i = 0; i < 900; i++) {
		(void)snprintf(path, sizeof(path), "/x/long-%u", i);
		test_set(&wanted, path, text, S);
	}
	cr_assert_eq(test_save(directory, &wanted), 0);
	cr_expect_eq(restore(), -EAGAIN);
	n_keys = gate_test_ctl(&test).n_keys;
	cr_expect(n_keys > 100 && n_keys < 900, "%u", n_keys);
	cr_expect_not_null(strstr(capture_text(), "store was not restored completely: "
						  "Resource temporarily unavailable; renamed to "
						  "store.damaged-1\n"));
	cr_assert_eq(test_save(directory, &wanted), 0);
	(void)snprintf(path, sizeof(path), "%s/store.damaged-1", directory);
	cr_expect_eq(access(path, F_OK), 0);
}

static void expect_old_one(const char *at)
{
	struct persist_snapshot snapshot;

	cr_assert_eq(persist_load(at, &snapshot), 0, "%s", capture_text());
	cr_expect_eq(snapshot.revision, 7);
	cr_expect_eq(snapshot.n_entries, 4);
	persist_snapshot_deinit(&snapshot);
}

/* Each amount of room from none to enough: the old one, or the new one whole. */
Test(persist, full_disk)
{
	char small[64], filler[80], text[KV_VALUE_SIZE];
	struct statvfs room;
	unsigned int i, n_failed = 0;
	FILE *file;

	(void)snprintf(small, sizeof(small), "%s/small", directory);
	(void)snprintf(filler, sizeof(filler), "%s/filler", small);
	cr_assert_eq(mkdir(small, 0700), 0);
	cr_assert_eq(mount("tmpfs", small, "tmpfs", 0, "size=128k"), 0);
	cr_assert_eq(test_save(small, &wanted), 0);
	memset(text, 'x', KV_VALUE_MAX);
	text[KV_VALUE_MAX] = '\0';
	for (i = 0; i < 30; i++) {
		char path[KV_PATH_SIZE];

		(void)snprintf(path, sizeof(path), "/x/long-%u", i);
		test_set(&wanted, path, text, S);
	}
	file = fopen(filler, "we");
	cr_assert_not_null(file);
	while (fwrite(text, 1, 512, file) == 512 && fflush(file) == 0)
		;
	(void)fclose(file);
	for (i = 32; i-- > 1 && test_save(small, &wanted);) {
		n_failed++;
		cr_expect_eq(statvfs(small, &room), 0);
		expect_old_one(small);
		cr_assert_eq(truncate(filler, i * 4096l), 0);
	}
	cr_expect_gt(n_failed, 5, "%u", n_failed);
	cr_assert_gt(i, 1);
	{
		struct persist_snapshot snapshot;

		cr_assert_eq(persist_load(small, &snapshot), 0);
		cr_expect_eq(snapshot.n_entries, 34);
		persist_snapshot_deinit(&snapshot);
	}
	cr_assert_eq(umount(small), 0);
}
