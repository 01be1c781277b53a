/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the gates of subjects
 *
 * Nearly all of the time to load a gate is spent in the kernel's verifier, which
 * can run for several callers at once. So a thread for each CPU loads the gates, one
 * subject after the other. Entering the subjects' rings takes about as long, but
 * only waits: one more thread does it meanwhile. What these threads do changes nothing
 * that the caller sees, and logs nothing: the caller does all else when they have exited.
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
#include "userspace/common/descriptors.h"
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

struct entering {
	int rings_fd; /* map of maps */
	uint32_t numbers[KV_SUBJECTS_MAX], n;
	int fds[KV_SUBJECTS_MAX];
	int error;
};

struct store_loading {
	const struct store *store;
	struct store_subject subjects[KV_SUBJECTS_MAX];
	uint32_t n_subjects;
	uint32_t next; /* subject for the next free loader */
	struct kv_gate_bpf *gates[KV_SUBJECTS_MAX];
	int errors[KV_SUBJECTS_MAX];
	struct entering entering;
	pthread_t threads[LOADERS_MAX + 1];
	uint32_t n_threads;
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

/* The copy is for the loaders, and for store_seal(). */
static int keep_rules(struct store *store, struct store_subject *subject)
{
	size_t size = subject->n_rules * sizeof(*subject->rules);
	struct store_rule *rules = malloc(size ? size : 1);

	if (!rules)
		return -ENOMEM;
	memcpy(rules, subject->rules, size);
	store->rules[subject->number] = rules;
	store->n_rules[subject->number] = subject->n_rules;
	subject->rules = rules;
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

/* Fill, freeze and pin a gate of load_gate(). The store keeps a descriptor of the program alone,
 * which keeps its maps, and not the object that it was loaded from. */
static int add_gate(struct store *store, const struct store_subject *subject,
		    const struct kv_gate_bpf *gate)
{
	int program_fd = descriptors_copy(bpf_program__fd(gate->progs.kv_gate));
	int acl_fd = bpf_map__fd(gate->maps.acl);
	int staging_fd = bpf_map__fd(gate->maps.staging);
	int r = program_fd < 0 ? program_fd : 0;

	store->gate_fds[subject->number] = program_fd;
	if (!r)
		r = fill_rules(acl_fd, subject);
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
	return r;
}

static void *load_gates(void *data)
{
	struct store_loading *loading = data;
	uint32_t i;

	while ((i = __atomic_fetch_add(&loading->next, 1, __ATOMIC_RELAXED)) < loading->n_subjects)
		loading->errors[i] =
			load_gate(loading->store, &loading->subjects[i], &loading->gates[i]);
	return NULL;
}

static bool start_thread(struct store_loading *loading, void *(*function)(void *), void *data)
{
	if (pthread_create(&loading->threads[loading->n_threads], NULL, function, data))
		return false;
	loading->n_threads++;
	return true;
}

/* Start one thread per available CPU, and one for the rings. If a thread cannot be created,
 * store_finish_subjects() does its work. */
static void start_threads(struct store_loading *loading)
{
	struct entering *entering = &loading->entering;
	uint32_t n_cpus = 1;
	cpu_set_t cpus;

	if (entering->n && !start_thread(loading, enter_rings, entering))
		enter_rings(entering);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		n_cpus = (uint32_t)CPU_COUNT(&cpus);
	for (uint32_t i = 0; i < n_cpus && i < loading->n_subjects && i < LOADERS_MAX; i++)
		if (!start_thread(loading, load_gates, loading))
			return;
}

static void join_threads(struct store_loading *loading)
{
	while (loading->n_threads > 0)
		pthread_join(loading->threads[--loading->n_threads], NULL);
}

static int prepare(struct store *store, const struct store_subject *subjects, uint32_t n)
{
	struct store_loading *loading = store->loading;
	struct entering *entering = &loading->entering;
	int r = 0;

	loading->store = store;
	entering->rings_fd = bpf_map__fd(store->shared->maps.rings);
	for (uint32_t i = 0; !r && i < n; i++) {
		struct store_subject *subject = &loading->subjects[i];

		*subject = subjects[i];
		loading->n_subjects++;
		r = keep_rules(store, subject);
		if (r || !may_watch(&subjects[i]))
			continue;
		r = add_ring(store, subject);
		entering->numbers[entering->n] = subject->number;
		entering->fds[entering->n++] = store->ring_fds[subject->number];
	}
	return r;
}

int store_begin_subjects(struct store *store, const struct store_subject *subjects, uint32_t n)
{
	int r;

	if (!store->shared || store->loading || n > KV_SUBJECTS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++)
		if (subjects[i].number >= KV_SUBJECTS_MAX ||
		    store->gate_fds[subjects[i].number] >= 0)
			return -EINVAL;
	store->loading = calloc(1, sizeof(*store->loading));
	r = store->loading ? prepare(store, subjects, n) : -ENOMEM;
	if (r) {
		log_error("store: cannot prepare the gates: %s", strerror(-r));
		store_end_loading(store);
		return r;
	}
	start_threads(store->loading);
	return 0;
}

void store_end_loading(struct store *store)
{
	struct store_loading *loading = store->loading;

	if (!loading)
		return;
	join_threads(loading);
	for (uint32_t i = 0; i < loading->n_subjects; i++)
		kv_gate_bpf__destroy(loading->gates[i]);
	free(loading);
	store->loading = NULL;
}

int store_finish_subjects(struct store *store)
{
	struct store_loading *loading = store->loading;
	int r;

	if (!loading)
		return -EINVAL;
	load_gates(loading);
	join_threads(loading);
	r = loading->entering.error;
	if (r)
		log_error("store: cannot enter the rings of the subjects: %s", strerror(-r));
	for (uint32_t i = 0; i < loading->n_subjects; i++) {
		const struct store_subject *subject = &loading->subjects[i];

		if (loading->errors[i])
			log_error("subject %s: cannot load the gate: %s", subject->name,
				  strerror(-loading->errors[i]));
		if (!r)
			r = loading->errors[i] ?: add_gate(store, subject, loading->gates[i]);
	}
	store_end_loading(store);
	return r;
}

int store_add_subjects(struct store *store, const struct store_subject *subjects, uint32_t n)
{
	int r = store_begin_subjects(store, subjects, n);

	return r ? r : store_finish_subjects(store);
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
