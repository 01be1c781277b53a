/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/host.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/common/loop.h"

#define CHECK_DELAY_NS 200000000ull
#define CHECK_SHARE 20 /* checks take at most 1/20 of the time */

int watcher_host_init(struct watcher_host *host, const char *uplink,
		      const struct configuration *configuration, struct handler_context *context,
		      struct reconciler *reconciler)
{
	int r;

	*host = (struct watcher_host){ .uplink = uplink,
				       .configuration = configuration,
				       .context = context,
				       .reconciler = reconciler };
	host->files = WATCHER_FILES_NULL(host->files);
	context->n_address_changes = 1; /* not 0: changes are counted from now on */
	link_key_init(&host->key);
	link_macs_init(&host->macs);
	host->check_ns = UINT64_MAX;
	host->carrier_ns = UINT64_MAX;
	r = watcher_files_init(&host->files, configuration->handlers.resolv_conf);
	return r ? r : netlink_listen(&host->events, false);
}

void watcher_host_deinit(struct watcher_host *host)
{
	host->events = netlink_free(host->events);
	watcher_files_deinit(&host->files);
}

/* With another name dns writes another zone. */
static void set_uplink(struct watcher_host *host, const struct netlink_link *link)
{
	struct handler_context *context = host->context;

	host->link = *link;
	context->uplink_ifindex = link->ifindex;
	if (!strcmp(context->uplink_name, link->name))
		return;
	(void)snprintf(context->uplink_name, sizeof(context->uplink_name), "%s", link->name);
	reconcile_mark_path(host->reconciler, "/nameserver/");
}

void watcher_host_find(struct watcher_host *host, int ifindex)
{
	struct netlink *netlink = host->context->netlink;
	struct netlink_link link;
	int r = netlink_link_get(netlink, ifindex, &link);

	if (r)
		r = netlink_link_get_by_name(netlink, host->uplink, &link);
	if (r)
		link = (struct netlink_link){ .ifindex = 0 };
	set_uplink(host, &link);
	link_key_set(&host->key, &host->link);
}

static void uplink_came(struct watcher_host *host, const struct netlink_link *link)
{
	log_info("uplink %s is back", link->name);
	set_uplink(host, link);
	host->context->n_address_changes++;
	reconcile_mark_all(host->reconciler);
}

static void uplink_went(struct watcher_host *host)
{
	log_warning("uplink %s is gone; waiting for an interface named %s", host->link.name,
		    host->uplink);
	set_uplink(host, &(struct netlink_link){ .ifindex = 0 });
	reconcile_mark_all(host->reconciler);
}

static void uplink_changed(struct watcher_host *host, const struct netlink_link *link)
{
	uint32_t flipped = host->link.flags ^ link->flags;
	bool has_other_master = host->link.master != link->master;

	if (strcmp(host->link.name, link->name) != 0)
		log_warning("uplink %s was renamed to %s; it remains the uplink", host->link.name,
			    link->name);
	set_uplink(host, link);
	/* When a link goes down, the kernel deletes its routes; when it goes up
	 * again, they do not come back. */
	if (flipped & IFF_UP)
		reconcile_mark_all(host->reconciler);
	/* For the link handler, which reports that the uplink is a port. */
	if (has_other_master)
		reconcile_mark_path(host->reconciler, "/mtu");
}

/* Returns true if the link has the name that the operator gave, perhaps as an
 * alternative name. */
static bool is_named(const struct watcher_host *host, const struct netlink_link *link)
{
	struct netlink_link named;

	if (!strcmp(link->name, host->uplink))
		return true;
	return !netlink_link_get_by_name(host->context->netlink, host->uplink, &named) &&
	       named.ifindex == link->ifindex;
}

/* Writes each change by itself, so that a watch of /link sees a short loss, too. */
static void on_link(struct watcher_host *host, const struct netlink_event *event)
{
	if (event->ifindex == host->link.ifindex) {
		if (event->is_gone)
			uplink_went(host);
		else
			uplink_changed(host, &event->link);
	} else if (!host->link.ifindex && !event->is_gone && is_named(host, &event->link)) {
		uplink_came(host, &event->link);
	}
	link_key_set(&host->key, &host->link);
	(void)link_key_write(&host->key, loop_now_ns());
}

/* What is judged by the routes of others may be judged otherwise now. */
static void suspect_policy(struct watcher_host *host)
{
	reconcile_suspect(host->reconciler, &handler_route);
	if (host->context->is_subnet_judged)
		reconcile_suspect(host->reconciler, &handler_address);
}

static void on_event(const struct netlink_event *event, void *data)
{
	struct watcher_host *host = data;
	bool is_own = event->port == netlink_port(host->context->netlink);
	bool is_uplinks = event->ifindex && event->ifindex == host->link.ifindex;

	if (is_uplinks) /* with an address or a link that is down, routes go without an event */
		host->context->n_route_changes++;
	switch (event->type) {
	case NETLINK_EVENT_LINK:
		link_macs_set(&host->macs, event->ifindex, event->is_gone ? NULL : &event->link);
		on_link(host, event);
		if (is_uplinks) {
			reconcile_suspect(host->reconciler, &handler_link);
			/* for the MTU of its routes */
			reconcile_suspect(host->reconciler, &handler_route);
		} else if (event->is_gone || !(event->link.flags & IFF_UP)) {
			suspect_policy(host); /* its routes go without an event */
		}
		break;
	case NETLINK_EVENT_ADDRESS:
		if (!is_uplinks || is_own)
			break;
		host->context->n_address_changes++;
		reconcile_suspect(host->reconciler, &handler_address);
		/* Its routes are deleted with it, without an event. */
		reconcile_suspect(host->reconciler, &handler_route);
		break;
	case NETLINK_EVENT_ROUTE:
	case NETLINK_EVENT_RULE:
		if (!is_own) /* also foreign ones */
			suspect_policy(host);
		break;
	}
}

/* Events were lost or cannot be read, so ask the kernel for the present state. */
static void resync(struct watcher_host *host)
{
	int previous = host->link.ifindex;

	watcher_host_find(host, previous);
	link_macs_reload(&host->macs);
	reconcile_suspect_all(host->reconciler);
	if (host->link.ifindex == previous)
		return;
	log_info("uplink %s is now another interface", host->uplink);
	reconcile_mark_all(host->reconciler);
}

void watcher_host_drain(struct watcher_host *host)
{
	int r = netlink_events(host->events, on_event, host);

	if (r < 0)
		log_error("cannot read netlink events: %s; asking the kernel for the present state",
			  strerror(-r));
	if (r) { /* some events are missing */
		host->context->n_address_changes++;
		host->context->n_route_changes++;
	}
	if (r < 0 || r == NETLINK_LOST)
		resync(host);
	if (watcher_files_drain(&host->files))
		reconcile_suspect(host->reconciler, &handler_dns);
}

static void set_carrier_lost(struct watcher_host *host, bool is_lost)
{
	host->carrier_ns = UINT64_MAX;
	if (is_lost == host->context->is_carrier_lost)
		return;
	host->context->is_carrier_lost = is_lost;
	log_info(is_lost ? "no carrier: routes are withdrawn, name servers are ranked last" :
			   "the carrier is back, and so are routes and name servers");
	reconcile_mark_path(host->reconciler, "/gateway");
	reconcile_mark_path(host->reconciler, "/nameserver/");
	reconcile_mark_path(host->reconciler, "/hostname");
}

uint64_t watcher_host_carrier(struct watcher_host *host, uint64_t now_ns)
{
	const struct configuration *configuration = host->configuration;

	if (configuration->ignores_carrier ||
	    (host->link.ifindex && (host->link.flags & IFF_RUNNING))) {
		set_carrier_lost(host, false);
		return UINT64_MAX;
	}
	if (host->context->is_carrier_lost)
		return UINT64_MAX;
	if (host->carrier_ns == UINT64_MAX)
		host->carrier_ns = now_ns + configuration->carrier_delay_ms * NS_PER_MS;
	if (now_ns >= host->carrier_ns)
		set_carrier_lost(host, true);
	return host->carrier_ns;
}

uint64_t watcher_host_check(struct watcher_host *host, const struct wanted *wanted,
			    uint64_t (*now_ns)(void))
{
	uint64_t now = now_ns();

	if (!reconcile_needs_check(host->reconciler))
		return host->check_ns = UINT64_MAX;
	if (host->check_ns == UINT64_MAX) {
		host->check_ns = now + CHECK_DELAY_NS;
		if (host->check_ns < host->check_earliest_ns)
			host->check_ns = host->check_earliest_ns;
	}
	if (now < host->check_ns)
		return host->check_ns;
	host->context->now_ns = now;
	reconcile_check(host->reconciler, host->context, wanted);
	host->check_earliest_ns = now + CHECK_SHARE * (now_ns() - now);
	return host->check_ns = UINT64_MAX;
}
