/* SPDX-License-Identifier: Apache-2.0 */
/* Readers that are slow, hang, go away and come back. */
#include "userspace/common/outlet.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/common/clock.h"

static struct outlet outlet = { .fd = -1 };
static struct loop loop;
static int fds[2];

static void open_datagrams(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	cr_assert_eq(outlet_init(&outlet), 0);
	outlet_open(&outlet, fds[1]);
}

static int send_number(unsigned int i)
{
	char text[16];

	return outlet_send(&outlet, OUTLET_RECORD, text,
			   (size_t)snprintf(text, sizeof(text), "%u\n", i));
}

/* Read numbers from `*nextp` on, as far as they are there. */
static void read_numbers(unsigned int *nextp)
{
	char text[16];
	ssize_t n;

	while ((n = recv(fds[0], text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
		unsigned int number = 0;

		text[n] = '\0';
		cr_assert_eq(sscanf(text, "%u\n", &number), 1);
		cr_assert_eq(number, *nextp, "%u is not %u", number, *nextp);
		++*nextp;
	}
}

/* The socket takes as many as net.unix.max_dgram_qlen says, often 10. All arrive, in order
 * and once, if the loop gets to run. */
Test(outlet, U34_burst)
{
	const unsigned int n = 20000;
	unsigned int next = 0;

	open_datagrams();
	loop_init(&loop);
	cr_assert_eq(outlet_watch(&outlet, &loop), 0);
	for (unsigned int i = 0; i < n; i++)
		cr_assert_eq(send_number(i), 0);
	while (next < n) {
		read_numbers(&next);
		cr_assert_eq(loop_run_once(&loop, loop_now_ns() + NS_PER_S), 0);
	}
	cr_expect(queue_is_empty(&outlet.queue));
	cr_expect_eq(outlet.error, 0);
	cr_expect_eq(outlet.n_lost[OUTLET_RECORD], 0u);
	/* it is not polled any more: the loop would not sleep */
	for (uint32_t i = 0; i < loop.n_fds; i++)
		cr_expect_eq(loop.fds[i].fd, -1);
	cr_assert_eq(send_number(n), 0);
	read_numbers(&next);
	cr_expect_eq(next, n + 1);
	outlet_deinit(&outlet);
}

static unsigned int n_empty;

static void count_empty(void *data)
{
	(void)data;
	n_empty++;
}

/* Without a reader, as many wait as there is room for; the rest is refused. */
Test(outlet, U34_too_many)
{
	static char text[1000];
	unsigned int n = 0;
	uint64_t n_waiting = 5, started_ns;

	open_datagrams();
	outlet.on_empty = count_empty;
	outlet_share_waiting(&outlet, &n_waiting);
	cr_expect_eq(outlet.n_lost[OUTLET_RECORD], 5u, "of a process that was killed");
	cr_expect_eq(n_waiting, 0u);
	outlet.n_lost[OUTLET_RECORD] = 0;
	while (!outlet_send(&outlet, OUTLET_RECORD, text, sizeof(text)))
		n++;
	cr_expect_gt(n, 1000u);
	cr_expect_lt(n, 1200u);
	cr_expect_eq(outlet.error, -EAGAIN);
	cr_expect_gt(n_waiting, n - 100);
	/* nor is anybody waited for longer than asked for */
	started_ns = clock_now_ns(CLOCK_MONOTONIC);
	cr_expect_eq(outlet_close(&outlet, 100 * NS_PER_MS), fds[1]);
	cr_expect_gt(clock_now_ns(CLOCK_MONOTONIC), started_ns + 90 * NS_PER_MS);
	cr_expect_eq(outlet.n_lost[OUTLET_LINE], 0u);
	cr_expect_gt(outlet.n_lost[OUTLET_RECORD], n - 100);
	cr_expect_eq(n_waiting, 0u);
	cr_expect_eq(n_empty, 0u);
}

/* A reader that is only slow gets everything before the end. */
Test(outlet, U34_finished_in_time)
{
	unsigned int n = 500;
	pid_t pid;

	open_datagrams();
	outlet.on_empty = count_empty;
	for (unsigned int i = 0; i < n; i++)
		cr_assert_eq(send_number(i), 0);
	pid = fork();
	if (pid == 0) {
		char text[16];

		for (unsigned int i = 0; i < n; i++)
			if (recv(fds[0], text, sizeof(text), 0) < 0)
				_exit(1);
		_exit(0);
	}
	(void)outlet_close(&outlet, 60 * NS_PER_S);
	cr_expect_eq(outlet.n_lost[OUTLET_RECORD], 0u);
	cr_expect_eq(n_empty, 1u);
	(void)kill(pid, SIGKILL);
}

/* The reader is gone: messages wait, but there is nothing to wait for at the end. */
Test(outlet, U34_nobody_reads)
{
	open_datagrams();
	close(fds[0]);
	cr_expect_eq(outlet_send(&outlet, OUTLET_RECORD, "1", 1), 0);
	cr_expect_eq(outlet_send(&outlet, OUTLET_RECORD, "2", 1), 0);
	cr_expect_eq(outlet.error, -ECONNREFUSED);
	(void)outlet_close(&outlet, 3600 * NS_PER_S);
	cr_expect_eq(outlet.n_lost[OUTLET_RECORD], 2u);
}

Test(outlet, too_long_for_a_datagram)
{
	static char text[1 << 19];

	open_datagrams();
	cr_expect_eq(outlet_send(&outlet, OUTLET_RECORD, text, sizeof(text)), -EMSGSIZE);
	while (!outlet_send(&outlet, OUTLET_LINE, text, 10) && queue_is_empty(&outlet.queue))
		;
	cr_expect_eq(outlet_send(&outlet, OUTLET_RECORD, text, sizeof(text)), 0, "not tried yet");
	cr_expect_eq(outlet_send(&outlet, OUTLET_LINE, text, 10), 0);
	while (recv(fds[0], text, sizeof(text), MSG_DONTWAIT) > 0)
		;
	outlet_flush(&outlet);
	cr_expect(queue_is_empty(&outlet.queue));
	cr_expect_eq(outlet.n_lost[OUTLET_RECORD], 1u);
	cr_expect_eq(outlet.n_lost[OUTLET_LINE], 0u);
}
