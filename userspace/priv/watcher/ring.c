/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the watcher's two rings. It is the only consumer of both.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/record.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/watcher-private.h"

/* The operator's request to a calf, /control/CALF/renew. To renew a lease of which the
 * host has lost the address is of no use, so that comes back, too. */
#define REQUESTS "/control/"
#define RENEW "/renew"

/* While the audit log takes nothing, the rings are readable all the time, so they are
 * looked at this often instead. */
#define BLOCKED_NS (50 * NS_PER_MS)

/*
 * A record that the gate cannot have written is audited with what the kernel put into it,
 * and the supervisor is told whose it is: it ends the gateway of that calf. (If the pipe
 * is full, the supervisor has been told already.) Returns as a ring_record_fn.
 */
static int refuse_record(struct watcher *watcher, const char *ring, const void *record, size_t size)
{
	struct record_origin origin;
	bool is_known = record_origin(record, size, &origin);
	uint8_t subject;

	if (watcher_audit_malformed(&watcher->audit, is_known ? &origin : NULL, ring, record, size))
		return RING_KEEP;
	if (is_known && origin.revision)
		gaps_note(&watcher->gaps, origin.revision, false);
	if (!is_known || origin.subject < KV_SUBJECT_CALF || origin.subject >= KV_SUBJECTS_MAX)
		return 0;
	subject = (uint8_t)origin.subject;
	if (write(WATCHER_FD_BREACHES, &subject, sizeof(subject)) < 0)
		log_debug("the supervisor does not read whose records are malformed: %m");
	return 0;
}

static bool is_renewal(const char *path)
{
	const char *end;

	if (strncmp(path, REQUESTS, strlen(REQUESTS)) != 0)
		return false;
	end = strchr(path + strlen(REQUESTS), '/');
	return end && !strcmp(end, RENEW);
}

static void apply_change(struct watcher *watcher, const struct kv_event *event,
			 const struct record_change *change)
{
	static struct kv_value value;

	reconcile_mark_path(&watcher->reconciler, change->key.path);
	watcher_persist_mark_path(&watcher->persist, change->key.path, event->revision);
	if (change->operation == KV_CHANGE_DELETE) {
		wanted_remove(&watcher->wanted, &change->key, event->revision);
		return;
	}
	if (is_renewal(change->key.path))
		watcher->must_repair = true;
	value.revision = event->revision;
	value.boot_ns = event->boot_ns;
	value.length = change->length;
	value.flags = change->is_secret ? KV_VALUE_SECRET | KV_VALUE_HIDDEN : 0;
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
	uint32_t *n_done = &watcher->audit.n_done, n = 0;

	if (record_commit_init(&event, record, size))
		return refuse_record(watcher, "change", record, size);
	while (record_commit_next(&event, &change)) {
		if (n++ == *n_done && watcher_audit_change(&watcher->audit, &event.header, &change))
			return RING_KEEP;
		*n_done = n > *n_done ? n : *n_done;
		if (n++ == *n_done &&
		    watcher_audit_type(&watcher->audit, &watcher->loaded, &event.header, &change))
			return RING_KEEP;
		*n_done = n > *n_done ? n : *n_done;
	}
	*n_done = 0;
	gaps_note(&watcher->gaps, event.header.revision, true);
	return 0;
}

static int audit_denial(void *data, const void *record, size_t size)
{
	struct watcher *watcher = data;
	struct kv_denial denial;

	if (record_denial_init(&denial, record, size))
		return refuse_record(watcher, "refusal", record, size);
	return watcher_audit_denial(&watcher->audit, &denial) ? RING_KEEP : 0;
}

void watcher_ring_look(struct watcher *watcher)
{
	if (ring_look(&watcher->events, apply_event, watcher) < 0) {
		watcher->must_list = true;
		gaps_note_damage(&watcher->gaps);
	}
}

/* Write a line for each key of which the record is missing or malformed, when the list
 * has the values. Returns true if the log does not take all of them: then all are written
 * again. */
static bool audit_gaps(struct watcher *watcher)
{
	const struct wanted *wanted = &watcher->wanted;

	if (!watcher->gaps.n || watcher->must_list)
		return false;
	for (uint32_t i = 0; i < wanted->n_keys; i++)
		if (gaps_contain(&watcher->gaps, wanted->keys[i]->value.revision) &&
		    watcher_audit_listed(&watcher->audit, wanted->keys[i]))
			return true;
	gaps_clear(&watcher->gaps);
	return false;
}

void watcher_ring_audit(struct watcher *watcher)
{
	int r_events, r_denials;
	bool is_blocked;

	watcher_audit_sync(&watcher->audit);
	r_events = ring_consume_seen(&watcher->events, audit_event, watcher);
	if (r_events < 0) {
		log_error("change ring: %s; listing the store again", strerror(-r_events));
		watcher->audit.n_done = 0;
		watcher->must_list = true;
		gaps_note_damage(&watcher->gaps);
	}
	is_blocked = audit_gaps(watcher);
	r_denials = ring_consume(&watcher->denials, audit_denial, watcher);
	if (r_denials < 0)
		log_error("refusal ring: %s", strerror(-r_denials));
	watcher->is_blocked = is_blocked || r_events == RING_KEEP || r_denials == RING_KEEP;
}

uint64_t watcher_ring_poll(struct watcher *watcher)
{
	short events = watcher->is_blocked ? 0 : POLLIN;

	(void)loop_set_events(&watcher->loop, WATCHER_FD_EVENTS, events);
	(void)loop_set_events(&watcher->loop, WATCHER_FD_DENIALS, events);
	return watcher->is_blocked ? watcher->loop.now_ns() + BLOCKED_NS : UINT64_MAX;
}
