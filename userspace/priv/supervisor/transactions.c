/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: too many transactions, in the log
 *
 * The frame programs drop a request that begins more transactions than the operator
 * allows, count it, and tell nobody. So the supervisor looks at the counter.
 */
#include <inttypes.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define LOOK_NS (10 * NS_PER_S)
/* after a line: the next one says how many were dropped since */
#define QUIET_NS (3600 * NS_PER_S)

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervisor *s = data;
	uint64_t n = 0, next_ns = LOOK_NS;
	int r = frames_count(&s->frames, FRAME_OUT_TRANSACTIONS, &n);

	(void)loop;
	if (n > s->n_transactions_refused) {
		log_error("%s: %" PRIu64
			  " requests of the calf dropped: more than %u new transactions an hour; a "
			  "server may refuse each lease, or the calf was taken over: see calfpen "
			  "frames --reason out_transactions, and transactions_per_hour",
			  s->uplink.name, n - s->n_transactions_refused,
			  s->configuration.transactions_per_hour);
		next_ns = QUIET_NS;
	}
	if (!r)
		s->n_transactions_refused = n;
	loop_timer_set(&s->transactions_timer, now_ns + next_ns);
	return 0;
}

int supervisor_watch_transactions(struct supervisor *s)
{
	int r = loop_add_timer(&s->loop, &s->transactions_timer, on_timer, s);

	if (!r && s->frames.tc)
		loop_timer_set(&s->transactions_timer, loop_now_ns() + LOOK_NS);
	return r;
}
