/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the end of the quarantine, in the log
 *
 * The frame programs end it, when they see the watcher's key or the deadline at a
 * frame (frame_quarantine.bpf.h), and tell nobody. Until then the supervisor looks at
 * the same two things.
 */
#include <errno.h>

#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/priv/supervisor/supervisor-private.h"

#define LOOK_NS (NS_PER_S / 2)

/* Returns true if the quarantine has ended, after logging it. */
static bool log_end(const struct supervisor *s, uint64_t now_ns)
{
	const char *uplink = s->uplink.name;
	struct kv_value value;
	int r = gate_read(s->store.gate_fds[KV_SUBJECT_SUPERVISOR], FRAME_QUARANTINE_KEY, &value);

	if (!r)
		log_info("quarantine: %s accepts all frames: %s", uplink, value.text);
	else if (r == -ENOENT && now_ns >= s->quarantine.deadline_ns)
		log_warning("quarantine: %s accepts all frames: no lease within %u s", uplink,
			    s->configuration.quarantine_s);
	else
		return false;
	return true;
}

static int on_timer(struct loop *loop, uint64_t now_ns, void *data)
{
	struct supervisor *s = data;
	uint64_t next_ns = now_ns + LOOK_NS, deadline_ns = s->quarantine.deadline_ns;

	(void)loop;
	if (log_end(s, now_ns))
		return 0;
	if (now_ns < deadline_ns && deadline_ns < next_ns)
		next_ns = deadline_ns;
	loop_timer_set(&s->quarantine_timer, next_ns);
	return 0;
}

int supervisor_watch_quarantine(struct supervisor *s)
{
	int r = loop_add_timer(&s->loop, &s->quarantine_timer, on_timer, s);

	if (r || !s->quarantine.deadline_ns)
		return r;
	if (s->quarantine.opened_by) {
		log_info("quarantine: %s accepts all frames: it still has the address of a lease",
			 s->uplink.name);
		return 0;
	}
	log_info("quarantine: %s accepts only ARP until there is a lease, for at most %u s",
		 s->uplink.name, s->configuration.quarantine_s);
	loop_timer_set(&s->quarantine_timer, loop_now_ns() + LOOK_NS);
	return 0;
}

void supervisor_end_quarantine(const struct supervisor *s)
{
	if (s->quarantine_timer.call && s->quarantine_timer.deadline_ns != LOOP_NEVER)
		log_info("quarantine: %s accepts all frames: the instance stops", s->uplink.name);
}
