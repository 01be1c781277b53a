// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/watcher_audit.h"

#include <time.h>

#define NS_PER_S 1000000000ull

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void watcher_audit_sync(struct watcher_audit *audit)
{
	audit->wall_offset_ns = nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME);
}

static const char *subject_name(const struct watcher_audit *audit, uint32_t subject)
{
	return subject < audit->n_subjects ? audit->subjects[subject] : "unknown";
}

static const char *verb_name(uint32_t verb)
{
	switch (verb) {
	case KV_VERB_READ:
		return "read";
	case KV_VERB_WRITE:
		return "write";
	case KV_VERB_DELETE:
		return "delete";
	case KV_VERB_COMMIT:
		return "commit";
	case KV_VERB_LIST:
		return "list";
	case KV_VERB_WATCH:
		return "watch";
	case KV_VERB_RESTORE:
		return "restore";
	default:
		return "unknown";
	}
}

void watcher_audit_change(struct watcher_audit *audit, const struct kv_event *event,
			  const struct watcher_change *change)
{
	struct audit_entry entry = {
		.wall_ns = event->boot_ns + audit->wall_offset_ns,
		.sequence = event->revision,
		.revision = event->revision,
		.subject = subject_name(audit, event->subject),
		.verb = verb_name(event->verb),
		.path = change->key.path,
		.verdict = "ok",
		.value = change->operation == KV_CHANGE_WRITE ? change->text : NULL,
		.has_caller = true,
		.uid = event->uid,
		.pid = event->tgid,
	};

	audit_write(&audit->log, &entry);
}

void watcher_audit_denial(struct watcher_audit *audit, const struct kv_denial *denial)
{
	const char *verdict = audit_verdict(denial->verdict);
	struct audit_entry entry = {
		.wall_ns = denial->boot_ns + audit->wall_offset_ns,
		.sequence = denial->sequence,
		.subject = subject_name(audit, denial->subject),
		.verb = verb_name(denial->verb),
		.path = denial->path[0] ? denial->path : NULL,
		.verdict = verdict ? verdict : "unknown",
		.suppressed = denial->suppressed,
		.has_caller = true,
		.uid = denial->uid,
		.pid = denial->tgid,
	};

	audit_write(&audit->log, &entry);
}
