// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/watcher_host.h"

#include <string.h>

#include "userspace/common/log.h"
#include "userspace/common/loop.h"

int watcher_host_init(struct watcher_host *host, const char *uplink,
		      struct handler_context *context, struct pass *pass)
{
	*host = (struct watcher_host){ .uplink = uplink, .context = context, .pass = pass };
	context->n_address_changes = 1; /* from now on they are counted */
	watcher_link_init(&host->key);
	return netlink_listen(&host->events);
}

void watcher_host_deinit(struct watcher_host *host)
{
	host->events = netlink_free(host->events);
}

void watcher_host_find(struct watcher_host *host, int ifindex)
{
	struct netlink *netlink = host->context->netlink;
	int r = netlink_link_get(netlink, ifindex, &host->link);

	if (r)
		r = netlink_link_get_by_name(netlink, host->uplink, &host->link);
	if (r)
		host->link = (struct netlink_link){ .ifindex = 0 };
	host->context->uplink_ifindex = host->link.ifindex;
	watcher_link_see(&host->key, &host->link);
}

static void uplink_came(struct watcher_host *host, const struct netlink_link *link)
{
	log_info("%s is there again", link->name);
	host->link = *link;
	host->context->uplink_ifindex = link->ifindex;
	host->context->n_address_changes++;
	pass_mark_all(host->pass);
}

static void uplink_went(struct watcher_host *host)
{
	log_warning("%s is gone", host->link.name);
	host->link = (struct netlink_link){ .ifindex = 0 };
	host->context->uplink_ifindex = 0;
	pass_mark_all(host->pass);
}

static void uplink_changed(struct watcher_host *host, const struct netlink_link *link)
{
	uint32_t flipped = host->link.flags ^ link->flags;

	if (strcmp(host->link.name, link->name) != 0)
		log_warning("%s is now called %s; it stays the uplink", host->link.name,
			    link->name);
	host->link = *link;
	/* Down, the kernel drops all routes of the link; up, they do not come back. */
	if (flipped & IFF_UP)
		pass_mark_all(host->pass);
}

/* Each change is written in turn: who watches /link sees a short loss, too. */
static void on_link(struct watcher_host *host, const struct netlink_event *event)
{
	if (event->ifindex == host->link.ifindex) {
		if (event->is_gone)
			uplink_went(host);
		else
			uplink_changed(host, &event->link);
	} else if (!host->link.ifindex && !event->is_gone &&
		   !strcmp(event->link.name, host->uplink)) {
		uplink_came(host, &event->link);
	}
	watcher_link_see(&host->key, &host->link);
	(void)watcher_link_write(&host->key, loop_now_ns());
}

static void on_event(const struct netlink_event *event, void *data)
{
	struct watcher_host *host = data;

	if (event->type == NETLINK_EVENT_LINK)
		on_link(host, event);
	if (event->ifindex != host->link.ifindex ||
	    event->port == netlink_port(host->context->netlink))
		return;
	if (event->type == NETLINK_EVENT_ADDRESS)
		host->context->n_address_changes++;
}

/* Events were lost, or cannot be read: look for oneself. */
static void start_anew(struct watcher_host *host)
{
	int former = host->link.ifindex;

	watcher_host_find(host, former);
	if (host->link.ifindex != former)
		log_info("%s: another interface of that name", host->uplink);
	pass_mark_all(host->pass);
}

void watcher_host_drain(struct watcher_host *host)
{
	int r = netlink_events(host->events, on_event, host);

	if (r < 0)
		log_error("netlink events: %s", strerror(-r));
	if (r) /* not all is known */
		host->context->n_address_changes++;
	if (r < 0 || r == NETLINK_LOST)
		start_anew(host);
}
