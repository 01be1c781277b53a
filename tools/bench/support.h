/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the benchmark programs: clock, CPU, samples, and a store in a private
 * BPF file system. A program prints one "LABEL VALUE" line per round for each
 * value it measures; tools/bench/run computes the medians. Every error ends the
 * program, because a wrong number is worse than none.
 */
#ifndef CALFPEN_TOOLS_BENCH_SUPPORT_H
#define CALFPEN_TOOLS_BENCH_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "userspace/common/gate.h"
#include "userspace/priv/store/store.h"

#define BENCH_VALUE "0123456789abcdef" /* 16 bytes, the value of every write */
#define BENCH_VALUE_LENGTH 16

/* Print one line on stderr and exit with status 1. */
__attribute__((noreturn, format(printf, 1, 2))) void bench_fail(const char *format, ...);
/* Call bench_fail() with `what` unless `result` is 0; negative: an errno. */
void bench_check(int result, const char *what);

/* Return CLOCK_MONOTONIC in nanoseconds. */
uint64_t bench_now_ns(void);
/* Return CLOCK_REALTIME in nanoseconds; the kernel's time stamps use it. */
uint64_t bench_wall_ns(void);
/* Let the kernel add time stamps to what this socket receives. */
void bench_stamp(int fd);
/* Return the time stamp of a message of that socket, comparable to
 * bench_wall_ns(). */
uint64_t bench_stamped_ns(struct msghdr *message);
/*
 * Set real-time priority (SCHED_FIFO): a process that is woken runs at once if
 * the other one has normal priority, else when the other one sleeps. Without it,
 * the order depends on what both did before. `flags`: 0, so that threads inherit
 * it, or SCHED_RESET_ON_FORK.
 */
void bench_go_first(int flags);
/* Run only on these CPUs ("1", "0,1"), including children. */
void bench_pin(const char *cpus);
/*
 * For measurements that a slower CPU distorts: another guest on the same host may
 * take a third of a virtual CPU's speed for seconds. Wait until a system call is as
 * fast as the fastest one in this process, for up to half a minute in total.
 */
void bench_wait_for_pace(void);
/* Call this after the measurement. Returns false if the speed has dropped, so that
 * the measurement must be repeated. */
bool bench_kept_pace(void);
/* Print "LABEL VALUE" for one round. */
void bench_say(const char *label, double value);
/* Sorts the numbers. */
double bench_median(uint64_t *numbers, size_t n_numbers);
/* Print "LABEL_p50" and "LABEL_p99" of the samples in microseconds; sorts them. */
void bench_say_latency(const char *label, uint64_t *samples_ns, size_t n_samples);

/* A store; bench_store_drain() reads and counts its events. */
struct bench_store {
	struct pins pins;
	struct store store;
	struct ring_buffer *ring;
	uint64_t n_events;
};

/* Create a store with the subjects 0 .. n_subjects - 1, each with all rights below
 * /bench/ and without limits. */
void bench_store_init(struct bench_store *store, uint32_t max_keys, uint32_t n_subjects);
/* The two steps of it, for measuring them separately. */
void bench_store_make(struct bench_store *store, uint32_t max_keys, uint32_t n_subjects);
void bench_store_subjects(struct bench_store *store, uint32_t first, uint32_t n);
/* Read all pending events, as a watcher that is awake does. */
void bench_store_drain(struct bench_store *store);
uint64_t bench_store_revision(const struct bench_store *store);
void bench_store_deinit(struct bench_store *store);
/* Format the path of key number `i_key`. */
const char *bench_path(uint32_t i_key);

#endif
