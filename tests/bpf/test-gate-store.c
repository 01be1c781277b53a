/* SPDX-License-Identifier: Apache-2.0 */
/* Listing, conditions, quotas, watching and the restored revision. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/bpf/support-gate.h"

static struct gate_test test;

#define ALL_AND_WATCH (ALL_ACCESS | KV_ACCESS_WATCH)

static const struct test_rule all[] = { { "/", ALL_AND_WATCH, KV_CLASS_TEXT, KV_VALUE_MAX },
					{ NULL } };
static const struct test_rule some[] = {
	{ "/mine/", ALL_AND_WATCH, KV_CLASS_TEXT, 100 },
	{ "/mine/secret", KV_ACCESS_WRITE, KV_CLASS_TEXT, 100 },
	{ "/one", KV_ACCESS_READ | KV_ACCESS_WATCH, KV_CLASS_TEXT, 100 },
	{ NULL },
};
static const struct test_rule blind[] = { { "/", KV_ACCESS_WRITE, KV_CLASS_TEXT, 100 }, { NULL } };

static void begin(void)
{
	gate_test_begin(&test, 2048, 3);
	gate_test_subject(&test, 0, all, FAST, FAST);
	gate_test_subject(&test, 1, some, FAST, FAST);
	gate_test_subject(&test, 2, blind, FAST, FAST);
	cr_assert_eq(store_seal(&test.store), 0);
}

static void end(void)
{
	gate_test_end(&test);
}

static void put(int subject, const char *path, const char *text)
{
	cr_assert_eq(gate_write(test.fds[subject], path, text, strlen(text), NULL), 0, "%s", path);
	gate_test_drain(&test);
}

/* How often `path` is listed below `directory`; all entries in *np. */
static int listed(int subject, const char *directory, const char *path, int *np)
{
	struct gate_page page = { 0 };
	uint64_t revision;
	const char *found;
	int n = 0, n_all = 0, n_pages = 0;

	do {
		uint32_t at = 0;

		cr_assert_eq(gate_list(test.fds[subject], directory, &page), 0);
		while (gate_page_next(&page, &at, &revision, &found)) {
			n += !strcmp(found, path);
			n_all++;
		}
		cr_assert_lt(++n_pages, 10000);
	} while (page.cursor);
	if (np)
		*np = n_all;
	return n;
}

Test(gate_list, by_directory_and_right, .init = begin, .fini = end)
{
	struct gate_page page = { 0 };
	int n;

	put(0, "/one", "1");
	put(0, "/onex", "1");
	put(0, "/mine/a", "1");
	put(0, "/mine/secret", "1");
	put(0, "/mine/b/c", "1");
	put(0, "/minex/a", "1");
	cr_expect_eq(listed(0, "/", "/mine/a", &n), 1);
	cr_expect_eq(n, 6);
	listed(0, "/mine", "", &n);
	cr_expect_eq(n, 3, "at a boundary: %d", n);
	listed(0, "/one", "", &n);
	cr_expect_eq(n, 1, "a key is below itself");
	listed(0, "/absent", "", &n);
	cr_expect_eq(n, 0);
	cr_expect_eq(listed(1, "/", "/mine/a", &n), 1);
	cr_expect_eq(listed(1, "/", "/mine/secret", NULL), 1, "it may write it, and so know of it");
	cr_expect_eq(n, 3, "what it has a right on: those and /one, not %d", n);
	listed(1, "/onex", "", &n);
	cr_expect_eq(n, 0, "no right, nothing listed");
	listed(2, "/", "", &n);
	cr_expect_eq(n, 6, "a right of any kind, not %d", n);
	cr_expect_eq(gate_list(test.fds[0], "/Mine", &page), -EILSEQ);
	cr_expect_eq(gate_list(test.fds[0], "mine", &page), -EILSEQ);
}

Test(gate_list, every_key_once, .init = begin, .fini = end)
{
	char path[KV_PATH_SIZE];
	int n;

	for (int i = 0; i < 1024; i++) {
		snprintf(path, sizeof(path), "/key/number-%d/of-a-longer-path", i);
		put(0, path, "x");
	}
	listed(0, "/", "", &n);
	cr_expect_eq(n, 1024, "%d", n);
	/* holes are filled again, and no key is listed twice */
	for (int i = 0; i < 1024; i += 3) {
		snprintf(path, sizeof(path), "/key/number-%d/of-a-longer-path", i);
		cr_assert_eq(gate_delete(test.fds[0], path, NULL), 0);
		gate_test_drain(&test);
	}
	listed(0, "/key", "", &n);
	cr_expect_eq(n, 1024 - 342, "%d", n);
	for (int i = 0; i < 342; i++) {
		snprintf(path, sizeof(path), "/new/%d", i);
		put(0, path, "x");
	}
	cr_expect_eq(listed(0, "/", "/new/341", &n), 1);
	cr_expect_eq(n, 1024, "%d", n);
	cr_expect_eq(gate_test_ctl(&test).n_slots, 1024, "slots are used again");
}

static int stop;

static void *churn(void *data)
{
	int *n_written = data;
	char path[KV_PATH_SIZE];

	for (int i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		snprintf(path, sizeof(path), "/mine/%d", i % 50);
		if (!gate_write(test.fds[1], path, "x", 1, NULL))
			__atomic_add_fetch(n_written, 1, __ATOMIC_RELAXED);
		gate_delete(test.fds[1], path, NULL);
	}
	return NULL;
}

/* Keys that are there all the time are listed once, whatever comes and goes. */
Test(gate_list, while_the_store_changes, .init = begin, .fini = end)
{
	int n_written = 0, n_listed = 0, n_wrong = 0;
	char path[KV_PATH_SIZE];
	pthread_t thread;

	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof(path), "/stays/%d", i);
		put(0, path, "x");
	}
	pthread_create(&thread, NULL, churn, &n_written);
	while (n_listed < 300 || __atomic_load_n(&n_written, __ATOMIC_RELAXED) < 100) {
		int n;

		gate_test_drain(&test);
		listed(0, "/stays", "", &n);
		n_wrong += n != 60;
		n_listed++;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_expect_eq(n_wrong, 0);
}

Test(gate_condition, compare_and_set, .init = begin, .fini = end)
{
	uint64_t revision, later;

	cr_assert_eq(gate_write_if(test.fds[0], "/k", "1", 1, KV_REVISION_ABSENT, &revision), 0);
	cr_expect_eq(gate_write_if(test.fds[0], "/k", "2", 1, KV_REVISION_ABSENT, NULL), -ESTALE);
	cr_expect_eq(gate_write_if(test.fds[0], "/k", "2", 1, revision + 1, NULL), -ESTALE);
	cr_assert_eq(gate_write_if(test.fds[0], "/k", "2", 1, revision, &later), 0);
	cr_expect_eq(gate_write_if(test.fds[0], "/k", "3", 1, revision, NULL), -ESTALE,
		     "overtaken");
	cr_expect_eq(gate_delete_if(test.fds[0], "/k", revision, NULL), -ESTALE);
	cr_expect_eq(gate_delete_if(test.fds[0], "/k", later, NULL), 0);
	cr_expect_eq(gate_delete_if(test.fds[0], "/k", later, NULL), -ESTALE, "gone");
	cr_expect_eq(gate_write_if(test.fds[0], "/k", "4", 1, later, NULL), -ESTALE, "gone");
	cr_expect_eq(gate_test_ctl(&test).revision, 3, "a refused condition is no change");
}

Test(gate_condition, commit, .init = begin, .fini = end)
{
	static struct commit commit;
	struct kv_value value;
	uint64_t revision;

	put(0, "/a", "1");
	put(0, "/b", "1");
	commit_init(&commit);
	commit.condition = 2;
	commit_write(&commit, "/a", "2", 1);
	commit_write(&commit, "/b", "2", 1);
	commit_write(&commit, "/c", "2", 1);
	cr_assert_eq(gate_commit(test.fds[0], &commit, &revision, NULL), 0);
	cr_expect_eq(gate_commit(test.fds[0], &commit, NULL, NULL), -ESTALE, "newer now");
	commit.condition = revision;
	cr_expect_eq(gate_commit(test.fds[0], &commit, &revision, NULL), 0);
	commit_init(&commit);
	commit.condition = KV_REVISION_ABSENT;
	commit_write(&commit, "/d", "2", 1);
	commit_write(&commit, "/c", "2", 1);
	cr_expect_eq(gate_commit(test.fds[0], &commit, NULL, NULL), -ESTALE, "/c is there");
	cr_expect_eq(gate_read(test.fds[0], "/d", &value), -ENOENT, "all or nothing");
}

struct racer {
	int fd;
	int n_won;
};

static void *race(void *data)
{
	struct racer *racer = data;
	struct kv_value value;
	char text[16];

	for (int i = 0; i < 1000; i++) {
		int number, error;

		if (gate_read(racer->fd, "/counter", &value))
			continue;
		sscanf(value.text, "%d", &number);
		snprintf(text, sizeof(text), "%d", number + 1);
		error = gate_write_if(racer->fd, "/counter", text, strlen(text), value.revision,
				      NULL);
		racer->n_won += !error;
	}
	return NULL;
}

/* Parallel compare-and-set: each step has exactly one winner. */
Test(gate_condition, one_winner)
{
	static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, 16 },
						  { NULL } };
	struct racer racers[3];
	pthread_t threads[3];
	struct kv_value value;
	int n_won = 0, number;

	gate_test_begin(&test, 64, 3);
	for (uint32_t i = 0; i < 3; i++)
		racers[i] = (struct racer){ gate_test_subject(&test, i, rules, FAST, FAST), 0 };
	put(0, "/counter", "0");
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, race, &racers[i]);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 3; i++)
		n_won += racers[i].n_won;
	cr_assert_eq(gate_read(test.fds[0], "/counter", &value), 0);
	sscanf(value.text, "%d", &number);
	cr_expect_eq(number, n_won);
	cr_expect_gt(n_won, 0);
	end();
}

/* A subject's keys and bytes are its own; another's are untouched. */
Test(gate_quota, keys_and_bytes)
{
	static struct commit commit;

	gate_test_begin(&test, 64, 2);
	test.max_keys = 3;
	test.max_bytes = 20;
	gate_test_subject(&test, 0, all, FAST, FAST);
	test.max_keys = 0;
	test.max_bytes = 0;
	gate_test_subject(&test, 1, all, FAST, FAST);
	cr_assert_eq(store_seal(&test.store), 0);
	put(0, "/a", "1");
	put(0, "/b", "1");
	put(0, "/c", "1");
	cr_expect_eq(gate_write(test.fds[0], "/d", "1", 1, NULL), -EDQUOT);
	cr_expect_eq(gate_test_ctl(&test).n_keys, 3, "taken back");
	cr_expect_eq(gate_test_ctl(&test).subject[0].n_keys, 3);
	put(1, "/d", "another's");
	cr_expect_eq(gate_write(test.fds[0], "/d", "1", 1, NULL), -EDQUOT, "taking it over counts");
	cr_expect_eq(gate_write(test.fds[0], "/a", "123456789012345678", 18, NULL), 0);
	cr_expect_eq(gate_write(test.fds[0], "/b", "12", 2, NULL), -EDQUOT, "21 bytes");
	cr_expect_eq(gate_test_ctl(&test).subject[0].n_bytes, 20);
	commit_init(&commit);
	commit_delete(&commit, "/a");
	commit_write(&commit, "/e", "123456789012345678", 18);
	cr_expect_eq(gate_commit(test.fds[0], &commit, NULL, NULL), 0, "a swap fits");
	put(1, "/e", "taken over");
	cr_expect_eq(gate_test_ctl(&test).subject[0].n_keys, 2);
	cr_expect_eq(gate_test_ctl(&test).subject[0].n_bytes, 2);
	cr_expect_eq(gate_test_ctl(&test).subject[1].n_keys, 2);
	cr_expect_eq(gate_test_ctl(&test).subject[1].n_bytes, 19);
	cr_expect_eq(gate_delete(test.fds[1], "/b", NULL), 0);
	cr_expect_eq(gate_test_ctl(&test).subject[0].n_keys, 1, "also when another deletes");
	end();
}

/* Events of one subject's ring. */
struct seen {
	int n;
	uint64_t sequence, revision, first;
	char path[KV_PATH_SIZE], text[KV_VALUE_SIZE];
	uint16_t operation;
};

static int take(void *data, void *record, size_t size)
{
	const struct kv_watch_event *event = record;
	const struct kv_change *change = (const void *)(event + 1);
	struct seen *seen = data;

	cr_assert_eq(event->type, KV_RECORD_CHANGE);
	cr_assert_eq(size, sizeof(*event) + event->size);
	cr_assert_eq(event->size, KV_CHANGE_SIZE(change->length));
	if (!seen->n++)
		seen->first = event->sequence;
	seen->sequence = event->sequence;
	seen->revision = event->revision;
	seen->operation = change->operation;
	snprintf(seen->path, sizeof(seen->path), "%s", change->path);
	snprintf(seen->text, sizeof(seen->text), "%s", (const char *)(change + 1));
	return 0;
}

static struct seen consume(int subject)
{
	struct seen seen = { 0 };
	struct ring_buffer *ring =
		ring_buffer__new(test.store.ring_fds[subject], take, &seen, NULL);

	cr_assert_not_null(ring);
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
	return seen;
}

Test(gate_watch, who_sees_what, .init = begin, .fini = end)
{
	static struct commit commit;
	uint64_t revision = 99, n_lost = 99;
	struct seen seen;

	put(0, "/one", "before");
	cr_expect_eq(gate_watch(test.fds[2], GATE_WATCH_BEGIN, NULL, NULL), -EACCES);
	cr_assert_eq(gate_watch(test.fds[1], GATE_WATCH_BEGIN, &revision, &n_lost), 0);
	cr_expect_eq(revision, 1);
	cr_expect_eq(n_lost, 0);
	put(0, "/one", "seen");
	seen = consume(1);
	cr_assert_eq(seen.n, 1);
	cr_expect_eq(seen.revision, 2);
	cr_expect_eq(seen.operation, KV_CHANGE_WRITE);
	cr_expect_str_eq(seen.path, "/one");
	cr_expect_str_eq(seen.text, "seen");
	put(0, "/other", "x");
	put(0, "/mine/secret", "x");
	cr_expect_eq(consume(1).n, 0, "no right, no event");
	cr_expect_eq(gate_write(test.fds[1], "/mine/own", "x", 1, NULL), 0);
	cr_expect_eq(consume(1).n, 1, "its own changes too");
	commit_init(&commit);
	commit_write(&commit, "/other", "y", 1);
	commit_write(&commit, "/mine/a", "y", 1);
	commit_delete(&commit, "/mine/own");
	cr_assert_eq(gate_commit(test.fds[0], &commit, &revision, NULL), 0);
	seen = consume(1);
	cr_expect_eq(seen.n, 2, "its part of a commit");
	cr_expect_eq(seen.revision, revision);
	cr_expect_eq(seen.operation, KV_CHANGE_DELETE);
	cr_assert_eq(gate_watch(test.fds[1], GATE_WATCH_END, NULL, NULL), 0);
	put(0, "/one", "unseen");
	cr_expect_eq(consume(1).n, 0);
	cr_expect_eq(consume(0).n, 0, "who does not watch gets nothing");
}

/* A watcher that does not read loses records, learns that, and affects no
 * other. */
Test(gate_watch, overflow, .init = begin, .fini = end)
{
	static char text[1000];
	uint64_t n_lost;
	struct seen seen;
	int n = 0;

	memset(text, 'x', sizeof(text));
	cr_assert_eq(gate_watch(test.fds[0], GATE_WATCH_BEGIN, NULL, NULL), 0);
	cr_assert_eq(gate_watch(test.fds[1], GATE_WATCH_BEGIN, NULL, NULL), 0);
	for (; n < 500; n++) {
		cr_assert_eq(gate_write(test.fds[0], "/big", text, sizeof(text), NULL), 0,
			     "the writer is not refused");
		gate_test_drain(&test);
	}
	cr_assert_eq(gate_watch(test.fds[0], GATE_WATCH_ASK, NULL, &n_lost), 0);
	cr_expect_gt(n_lost, 0);
	seen = consume(0);
	cr_expect_eq((uint64_t)seen.n + n_lost, 500, "none unaccounted for");
	put(0, "/one", "after");
	seen = consume(0);
	cr_assert_eq(seen.n, 1);
	cr_expect_eq(seen.sequence, 501, "a gap shows the loss");
	cr_assert_eq(gate_watch(test.fds[1], GATE_WATCH_ASK, NULL, &n_lost), 0);
	cr_expect_eq(n_lost, 0, "the other lost nothing");
	cr_expect_eq(consume(1).n, 1);
}

/* A ring cannot be frozen by who holds it. */
Test(gate_watch, ring_stays_open, .init = begin, .fini = end)
{
	cr_expect_neq(bpf_map_freeze(test.store.ring_fds[1]), 0);
	cr_assert_eq(gate_watch(test.fds[1], GATE_WATCH_BEGIN, NULL, NULL), 0);
	put(0, "/one", "x");
	cr_expect_eq(consume(1).n, 1);
}

Test(gate_restore, once_and_by_the_supervisor, .init = begin, .fini = end)
{
	uint64_t revision;

	cr_expect_eq(gate_restore(test.fds[1], 1000), -EACCES);
	cr_expect_eq(gate_restore(test.fds[0], 1000), 0);
	cr_assert_eq(gate_write(test.fds[0], "/k", "1", 1, &revision), 0);
	cr_expect_eq(revision, 1001);
	cr_expect_eq(gate_restore(test.fds[0], 5000), -EEXIST);
}
