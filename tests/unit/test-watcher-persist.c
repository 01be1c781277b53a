/* SPDX-License-Identifier: Apache-2.0 */
/* When the store is saved, with virtual time. */
#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/support-persist.h"
#include "userspace/priv/persist/revision.h"
#include "userspace/priv/watcher/persist.h"

#define MS 1000000ull

static char state[64];
static struct wanted wanted;
static struct watcher_persist persist;
static uint64_t clock_ns, save_takes_ns;

/* Every second call is the end of a save, if one is made. */
static uint64_t now_ns(void)
{
	clock_ns += save_takes_ns;
	return clock_ns;
}

static void setup(void)
{
	scratch_make();
	(void)snprintf(state, sizeof(state), "%s/a/b", scratch);
	test_fill(&wanted);
	clock_ns = 1000 * S;
	save_takes_ns = 0;
	capture_begin();
	watcher_persist_init(&persist, state, test_descriptions, 2);
}

static void teardown(void)
{
	wanted_deinit(&wanted);
	scratch_remove();
}

TestSuite(watcher_persist, .init = setup, .fini = teardown);

static uint64_t run(void)
{
	return watcher_persist_run(&persist, &wanted, TEST_WALL_OFFSET_NS, now_ns);
}

/* Revision of the file, 0: there is none. */
static uint64_t saved(void)
{
	struct persist_snapshot snapshot = PERSIST_SNAPSHOT_NULL(snapshot);
	uint64_t revision;

	if (persist_load(state, &snapshot))
		return 0;
	revision = snapshot.revision;
	persist_snapshot_deinit(&snapshot);
	return revision;
}

static void change(const char *path)
{
	test_set(&wanted, path, "1", clock_ns);
	watcher_persist_mark_path(&persist, path, wanted.revision);
}

/* After the first save: nothing is due. */
static void start(void)
{
	watcher_persist_mark_all(&persist, &wanted);
	clock_ns = run();
	cr_assert_eq(run(), UINT64_MAX);
	cr_assert_eq(saved(), wanted.revision);
}

/* A secret is saved by the supervisor, which must be told of each change. */
Test(watcher_persist, secrets)
{
	static struct description with_secret;

	with_secret = test_descriptions[0];
	with_secret.keys[1].secret = true;
	watcher_persist_init(&persist, state, &with_secret, 1);
	cr_expect_not(watcher_persist_take_told(&persist));
	start();
	cr_expect(watcher_persist_take_told(&persist), "what was missed");
	cr_expect_not(watcher_persist_take_told(&persist), "once");
	cr_expect_str_eq(persist.status, "ok 3", "of a key that is no secret");
	change("/lease/t1");
	cr_expect_not(watcher_persist_take_told(&persist));
	clock_ns += 2 * S;
	clock_ns = run();
	cr_expect_eq(run(), UINT64_MAX);
	change("/lease/state");
	cr_expect(watcher_persist_take_told(&persist));
	cr_expect_eq(run(), UINT64_MAX, "nothing to save here");
}

Test(watcher_persist, first_list)
{
	struct stat status;

	cr_assert_eq(stat(state, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0700);
	cr_expect_str_eq(persist.status, "");
	watcher_persist_mark_all(&persist, &wanted);
	cr_expect_eq(run(), clock_ns + 100 * MS);
	cr_expect_eq(saved(), 0);
	clock_ns += 100 * MS;
	cr_expect_eq(run(), UINT64_MAX);
	cr_expect_eq(saved(), 7);
	cr_expect_str_eq(persist.status, "ok 5", "of the last persistent key");
	cr_expect_eq(run(), UINT64_MAX);
}

/* Keys that the supervisor deleted before the watcher was started, and that no description
 * keeps any more, would come back after the next reboot. */
Test(watcher_persist, first_list_without_what_was_saved)
{
	struct persist_snapshot snapshot = PERSIST_SNAPSHOT_NULL(snapshot);

	cr_assert_eq(test_save(state, &wanted), 0);
	wanted_remove(&wanted, &(struct kv_key){ "/x/001" }, 8);
	wanted_remove(&wanted, &(struct kv_key){ "/x/002" }, 8);
	watcher_persist_init(&persist, state, test_descriptions, 1);
	watcher_persist_mark_all(&persist, &wanted);
	(void)run();
	clock_ns += 100 * MS;
	cr_expect_eq(run(), UINT64_MAX);
	cr_assert_eq(persist_load(state, &snapshot), 0);
	cr_expect_eq(snapshot.n_entries, 2);
	persist_snapshot_deinit(&snapshot);
}

Test(watcher_persist, at_most_once_a_second)
{
	uint64_t first_ns, next_ns, i, n_saves = 0, former;

	start();
	first_ns = clock_ns;
	former = saved();
	for (i = 0; i < 5000; i++) {
		change("/lease/t1");
		(void)run();
		n_saves += saved() != former;
		former = saved();
		clock_ns += MS;
	}
	cr_expect_geq(n_saves, 4);
	cr_expect_leq(n_saves, 5);
	while ((next_ns = run()) != UINT64_MAX)
		clock_ns = next_ns;
	cr_expect_eq(saved(), wanted.revision);
	cr_expect_leq(clock_ns, first_ns + 6 * S);
}

/* Changes caused by a change are saved with it; a revision without a persistent key
 * needs no save. */
Test(watcher_persist, other_revisions_need_none)
{
	start();
	clock_ns += 10 * S;
	change("/status/dns");
	cr_expect_eq(run(), UINT64_MAX);
	change("/ip");
	cr_expect_eq(run(), UINT64_MAX);
	change("/x/001");
	cr_expect_eq(run(), clock_ns + 100 * MS);
	change("/status/dns");
	clock_ns += 100 * MS;
	cr_expect_eq(run(), UINT64_MAX);
	cr_expect_eq(saved(), 11);
	cr_expect_str_eq(persist.status, "ok 10");
	change("/status/persist");
	cr_expect_eq(run(), UINT64_MAX);
	cr_expect_eq(saved(), 11);
}

static uint64_t ahead(void)
{
	uint64_t revision = 0;
	int r = persist_revision_load(state, &revision);

	return r ? 0 : revision;
}

/* The file is ahead of the store at any time. */
Test(watcher_persist, revision_is_ahead)
{
	const uint64_t all = PERSIST_REVISION_AHEAD;

	start();
	cr_expect_eq(ahead(), 7 + all);
	wanted.revision += all / 2;
	cr_expect_eq(run(), UINT64_MAX);
	cr_expect_eq(ahead(), 7 + all, "half of it is left");
	wanted.revision++;
	cr_expect_eq(run(), UINT64_MAX);
	cr_expect_eq(ahead(), wanted.revision + all);
	/* The next run of the watcher reads that and writes nothing. */
	watcher_persist_init(&persist, state, test_descriptions, 2);
	cr_expect_eq(persist.ahead, wanted.revision + all);
}

/* What is missing has a name (U41). */
static void expect_missing(void)
{
	char expected[RECONCILE_STATUS_SIZE];

	(void)snprintf(expected, sizeof(expected), "error: %s: No such file or directory", state);
	cr_expect_str_eq(persist.status, expected);
}

Test(watcher_persist, revision_cannot_be_written)
{
	char command[192];

	start();
	(void)snprintf(command, sizeof(command), "mv %s %s.away", state, state);
	cr_assert_eq(system(command), 0);
	capture_begin();
	wanted.revision += PERSIST_REVISION_AHEAD;
	cr_expect_eq(run(), clock_ns + 1 * S);
	expect_missing();
	cr_expect_eq(run(), clock_ns + 1 * S, "not tried again before");
	(void)snprintf(command, sizeof(command), "mv %s.away %s", state, state);
	cr_assert_eq(system(command), 0);
	clock_ns += 1 * S;
	cr_expect_eq(run(), UINT64_MAX);
	cr_expect_not_null(strstr(capture_text(), "saving the store works again\n"));
	cr_expect_str_eq(persist.status, "ok 5");
	cr_expect_eq(ahead(), wanted.revision + PERSIST_REVISION_AHEAD);
}

Test(watcher_persist, removal_is_a_change)
{
	start();
	test_remove(&wanted, "/lease/state");
	watcher_persist_mark_path(&persist, "/lease/state", wanted.revision);
	clock_ns = run();
	(void)run();
	cr_expect_eq(saved(), 8);
	cr_expect_str_eq(persist.status, "ok 8");
}

/* A slow disk gets at most a tenth of the time. */
Test(watcher_persist, slow_disk)
{
	uint64_t end_ns;

	start();
	change("/x/001");
	clock_ns = run();
	save_takes_ns = 2 * S;
	(void)run();
	save_takes_ns = 0;
	end_ns = clock_ns;
	cr_expect_eq(saved(), 8);
	change("/x/001");
	cr_expect_eq(run(), end_ns + 18 * S);
}

Test(watcher_persist, at_the_end)
{
	start();
	change("/x/001");
	(void)run();
	watcher_persist_finish(&persist, &wanted, TEST_WALL_OFFSET_NS, now_ns);
	cr_expect_eq(saved(), 8);
	change("/status/dns");
	watcher_persist_finish(&persist, &wanted, TEST_WALL_OFFSET_NS, now_ns);
	cr_expect_eq(saved(), 9);
}

Test(watcher_persist, failures)
{
	char command[192];
	uint64_t next_ns;

	start();
	capture_begin();
	(void)snprintf(command, sizeof(command), "mv %s %s.away", state, state);
	cr_assert_eq(system(command), 0);
	change("/x/001");
	clock_ns = run();
	next_ns = run();
	cr_expect_eq(next_ns, clock_ns + 1 * S);
	expect_missing();
	change("/x/001");
	cr_expect_eq(run(), next_ns, "a change does not hurry it");
	clock_ns = next_ns;
	cr_expect_eq(run(), clock_ns + 2 * S);
	cr_expect_not_null(strstr(capture_text(), "No such file or directory; retrying\n"));
	cr_expect_null(strstr(strchr(capture_text(), '\n') + 1, "\n"), "logged once");
	(void)snprintf(command, sizeof(command), "mv %s.away %s", state, state);
	cr_assert_eq(system(command), 0);
	cr_expect_eq(saved(), 7, "the old one");
	capture_begin();
	clock_ns += 2 * S;
	cr_expect_eq(run(), UINT64_MAX);
	cr_expect_str_eq(capture_text(), "saving the store works again\n");
	cr_expect_str_eq(persist.status, "ok 9");
	cr_expect_eq(saved(), 9);
}

Test(watcher_persist, no_directory_is_wanted)
{
	watcher_persist_init(&persist, "", test_descriptions, 2);
	change("/x/001");
	cr_expect_eq(run(), UINT64_MAX);
	watcher_persist_finish(&persist, &wanted, TEST_WALL_OFFSET_NS, now_ns);
	cr_expect_str_eq(persist.status, "");
}

Test(watcher_persist, directory_cannot_be_made)
{
	watcher_persist_init(&persist, "/proc/none", test_descriptions, 2);
	cr_expect_str_eq(capture_text(), "/proc/none: cannot create: No such file or directory\n");
}
