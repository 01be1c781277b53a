/* SPDX-License-Identifier: Apache-2.0 */
/* The keys below /status: what the watcher reports of handlers, of what it saves and
 * of itself. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "maps/frame.h"
#include "userspace/common/backoff.h"
#include "userspace/common/clock.h"
#include "userspace/common/gate.h"
#include "userspace/common/log.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/watcher-private.h"

#define WATCHER_INSTANCE_KEY "/status/instance"

void watcher_status_load(struct watcher *watcher)
{
	const struct kv_value *value = wanted_get(&watcher->wanted, WATCHER_INSTANCE_KEY);

	reconcile_load_status(&watcher->reconciler, &watcher->wanted);
	watcher_audit_load_status(&watcher->audit, &watcher->wanted);
	(void)snprintf(watcher->instance_written, sizeof(watcher->instance_written), "%.*s",
		       (int)sizeof(watcher->instance_written) - 1, value ? value->text : "");
}

static int add_status(struct watcher *watcher, const char *path, const char *status,
		      const char *written)
{
	if (!strcmp(status, written))
		return 0;
	return commit_write(&watcher->commit, path, status, strlen(status));
}

/* Open the quarantine: the frame programs are told when this key is there. Once written,
 * it stays until the instance stops. */
static int add_quarantine(struct watcher *watcher)
{
	const struct kv_value *ip = wanted_get(&watcher->wanted, "/ip");
	char text[sizeof("opened by ") + VALUE_IPV4_NET_SIZE];

	if (!watcher->loaded.configuration->quarantine_s || !watcher->context.is_leased || !ip ||
	    wanted_get(&watcher->wanted, FRAME_QUARANTINE_KEY))
		return 0;
	(void)snprintf(text, sizeof(text), "opened by %.*s", VALUE_IPV4_NET_SIZE - 1, ip->text);
	return commit_write(&watcher->commit, FRAME_QUARANTINE_KEY, text, strlen(text));
}

void watcher_status_set_running(struct watcher *watcher, bool is_running)
{
	char time[CLOCK_SECONDS_SIZE];

	if (is_running)
		(void)snprintf(watcher->instance_status, sizeof(watcher->instance_status),
			       "running, process %d", (int)getppid());
	else if (!clock_format_utc_s((int64_t)(clock_now_ns(CLOCK_REALTIME) / NS_PER_S), time))
		(void)snprintf(watcher->instance_status, sizeof(watcher->instance_status),
			       "stopped at %s", time);
	watcher->status_ns = 0; /* now, also after failures */
}

void watcher_status_write(struct watcher *watcher)
{
	struct watcher_persist *persist = &watcher->persist;
	struct watcher_audit *audit = &watcher->audit;
	struct reconciler *reconciler = &watcher->reconciler;
	uint64_t now_ns = watcher->loop.now_ns();
	char path[KV_PATH_SIZE];
	int r = 0;

	if (now_ns < watcher->status_ns)
		return;
	commit_init(&watcher->commit);
	for (uint32_t i = 0; i < reconciler->n_handlers && !r; i++) {
		(void)snprintf(path, sizeof(path), "/status/%s", reconciler->handlers[i]->name);
		r = add_status(watcher, path, reconciler->state[i].status,
			       reconciler->state[i].written);
	}
	if (!r && persist->status[0])
		r = add_status(watcher, WATCHER_PERSIST_KEY, persist->status, persist->written);
	if (!r && audit->status[0])
		r = add_status(watcher, WATCHER_AUDIT_KEY, audit->status, audit->written);
	if (!r)
		r = add_status(watcher, WATCHER_INSTANCE_KEY, watcher->instance_status,
			       watcher->instance_written);
	if (!r)
		r = add_quarantine(watcher);
	if (!r)
		r = reconcile_add_metrics(reconciler, &watcher->wanted, now_ns, &watcher->commit);
	if (!r && !watcher->commit.n_changes)
		return;
	if (!r)
		r = gate_commit(WATCHER_FD_GATE, &watcher->commit, NULL, NULL);
	if (r) {
		if (!watcher->n_status_failures++)
			log_warning("cannot write /status: %s; retrying", strerror(-r));
		watcher->status_ns = now_ns + backoff_ns(watcher->n_status_failures, BACKOFF_MIN_NS,
							 BACKOFF_MAX_NS);
		return;
	}
	watcher->n_status_failures = 0;
	watcher->status_ns = 0;
	reconcile_metrics_written(reconciler, now_ns);
	for (uint32_t i = 0; i < reconciler->n_handlers; i++)
		memcpy(reconciler->state[i].written, reconciler->state[i].status,
		       RECONCILE_STATUS_SIZE);
	memcpy(persist->written, persist->status, RECONCILE_STATUS_SIZE);
	memcpy(watcher->instance_written, watcher->instance_status,
	       sizeof(watcher->instance_written));
	if (audit->status[0])
		memcpy(audit->written, audit->status, WATCHER_AUDIT_STATUS_SIZE);
}
