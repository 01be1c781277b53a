/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the time from the gate's time stamp of a change to the callback of a
 * watcher that sleeps in epoll, and from a write to an eventfd, stamped before it,
 * to a callback of the same process. Writer and watcher share the given CPUs. The
 * writer does the two in turn and sleeps in between, so that the watcher goes to
 * sleep, too.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/support.h"
#include "userspace/common/loop.h"
#include "userspace/common/ring.h"

#define EVENTS 1000
#define PAUSE_US 200

struct samples {
	volatile uint32_t n;
	uint64_t ns[EVENTS];
};

/* Shared by the two processes. */
struct shared {
	struct samples event, wakeup;
	volatile uint64_t written_ns; /* when the eventfd was written */
};

static void add_sample(struct samples *samples, uint64_t begin_ns)
{
	if (samples->n < EVENTS)
		samples->ns[samples->n++] = loop_now_ns() - begin_ns;
}

static int on_event(void *data, const void *record, size_t size)
{
	struct shared *shared = data;
	const struct kv_event *event = record;

	if (size >= sizeof(*event))
		add_sample(&shared->event, event->boot_ns);
	return 0;
}

static void on_wakeup(int wakeup_fd, struct shared *shared)
{
	uint64_t n;

	if (read(wakeup_fd, &n, sizeof(n)) != sizeof(n) || n != 1)
		bench_fail("eventfd: a write was not seen");
	add_sample(&shared->wakeup, shared->written_ns);
}

static void add(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		bench_fail("epoll: %s", strerror(errno));
}

static void watch(int events_fd, int wakeup_fd, struct shared *shared)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;
	struct ring ring;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	add(epoll_fd, events_fd);
	add(epoll_fd, wakeup_fd);
	bench_check(ring_open(&ring, events_fd), "event ring");
	while (shared->event.n < EVENTS || shared->wakeup.n < EVENTS) {
		int n = epoll_wait(epoll_fd, &event, 1, 1000);

		if (n < 0)
			bench_fail("epoll_wait: %s", strerror(errno));
		if (n > 0 && event.data.fd == wakeup_fd)
			on_wakeup(wakeup_fd, shared);
		else
			bench_check(ring_consume(&ring, on_event, shared), "event ring");
	}
	_exit(0);
}

static void measure(struct bench_store *store)
{
	static const uint64_t one = 1;
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int wakeup_fd = eventfd(0, EFD_CLOEXEC), status;
	pid_t pid;

	if (shared == MAP_FAILED || wakeup_fd < 0)
		bench_fail("memory or eventfd: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		bench_fail("fork: %s", strerror(errno));
	if (pid == 0)
		watch(store->store.events_fd, wakeup_fd, shared);
	for (uint32_t i = 0; i < EVENTS; i++) {
		usleep(PAUSE_US);
		bench_check(gate_write(store->store.gate_fds[0], "/bench/0000", BENCH_VALUE,
				       BENCH_VALUE_LENGTH, NULL),
			    "write");
		usleep(PAUSE_US);
		shared->written_ns = loop_now_ns();
		if (write(wakeup_fd, &one, sizeof(one)) != sizeof(one))
			bench_fail("eventfd: %s", strerror(errno));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		bench_fail("the watcher failed after %u events", shared->event.n);
	bench_say_latency("event", shared->event.ns, EVENTS);
	bench_say_latency("eventfd", shared->wakeup.ns, EVENTS);
	munmap(shared, sizeof(*shared));
	close(wakeup_fd);
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
