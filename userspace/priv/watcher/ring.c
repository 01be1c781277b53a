/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the watcher's two rings. It is the only consumer of both.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/common/record.h"
#include "userspace/priv/watcher/watcher-private.h"

/* The operator's request to the calf. To renew a lease of which the host has lost
 * the address is of no use, so that comes back, too. */
#define RENEW_KEY "/control/renew"

static void refuse_record(struct watcher *watcher, const char *ring, size_t size)
{
	char reason[64];

	(void)snprintf(reason, sizeof(reason), "%s ring: record of %zu bytes", ring, size);
	log_error("%s: malformed; ignoring it", reason);
	audit_malformed(&watcher->audit.log, "kernel", reason);
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

	if (record_commit_init(&event, record, size))
		refuse_record(watcher, "change", size);
	else
		while (record_commit_next(&event, &change)) {
			watcher_audit_change(&watcher->audit, &event.header, &change);
			watcher_persist_mark_path(&watcher->persist, change.key.path,
						  event.header.revision);
		}
	return 0;
}

static int audit_denial(void *data, const void *record, size_t size)
{
	struct watcher *watcher = data;
	struct kv_denial denial;

	if (record_denial_init(&denial, record, size))
		refuse_record(watcher, "refusal", size);
	else
		watcher_audit_denial(&watcher->audit, &denial);
	return 0;
}

void watcher_ring_look(struct watcher *watcher)
{
	if (ring_look(&watcher->events, apply_event, watcher) < 0)
		watcher->must_list = true;
}

void watcher_ring_audit(struct watcher *watcher)
{
	int r;

	watcher_audit_sync(&watcher->audit);
	r = ring_consume_seen(&watcher->events, audit_event, watcher);
	if (r < 0) {
		log_error("change ring: %s; listing the store again", strerror(-r));
		watcher->must_list = true;
	}
	r = ring_consume(&watcher->denials, audit_denial, watcher);
	if (r < 0)
		log_error("refusal ring: %s", strerror(-r));
}
