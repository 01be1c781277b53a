/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that come back after a reboot, through real gates. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/bpf/support-gate.h"
#include "tests/unit/capture.h"
#include "tests/unit/support-persist.h"
#include "userspace/priv/persist/revision.h"

#define OTHER (KV_SUBJECT_CALF + 1)

static const struct test_rule supervisor_rules[] = {
	{ "/", KV_ACCESS_READ, KV_CLASS_TEXT, KV_VALUE_MAX },
	{ "/psk", KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_SECRET, KV_CLASS_TEXT, 32 },
	{ "/plain", KV_ACCESS_READ | KV_ACCESS_WRITE, KV_CLASS_TEXT, 32 },
	{ NULL }
};
static const struct test_rule keeper_rules[] = { { "/psk", ALL_ACCESS | KV_ACCESS_SECRET,
						   KV_CLASS_TEXT, 32 },
						 { "/plain", ALL_ACCESS, KV_CLASS_TEXT, 32 },
						 { NULL } };
static const struct test_rule other_rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 32 }, { NULL } };

static struct description keeper = {
	.name = "keeper",
	.keys = { { .path = "/psk",
		    .rule = { VALUE_TEXT, 0, 0, 32 },
		    .persistent = true,
		    .secret = true },
		  { .path = "/plain", .rule = { VALUE_TEXT, 0, 0, 32 }, .persistent = true } },
	.n_keys = 2,
};

static struct gate_test test;
static struct wanted wanted;
static char directory[] = "/tmp/calfpen-secrets-XXXXXX";

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), 0);
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(wanted_init(&wanted, 16), 0);
	gate_test_begin(&test, 64, 5);
	(void)gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, supervisor_rules, FAST, 1000);
	(void)gate_test_subject(&test, KV_SUBJECT_CALF, keeper_rules, FAST, 1000);
	(void)gate_test_subject(&test, OTHER, other_rules, FAST, 1000);
	cr_assert_eq(store_seal(&test.store), 0);
	capture_begin();
}

static void teardown(void)
{
	gate_test_end(&test);
	wanted_deinit(&wanted);
}

TestSuite(persist_secrets, .init = setup, .fini = teardown);

static void save(bool secrets, bool others)
{
	if (others)
		cr_assert_eq(persist_save(directory, &wanted, &keeper, 1, 0), 0);
	if (secrets)
		cr_assert_eq(persist_save_secrets(directory, &wanted, &keeper, 1, 0), 0);
}

static void restore(void)
{
	cr_assert_eq(persist_restore(directory, test.fds[KV_SUBJECT_SUPERVISOR],
				     persist_revision_last(directory), &keeper, 1),
		     0, "%s", capture_text());
}

static const char *got(uint32_t subject, const char *path)
{
	static struct kv_value value;
	int r = gate_read(test.fds[subject], path, &value);

	return r == -EACCES ? "(refused)" : r ? "(none)" : value.text;
}

Test(persist_secrets, only_the_writer_can_read_what_was_restored)
{
	test_set(&wanted, "/psk", "hunter2", S);
	test_set(&wanted, "/plain", "known", S);
	save(true, true);
	restore();
	cr_expect_str_eq(capture_text(), "restored 2 keys as of revision 2\n");
	cr_expect_eq(gate_test_ctl(&test).revision, 4, "a commit for each file");
	cr_expect_str_eq(got(KV_SUBJECT_CALF, "/psk"), "hunter2");
	cr_expect_str_eq(got(OTHER, "/psk"), "(refused)");
	cr_expect_str_eq(got(OTHER, "/plain"), "known");
}

/* Without the other file, and its revision: the store goes on from this one's. */
Test(persist_secrets, file_of_secrets_alone)
{
	test_set(&wanted, "/psk", "hunter2", S);
	wanted.revision = 40;
	save(true, false);
	cr_expect_eq(persist_revision_last(directory), 40);
	restore();
	cr_expect_str_eq(got(KV_SUBJECT_CALF, "/psk"), "hunter2");
	cr_expect_eq(gate_test_ctl(&test).revision, 41);
}

/* A power cut between the two saves after the description was changed: a key is in both
 * files, and what was written last comes back. */
Test(persist_secrets, key_in_both_files)
{
	keeper.keys[0].secret = false;
	test_set(&wanted, "/psk", "shown", S);
	save(false, true);
	keeper.keys[0].secret = true;
	test_set(&wanted, "/psk", "hunter2", S);
	save(true, false);
	restore();
	cr_expect_str_eq(got(KV_SUBJECT_CALF, "/psk"), "hunter2");
	cr_expect_str_eq(got(OTHER, "/psk"), "(refused)");
}

Test(persist_secrets, key_in_both_files_the_other_way)
{
	test_set(&wanted, "/psk", "hunter2", S);
	save(true, false);
	keeper.keys[0].secret = false;
	test_set(&wanted, "/psk", "newer", S);
	save(false, true);
	restore();
	cr_expect_str_eq(got(KV_SUBJECT_CALF, "/psk"), "newer");
	cr_expect_str_eq(capture_text(), "restored 1 keys as of revision 2\n");
}

/* What was saved before the key became a secret is one from then on. */
Test(persist_secrets, saved_when_it_was_none)
{
	keeper.keys[0].secret = false;
	test_set(&wanted, "/psk", "hunter2", S);
	save(false, true);
	keeper.keys[0].secret = true;
	restore();
	cr_expect_str_eq(got(KV_SUBJECT_CALF, "/psk"), "hunter2");
	cr_expect_str_eq(got(OTHER, "/psk"), "(refused)");
}

/* Both files are kept if the store takes none of them. */
Test(persist_secrets, not_restored)
{
	char path[128];

	test_set(&wanted, "/psk", "hunter2", S);
	test_set(&wanted, "/plain", "known", S);
	save(true, true);
	cr_expect_eq(persist_restore(directory, test.fds[OTHER], 0, &keeper, 1), -EACCES);
	(void)snprintf(path, sizeof(path), "%s/secrets.damaged-1", directory);
	cr_expect_eq(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s/store.damaged-1", directory);
	cr_expect_eq(access(path, F_OK), 0);
	cr_expect_null(strstr(capture_text(), "hunter"));
}
