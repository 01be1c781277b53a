/* SPDX-License-Identifier: Apache-2.0 */
/* How a start comes by its store: what is pinned, and what is on disk. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/support-persist.h"
#include "userspace/common/gate.h"
#include "userspace/priv/persist/revision.h"
#include "userspace/priv/supervisor/supervisor-private.h"

static struct supervisor s;
static struct options options;
static struct wanted wanted;
static struct description descriptions[2];
static char state[] = "/tmp/calfpen-store-XXXXXX";

static void begin(void)
{
	cr_assert_not_null(mkdtemp(state));
	(void)snprintf(options.instance, sizeof(options.instance), "test-%d", getpid());
	(void)snprintf(options.state, sizeof(options.state), "%s", state);
	memcpy(descriptions, test_descriptions, sizeof(descriptions));
	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t j = 0; j < descriptions[i].n_keys; j++)
			descriptions[i].keys[j].access = KV_ACCESS_READ | KV_ACCESS_WRITE;
	descriptions[1].keys[0].count = 8;
	s.options = &options;
	s.descriptions = descriptions;
	s.n_descriptions = 2;
	s.store = STORE_NULL(s.store);
	test_fill(&wanted);
	cr_assert_eq(test_save(state, &wanted), 0);
	capture_begin();
}

static int start(void)
{
	int r = supervisor_begin_store(&s);

	return r ? r : supervisor_start_store(&s);
}

static void end(void)
{
	char command[64];

	store_deinit(&s.store);
	pins_deinit(&s.pins);
	wanted_deinit(&wanted);
	(void)snprintf(command, sizeof(command), "rm -r %s", state);
	cr_expect_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

TestSuite(supervisor_store, .init = begin, .fini = end);

/* The value of a key, or "(none)". */
static const char *value_of(const char *path)
{
	static struct kv_value value;
	int r = gate_read(s.store.gate_fds[KV_SUBJECT_SUPERVISOR], path, &value);

	cr_assert(!r || r == -ENOENT, "%s: %d", path, r);
	return r ? "(none)" : value.text;
}

static void expect_restored(void)
{
	cr_expect(!s.store.adopted);
	cr_expect_not_null(strstr(capture_text(), "restored 4 keys as of revision "));
	cr_expect_str_eq(value_of("/lease/state"), "bound");
	cr_expect_gt(store_revision(&s.store), 7);
}

Test(supervisor_store, restored)
{
	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	cr_assert_eq(start(), 0, "%s", capture_text());
	expect_restored();
}

/* The first start after a reboot, killed while it starts containers; also another one, which
 * needs more room. */
Test(supervisor_store, restored_if_a_start_was_killed_before)
{
	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	store_deinit(&s.store);
	descriptions[1].keys[0].count = 400;
	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	store_deinit(&s.store);
	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	cr_assert_eq(start(), 0, "%s", capture_text());
	expect_restored();
}

/* Once it is restored, what is pinned counts. */
Test(supervisor_store, adopted)
{
	uint64_t revision;

	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	cr_assert_eq(start(), 0, "%s", capture_text());
	revision = store_revision(&s.store);
	store_deinit(&s.store);
	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	cr_assert_eq(start(), 0, "%s", capture_text());
	cr_expect(s.store.adopted);
	cr_expect_str_eq(value_of("/lease/state"), "bound");
	cr_expect_geq(store_revision(&s.store), revision);
}

/* What was restored for a calf, in the supervisor's name, goes with the calf, or with its
 * right to write it. */
Test(supervisor_store, restored_keys_become_orphans)
{
	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	cr_assert_eq(start(), 0, "%s", capture_text());
	store_deinit(&s.store);
	s.n_descriptions = 1;
	descriptions[0].keys[2].access = KV_ACCESS_READ;
	capture_begin();
	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	cr_expect_str_eq(capture_text(),
			 "deleted 3 keys of supervisor that no calf writes any more\n");
	cr_assert_eq(start(), 0, "%s", capture_text());
	cr_expect_str_eq(value_of("/lease/state"), "bound");
	cr_expect_str_eq(value_of("/lease/t1"), "(none)");
	cr_expect_str_eq(value_of("/x/001"), "(none)");
	cr_expect_str_eq(value_of("/x/002"), "(none)");
	cr_expect_str_neq(value_of("/mac"), "(none)");
}

/* No revision is used before the file is ahead of it. */
Test(supervisor_store, revision_is_reserved_for_orphans)
{
	uint64_t revision, ahead;

	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	cr_assert_eq(start(), 0, "%s", capture_text());
	revision = store_revision(&s.store);
	cr_assert_eq(persist_revision_save(state, revision), 0, "as by a clean stop");
	store_deinit(&s.store);
	s.n_descriptions = 1;
	cr_assert_eq(supervisor_open_store(&s), 0, "%s", capture_text());
	cr_expect_gt(store_revision(&s.store), revision);
	cr_assert_eq(persist_revision_load(state, &ahead), 0);
	cr_expect_geq(ahead, store_revision(&s.store));
}
