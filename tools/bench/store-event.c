/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: from the gate's own time stamp of a change to the callback of a
 * watcher that slept in epoll. Writer and watcher share the CPUs they are
 * given; the writer sleeps between two writes, so that the watcher does.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "tools/bench/support.h"
#include "userspace/common/loop.h"

#define EVENTS 1000
#define PAUSE_US 200

/* Shared by the two processes. */
struct samples {
	volatile uint32_t n;
	uint64_t ns[EVENTS];
};

static int on_event(void *data, void *record, size_t size)
{
	struct samples *samples = data;
	const struct kv_event *event = record;

	if (size >= sizeof(*event) && samples->n < EVENTS)
		samples->ns[samples->n++] = loop_now_ns() - event->boot_ns;
	return 0;
}

static void watch(int events_fd, struct samples *samples)
{
	struct ring_buffer *ring = ring_buffer__new(events_fd, on_event, samples, NULL);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!ring)
		bench_fail("event ring: %s", strerror(errno));
	while (samples->n < EVENTS)
		if (ring_buffer__poll(ring, 1000) < 0)
			bench_fail("ring_buffer__poll: %s", strerror(errno));
	_exit(0);
}

static void measure(struct bench_store *store)
{
	struct samples *samples = mmap(NULL, sizeof(*samples), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	if (samples == MAP_FAILED)
		bench_fail("mmap: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		bench_fail("fork: %s", strerror(errno));
	if (pid == 0)
		watch(store->store.events_fd, samples);
	for (uint32_t i = 0; i < EVENTS; i++) {
		usleep(PAUSE_US);
		bench_check(gate_write(store->store.gate_fds[0], "/bench/0000", BENCH_VALUE,
				       BENCH_VALUE_LENGTH, NULL),
			    "write");
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		bench_fail("the watcher failed after %u events", samples->n);
	bench_say_latency("event", samples->ns, EVENTS);
	munmap(samples, sizeof(*samples));
}

int main(int argc, char **argv)
{
	static struct bench_store store;
	int n_rounds;

	if (argc != 3)
		bench_fail("usage: store-event CPUS ROUNDS");
	bench_pin(argv[1]);
	n_rounds = atoi(argv[2]);
	bench_store_init(&store, 256, 4);
	for (int i = 0; i < n_rounds; i++)
		measure(&store);
	return 0;
}
