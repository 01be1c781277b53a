/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on the store's guarantees: each tries to break one and counts how
 * often it did.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/bpf/support-attacks.h"

#define KILLS 1000

static void begin(void)
{
	attacks_begin(ALL_ACCESS);
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
Test(attacks, kill_during_commit, .init = begin, .fini = attacks_end)
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
Test(attacks, commit_loops_starve_nobody, .init = begin, .fini = attacks_end)
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
Test(attacks, userfaultfd_pointer, .init = begin, .fini = attacks_end)
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

static void *changing;

static void *flip_protection(void *data)
{
	int *n_flips = data;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		mprotect(changing, 4096, PROT_NONE);
		mprotect(changing, 4096, PROT_READ | PROT_WRITE);
		__atomic_add_fetch(n_flips, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* What was asked of memory that comes and goes, and what was answered. */
struct flipped {
	int n_asked, n_wrong;
};

static void *use_flipping_memory(void *data)
{
	struct flipped *flipped = data;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		int error = gate_test_raw(test.fds[0], KV_VERB_WRITE, 1, changing,
					  KV_CHANGE_SIZE(1), NULL);

		flipped->n_wrong += error && error != -EFAULT && error != -EILSEQ &&
				    error != -EAGAIN && error != -EBUSY && error != -EINVAL;
		__atomic_add_fetch(&flipped->n_asked, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Memory that comes and goes under the copy. */
Test(attacks, mprotect_loop, .init = begin, .fini = attacks_end)
{
	unsigned char request[KV_CHANGE_SIZE(1)];
	char key[64] = "/flip";
	pthread_t threads[2];
	struct flipped flipped = { 0 };
	int n_written = 0, n_flips = 0, n_refused = 0;

	changing = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	gate_test_change(request, key, KV_CHANGE_WRITE, "x", 1);
	memcpy(changing, request, sizeof(request));
	pthread_create(&threads[0], NULL, flip_protection, &n_flips);
	pthread_create(&threads[1], NULL, use_flipping_memory, &flipped);
	while (n_written < 2000 || __atomic_load_n(&n_flips, __ATOMIC_RELAXED) < 100 ||
	       __atomic_load_n(&flipped.n_asked, __ATOMIC_RELAXED) < 100) {
		n_refused += gate_write(test.fds[1], "/x", "1", 1, NULL) != 0;
		if (n_written++ % 100 == 0)
			gate_test_drain(&test);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(flipped.n_wrong, 0);
	cr_expect_eq(n_refused, 0, "%d of %d refused", n_refused, n_written);
}

/* The reader forges its position: shares may shift, nothing is lost or broken. */
Test(attacks, forged_ring_position, .init = begin, .fini = attacks_end)
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
Test(attacks, torn_reads, .init = begin, .fini = attacks_end)
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
