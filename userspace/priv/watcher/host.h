/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host events that do not come from the store: the uplink disappears, returns,
 * is renamed or set up; addresses, routes and files are changed. The watcher
 * learns of them by netlink events and inotify, and writes the state of the
 * uplink to /link, and the MACs of all links below it, for the calves. Nothing
 * here changes the host.
 */
#ifndef CALFPEN_PRIV_WATCHER_HOST_H
#define CALFPEN_PRIV_WATCHER_HOST_H

#include "userspace/priv/description/configuration.h"
#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/netlink/netlink.h"
#include "userspace/priv/watcher/files.h"
#include "userspace/priv/watcher/link_key.h"
#include "userspace/priv/watcher/link_macs.h"
#include "userspace/priv/watcher/reconcile.h"

struct watcher_host {
	struct netlink *events;
	const char *uplink; /* the name given by the operator; the caller's */
	const struct configuration *configuration;
	struct handler_context *context;
	struct reconciler *reconciler;
	struct netlink_link link; /* the uplink as last seen */
	struct watcher_files files;
	uint64_t check_ns;	    /* when suspect handlers are checked, UINT64_MAX: none is */
	uint64_t check_earliest_ns; /* not before */
	uint64_t carrier_ns;	    /* when a loss of carrier takes effect, UINT64_MAX: no loss */
	struct link_key key;	    /* the state of `link` as /link shows it */
	struct link_macs macs;	    /* of all links, as /link/macs shows them */
};

/* Start listening. Opens descriptors, so call it before confine_enter(). context
 * must have its netlink; all arguments must outlive `host`.
 * Returns 0, or a negative errno. */
int watcher_host_init(struct watcher_host *host, const char *uplink,
		      const struct configuration *configuration, struct handler_context *context,
		      struct reconciler *reconciler);
/* Close everything. Also allowed after watcher_host_init() failed. */
void watcher_host_deinit(struct watcher_host *host);

/*
 * Find the uplink: by `ifindex` if a device with that index exists, whatever its
 * name is, otherwise by its name; `ifindex` 0 means by name only. Sets
 * context->uplink_ifindex and context->uplink_name, to 0 and "" if there is no such device.
 */
void watcher_host_find(struct watcher_host *host, int ifindex);

/* Read the pending events and mark the handlers that they concern: to be run, or
 * suspect, so that watcher_host_check() checks them. */
void watcher_host_drain(struct watcher_host *host);

/*
 * Set context->is_carrier_lost and mark the handlers that it concerns: it is lost
 * when the uplink was not operational for the configured time, and back at once,
 * so that a link that flaps changes little. Returns the time of the next call
 * (CLOCK_BOOTTIME), or UINT64_MAX: not before the next event.
 */
uint64_t watcher_host_carrier(struct watcher_host *host, uint64_t now_ns);

/*
 * Check the suspect handlers if it is time to: a moment after the first change,
 * when the related changes have arrived, and using at most 5 % of the time,
 * because a router's table may change constantly. Returns the time of the next
 * call (CLOCK_BOOTTIME), or UINT64_MAX: not before the next event.
 */
uint64_t watcher_host_check(struct watcher_host *host, const struct wanted *wanted,
			    uint64_t (*now_ns)(void));

#endif
