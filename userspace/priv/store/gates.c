/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the gates of subjects
 *
 * Nearly all of the time to load a gate is spent in the kernel's verifier, which
 * can run for several callers at once. So the gates are loaded on all CPUs, one
 * subject after the other on each. Entering the subjects' rings takes about as long, but
 * only waits: one more thread does it meanwhile. All threads exit before anything else is
 * done.
 */
#include "userspace/priv/store/store.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maps/pins.h"
#include "skel/kv_gate.skel.h"
#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/store/store-private.h"

/* Refusals are recorded at this rate, with bursts of up to this many. */
#define DENIALS_PER_SECOND 10
#define DENIALS_BURST 50

#define LOADERS_MAX 8

static int reuse_maps(const struct store *store, struct kv_gate_bpf *gate)
{
	const struct kv_gate_bpf *shared = store->shared;
	const struct {
		struct bpf_map *to;
		const struct bpf_map *from;
	} maps[] = {
		{ gate->maps.kv, shared->maps.kv },
		{ gate->maps.ctl, shared->maps.ctl },
		{ gate->maps.slots, shared->maps.slots },
		{ gate->maps.undo, shared->maps.undo },
		{ gate->maps.undo_values, shared->maps.undo_values },
		{ gate->maps.events, shared->maps.events },
		{ gate->maps.denials, shared->maps.denials },
		{ gate->maps.watches, shared->maps.watches },
		{ gate->maps.watch_rights, shared->maps.watch_rights },
		{ gate->maps.rings, shared->maps.rings },
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		int r = bpf_map__reuse_fd(maps[i].to, bpf_map__fd(maps[i].from));

		if (r)
			return r;
	}
	bpf_map__set_autocreate(gate->maps.watch_ring, false);
	return 0;
}

static bool may_watch(const struct store_subject *subject)
{
	for (uint32_t i = 0; i < subject->n_rules; i++)
		if (subject->rules[i].rule.access & KV_ACCESS_WATCH)
			return true;
	return false;
}

/* Create the subject's event ring. Its consumer page stays mapped here, because a
 * process that holds the ring could freeze it while it is not mapped for
 * writing. */
static int add_ring(struct store *store, const struct store_subject *subject)
{
	uint32_t number = subject->number;
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, KV_WATCH_SIZE, NULL);
	void *page;

	if (fd < 0)
		return -errno;
	store->ring_fds[number] = fd;
	page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	store->ring_pages[number] = page;
	return pins_put(store->pins, PIN_RING_PREFIX, subject->name, fd);
}

static int add_rings(struct store *store, const struct store_subject *subjects, uint32_t n)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < n; i++)
		if (may_watch(&subjects[i]))
			r = add_ring(store, &subjects[i]);
	return r;
}

struct entering {
	int rings_fd; /* map of maps */
	uint32_t numbers[KV_SUBJECTS_MAX], n;
	int fds[KV_SUBJECTS_MAX];
	int error;
};

/* Enter all rings in one batch: after each change of a map of maps the kernel
 * waits about 10 ms, until no program uses it any more; a batch waits once. */
static void *enter_rings(void *data)
{
	struct entering *entering = data;

	entering->error = bpf_map_update_batch(entering->rings_fd, entering->numbers, entering->fds,
					       &entering->n, NULL);
	return NULL;
}

static void collect_rings(const struct store *store, const struct store_subject *subjects,
			  uint32_t n, struct entering *entering)
{
	*entering = (struct entering){ .rings_fd = bpf_map__fd(store->shared->maps.rings) };
	for (uint32_t i = 0; i < n; i++) {
		uint32_t number = subjects[i].number;

		if (store->ring_fds[number] < 0)
			continue;
		entering->numbers[entering->n] = number;
		entering->fds[entering->n++] = store->ring_fds[number];
	}
}

static int fill_rules(int acl_fd, const struct store_subject *subject)
{
	for (uint32_t i = 0; i < subject->n_rules; i++) {
		int r = bpf_map_update_elem(acl_fd, &subject->rules[i].key, &subject->rules[i].rule,
					    BPF_NOEXIST);

		if (r) {
			log_error("subject %s: cannot add the rule of %.63s: %s", subject->name,
				  subject->rules[i].key.path, strerror(-r));
			return r;
		}
	}
	return 0;
}

static int keep_rules(struct store *store, const struct store_subject *subject)
{
	size_t size = subject->n_rules * sizeof(*subject->rules);
	struct store_rule *rules = malloc(size ? size : 1);

	if (!rules)
		return -ENOMEM;
	memcpy(rules, subject->rules, size);
	store->rules[subject->number] = rules;
	store->n_rules[subject->number] = subject->n_rules;
	return 0;
}

/* Do the slow part of creating a subject's gate, without changing the store. */
static int load_gate(const struct store *store, const struct store_subject *subject,
		     struct kv_gate_bpf **gatep)
{
	uint64_t interval = NS_PER_S / (subject->requests_per_second ?: 1);
	uint32_t byte_rate = subject->audit_bytes_per_second ?: 1;
	/* Rounded up: a byte that costs nothing has no limit. */
	uint64_t byte_ns = (NS_PER_S + byte_rate - 1) / byte_rate;
	struct kv_gate_bpf *gate = kv_gate_bpf__open();
	uint32_t ring_size = bpf_map__max_entries(store->shared->maps.events);
	int r;

	if (!gate)
		return -errno;
	gate->rodata->config = (struct kv_gate_config){
		.subject = subject->number,
		.share = subject->has_whole_ring ? UINT32_MAX : ring_size / store->n_subjects,
		.rate_interval_ns = interval,
		.rate_burst_ns = interval * subject->request_burst,
		.denial_interval_ns = NS_PER_S / DENIALS_PER_SECOND,
		.denial_burst_ns = NS_PER_S / DENIALS_PER_SECOND * DENIALS_BURST,
		.audit_byte_ns = byte_ns,
		.audit_burst_ns = byte_ns * subject->audit_burst,
		.max_keys = subject->max_keys,
		.max_bytes = subject->max_bytes,
	};
	r = reuse_maps(store, gate);
	if (!r)
		r = bpf_map__set_max_entries(gate->maps.acl, subject->n_rules ?: 1);
	if (!r)
		r = kv_gate_bpf__load(gate);
	if (r)
		kv_gate_bpf__destroy(gate);
	else
		*gatep = gate;
	return r;
}

/* Fill, freeze and pin a gate of load_gate(). */
static int add_gate(struct store *store, const struct store_subject *subject,
		    const struct kv_gate_bpf *gate)
{
	int program_fd = bpf_program__fd(gate->progs.kv_gate);
	int acl_fd = bpf_map__fd(gate->maps.acl);
	int staging_fd = bpf_map__fd(gate->maps.staging);
	int r = fill_rules(acl_fd, subject);

	if (!r)
		r = bpf_map_freeze(acl_fd);
	if (!r)
		r = bpf_map_freeze(staging_fd);
	if (!r)
		r = pins_put(store->pins, PIN_ACL_PREFIX, subject->name, acl_fd);
	if (!r)
		r = pins_put(store->pins, PIN_STAGING_PREFIX, subject->name, staging_fd);
	if (!r)
		r = pins_put(store->pins, PIN_GATE_PREFIX, subject->name, program_fd);
	if (!r)
		r = keep_rules(store, subject);
	if (!r)
		store->gate_fds[subject->number] = program_fd;
	return r;
}

struct loading {
	const struct store *store;
	const struct store_subject *subjects;
	uint32_t n_subjects;
	uint32_t next; /* subject for the next free loader */
	struct kv_gate_bpf *gates[KV_SUBJECTS_MAX];
	int errors[KV_SUBJECTS_MAX];
};

static void *load_gates(void *data)
{
	struct loading *loading = data;
	uint32_t i;

	while ((i = __atomic_fetch_add(&loading->next, 1, __ATOMIC_RELAXED)) < loading->n_subjects)
		loading->errors[i] =
			load_gate(loading->store, &loading->subjects[i], &loading->gates[i]);
	return NULL;
}

/* Use one thread per available CPU. If a thread cannot be created, the others do
 * its work. */
static void load_on_all_cpus(struct loading *loading)
{
	pthread_t threads[LOADERS_MAX];
	uint32_t n_threads = 0, n_cpus = 1;
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		n_cpus = (uint32_t)CPU_COUNT(&cpus);
	while (n_threads + 1 < n_cpus && n_threads + 1 < loading->n_subjects &&
	       n_threads < LOADERS_MAX &&
	       pthread_create(&threads[n_threads], NULL, load_gates, loading) == 0)
		n_threads++;
	load_gates(loading);
	while (n_threads > 0)
		pthread_join(threads[--n_threads], NULL);
}

/* Load the gates and enter the rings. Returns what entering returned. */
static int load_and_enter(struct loading *loading, struct entering *entering)
{
	pthread_t thread;
	bool has_thread = entering->n && pthread_create(&thread, NULL, enter_rings, entering) == 0;

	load_on_all_cpus(loading);
	if (has_thread)
		pthread_join(thread, NULL);
	else if (entering->n)
		enter_rings(entering);
	return entering->error;
}

int store_add_subjects(struct store *store, const struct store_subject *subjects, uint32_t n)
{
	struct loading loading = { .store = store, .subjects = subjects, .n_subjects = n };
	struct entering entering;
	int r;

	for (uint32_t i = 0; i < n; i++)
		if (subjects[i].number >= KV_SUBJECTS_MAX || store->gates[subjects[i].number])
			return -EINVAL;
	r = add_rings(store, subjects, n);
	if (!r) {
		collect_rings(store, subjects, n, &entering);
		r = load_and_enter(&loading, &entering);
	}
	if (r)
		log_error("store: cannot make the rings of subjects: %s", strerror(-r));
	for (uint32_t i = 0; i < n; i++) {
		if (loading.errors[i])
			log_error("subject %s: cannot load the gate: %s", subjects[i].name,
				  strerror(-loading.errors[i]));
		store->gates[subjects[i].number] = loading.gates[i];
		if (!r)
			r = loading.errors[i] ?: add_gate(store, &subjects[i], loading.gates[i]);
	}
	return r;
}

static void unpin(const struct store *store, const char *prefix, const char *name)
{
	char pin[NAME_MAX];

	(void)snprintf(pin, sizeof(pin), "%s%s", prefix, name);
	pins_remove(store->pins, pin);
}

void store_remove_subject(struct store *store, const struct store_subject *subject)
{
	uint32_t number = subject->number;

	unpin(store, PIN_GATE_PREFIX, subject->name);
	unpin(store, PIN_ACL_PREFIX, subject->name);
	unpin(store, PIN_STAGING_PREFIX, subject->name);
	unpin(store, PIN_RING_PREFIX, subject->name);
	store_close_subject(store, number);
}
