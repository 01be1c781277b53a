/* SPDX-License-Identifier: Apache-2.0 */
/* What the watcher holds, for watcher.c and ring.c. */
#ifndef CALFPEN_PRIV_WATCHER_WATCHER_PRIVATE_H
#define CALFPEN_PRIV_WATCHER_WATCHER_PRIVATE_H

#include "userspace/common/commit.h"
#include "userspace/common/loop.h"
#include "userspace/common/ring.h"
#include "userspace/priv/description/configuration.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/options.h"
#include "userspace/priv/store/wanted.h"
#include "userspace/priv/watcher/audit.h"
#include "userspace/priv/watcher/host.h"
#include "userspace/priv/watcher/persist.h"
#include "userspace/priv/watcher/reconcile.h"

struct watcher {
	const struct options *options;
	struct description *descriptions;
	struct configuration configuration;
	struct handler_context context;
	struct handlers_state handlers;
	struct watcher_audit audit;
	struct wanted wanted;
	struct reconciler reconciler;
	struct watcher_persist persist;
	struct watcher_host host;
	struct ring events, denials;
	struct loop loop;
	struct loop_timer timer;
	int signal_fd;
	bool must_list;
	uint64_t list_ns; /* not before */
	unsigned int n_list_failures;
	uint64_t status_ns; /* not before */
	unsigned int n_status_failures;
	struct commit commit;
};

/* ring.c */

/* Take what is in the ring of changes into the wanted state, once: marked are
 * the handlers concerned, or must_list. It stays in the ring. */
void watcher_ring_look(struct watcher *watcher);

/*
 * Write to the audit log what was looked at, and what was refused, note what is
 * to be saved of it, and let it leave the rings. The host need not wait for that, so it comes after the
 * pass; a watcher that ends before leaves it to the next one, which does it
 * first.
 */
void watcher_ring_audit(struct watcher *watcher);

#endif
