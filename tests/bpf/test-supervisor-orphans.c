/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that have no writer in this start are deleted, and no others. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "maps/pins.h"
#include "tests/bpf/support-gate.h"
#include "tests/bpf/support-pins.h"
#include "tests/unit/capture.h"
#include "userspace/common/record.h"
#include "userspace/priv/supervisor/orphans.h"

#define N_MANY 300

static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 100 }, { NULL } };

static struct gate_test test;
static uint32_t dhcp4, observer;
static struct description descriptions[2]; /* dhcp4, observer */
static uint32_t numbers[2];

static void describe(struct description *description, const char *path, uint32_t access)
{
	struct key_rule *key = &description->keys[description->n_keys++];

	*key = (struct key_rule){ .access = access };
	(void)snprintf(key->path, sizeof(key->path), "%s", path);
}

/* Delete what has no writer if these calves are started, as a start does. */
static void delete_with(uint32_t first, uint32_t n)
{
	const struct adopted_calves calves = { &descriptions[first], &numbers[first], n };

	cr_assert_eq(orphans_delete(&test.store, &calves, orphans_find(&test.store, &calves)), 0,
		     "%s", capture_text());
}

static void put(uint32_t subject, const char *path)
{
	cr_assert_eq(gate_write(test.fds[subject], path, "x", 1, NULL), 0, "%s", path);
	gate_test_drain(&test);
}

/* A run of two calves, killed. The supervisor has restored keys, and has written the host's
 * own. */
static void begin(void)
{
	char path[KV_PATH_SIZE];

	capture_begin();
	gate_test_begin(&test, 512, 5);
	dhcp4 = gate_test_number(&test, "dhcp4");
	observer = gate_test_number(&test, "observer");
	(void)gate_test_subject(&test, dhcp4, rules, FAST, FAST);
	(void)gate_test_subject(&test, observer, rules, FAST, FAST);
	(void)gate_test_subject(&test, KV_SUBJECT_SUPERVISOR, rules, FAST, FAST);
	put(dhcp4, "/ip");
	put(observer, "/nameserver/observer/001");
	put(observer, "/seen/a");
	put(observer, "/many/of-observer");
	put(observer, "/taken-over");
	put(dhcp4, "/taken-over");
	for (int i = 0; i < N_MANY; i++) {
		(void)snprintf(path, sizeof(path), "/many/%d", i);
		put(dhcp4, path);
	}
	put(KV_SUBJECT_SUPERVISOR, "/mac");
	put(KV_SUBJECT_SUPERVISOR, "/config/observer/hostname");
	put(KV_SUBJECT_SUPERVISOR, "/lease/t1");
	put(KV_SUBJECT_SUPERVISOR, "/lease/t2");
	put(KV_SUBJECT_SUPERVISOR, "/seen/restored");
	numbers[0] = dhcp4;
	numbers[1] = observer;
	describe(&descriptions[0], "/ip", KV_ACCESS_WRITE);
	describe(&descriptions[0], "/taken-over", KV_ACCESS_WRITE);
	describe(&descriptions[0], "/many/", KV_ACCESS_WRITE);
	describe(&descriptions[0], "/seen/", KV_ACCESS_READ | KV_ACCESS_WATCH);
	describe(&descriptions[0], "/lease/", KV_ACCESS_WRITE);
	describe(&descriptions[1], "/nameserver/observer/", KV_ACCESS_WRITE);
	describe(&descriptions[1], "/seen/", KV_ACCESS_DELETE);
	store_deinit(&test.store);
	cr_assert_eq(store_init(&test.store, &test.pins, 512, 4), 0);
	cr_assert(test.store.adopted);
}

static void end(void)
{
	gate_test_end(&test);
}

TestSuite(supervisor_orphans, .init = begin, .fini = end);

/* What the watcher will find in the ring. */
struct seen {
	int n_commits[KV_SUBJECTS_MAX];
	uint32_t n_changes, n_deleted, n_of_others;
};

static int take(void *data, void *record, size_t size)
{
	struct seen *seen = data;
	struct record_commit commit;
	struct record_change change;

	cr_assert_eq(record_commit_init(&commit, record, size), 0);
	seen->n_commits[commit.header.subject]++;
	seen->n_changes += commit.header.n_changes;
	seen->n_of_others += commit.header.uid != 0 || commit.header.verb != KV_VERB_COMMIT;
	while (record_commit_next(&commit, &change))
		seen->n_deleted += change.operation == KV_CHANGE_DELETE;
	return 0;
}

static struct seen consume(void)
{
	struct seen seen = { 0 };
	struct ring_buffer *ring = ring_buffer__new(test.store.events_fd, take, &seen, NULL);

	cr_assert_not_null(ring);
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
	cr_expect_eq(seen.n_changes, seen.n_deleted);
	cr_expect_eq(seen.n_of_others, 0);
	return seen;
}

static bool exists(const char *path)
{
	struct kv_key key = { 0 };
	struct kv_value value;

	(void)snprintf(key.path, sizeof(key.path), "%s", path);
	return !bpf_map_lookup_elem(test.store.kv_fd, &key, &value);
}

Test(supervisor_orphans, of_a_removed_calf)
{
	struct kv_ctl before = gate_test_ctl(&test), after;
	struct seen seen;

	delete_with(0, 1);
	after = gate_test_ctl(&test);
	seen = consume();
	cr_expect(!exists("/nameserver/observer/001") && !exists("/seen/a"));
	cr_expect(!exists("/seen/restored"), "dhcp4 may only read it");
	cr_expect(!exists("/many/of-observer"), "though dhcp4 may write it");
	cr_expect(exists("/ip") && exists("/taken-over") && exists("/many/0"));
	cr_expect(exists("/lease/t1") && exists("/lease/t2"));
	cr_expect(exists("/mac") && exists("/config/observer/hostname"), "the host's");
	cr_expect_eq(after.n_keys, before.n_keys - 4);
	cr_expect_eq(after.subject[observer].n_keys, 0);
	cr_expect_eq(after.subject[observer].n_bytes, 0);
	cr_expect_eq(memcmp(&after.subject[dhcp4], &before.subject[dhcp4],
			    sizeof(after.subject[dhcp4])),
		     0, "its quota does not change");
	cr_expect_eq(after.revision, before.revision + 2, "one commit a subject");
	cr_expect_eq(seen.n_commits[observer], 1, "the audit log says whose they were");
	cr_expect_eq(seen.n_commits[KV_SUBJECT_SUPERVISOR], 1);
	cr_expect_eq(seen.n_deleted, 4);
	cr_expect(!is_pinned(&test.pins, PIN_GATE_PREFIX "orphans") &&
		  !is_pinned(&test.pins, PIN_ACL_PREFIX "orphans") &&
		  !is_pinned(&test.pins, PIN_STAGING_PREFIX "orphans"));
	cr_expect_lt(test.store.gate_fds[observer], 0, "nobody can act as it");
	cr_expect_lt(test.store.gate_fds[KV_SUBJECT_SUPERVISOR], 0);
	cr_expect_str_eq(capture_text(),
			 "deleted 1 key of supervisor that no calf writes any more\n"
			 "deleted 3 keys of observer that no calf writes any more\n");
	/* once */
	delete_with(0, 1);
	cr_expect_eq(consume().n_changes, 0);
}

Test(supervisor_orphans, more_than_a_commit_holds)
{
	struct seen seen;

	delete_with(1, 1);
	seen = consume();
	cr_expect_eq(seen.n_commits[dhcp4], 3);
	cr_expect_eq(seen.n_commits[KV_SUBJECT_SUPERVISOR], 1);
	cr_expect_eq(seen.n_commits[observer], 1);
	cr_expect_eq(seen.n_deleted, N_MANY + 5);
	cr_expect(exists("/seen/a") && exists("/seen/restored") && exists("/mac"));
	cr_expect_eq(gate_test_ctl(&test).n_keys, 5);
}

/* The calf stays, and its new description has other keys. */
Test(supervisor_orphans, of_a_calf_that_stays)
{
	struct seen seen;

	descriptions[0].keys[0].access = KV_ACCESS_READ;	    /* /ip */
	(void)strcpy(descriptions[0].keys[1].path, "/taken-over/"); /* NOLINT */
	(void)strcpy(descriptions[0].keys[4].path, "/lease/t2");    /* NOLINT */
	descriptions[0].keys[4].access = KV_ACCESS_DELETE;
	delete_with(0, 2);
	seen = consume();
	cr_expect(!exists("/ip") && !exists("/taken-over") && !exists("/lease/t1"));
	cr_expect(exists("/lease/t2") && exists("/seen/a") && exists("/many/0"));
	cr_expect_eq(seen.n_commits[dhcp4], 1);
	cr_expect_eq(seen.n_commits[KV_SUBJECT_SUPERVISOR], 1);
	cr_expect_eq(seen.n_deleted, 3);
	/* it has its gate, as if nothing had been */
	(void)gate_test_subject(&test, dhcp4, rules, FAST, FAST);
	put(dhcp4, "/many/0");
}

Test(supervisor_orphans, none_if_all_are_there)
{
	const struct adopted_calves calves = { descriptions, numbers, 2 };

	cr_expect_eq(orphans_find(&test.store, &calves), 0);
}

/* It comes back under its number, and its gate is its own again. */
Test(supervisor_orphans, the_calf_comes_back)
{
	struct kv_value value;

	delete_with(0, 1);
	cr_expect_eq(gate_test_number(&test, "observer"), observer);
	(void)gate_test_subject(&test, observer, rules, FAST, FAST);
	cr_expect_eq(gate_read(test.fds[observer], "/seen/a", &value), -ENOENT);
	put(observer, "/seen/a");
	cr_expect_eq(gate_test_ctl(&test).subject[observer].n_keys, 1);
}

/* Make changes of this subject that nobody reads, until its share of the ring is full. */
static void fill_share(uint32_t subject)
{
	static char text[1000];

	memset(text, 'x', sizeof(text));
	for (uint32_t size = sizeof(text); size > 0; size /= 10) {
		int r = 0;

		while (!r)
			r = gate_write(test.fds[subject], "/ip", text, size, NULL);
		cr_assert_eq(r, -EAGAIN);
	}
}

/* It was killed after its share of the ring was full; so was the watcher. */
Test(supervisor_orphans, a_full_share)
{
	static const struct test_rule longer[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 1000 },
						   { NULL } };

	(void)gate_test_subject(&test, observer, longer, FAST, FAST);
	fill_share(observer);
	store_deinit(&test.store);
	cr_assert_eq(store_init(&test.store, &test.pins, 512, 4), 0);
	delete_with(0, 1);
	cr_expect(!exists("/seen/a") && !exists("/nameserver/observer/001"));
}

/* The whole ring is full: nothing may be done with the store. */
Test(supervisor_orphans, a_full_ring)
{
	static const struct test_rule longer[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 1000 },
						   { NULL } };
	const struct adopted_calves calves = { descriptions, numbers, 1 };
	uint64_t writers = orphans_find(&test.store, &calves);
	static char expected[2 * PATH_MAX];

	for (uint32_t i = 0; i < 8; i++)
		(void)gate_test_subject(&test, 10 + i, longer, FAST, FAST);
	for (uint32_t i = 0; i < 8; i++)
		fill_share(10 + i);
	cr_expect_eq(orphans_delete(&test.store, &calves, writers), -EAGAIN);
	(void)snprintf(expected, sizeof(expected),
		       "cannot delete keys of supervisor that no calf writes any more: the audit "
		       "log does not have the changes of the previous run yet; start its calves "
		       "again until it has, or, to start with an empty store: rm -r %s\n",
		       test.pins.directory);
	cr_expect_str_eq(capture_text(), expected);
	cr_expect(exists("/seen/a"));
	/* when it was read, the start succeeds */
	gate_test_drain(&test);
	cr_expect_eq(orphans_delete(&test.store, &calves, writers), 0);
	cr_expect(!exists("/seen/a"));
}
