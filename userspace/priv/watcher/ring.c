/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the watcher's two rings. It is the only consumer of both.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/record.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/watcher-private.h"

/* The operator's request to the calf. To renew a lease of which the host has lost
 * the address is of no use, so that comes back, too. */
#define RENEW_KEY "/control/renew"

/*
 * A record that the gate cannot have written is audited with what the kernel put into it,
 * and the supervisor is told whose it is: it ends the gateway of that calf. (If the pipe
 * is full, the supervisor has been told already.)
 */
static void refuse_record(struct watcher *watcher, const char *ring, const void *record,
			  size_t size)
{
	struct record_origin origin;
	bool is_known = record_origin(record, size, &origin);
	uint8_t subject;

	watcher_audit_malformed(&watcher->audit, is_known ? &origin : NULL, ring, record, size);
	if (is_known && origin.revision)
		gaps_note(&watcher->gaps, origin.revision, false);
	if (!is_known || origin.subject < KV_SUBJECT_CALF || origin.subject >= KV_SUBJECTS_MAX)
		return;
	subject = (uint8_t)origin.subject;
	if (write(WATCHER_FD_BREACHES, &subject, sizeof(subject)) < 0)
		log_debug("the supervisor does not read whose records are malformed: %m");
}

static void apply_change(struct watcher *watcher, const struct kv_event *event,
			 const struct record_change *change)
{
	static struct kv_value value;

	reconcile_mark_path(&watcher->reconciler, change->key.path);
	if (change->operation == KV_CHANGE_DELETE) {
		wanted_remove(&watcher->wanted, &change->key, event->revision);
		return;
	}
	if (!strcmp(change->key.path, RENEW_KEY))
		watcher->must_repair = true;
	value.revision = event->revision;
	value.boot_ns = event->boot_ns;
	value.length = change->length;
	value.subject = event->subject;
	memcpy(value.text, change->text, change->length);
	value.text[change->length] = '\0';
	if (wanted_set(&watcher->wanted, &change->key, &value))
		watcher->must_list = true;
}

static int apply_event(void *data, const void *record, size_t size)
{
	struct watcher *watcher = data;
	struct wanted *wanted = &watcher->wanted;
	struct record_commit event;
	struct record_change change;
	bool is_next;

	if (record_commit_init(&event, record, size)) {
		watcher->must_list = true;
		return 0;
	}
	is_next = event.header.revision == wanted->revision + 1;
	if (event.header.revision > wanted->revision && !is_next)
		watcher->must_list = true;
	/* Changes that the list includes, or the next list will, are not applied. */
	while (is_next && !watcher->must_list && record_commit_next(&event, &change))
		apply_change(watcher, &event.header, &change);
	if (is_next)
		wanted->revision = event.header.revision;
	return 0;
}

static int audit_event(void *data, const void *record, size_t size)
{
	struct watcher *watcher = data;
	struct record_commit event;
	struct record_change change;

	if (record_commit_init(&event, record, size)) {
		refuse_record(watcher, "change", record, size);
	} else {
		while (record_commit_next(&event, &change)) {
			watcher_audit_change(&watcher->audit, &event.header, &change);
			watcher_persist_mark_path(&watcher->persist, change.key.path,
						  event.header.revision);
		}
		gaps_note(&watcher->gaps, event.header.revision, true);
	}
	return 0;
}

static int audit_denial(void *data, const void *record, size_t size)
{
	struct watcher *watcher = data;
	struct kv_denial denial;

	if (record_denial_init(&denial, record, size))
		refuse_record(watcher, "refusal", record, size);
	else
		watcher_audit_denial(&watcher->audit, &denial);
	return 0;
}

void watcher_ring_look(struct watcher *watcher)
{
	if (ring_look(&watcher->events, apply_event, watcher) < 0) {
		watcher->must_list = true;
		gaps_note_damage(&watcher->gaps);
	}
}

/* Write a line for each key of which the record is missing or malformed, when the list
 * has the values. */
static void audit_gaps(struct watcher *watcher)
{
	const struct wanted *wanted = &watcher->wanted;

	if (!watcher->gaps.n || watcher->must_list)
		return;
	for (uint32_t i = 0; i < wanted->n_keys; i++)
		if (gaps_contain(&watcher->gaps, wanted->keys[i]->value.revision))
			watcher_audit_listed(&watcher->audit, wanted->keys[i]);
	gaps_clear(&watcher->gaps);
}

void watcher_ring_audit(struct watcher *watcher)
{
	int r;

	watcher_audit_sync(&watcher->audit);
	r = ring_consume_seen(&watcher->events, audit_event, watcher);
	if (r < 0) {
		log_error("change ring: %s; listing the store again", strerror(-r));
		watcher->must_list = true;
		gaps_note_damage(&watcher->gaps);
	}
	audit_gaps(watcher);
	r = ring_consume(&watcher->denials, audit_denial, watcher);
	if (r < 0)
		log_error("refusal ring: %s", strerror(-r));
}
