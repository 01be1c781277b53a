/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on the store's guarantees: each tries to break one and counts how
 * often it did.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bpf/support-gate.h"

#define KILLS 1000

static struct gate_test test;

static const struct test_rule rules[] = { { "/", ALL_ACCESS, KV_CLASS_TEXT, KV_VALUE_MAX },
					  { NULL } };

static void begin(void)
{
	gate_test_begin(&test, 256, 4);
	for (uint32_t i = 0; i < 4; i++)
		gate_test_subject(&test, i, rules, FAST, FAST);
	cr_assert_eq(store_seal(&test.store), 0);
}

static void end(void)
{
	gate_test_end(&test);
}

/* An emulated guest does the same in a hundredth of the steps. */
static int scaled(int n)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 100; i++)
		gate_write(test.fds[3], "/scale", "x", 1, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	gate_test_drain(&test);
	return (after.tv_sec - before.tv_sec) * 1000000000l + after.tv_nsec - before.tv_nsec >
			       100 * 15000 ?
		       n / 100 :
		       n;
}

static uint64_t n_events, last_revision, n_gaps;

static int count(void *data, void *record, size_t size)
{
	const struct kv_event *event = record;

	(void)data;
	(void)size;
	n_gaps += last_revision && event->revision != last_revision + 1;
	last_revision = event->revision;
	n_events++;
	return 0;
}

static void drain_and_count(void)
{
	struct ring_buffer *ring = ring_buffer__new(test.store.events_fd, count, NULL, NULL);

	cr_assert_not_null(ring);
	cr_assert_geq(ring_buffer__consume(ring), 0);
	ring_buffer__free(ring);
}

static void commit_for_ever(int fd)
{
	static struct commit commit;
	char path[KV_PATH_SIZE], text[16];

	for (unsigned int n = 0;; n++) {
		commit_init(&commit);
		snprintf(text, sizeof(text), "%u", n);
		for (int i = 0; i < 16; i++) {
			snprintf(path, sizeof(path), "/many/%d", i);
			commit_write(&commit, path, text, strlen(text));
		}
		gate_commit(fd, &commit, NULL, NULL);
	}
}

/* kill -9 at any moment: a commit is there as a whole or not at all. */
Test(attacks, kill_during_commit, .init = begin, .fini = end, .timeout = 120)
{
	int n = scaled(KILLS), n_torn = 0;
	struct kv_value first, value;
	char path[KV_PATH_SIZE];

	n_events = last_revision = n_gaps = 0;
	for (int i = 0; i < n; i++) {
		pid_t child = fork();

		if (!child)
			commit_for_ever(test.fds[0]);
		usleep((useconds_t)(200 + random() % 1500));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		drain_and_count();
		if (gate_read(test.fds[1], "/many/0", &first))
			continue;
		for (int j = 1; j < 16; j++) {
			snprintf(path, sizeof(path), "/many/%d", j);
			cr_assert_eq(gate_read(test.fds[1], path, &value), 0);
			n_torn += strcmp(value.text, first.text) ||
				  value.revision != first.revision;
		}
	}
	cr_expect_eq(n_torn, 0, "%d torn", n_torn);
	cr_expect_eq(n_gaps, 0, "the revisions have gaps");
	cr_expect_eq(last_revision, gate_test_ctl(&test).revision, "no change without an event");
	cr_expect_eq(gate_test_ctl(&test).lock, 0, "no stale lock");
}

static pid_t start_hog(int subject, int cpu)
{
	pid_t child = fork();
	cpu_set_t set;

	if (!child) {
		CPU_ZERO(&set);
		CPU_SET((size_t)cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
		commit_for_ever(test.fds[subject]);
	}
	return child;
}

/* Two subjects in a commit loop on every CPU: another's writes get through. */
Test(attacks, commit_loops_starve_nobody, .init = begin, .fini = end, .timeout = 60)
{
	int n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), n_hogs = 0, n_refused = 0;
	pid_t hogs[128];

	for (int cpu = 0; cpu < n_cpus && n_hogs < 126; cpu++)
		for (int subject = 0; subject < 2; subject++)
			hogs[n_hogs++] = start_hog(subject, cpu);
	for (int i = 0; i < 500; i++) {
		int error = gate_write(test.fds[2], "/mine", "x", 1, NULL);

		n_refused += error != 0;
		drain_and_count();
		usleep(500);
	}
	for (int i = 0; i < n_hogs; i++) {
		kill(hogs[i], SIGKILL);
		waitpid(hogs[i], NULL, 0);
	}
	cr_expect_eq(n_refused, 0, "%d of 500 refused", n_refused);
}

static void *hold_in_copy(void *data)
{
	gate_test_raw(test.fds[0], KV_VERB_WRITE, 1, data, KV_CHANGE_SIZE(1), NULL);
	return NULL;
}

/* A request that faults and waits is copied before the lock: others go on. */
Test(attacks, userfaultfd_pointer, .init = begin, .fini = end, .timeout = 30)
{
	long page = sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = {
		.range = { .start = (uintptr_t)memory, .len = (uint64_t)page },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_zeropage zero = { .range = area.range };
	pthread_t thread;
	int n_refused = 0;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &area))
		cr_skip_test("no userfaultfd for us here");
	pthread_create(&thread, NULL, hold_in_copy, memory);
	usleep(50000);
	for (int i = 0; i < 1000; i++) {
		n_refused += gate_write(test.fds[1], "/x", "1", 1, NULL) != 0;
		if (i % 100 == 0)
			gate_test_drain(&test);
	}
	cr_expect_eq(n_refused, 0, "%d of 1000 refused", n_refused);
	cr_expect_eq(gate_test_raw(test.fds[0], KV_VERB_WRITE, 1, memory, KV_CHANGE_SIZE(1), NULL),
		     -EBUSY, "only the instance that waits is busy");
	ioctl(fd, UFFDIO_ZEROPAGE, &zero);
	pthread_join(thread, NULL);
	close(fd);
}

static int stop;
static void *changing;

static void *flip_protection(void *data)
{
	(void)data;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		mprotect(changing, 4096, PROT_NONE);
		mprotect(changing, 4096, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

static void *use_flipping_memory(void *data)
{
	int *n_wrong = data;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		int error = gate_test_raw(test.fds[0], KV_VERB_WRITE, 1, changing,
					  KV_CHANGE_SIZE(1), NULL);

		*n_wrong += error && error != -EFAULT && error != -EILSEQ && error != -EAGAIN &&
			    error != -EBUSY && error != -EINVAL;
	}
	return NULL;
}

/* Memory that comes and goes under the copy. */
Test(attacks, mprotect_loop, .init = begin, .fini = end, .timeout = 30)
{
	unsigned char request[KV_CHANGE_SIZE(1)];
	char key[64] = "/flip";
	pthread_t threads[2];
	int n_wrong = 0, n_refused = 0;

	changing = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	gate_test_change(request, key, KV_CHANGE_WRITE, "x", 1);
	memcpy(changing, request, sizeof(request));
	pthread_create(&threads[0], NULL, flip_protection, NULL);
	pthread_create(&threads[1], NULL, use_flipping_memory, &n_wrong);
	for (int i = 0; i < 2000; i++) {
		n_refused += gate_write(test.fds[1], "/x", "1", 1, NULL) != 0;
		if (i % 100 == 0)
			gate_test_drain(&test);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(n_wrong, 0);
	cr_expect_eq(n_refused, 0, "%d of 2000 refused", n_refused);
}

/* The reader forges its position: shares may shift, nothing is lost or broken. */
Test(attacks, forged_ring_position, .init = begin, .fini = end)
{
	static const int64_t offsets[] = { 1ll << 40, -(1ll << 40), 1ll << 62, -1, 7, 4096 };
	unsigned long *position =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, test.store.events_fd, 0);

	cr_assert_neq(position, MAP_FAILED);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		uint64_t before = gate_test_ctl(&test).revision, n_ok = 0;
		unsigned long honest = *position;

		*position = honest + (unsigned long)offsets[i];
		for (int j = 0; j < 50; j++) {
			int error = gate_write(test.fds[j % 2], "/x", "1", 1, NULL);

			cr_expect(!error || error == -EAGAIN, "%d", error);
			n_ok += !error;
		}
		cr_expect_eq(gate_test_ctl(&test).revision, before + n_ok);
		cr_expect_eq(gate_test_ctl(&test).lock, 0);
		*position = honest;
	}
	munmap(position, 4096);
}

struct reader {
	int fd, n, n_torn;
};

static void *read_many(void *data)
{
	struct reader *reader = data;
	struct kv_value value;

	for (int i = 0; i < reader->n; i++) {
		if (gate_read(reader->fd, "/torn", &value))
			continue;
		for (uint32_t j = 1; j < value.length; j++)
			if (value.text[j] != value.text[0]) {
				reader->n_torn++;
				break;
			}
	}
	return NULL;
}

static void *write_many(void *data)
{
	struct reader *writer = data;
	char text[KV_VALUE_MAX];

	for (int i = 0; i < writer->n; i++) {
		memset(text, 'a' + i % 26, sizeof(text));
		gate_write(writer->fd, "/torn", text, (size_t)(100 + i % 900), NULL);
	}
	return NULL;
}

static void *drain_for_ever(void *data)
{
	(void)data;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		gate_test_drain(&test);
		usleep(1000);
	}
	return NULL;
}

/* Writers of whole values, readers through the gate: never a mixture. */
Test(attacks, torn_reads, .init = begin, .fini = end, .timeout = 300)
{
	const char *wanted = getenv("CALFPEN_ATTACK_OPERATIONS");
	int n = scaled(wanted ? atoi(wanted) : 1000000) / 8, n_torn = 0;
	struct reader sides[8];
	pthread_t threads[9];

	for (int i = 0; i < 8; i++) {
		/* an instance serves one caller at a time: two threads share a subject */
		sides[i] = (struct reader){ .fd = test.fds[i % 4], .n = n };
		pthread_create(&threads[i], NULL, i < 4 ? write_many : read_many, &sides[i]);
	}
	pthread_create(&threads[8], NULL, drain_for_ever, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(threads[8], NULL);
	for (int i = 0; i < 8; i++)
		n_torn += sides[i].n_torn;
	cr_expect_eq(n_torn, 0, "%d torn", n_torn);
}

/* --- watching --- */

static const struct test_rule watch_rules[] = {
	{ "/", ALL_ACCESS | KV_ACCESS_WATCH, KV_CLASS_TEXT, KV_VALUE_MAX }, { NULL }
};

static void begin_watched(void)
{
	gate_test_begin(&test, 256, 4);
	for (uint32_t i = 0; i < 4; i++)
		gate_test_subject(&test, i, watch_rules, FAST, FAST);
	cr_assert_eq(store_seal(&test.store), 0);
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
Test(attacks, watcher_that_never_reads, .init = begin_watched, .fini = end, .timeout = 120)
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
		++*n_calls;
	}
	return NULL;
}

/* Watches that begin and end without end: nobody else notices. */
Test(attacks, watches_without_end, .init = begin_watched, .fini = end, .timeout = 60)
{
	int n = scaled(5000), n_refused = 0, n_calls = 0;
	struct watched watched = { 0 }, diligent = { 0 };
	uint64_t begins;
	pthread_t thread;

	drain_watched(2, &watched);
	cr_assert_eq(gate_watch(test.fds[2], GATE_WATCH_BEGIN, NULL, NULL), 0);
	pthread_create(&thread, NULL, watch_for_ever, &n_calls);
	for (int i = 0; i < n; i++) {
		n_refused += gate_write(test.fds[0], "/x/1", "value", 5, NULL) != 0;
		if (i % 100 == 99) {
			gate_test_drain(&test);
			drain_watched(2, &diligent);
		}
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	gate_test_drain(&test);
	drain_watched(2, &diligent);
	cr_expect_eq(n_refused, 0, "%d refused", n_refused);
	cr_expect_gt(n_calls, 0);
	cr_expect_eq(diligent.n, (uint64_t)n);
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
