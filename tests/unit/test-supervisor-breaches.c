/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway of a subject whose record is malformed ends, and no other. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "tests/unit/capture.h"
#include "userspace/common/clock.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define N_PAIRS 3

/* As if calves had been removed, and others named in another order than before. */
static const uint32_t numbers[N_PAIRS] = { KV_SUBJECT_CALF + 7, KV_SUBJECT_CALF,
					   KV_SUBJECTS_MAX - 1 };

static struct supervisor s;
static struct loop_timer timer;
static struct description descriptions[N_PAIRS];

static int stop(struct loop *loop, uint64_t now_ns, void *data)
{
	(void)now_ns;
	(void)data;
	loop->stop = true;
	return 0;
}

static void begin(void)
{
	capture_begin();
	loop_init(&s.loop);
	s.n_pairs = N_PAIRS;
	for (uint32_t i = 0; i < N_PAIRS; i++) {
		(void)snprintf(descriptions[i].name, sizeof(descriptions[i].name), "calf%u", i);
		s.pairs[i].pair.description = &descriptions[i];
		s.pairs[i].pair.number = numbers[i];
		s.pairs[i].pair.gateway_pid = fork();
		cr_assert_geq(s.pairs[i].pair.gateway_pid, 0);
		if (!s.pairs[i].pair.gateway_pid)
			for (;;)
				pause();
	}
	cr_assert_eq(supervisor_watch_breaches(&s), 0);
	cr_assert_eq(loop_add_timer(&s.loop, &timer, stop, NULL), 0);
}

static void end(void)
{
	for (uint32_t i = 0; i < N_PAIRS; i++)
		if (s.pairs[i].pair.gateway_pid > 0) {
			(void)kill(s.pairs[i].pair.gateway_pid, SIGKILL);
			(void)waitpid(s.pairs[i].pair.gateway_pid, NULL, 0);
		}
}

TestSuite(supervisor_breaches, .init = begin, .fini = end);

/* Let the supervisor read what the watcher has written. */
static void tell(const uint8_t *subjects, size_t n)
{
	cr_assert_eq(write(s.breaches[1], subjects, n), (ssize_t)n);
	s.loop.stop = false;
	loop_timer_set(&timer, s.loop.now_ns() + 50 * NS_PER_MS);
	cr_assert_eq(loop_run(&s.loop), 0);
}

static bool is_running(uint32_t i)
{
	return waitpid(s.pairs[i].pair.gateway_pid, NULL, WNOHANG) == 0;
}

Test(supervisor_breaches, F1_the_gateway_of_that_subject_ends)
{
	const uint8_t subjects[] = { KV_SUBJECT_CALF, KV_SUBJECT_CALF };
	int status;

	tell(subjects, sizeof(subjects));
	cr_assert_eq(waitpid(s.pairs[1].pair.gateway_pid, &status, 0), s.pairs[1].pair.gateway_pid);
	s.pairs[1].pair.gateway_pid = 0;
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%x", status);
	cr_expect(is_running(0) && is_running(2));
	cr_expect_str_eq(capture_text(), "calf1: a record of its changes or refusals is malformed; "
					 "ending the gateway\n");
	tell(subjects, 1); /* it is gone */
	cr_expect(is_running(0) && is_running(2));
}

/* Only calves have gateways. */
Test(supervisor_breaches, F1_others_are_left_alone)
{
	const uint8_t subjects[] = {
		KV_SUBJECT_SUPERVISOR, KV_SUBJECT_WATCHER,
		KV_SUBJECT_OPERATOR,   KV_SUBJECT_CALF + 1, /* not of this start */
		KV_SUBJECT_CALF + 2,   64,
		64 + KV_SUBJECT_CALF,  255
	};

	tell(subjects, sizeof(subjects));
	for (uint32_t i = 0; i < N_PAIRS; i++)
		cr_expect(is_running(i), "%u", i);
	cr_expect_str_eq(capture_text(), "");
}
