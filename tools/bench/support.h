/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the measuring programs share: clock, CPU, samples, and a store of
 * their own in a private BPF file system. A program prints one "LABEL VALUE"
 * line for each round of each thing it measures; tools/bench/run makes
 * medians of them. Whatever goes wrong ends the program: a number that was
 * not measured as meant is worse than none.
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

/* One line on stderr and exit status 1. */
__attribute__((noreturn, format(printf, 1, 2))) void bench_fail(const char *format, ...);
/* bench_fail() with `what` unless `result` is 0; negative: an errno. */
void bench_check(int result, const char *what);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);
/* Nanoseconds of CLOCK_REALTIME, by which the kernel stamps frames. */
uint64_t bench_wall_ns(void);
/* Have the kernel stamp what this socket receives. */
void bench_stamp(int fd);
/* When it received a message of that socket, by bench_wall_ns(). */
uint64_t bench_stamped_ns(struct msghdr *message);
/*
 * Real-time priority, by SCHED_FIFO: who is woken runs at once if the other
 * has an ordinary one, and when the other sleeps if not. What the scheduler
 * does otherwise depends on what both did before. `flags`: 0, so that threads
 * have it too, or SCHED_RESET_ON_FORK.
 */
void bench_go_first(int flags);
/* Run on these CPUs only ("1", "0,1"), children too. */
void bench_pin(const char *cpus);
/*
 * For measurements that a slower CPU shifts: a virtual one has, for seconds, a
 * neighbour that takes a third of its pace. Wait until a system call takes no
 * longer than at best in this process, at most half a minute in all; after the
 * measurement, false if it has to be made again, since the pace was not kept.
 */
void bench_wait_for_pace(void);
bool bench_kept_pace(void);
/* "LABEL VALUE": one round of it. */
void bench_say(const char *label, double value);
/* Sorts the numbers. */
double bench_median(uint64_t *numbers, size_t n_numbers);
/* "LABEL_p50" and "LABEL_p99" of the samples in microseconds; sorts them. */
void bench_say_latency(const char *label, uint64_t *samples_ns, size_t n_samples);

/* A store whose events are read (and counted) by bench_store_drain(). */
struct bench_store {
	struct pins pins;
	struct store store;
	struct ring_buffer *ring;
	uint64_t n_events;
};

/* Subjects 0 .. n_subjects - 1, each with all rights below /bench/ and
 * without limits. */
void bench_store_init(struct bench_store *store, uint32_t max_keys, uint32_t n_subjects);
/* The two steps of it, for those who time them. */
void bench_store_make(struct bench_store *store, uint32_t max_keys, uint32_t n_subjects);
void bench_store_subjects(struct bench_store *store, uint32_t first, uint32_t n);
/* Take every event there is, as a watcher that is awake does. */
void bench_store_drain(struct bench_store *store);
uint64_t bench_store_revision(const struct bench_store *store);
void bench_store_deinit(struct bench_store *store);
/* The path of key number `i_key`. */
const char *bench_path(uint32_t i_key);

#endif
