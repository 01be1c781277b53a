/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the gate alone, without a socket: the cost of a call and what it depends
 * on. Everything that is compared takes turns in this one process.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/bench/support.h"

#define SUBJECTS 4
#define CALVES 8
#define BATCH 64 /* writes between two drains: within a share of the ring, with 64 subjects */
#define BATCHES 64
#define LIST_KEYS 1024
#define KEYS_FEW 10
#define COMMIT_KEYS 16
#define LOADS 4 /* further gates in one round */
#define LOADING_ROUNDS 10

/* Write the key `i_key`, without building its path. */
static struct kv_key keys[KV_KEYS_MAX];

static void write_key(int fd, uint32_t i_key)
{
	int r = gate_write(fd, keys[i_key].path, BENCH_VALUE, BENCH_VALUE_LENGTH, NULL);

	if (r)
		bench_check(r, keys[i_key].path);
}

static void fill(struct bench_store *store, uint32_t n_keys)
{
	for (uint32_t i = 0; i < n_keys; i++) {
		write_key(store->store.gate_fds[0], i);
		if (i % 64 == 63)
			bench_store_drain(store);
	}
	bench_store_drain(store);
}

/*
 * Nanoseconds per write to the first `n_keys` keys in turn: the median batch, so
 * that other load on the machine has little effect. The first write after a drain
 * wakes the watcher; it is not part of the batch, because time_waking_writes()
 * measures it.
 */
static double time_writes(struct bench_store *store, uint32_t n_keys)
{
	static uint64_t spent[BATCHES];
	static uint32_t i_key;

	for (int n = 0; n < BATCHES; n++) {
		uint64_t start;

		bench_store_drain(store);
		write_key(store->store.gate_fds[0], i_key++ % n_keys);
		start = bench_now_ns();
		for (int i = 0; i < BATCH; i++)
			write_key(store->store.gate_fds[0], i_key++ % n_keys);
		spent[n] = bench_now_ns() - start;
	}
	bench_store_drain(store);
	return bench_median(spent, BATCHES) / BATCH;
}

/* The same if every record is read at once, so that each write wakes the ring. */
static double time_waking_writes(struct bench_store *store)
{
	static uint64_t spent[1024];

	for (int i = 0; i < 1024; i++) {
		uint64_t start = bench_now_ns();

		write_key(store->store.gate_fds[0], 0);
		spent[i] = bench_now_ns() - start;
		bench_store_drain(store);
	}
	return bench_median(spent, 1024);
}

static double time_bare_calls(void)
{
	uint64_t start = bench_now_ns();

	for (int i = 0; i < 4096; i++)
		(void)syscall(SYS_getppid);
	return (double)(bench_now_ns() - start) / 4096;
}

/* A program that does nothing, run like the gate: the minimum for any gate. */
static double time_empty_runs(void)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
	static struct kv_request request;
	static int fd = -1;
	uint64_t start;

	if (fd < 0)
		fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "nothing", "Apache-2.0", nothing, 2,
				   &options);
	if (fd < 0)
		bench_fail("empty program: %s", strerror(errno));
	start = bench_now_ns();
	for (int i = 0; i < 4096; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &request,
			    .ctx_size_in = sizeof(request));

		bench_check(bpf_prog_test_run_opts(fd, &run), "empty program");
	}
	return (double)(bench_now_ns() - start) / 4096;
}

/* A plain map update: no check, no event, no revision. The median batch, as above. */
static double time_map_updates(void)
{
	static struct kv_value value;
	static int fd = -1;
	static uint64_t spent[BATCHES];
	static uint32_t i_key;

	if (fd < 0)
		fd = bpf_map_create(BPF_MAP_TYPE_HASH, "plain", sizeof(struct kv_key),
				    sizeof(value), 256, NULL);
	if (fd < 0)
		bench_fail("plain map: %s", strerror(errno));
	for (int n = 0; n < BATCHES; n++) {
		uint64_t start = bench_now_ns();

		for (int i = 0; i < BATCH; i++)
			bench_check(bpf_map_update_elem(fd, &keys[i_key++ % COMMIT_KEYS], &value,
							BPF_ANY),
				    "update");
		spent[n] = bench_now_ns() - start;
	}
	return bench_median(spent, BATCHES) / BATCH;
}

static double time_reads(struct bench_store *store)
{
	static struct kv_value value;
	uint64_t start = bench_now_ns();

	for (uint32_t i = 0; i < 1024; i++)
		bench_check(gate_read(store->store.gate_fds[0], keys[i % 16].path, &value), "read");
	return (double)(bench_now_ns() - start) / 1024;
}

/* Nanoseconds of one commit of 16 keys. */
static double time_commits(struct bench_store *store)
{
	static struct commit commit;
	static uint64_t spent[BATCHES];

	commit_init(&commit);
	for (uint32_t i = 0; i < COMMIT_KEYS; i++)
		bench_check(commit_write(&commit, keys[i].path, BENCH_VALUE, BENCH_VALUE_LENGTH),
			    "commit");
	for (int n = 0; n < BATCHES; n++) {
		uint64_t start;

		bench_store_drain(store);
		write_key(store->store.gate_fds[0], 0);
		start = bench_now_ns();
		for (int i = 0; i < 8; i++)
			bench_check(gate_commit(store->store.gate_fds[0], &commit, NULL, NULL),
				    "commit");
		spent[n] = bench_now_ns() - start;
	}
	bench_store_drain(store);
	return bench_median(spent, BATCHES) / 8;
}

/* Nanoseconds of one batch of 16 writes. */
static double time_batches(struct bench_store *store)
{
	static struct batch_results results;
	static struct batch batch;
	static uint64_t spent[BATCHES];

	batch_init(&batch);
	for (uint32_t i = 0; i < COMMIT_KEYS; i++)
		bench_check(batch_write(&batch, &keys[i], BENCH_VALUE, BENCH_VALUE_LENGTH,
					KV_REVISION_ANY),
			    "batch");
	for (int n = 0; n < BATCHES; n++) {
		uint64_t start;

		bench_store_drain(store);
		write_key(store->store.gate_fds[0], 0);
		start = bench_now_ns();
		for (int i = 0; i < 8; i++)
			bench_check(gate_batch(store->store.gate_fds[0], &batch, &results),
				    "batch");
		spent[n] = bench_now_ns() - start;
		if (results.n != COMMIT_KEYS)
			bench_fail("batch: %u of %u served", results.n, COMMIT_KEYS);
	}
	bench_store_drain(store);
	return bench_median(spent, BATCHES) / 8;
}

static double time_list(struct bench_store *store)
{
	static struct gate_page page;
	uint32_t n_entries = 0;
	uint64_t start = bench_now_ns();

	memset(&page, 0, sizeof(page));
	do {
		uint64_t revision;
		const char *path;
		uint32_t at = 0;

		bench_check(gate_list(store->store.gate_fds[0], "/", &page), "list");
		while (gate_page_next(&page, &at, &revision, &path))
			n_entries++;
	} while (page.cursor);
	if (n_entries != LIST_KEYS)
		bench_fail("list: %u keys of %u", n_entries, LIST_KEYS);
	return (double)(bench_now_ns() - start);
}

static uint32_t verified_instructions(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		bench_fail("program info: %s", strerror(errno));
	return info.verified_insns;
}

static double time_subjects(struct bench_store *store, uint32_t first, uint32_t n)
{
	uint64_t start = bench_now_ns();

	bench_store_subjects(store, first, n);
	return (double)(bench_now_ns() - start) / 1e6;
}

/* The cost of starting an instance: the store, its first gate, and further gates,
 * loaded in parallel as the supervisor does, and one by one. */
static void measure_loading(void)
{
	struct bench_store store;
	uint64_t start = bench_now_ns();

	bench_store_make(&store, 256, 1 + 2 * LOADS);
	bench_say("store_made", (double)(bench_now_ns() - start) / 1e6);
	bench_say("first_gate", time_subjects(&store, 0, 1));
	bench_say("further_gate", time_subjects(&store, 1, LOADS) / LOADS);
	for (uint32_t i = 0; i < LOADS; i++)
		bench_say("further_alone", time_subjects(&store, 1 + LOADS + i, 1));
	bench_say("verified_insns", verified_instructions(store.store.gate_fds[0]));
	bench_store_deinit(&store);
}

int main(int argc, char **argv)
{
	static struct bench_store four, few, many, alone, eight, crowd, listed;
	int n_rounds;

	if (argc != 3)
		bench_fail("usage: store-gate CPUS ROUNDS");
	n_rounds = atoi(argv[2]);
	/* on all CPUs, as when an instance starts; the rest runs on one */
	for (int i = 0; i < n_rounds && i < LOADING_ROUNDS; i++)
		measure_loading();
	bench_pin(argv[1]);
	for (uint32_t i = 0; i < KV_KEYS_MAX; i++)
		memcpy(keys[i].path, bench_path(i), sizeof(keys[i].path));
	bench_say("subjects_max", KV_SUBJECTS_MAX);

	bench_store_init(&four, 256, SUBJECTS);
	bench_store_init(&few, KV_KEYS_MAX, SUBJECTS);
	bench_store_init(&many, KV_KEYS_MAX, SUBJECTS);
	bench_store_init(&alone, 256, 1);
	bench_store_init(&eight, 256, CALVES);
	bench_store_init(&crowd, 256, KV_SUBJECTS_MAX);
	bench_store_init(&listed, KV_KEYS_MAX, SUBJECTS);
	fill(&four, COMMIT_KEYS);
	fill(&few, KEYS_FEW);
	fill(&many, KV_KEYS_MAX);
	fill(&alone, COMMIT_KEYS);
	fill(&eight, COMMIT_KEYS);
	fill(&crowd, COMMIT_KEYS);
	fill(&listed, LIST_KEYS);

	for (int i = 0; i < n_rounds; i++) {
		bench_say("bare_call", time_bare_calls());
		bench_say("empty_run", time_empty_runs());
		bench_say("map_update", time_map_updates());
		bench_say("write", time_writes(&four, COMMIT_KEYS));
		bench_say("write_waking", time_waking_writes(&four));
		bench_say("commit_16", time_commits(&four));
		bench_say("commit_16_alone", time_commits(&alone));
		bench_say("commit_16_eight", time_commits(&eight));
		bench_say("batch_16", time_batches(&four));
		bench_say("read", time_reads(&four));
		bench_say("write_keys_10", time_writes(&few, KEYS_FEW));
		bench_say("write_keys_4096", time_writes(&many, KV_KEYS_MAX));
		bench_say("write_10_of_4096", time_writes(&many, KEYS_FEW));
		bench_say("write_subjects_1", time_writes(&alone, COMMIT_KEYS));
		bench_say("write_subjects_max", time_writes(&crowd, COMMIT_KEYS));
		bench_say("list_1024", time_list(&listed) / 1e3);
	}
	return 0;
}
