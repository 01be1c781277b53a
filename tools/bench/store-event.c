/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the time from the gate's time stamp of a change to the callback of a
 * watcher that sleeps in epoll. Writer and watcher share the given CPUs. The writer
 * sleeps between two writes, so that the watcher goes to sleep, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "tools/bench/support.h"
#include "userspace/common/loop.h"
#include "userspace/common/ring.h"

#define EVENTS 1000
#define PAUSE_US 200

/* Shared by the two processes. */
struct samples {
	volatile uint32_t n;
	uint64_t ns[EVENTS];
};

static int on_event(void *data, const void *record, size_t size)
{
	struct samples *samples = data;
	const struct kv_event *event = record;

	if (size >= sizeof(*event) && samples->n < EVENTS)
		samples->ns[samples->n++] = loop_now_ns() - event->boot_ns;
	return 0;
}

static void watch(int events_fd, struct samples *samples)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct ring ring;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, events_fd, &event))
		bench_fail("epoll: %s", strerror(errno));
	bench_check(ring_open(&ring, events_fd), "event ring");
	while (samples->n < EVENTS) {
		if (epoll_wait(epoll_fd, &event, 1, 1000) < 0)
			bench_fail("epoll_wait: %s", strerror(errno));
		bench_check(ring_consume(&ring, on_event, samples), "event ring");
	}
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
