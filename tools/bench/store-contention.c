/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: writes of one subject while two others commit in a loop on every CPU. The
 * writer sleeps between two writes, as a calf does, so each write starts on a CPU
 * that another process is using.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/support.h"

#define WRITES 400
#define PAUSE_US 500
#define HOGS_MAX 128
#define HOG_SUBJECTS 2
#define WRITER 2
#define HOG_KEYS 16

static pid_t hogs[HOGS_MAX]; /* and who drains */
static int n_hogs;

static void commit_for_ever(int fd)
{
	static struct commit commit;

	commit_init(&commit);
	for (uint32_t i = 0; i < HOG_KEYS; i++)
		bench_check(commit_write(&commit, bench_path(i), BENCH_VALUE, BENCH_VALUE_LENGTH),
			    "commit");
	for (;;)
		(void)gate_commit(fd, &commit, NULL, NULL);
}

static void start_hog(const struct bench_store *store, int subject, int cpu)
{
	cpu_set_t set;
	pid_t pid = fork();

	if (pid < 0)
		bench_fail("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CPU_ZERO(&set);
		CPU_SET((size_t)cpu, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
		commit_for_ever(store->store.gate_fds[subject]);
	}
	hogs[n_hogs++] = pid;
}

/* A watcher, so that the ring has room for the events of the commits. */
static void start_drain(struct bench_store *store)
{
	pid_t pid = fork();

	if (pid < 0)
		bench_fail("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			bench_store_drain(store);
			usleep(PAUSE_US);
		}
	}
	hogs[n_hogs++] = pid;
}

/* On every CPU that this process may use. */
static void start_hogs(const struct bench_store *store)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		bench_fail("affinity: %s", strerror(errno));
	for (int cpu = 0; cpu < CPU_SETSIZE && n_hogs + HOG_SUBJECTS <= HOGS_MAX; cpu++)
		for (int subject = 0; CPU_ISSET((size_t)cpu, &set) && subject < HOG_SUBJECTS;
		     subject++)
			start_hog(store, subject, cpu);
}

static void stop_all(void)
{
	for (int i = 0; i < n_hogs; i++) {
		(void)kill(hogs[i], SIGKILL);
		(void)waitpid(hogs[i], NULL, 0);
	}
	n_hogs = 0;
}

static void measure(struct bench_store *store, const char *label)
{
	static uint64_t samples[WRITES];

	for (uint32_t i = 0; i < WRITES; i++) {
		uint64_t start;

		usleep(PAUSE_US);
		start = bench_now_ns();
		bench_check(gate_write(store->store.gate_fds[WRITER], "/bench/mine", BENCH_VALUE,
				       BENCH_VALUE_LENGTH, NULL),
			    "the write is refused");
		samples[i] = bench_now_ns() - start;
	}
	bench_say_latency(label, samples, WRITES);
}

int main(int argc, char **argv)
{
	static struct bench_store store;
	int n_rounds;

	if (argc != 3)
		bench_fail("usage: store-contention CPUS ROUNDS");
	bench_pin(argv[1]);
	n_rounds = atoi(argv[2]);
	bench_store_init(&store, 256, 4);
	for (int i = 0; i < n_rounds; i++) {
		start_drain(&store);
		measure(&store, "alone");
		start_hogs(&store);
		measure(&store, "contended");
		stop_all();
	}
	return 0;
}
