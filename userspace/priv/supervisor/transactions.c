/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: too many transactions, in the log
 *
 * The frame programs drop a request that begins more transactions than the operator
 * allows, count it, and tell nobody. So the supervisor looks at the counters: each calf has
 * its own, and none of them keeps a line about another from being logged.
 */
#include <inttypes.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define LOOK_NS (10 * NS_PER_S)
/* after a line about a calf: the next one says how many were dropped since */
#define QUIET_NS (3600 * NS_PER_S)

static void look(struct supervisor *s, uint32_t calf, uint64_t now_ns)
{
	uint64_t n = 0, n_before = s->transactions[calf].n_refused;

	if (now_ns < s->transactions[calf].quiet_ns ||
	    frames_count(&s->frames, 1 + calf, FRAME_OUT_TRANSACTIONS, &n) || n <= n_before)
		return;
	log_error("%s: %" PRIu64
		  " requests of the calf %s dropped: more than %u new transactions an hour; a "
		  "server may refuse each lease, or the calf was taken over: see calfpen "
		  "frames --reason out_transactions, and transactions_per_hour",
		  s->uplink.name, n - n_before, s->framed[calf]->name,
		  s->configuration.transactions_per_hour);
	s->transactions[calf].n_refused = n;
	s->transactions[calf].quiet_ns = now_ns + QUIET_NS;
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervisor *s = data;

	(void)loop;
	for (uint32_t calf = 0; calf < FRAME_CALVES_MAX; calf++)
		if (s->framed[calf])
			look(s, calf, now_ns);
	loop_timer_set(&s->transactions_timer, now_ns + LOOK_NS);
	return 0;
}

int supervisor_watch_transactions(struct supervisor *s)
{
	int r = loop_add_timer(&s->loop, &s->transactions_timer, on_timer, s);

	if (!r && supervisor_has_frames(s))
		loop_timer_set(&s->transactions_timer, s->loop.now_ns() + LOOK_NS);
	return r;
}
