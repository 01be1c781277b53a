/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens on the host beside the store: the uplink goes, comes back, is
 * renamed or set up; addresses, routes and files are changed. The watcher
 * learns of it by netlink events and inotify, and says of the uplink in /link
 * what calves need to know.
 * Nothing here changes the host.
 */
#ifndef CALFPEN_PRIV_WATCHER_HOST_H
#define CALFPEN_PRIV_WATCHER_HOST_H

#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/netlink/netlink.h"
#include "userspace/priv/watcher/files.h"
#include "userspace/priv/watcher/link_key.h"
#include "userspace/priv/watcher/reconcile.h"

struct watcher_host {
	struct netlink *events;
	const char *uplink; /* its name as the operator gave it; lives as long as this */
	struct handler_context *context;
	struct reconciler *reconciler;
	struct netlink_link link; /* the uplink as last seen */
	struct watcher_files files;
	uint64_t check_ns;	    /* when doubtful handlers are checked, UINT64_MAX: none is */
	uint64_t check_earliest_ns; /* not before */
	struct link_key key;	    /* what /link says of it */
};

/* Begin to listen; opens descriptors, so before confine_enter(). context has its
 * netlink and configuration. 0, or a negative errno. */
int watcher_host_init(struct watcher_host *host, const char *uplink,
		      struct handler_context *context, struct reconciler *reconciler);
/* Legal if init failed. */
void watcher_host_deinit(struct watcher_host *host);

/*
 * Look for the uplink: by its index as long as that device is there, whatever
 * its name is, else by its name; `ifindex` is where to begin, 0: the name.
 * Sets context->uplink_ifindex, 0 if there is none.
 */
void watcher_host_find(struct watcher_host *host, int ifindex);

/* Take the events that have come; the handlers that they concern are marked,
 * or doubtful from now on. */
void watcher_host_drain(struct watcher_host *host);

/*
 * Check the doubtful handlers if it is time to: a moment after the first
 * change, when all of it has come, and for no more than a twentieth of the
 * time, for on a router the table changes without end. When to come again,
 * UINT64_MAX: not before the next event.
 */
uint64_t watcher_host_check(struct watcher_host *host, const struct wanted *wanted,
			    uint64_t (*now_ns)(void));

#endif
