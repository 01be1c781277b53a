/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/audit.h"

#include <stdio.h>
#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/hash.h"
#include "userspace/common/log.h"

#define RETRY_NS NS_PER_S
#define REFUSALS_PER_SECOND 2

void watcher_audit_init(struct watcher_audit *audit)
{
	audit->log = AUDIT_NULL(audit->log);
	audit->refusals = bucket_full(REFUSALS_PER_SECOND, WATCHER_AUDIT_REFUSED);
}

void watcher_audit_load_status(struct watcher_audit *audit, const struct wanted *wanted)
{
	const struct kv_value *value = wanted_get(wanted, WATCHER_AUDIT_KEY);

	(void)snprintf(audit->written, sizeof(audit->written), "%.*s",
		       WATCHER_AUDIT_STATUS_SIZE - 1, value ? value->text : "");
}

uint64_t watcher_audit_retry(struct watcher_audit *audit, uint64_t now_ns)
{
	char reason[WATCHER_AUDIT_STATUS_SIZE - sizeof("error: ")];

	if (audit->retry_ns && audit->retry_ns <= now_ns) {
		audit->retry_ns = 0;
		(void)audit_retry(&audit->log);
	}
	if (!audit_describe_error(&audit->log, reason, sizeof(reason))) {
		audit->retry_ns = 0;
		if (audit->status[0] || audit->written[0])
			memcpy(audit->status, "ok", sizeof("ok"));
		return UINT64_MAX;
	}
	if (!audit->retry_ns)
		audit->retry_ns = now_ns + RETRY_NS;
	(void)snprintf(audit->status, sizeof(audit->status), "error: %s", reason);
	return audit->retry_ns;
}

void watcher_audit_sync(struct watcher_audit *audit)
{
	audit->wall_offset_ns = clock_now_ns(CLOCK_REALTIME) - clock_now_ns(CLOCK_BOOTTIME);
}

static const char *subject_name(const struct watcher_audit *audit, uint32_t subject)
{
	return subject < KV_SUBJECTS_MAX && audit->subjects[subject][0] ? audit->subjects[subject] :
									  "unknown";
}

/* Returns the description of a calf of this run, or NULL. */
static const struct description *find_description(const struct watcher_audit *audit,
						  const struct loaded *loaded, uint32_t subject)
{
	for (uint32_t i = 0; subject >= KV_SUBJECT_CALF && i < loaded->n_descriptions; i++)
		if (!strcmp(loaded->descriptions[i].name, subject_name(audit, subject)))
			return &loaded->descriptions[i];
	return NULL;
}

void watcher_audit_take_names(struct watcher_audit *audit, const struct kv_ctl *ctl)
{
	memcpy(audit->subjects, ctl->names, sizeof(audit->subjects));
	for (uint32_t i = 0; i < KV_SUBJECTS_MAX; i++)
		audit->subjects[i][KV_NAME_SIZE - 1] = '\0';
}

/* A gateway is never root, and what is root commits no deletions but of the host's keys.
 * That does not depend on who reads the record: a later run, with other calves, says the
 * same. */
static bool is_orphan(const struct kv_event *event, const struct record_change *change)
{
	return event->uid == 0 && event->verb == KV_VERB_COMMIT &&
	       change->operation == KV_CHANGE_DELETE && !description_is_host_path(change->key.path);
}

static const char *verb_name(uint32_t verb)
{
	switch (verb) {
	case KV_VERB_DENIAL:
		return "denial";
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
	case KV_VERB_BATCH:
		return "batch";
	default:
		return "unknown";
	}
}

int watcher_audit_change(struct watcher_audit *audit, const struct kv_event *event,
			 const struct record_change *change)
{
	struct audit_entry entry = {
		.wall_ns = event->boot_ns + audit->wall_offset_ns,
		.sequence = event->revision,
		.revision = event->revision,
		.subject = subject_name(audit, event->subject),
		.verb = is_orphan(event, change) ? "orphan" : verb_name(event->verb),
		.path = change->key.path,
		.verdict = "ok",
		.value = change->operation == KV_CHANGE_WRITE ? change->text : NULL,
		.has_caller = true,
		.uid = event->uid,
		.pid = event->tgid,
	};

	return audit_write(&audit->log, &entry);
}

/* The supervisor notes that a calf has broken the protocol of its gateway, in its own name,
 * so that no calf can use up the rate; the path is the calf. */
static bool is_malformed_message(const struct kv_denial *denial)
{
	return denial->subject == KV_SUBJECT_SUPERVISOR && denial->verb == KV_VERB_NONE &&
	       denial->path[0] == '/';
}

int watcher_audit_denial(struct watcher_audit *audit, const struct kv_denial *denial)
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

	if (is_malformed_message(denial)) {
		entry.subject = denial->path + 1;
		entry.verb = "malformed";
		entry.path = NULL;
		entry.reason = "control message";
	}
	return audit_write(&audit->log, &entry);
}

int watcher_audit_malformed(struct watcher_audit *audit, const struct record_origin *origin,
			    const char *ring, const void *record, size_t size)
{
	char described[RECORD_TEXT_SIZE], reason[RECORD_TEXT_SIZE + 32];
	struct audit_entry entry = {
		.wall_ns = clock_now_ns(CLOCK_REALTIME),
		.subject = "kernel",
		.verb = "malformed",
		.verdict = "EBADMSG",
		.reason = reason,
	};
	int r;

	record_describe(record, size, described);
	(void)snprintf(reason, sizeof(reason), "%s ring: record of %s", ring, described);
	if (origin) {
		entry.wall_ns = origin->boot_ns + audit->wall_offset_ns;
		entry.sequence = origin->revision ? origin->revision : origin->sequence;
		entry.revision = origin->revision;
		entry.subject = subject_name(audit, origin->subject);
		entry.has_caller = true;
		entry.uid = origin->uid;
		entry.pid = origin->tgid;
	}
	r = audit_write(&audit->log, &entry);
	if (!r)
		log_error("malformed record of subject %s: %s", entry.subject, reason);
	return r;
}

int watcher_audit_listed(struct watcher_audit *audit, const struct wanted_key *key)
{
	struct audit_entry entry = {
		.wall_ns = key->value.boot_ns + audit->wall_offset_ns,
		.revision = key->value.revision,
		.subject = subject_name(audit, key->value.subject),
		.verb = "list",
		.path = key->key.path,
		.verdict = "ok",
		.value = key->value.text,
		.reason = "covered by list",
	};

	return audit_write(&audit->log, &entry);
}

/* One commit may contain several refused keys, so the path counts, too. */
static uint64_t digest(uint64_t revision, const char *path, const char *reason)
{
	return hash_text(hash_text(HASH_START ^ revision, path), reason);
}

/* Find or add a refusal. Returns true if it was logged already. */
static bool was_logged(struct watcher_audit *audit, uint64_t digest, bool **is_writtenp)
{
	uint32_t i = 0;
	bool was;

	while (i < WATCHER_AUDIT_REFUSED && audit->refused[i].digest != digest)
		i++;
	was = i < WATCHER_AUDIT_REFUSED;
	if (!was) {
		i = audit->i_refused;
		audit->i_refused = (i + 1) % WATCHER_AUDIT_REFUSED;
		audit->refused[i].digest = digest;
		audit->refused[i].is_written = false;
	}
	*is_writtenp = &audit->refused[i].is_written;
	return was;
}

/* Returns 0, also if it is over the rate; or -EAGAIN if nothing takes the record: then
 * call it again. */
static int record_refusal(struct watcher_audit *audit, struct audit_entry *entry, const char *what)
{
	bool *is_written;
	int r = 0;

	if (!was_logged(audit, digest(entry->revision, entry->path, entry->reason), &is_written)) {
		if (!bucket_take(&audit->refusals, 1, clock_now_ns(CLOCK_BOOTTIME))) {
			audit->n_suppressed++;
			*is_written = true;
			return 0;
		}
		log_warning("%s: %s: %s", entry->path, what, entry->reason);
	}
	if (*is_written)
		return 0;
	entry->suppressed = audit->n_suppressed;
	r = audit_write(&audit->log, entry);
	if (r)
		return r;
	audit->n_suppressed = 0;
	*is_written = true;
	return 0;
}

int watcher_audit_type(struct watcher_audit *audit, const struct loaded *loaded,
		       const struct kv_event *event, const struct record_change *change)
{
	const struct description *description = find_description(audit, loaded, event->subject);
	const struct key_rule *key;
	char reason[64];
	struct audit_entry entry = {
		.wall_ns = event->boot_ns + audit->wall_offset_ns,
		.revision = event->revision,
		.subject = subject_name(audit, event->subject),
		.verb = "configure",
		.path = change->key.path,
		.verdict = "refused",
		.reason = reason,
		.has_caller = true,
		.uid = event->uid,
		.pid = event->tgid,
	};

	if (change->operation != KV_CHANGE_WRITE || change->is_secret || !description)
		return 0;
	key = description_find_key(description, change->key.path);
	if (!key || !value_check(&key->rule, change->text, change->length))
		return 0;
	(void)snprintf(reason, sizeof(reason), "not a valid %s", value_type_name(key->rule.type));
	return record_refusal(audit, &entry, "refused");
}

void watcher_audit_refusal(struct watcher_audit *audit, const struct wanted *wanted,
			   const char *path, const char *reason, bool is_used)
{
	const struct kv_value *value = wanted_get(wanted, path);
	struct audit_entry entry = {
		.wall_ns = clock_now_ns(CLOCK_REALTIME),
		.verb = "configure",
		.path = path,
		.verdict = is_used ? "warned" : "refused",
		.reason = reason,
	};

	if (!value)
		return;
	entry.subject = subject_name(audit, value->subject);
	entry.revision = value->revision;
	audit->must_repeat |=
		record_refusal(audit, &entry,
			       is_used ? "used in spite of the witness" : "refused") != 0;
}
