/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/support.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define RATE 1000000000u /* requests per second: no limit */
#define PACE_BATCHES 8
#define PACE_CALLS 100
#define PACE_TOLERANCE(best) ((best) + (best) / 8)
#define PACE_PAUSE_NS 20000000
#define PACE_PAUSES_MAX 1500

void bench_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

void bench_check(int result, const char *what)
{
	if (result)
		bench_fail("%s: %s", what, strerror(result < 0 ? -result : result));
}

static uint64_t to_ns(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec;
}

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return to_ns(&now);
}

uint64_t bench_wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return to_ns(&now);
}

void bench_stamp(int fd)
{
	static const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)))
		bench_fail("SO_TIMESTAMPNS: %s", strerror(errno));
}

uint64_t bench_stamped_ns(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	struct timespec at;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_TIMESTAMPNS)
		bench_fail("received a frame without a time stamp");
	memcpy(&at, CMSG_DATA(header), sizeof(at));
	return to_ns(&at);
}

void bench_go_first(int flags)
{
	const struct sched_param first = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO | flags, &first))
		bench_fail("real-time priority: %s", strerror(errno));
}

void bench_pin(const char *cpus)
{
	const char *at = cpus;
	cpu_set_t set;

	CPU_ZERO(&set);
	for (;;) {
		char *end;
		unsigned long cpu = strtoul(at, &end, 10);

		if (end == at || cpu >= CPU_SETSIZE || (*end != ',' && *end != '\0'))
			bench_fail("'%s' is not a list of CPUs", cpus);
		CPU_SET(cpu, &set);
		if (*end == '\0')
			break;
		at = end + 1;
	}
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_fail("CPUs %s: %s", cpus, strerror(errno));
}

/* The shortest batch, which no interrupt has disturbed. */
static bool is_at_pace(void)
{
	static uint64_t best = UINT64_MAX;
	uint64_t now = UINT64_MAX;

	for (int i = 0; i < PACE_BATCHES; i++) {
		uint64_t start = bench_now_ns(), took;

		for (int j = 0; j < PACE_CALLS; j++)
			syscall(SYS_getppid);
		took = bench_now_ns() - start;
		now = took < now ? took : now;
	}
	best = now < best ? now : best;
	return now <= PACE_TOLERANCE(best);
}

static int n_pauses;

void bench_wait_for_pace(void)
{
	const struct timespec pause = { .tv_nsec = PACE_PAUSE_NS };

	for (; n_pauses < PACE_PAUSES_MAX && !is_at_pace(); n_pauses++)
		nanosleep(&pause, NULL);
}

bool bench_kept_pace(void)
{
	return n_pauses == PACE_PAUSES_MAX || is_at_pace();
}

void bench_say(const char *label, double value)
{
	printf("%s %.6g\n", label, value);
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

double bench_median(uint64_t *numbers, size_t n_numbers)
{
	qsort(numbers, n_numbers, sizeof(*numbers), compare);
	return (double)numbers[n_numbers / 2];
}

void bench_say_latency(const char *label, uint64_t *samples_ns, size_t n_samples)
{
	char text[128];

	snprintf(text, sizeof(text), "%s_p50", label);
	bench_say(text, bench_median(samples_ns, n_samples) / 1e3);
	snprintf(text, sizeof(text), "%s_p99", label);
	bench_say(text, (double)samples_ns[n_samples * 99 / 100] / 1e3);
}

/* The pins of a benchmark are never visible outside its process. */
static void enter_private_bpffs(void)
{
	static bool entered;

	if (entered)
		return;
	if (geteuid() != 0)
		bench_fail("needs root");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpffs", "/sys/fs/bpf", "bpf", 0, "mode=0700"))
		bench_fail("private BPF file system: %s", strerror(errno));
	entered = true;
}

static int count_event(void *data, void *record, size_t size)
{
	struct bench_store *store = data;

	(void)record;
	(void)size;
	store->n_events++;
	return 0;
}

void bench_store_make(struct bench_store *store, uint32_t max_keys, uint32_t n_subjects)
{
	static unsigned int n_stores;
	char instance[32];

	enter_private_bpffs();
	memset(store, 0, sizeof(*store));
	snprintf(instance, sizeof(instance), "bench-%u", n_stores++);
	bench_check(pins_init(&store->pins, instance), "pins_init");
	bench_check(store_init(&store->store, &store->pins, max_keys, n_subjects), "store_init");
	store->ring = ring_buffer__new(store->store.events_fd, count_event, store, NULL);
	if (!store->ring)
		bench_fail("event ring: %s", strerror(errno));
}

void bench_store_subjects(struct bench_store *store, uint32_t first, uint32_t n)
{
	const struct store_rule rule = {
		.key.path = "/bench/", /* a list of a description, as /nameserver/ is */
		.rule = { .access = KV_ACCESS_READ | KV_ACCESS_WRITE | KV_ACCESS_DELETE,
			  .class = KV_CLASS_TEXT,
			  .max_length = KV_VALUE_MAX },
	};
	struct store_subject subjects[KV_SUBJECTS_MAX];
	char names[KV_SUBJECTS_MAX][16];

	for (uint32_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "subject%u", first + i);
		subjects[i] = (struct store_subject){
			.number = first + i,
			.name = names[i],
			.rules = &rule,
			.n_rules = 1,
			.requests_per_second = RATE,
			.request_burst = RATE,
			.audit_bytes_per_second = RATE,
			.audit_burst = RATE,
			.max_keys = KV_KEYS_MAX,
			.max_bytes = (uint64_t)KV_KEYS_MAX * KV_VALUE_SIZE,
		};
	}
	bench_check(store_add_subjects(&store->store, subjects, n), "store_add_subjects");
}

void bench_store_init(struct bench_store *store, uint32_t max_keys, uint32_t n_subjects)
{
	bench_store_make(store, max_keys, n_subjects);
	bench_store_subjects(store, 0, n_subjects);
}

void bench_store_drain(struct bench_store *store)
{
	int n = ring_buffer__consume(store->ring);

	if (n < 0)
		bench_check(n, "event ring");
}

uint64_t bench_store_revision(const struct bench_store *store)
{
	struct kv_ctl ctl;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(store->store.ctl_fd, &zero, &ctl))
		bench_fail("ctl: %s", strerror(errno));
	return ctl.revision;
}

void bench_store_deinit(struct bench_store *store)
{
	ring_buffer__free(store->ring);
	store_deinit(&store->store);
	pins_deinit(&store->pins);
}

const char *bench_path(uint32_t i_key)
{
	static char path[KV_PATH_SIZE];

	snprintf(path, sizeof(path), "/bench/%04u", i_key);
	return path;
}
