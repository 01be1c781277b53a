/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that a removed calf has left are deleted, and no others. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "maps/pins.h"
#include "tests/bpf/support-gate.h"
#include "tests/unit/capture.h"
#include "userspace/common/record.h"
#include "userspace/priv/supervisor/orphans.h"

#define N_MANY 300

static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 100 }, { NULL } };

static struct gate_test test;
static uint32_t dhcp4, observer;

static void put(uint32_t subject, const char *path)
{
	cr_assert_eq(gate_write(test.fds[subject], path, "x", 1, NULL), 0, "%s", path);
	gate_test_drain(&test);
}

/* A run of two calves, killed. */
static void begin(void)
{
	char path[KV_PATH_SIZE];

	capture_begin();
	gate_test_begin(&test, 512, 5);
	dhcp4 = gate_test_number(&test, "dhcp4");
	observer = gate_test_number(&test, "observer");
	(void)gate_test_subject(&test, dhcp4, rules, FAST, FAST);
	(void)gate_test_subject(&test, observer, rules, FAST, FAST);
	put(dhcp4, "/ip");
	put(observer, "/nameserver/observer/001");
	put(observer, "/seen/a");
	put(observer, "/taken-over");
	put(dhcp4, "/taken-over");
	for (int i = 0; i < N_MANY; i++) {
		(void)snprintf(path, sizeof(path), "/many/%d", i);
		put(dhcp4, path);
	}
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
	int n_commits;
	uint32_t n_changes, n_deleted, uid;
	uint16_t subject, verb;
};

static int take(void *data, void *record, size_t size)
{
	struct seen *seen = data;
	struct record_commit commit;
	struct record_change change;

	cr_assert_eq(record_commit_init(&commit, record, size), 0);
	seen->n_commits++;
	seen->n_changes += commit.header.n_changes;
	seen->uid = commit.header.uid;
	seen->subject = commit.header.subject;
	seen->verb = commit.header.verb;
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
	return seen;
}

static bool exists(const char *path)
{
	struct kv_key key = { 0 };
	struct kv_value value;

	(void)snprintf(key.path, sizeof(key.path), "%s", path);
	return !bpf_map_lookup_elem(test.store.kv_fd, &key, &value);
}

static bool is_pinned(const char *name)
{
	int fd = pins_get(&test.pins, name);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

Test(supervisor_orphans, of_a_removed_calf)
{
	struct kv_ctl before = gate_test_ctl(&test), after;
	struct seen seen;

	orphans_delete(&test.store, &dhcp4, 1);
	after = gate_test_ctl(&test);
	seen = consume();
	cr_expect(!exists("/nameserver/observer/001") && !exists("/seen/a"));
	cr_expect(exists("/ip") && exists("/taken-over") && exists("/many/0"));
	cr_expect_eq(after.n_keys, before.n_keys - 2);
	cr_expect_eq(after.subject[observer].n_keys, 0);
	cr_expect_eq(after.subject[observer].n_bytes, 0);
	cr_expect_eq(memcmp(&after.subject[dhcp4], &before.subject[dhcp4],
			    sizeof(after.subject[dhcp4])),
		     0, "its quota does not change");
	cr_expect_eq(after.revision, before.revision + 1);
	cr_expect_eq(seen.n_commits, 1, "one commit a subject");
	cr_expect_eq(seen.n_deleted, 2);
	cr_expect_eq(seen.n_changes, 2);
	cr_expect_eq(seen.subject, observer, "the audit log says whose they were");
	cr_expect_eq(seen.verb, KV_VERB_COMMIT);
	cr_expect_eq(seen.uid, 0);
	cr_expect(!is_pinned(PIN_GATE_PREFIX "observer") && !is_pinned(PIN_ACL_PREFIX "observer") &&
		  !is_pinned(PIN_STAGING_PREFIX "observer"));
	cr_expect_lt(test.store.gate_fds[observer], 0, "nobody can act as it");
	cr_expect_str_eq(capture_text(),
			 "observer: deleted the 2 keys that this removed calf has left\n");
	/* once */
	orphans_delete(&test.store, &dhcp4, 1);
	cr_expect_eq(consume().n_commits, 0);
}

Test(supervisor_orphans, more_than_a_commit_holds)
{
	struct seen seen;

	orphans_delete(&test.store, &observer, 1);
	seen = consume();
	cr_expect_eq(seen.n_commits, 3);
	cr_expect_eq(seen.n_deleted, N_MANY + 2);
	cr_expect_eq(gate_test_ctl(&test).n_keys, 2);
	cr_expect(exists("/seen/a"));
}

/* Whatever their order is. */
Test(supervisor_orphans, none_if_all_are_there)
{
	const uint32_t numbers[] = { observer, dhcp4 };
	struct kv_ctl before = gate_test_ctl(&test), after;

	orphans_delete(&test.store, numbers, 2);
	after = gate_test_ctl(&test);
	cr_expect_eq(memcmp(&before, &after, sizeof(before)), 0);
	cr_expect_eq(consume().n_commits, 0);
	cr_expect_str_eq(capture_text(), "");
}

/* It comes back under its number, and its gate is its own again. */
Test(supervisor_orphans, the_calf_comes_back)
{
	struct kv_value value;

	orphans_delete(&test.store, &dhcp4, 1);
	cr_expect_eq(gate_test_number(&test, "observer"), observer);
	(void)gate_test_subject(&test, observer, rules, FAST, FAST);
	cr_expect_eq(gate_read(test.fds[observer], "/seen/a", &value), -ENOENT);
	put(observer, "/seen/a");
	cr_expect_eq(gate_test_ctl(&test).subject[observer].n_keys, 1);
}
