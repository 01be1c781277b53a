/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: what the frame filter knows of the host
 *
 * After each pass the filter is told the address that is on the uplink, and the router
 * to the server: so a renewal leaves by this uplink whatever the host routes, and the
 * filter believes nothing that the calf says. It is told even if nothing has changed,
 * because the supervisor takes it back when another device becomes the uplink.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "userspace/common/address.h"
#include "userspace/common/log.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/watcher-private.h"

/* What is looked for among the addresses of the uplink. */
struct search {
	const struct value_ipv4_net *leased; /* NULL: none */
	struct in_addr inform;		     /* 0.0.0.0: none */
	struct watcher_filter *found;
};

static void on_address(const struct netlink_address *address, void *data)
{
	const struct search *search = data;
	struct watcher_filter *found = search->found;
	const struct value_ipv4_net *leased = search->leased;

	/* If its subnet is refused, it may be another program's with the whole one. */
	if (leased && address->address.s_addr == leased->address.s_addr &&
	    (address->prefix_length == leased->prefix_length || leased->prefix_length == 32))
		found->is_leased = true;
	if (address->protocol != NETLINK_OWNER && search->inform.s_addr == address->address.s_addr)
		found->other = address->address;
}

/* Read the addresses of the uplink again if they may have changed. Returns 0, or a
 * negative errno. */
static int look(struct watcher *watcher, const struct lease *lease)
{
	const struct handler_context *context = &watcher->context;
	struct watcher_filter *filter = &watcher->filter, found = {
		.ifindex = context->uplink_ifindex,
		.n_address_changes = context->n_address_changes,
	};
	struct search search = { .leased = lease ? &lease->net : NULL, .found = &found };
	const struct kv_value *present = wanted_get(&watcher->wanted, "/address");
	bool is_wanted = configuration_inform(watcher->loaded.configuration,
					      present ? present->text : NULL, &search.inform);
	/* a kept lease is one whose address was found on the uplink */
	bool is_leased = lease && (lease->is_kept || context->is_leased);
	int r = 0;

	if (lease)
		found.net = lease->net;
	if (filter->n_address_changes && filter->ifindex == found.ifindex &&
	    filter->n_address_changes == found.n_address_changes &&
	    filter->net.address.s_addr == found.net.address.s_addr &&
	    filter->net.prefix_length == found.net.prefix_length && filter->is_leased == is_leased)
		return 0;
	if (context->uplink_ifindex && (lease || is_wanted))
		r = netlink_address_each(context->netlink, context->uplink_ifindex, on_address,
					 &search);
	if (r)
		found.n_address_changes = 0; /* read them again the next time */
	*filter = found;
	return r == -ENODEV ? 0 : r;
}

static struct in_addr get_server(const struct watcher *watcher)
{
	const struct kv_value *text = wanted_get(&watcher->wanted, "/lease/server");
	struct in_addr server = { INADDR_ANY };

	if (text && value_parse_ipv4(text->text, &server))
		server.s_addr = INADDR_ANY;
	return server;
}

/* Returns whether the operator's routes lead to the server by an IPv6 router, which is
 * looked up again if that may have changed. */
static bool has_router6(struct watcher *watcher, struct in_addr server)
{
	const struct handler_context *context = &watcher->context;
	struct watcher_filter *filter = &watcher->filter;
	int r;

	if (filter->server.s_addr == server.s_addr &&
	    filter->n_route_changes == context->n_route_changes)
		return filter->has_router6;
	r = netlink_route_find_ipv6_router(context->netlink, context->uplink_ifindex, server,
					   &filter->router6);
	filter->has_router6 = r == 1;
	filter->server.s_addr = INADDR_ANY; /* look again */
	if (r >= 0)
		filter->server = server;
	filter->n_route_changes = context->n_route_changes;
	return filter->has_router6;
}

/* Returns a context for looking at the wanted state once more without refusing anything. */
static struct handler_context make_quiet(const struct watcher *watcher)
{
	struct handler_context context = watcher->context;

	context.on_refusal = NULL;
	context.now_ns = watcher->loop.now_ns();
	return context;
}

/* Returns the router of the lease by which its server is reached, 0.0.0.0: none. */
static struct in_addr find_router(const struct watcher *watcher, struct in_addr server)
{
	struct handler_context context;
	struct route_plan plan;

	if (watcher->context.options->use_routes)
		return route_plan_next_hop(&watcher->handlers.route.set, server);
	/* the operator wants none of them on the host, but it may be one that leads there */
	context = make_quiet(watcher);
	(void)route_plan_init_all(&plan, &context, &watcher->wanted);
	return route_plan_next_hop(&plan, server);
}

/* Say by which router the lease's server is reached. */
static void set_next_hop(struct watcher *watcher, struct frame_host *host)
{
	struct in_addr server = get_server(watcher), router;

	if (server.s_addr && has_router6(watcher, server)) {
		host->family = AF_INET6;
		memcpy(host->next_hop, &watcher->filter.router6, sizeof(host->next_hop));
		return;
	}
	router = find_router(watcher, server);
	if (router.s_addr) {
		host->family = AF_INET;
		host->next_hop[0] = router.s_addr;
	}
}

static bool has_frames(const struct watcher *watcher)
{
	const struct loaded *loaded = &watcher->loaded;

	for (uint32_t i = 0; i < loaded->n_descriptions; i++)
		if (loaded->descriptions[i].n_frames)
			return true;
	return false;
}

/* Returns the lease as it is in force, without refusing anything once more. Its subnet is
 * the whole one: whether the host may use it is about the host's own traffic. */
static bool get_lease(struct watcher *watcher, struct lease *lease)
{
	struct handler_context context = make_quiet(watcher);

	return !lease_get_whole(&context, &watcher->wanted, lease);
}

void watcher_filter_tell(struct watcher *watcher)
{
	struct frame_host host = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &host, .ctx_size_in = sizeof(host));
	struct lease lease = { .left_s = 0 }, applied;
	bool is_leased;
	int r;

	if (!has_frames(watcher))
		return;
	is_leased = get_lease(watcher, &lease);
	applied = lease;
	if (is_leased)
		lease_narrow(&watcher->context, &applied);
	r = look(watcher, is_leased ? &applied : NULL);
	host.other = watcher->filter.other.s_addr;
	host.is_open = wanted_get(&watcher->wanted, FRAME_QUARANTINE_KEY) != NULL;
	if (is_leased && watcher->filter.is_leased) {
		host.address = lease.net.address.s_addr;
		host.mask = htonl(address_netmask(lease.net.prefix_length));
		set_next_hop(watcher, &host);
	}
	if (!r)
		r = bpf_prog_test_run_opts(WATCHER_FD_HOST, &opts);
	if (r && !watcher->has_filter_failed)
		log_error("cannot tell the frame filter which address is leased: %s", strerror(-r));
	watcher->has_filter_failed = r;
}
