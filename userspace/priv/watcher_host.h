/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens on the host beside the store: the uplink goes, comes back, is
 * renamed or set up; addresses and routes change. The watcher learns of it by
 * netlink events, and says of the uplink in /link what calves need to know.
 * Nothing here changes the host.
 */
#ifndef CALFPEN_PRIV_WATCHER_HOST_H
#define CALFPEN_PRIV_WATCHER_HOST_H

#include "userspace/priv/handlers/handler.h"
#include "userspace/priv/netlink.h"
#include "userspace/priv/watcher_link.h"
#include "userspace/priv/watcher_pass.h"

struct watcher_host {
	struct netlink *events;
	const char *uplink; /* its name as the operator gave it; lives as long as this */
	struct handler_context *context;
	struct pass *pass;
	struct netlink_link link; /* the uplink as last seen */
	struct watcher_link key;  /* what /link says of it */
};

/* Begin to listen; opens a socket, so before confine_enter(). context->netlink
 * is open. 0, or a negative errno. */
int watcher_host_init(struct watcher_host *host, const char *uplink,
		      struct handler_context *context, struct pass *pass);
/* Legal if init failed. */
void watcher_host_deinit(struct watcher_host *host);

/*
 * Look for the uplink: by its index as long as that device is there, whatever
 * its name is, else by its name; `ifindex` is where to begin, 0: the name.
 * Sets context->uplink_ifindex, 0 if there is none.
 */
void watcher_host_find(struct watcher_host *host, int ifindex);

/* Take the events that have come, and mark the handlers that they concern. */
void watcher_host_drain(struct watcher_host *host);

#endif
