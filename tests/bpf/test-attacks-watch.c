/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on the guarantees of watching: nobody else notices, nothing is lost
 * without a word. */
#include <pthread.h>

#include "tests/bpf/support-attacks.h"

static void begin(void)
{
	attacks_begin(ALL_ACCESS | KV_ACCESS_WATCH);
}

/* What a watching subject found in its ring. */
struct watched {
	uint64_t n, first, last; /* sequence numbers */
	uint64_t revision;	 /* of the last */
	bool has_gap;
};

static int count_watched(void *data, void *record, size_t size)
{
	const struct kv_watch_event *event = record;
	struct watched *watched = data;

	(void)size;
	if (!watched->n++)
		watched->first = event->sequence;
	else
		watched->has_gap |= event->sequence != watched->last + 1;
	watched->last = event->sequence;
	watched->revision = event->revision;
	return 0;
}

static void drain_watched(int subject, struct watched *watched)
{
	struct ring_buffer *ring =
		ring_buffer__new(test.store.ring_fds[subject], count_watched, watched, NULL);

	cr_assert_not_null(ring);
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
}

/* A full listing, as a watch begins with: how many keys, none above the
 * revision that the watch begins after. */
static int list_all(int subject, uint64_t begins)
{
	static struct gate_page page;
	int n = 0;

	memset(&page, 0, sizeof(page));
	do {
		uint64_t revision;
		const char *path;
		uint32_t at = 0;

		cr_assert_eq(gate_list(test.fds[subject], "/", &page), 0);
		while (gate_page_next(&page, &at, &revision, &path)) {
			cr_expect_leq(revision, begins);
			n++;
		}
	} while (page.cursor);
	return n;
}

/*
 * A watcher that never reads its ring, of a store that is never still: writers
 * are not refused, another watcher loses nothing, and once it reads, its resync
 * has everything.
 */
Test(attacks_watch, watcher_that_never_reads, .init = begin, .fini = attacks_end)
{
	int n = scaled(20000), n_refused = 0;
	struct watched diligent = { 0 }, lazy = { 0 };
	uint64_t begins, n_lost;
	char path[16];

	drain_watched(2, &diligent); /* what scaled() wrote */
	cr_assert_eq(gate_watch(test.fds[2], GATE_WATCH_BEGIN, NULL, NULL), 0);
	cr_assert_eq(gate_watch(test.fds[3], GATE_WATCH_BEGIN, NULL, NULL), 0);
	memset(&diligent, 0, sizeof(diligent));
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/x/%d", i % 100);
		n_refused += gate_write(test.fds[i % 2], path, "value", 5, NULL) != 0;
		if (i % 100 == 99) {
			gate_test_drain(&test);
			drain_watched(2, &diligent);
		}
	}
	gate_test_drain(&test);
	drain_watched(2, &diligent);
	cr_expect_eq(n_refused, 0, "%d refused", n_refused);
	cr_expect_eq(diligent.n, (uint64_t)n, "%llu of %d", (unsigned long long)diligent.n, n);
	cr_expect_not(diligent.has_gap);
	cr_assert_eq(gate_watch(test.fds[2], GATE_WATCH_ASK, NULL, &n_lost), 0);
	cr_expect_eq(n_lost, 0);

	/* it is told of its loss, and begins again */
	drain_watched(3, &lazy);
	cr_assert_eq(gate_watch(test.fds[3], GATE_WATCH_BEGIN, &begins, &n_lost), 0);
	cr_expect_eq(lazy.n + n_lost, (uint64_t)n);
	cr_expect(n < 2000 || n_lost > 0);
	cr_expect_eq(list_all(3, begins), 101, "/scale and a hundred");
	memset(&lazy, 0, sizeof(lazy));
	cr_assert_eq(gate_write(test.fds[0], "/x/0", "again", 5, NULL), 0);
	drain_watched(3, &lazy);
	cr_expect_eq(lazy.n, 1);
	cr_expect_eq(lazy.first, (uint64_t)n + 1, "the gap shows");
	cr_expect_eq(lazy.revision, begins + 1);
}

static void *watch_for_ever(void *data)
{
	static struct gate_page page;
	int *n_calls = data;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		gate_watch(test.fds[3], (enum gate_watch)(*n_calls % 3), NULL, NULL);
		page.cursor = 0;
		gate_list(test.fds[3], "/", &page);
		__atomic_add_fetch(n_calls, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Watches that begin and end without end: nobody else notices. Where few writes
 * are made, the other thread may get no turn: they go on until it had some. */
Test(attacks_watch, watches_without_end, .init = begin, .fini = attacks_end)
{
	int n = scaled(5000), n_written = 0, n_refused = 0, n_calls = 0;
	struct watched watched = { 0 }, diligent = { 0 };
	uint64_t begins;
	pthread_t thread;

	drain_watched(2, &watched);
	cr_assert_eq(gate_watch(test.fds[2], GATE_WATCH_BEGIN, NULL, NULL), 0);
	pthread_create(&thread, NULL, watch_for_ever, &n_calls);
	while (n_written < n || __atomic_load_n(&n_calls, __ATOMIC_RELAXED) < 30) {
		n_refused += gate_write(test.fds[0], "/x/1", "value", 5, NULL) != 0;
		if (++n_written % 100 == 0) {
			gate_test_drain(&test);
			drain_watched(2, &diligent);
		}
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	gate_test_drain(&test);
	drain_watched(2, &diligent);
	cr_expect_eq(n_refused, 0, "%d refused", n_refused);
	cr_expect_eq(diligent.n, (uint64_t)n_written);
	cr_expect_not(diligent.has_gap);
	cr_expect_eq(gate_test_ctl(&test).lock, 0);

	/* and it watches on as if nothing had been */
	drain_watched(3, &watched);
	cr_assert_eq(gate_watch(test.fds[3], GATE_WATCH_BEGIN, &begins, NULL), 0);
	memset(&watched, 0, sizeof(watched));
	cr_assert_eq(gate_write(test.fds[0], "/x/2", "value", 5, NULL), 0);
	drain_watched(3, &watched);
	cr_expect_eq(watched.n, 1);
	cr_expect_eq(watched.revision, begins + 1);
}
