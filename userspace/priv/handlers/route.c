/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: routes through the uplink: the connected route to the subnet of the lease, the
 * default route from /gateway and the routes from /route/NNN. Every route has the leased
 * address as preferred source, so the kernel removes it together with the address. A gateway
 * outside the subnet (a /32 lease) is an on-link next hop; it gets no host route, which
 * would take traffic out of a VPN, but strict reverse path filtering is made loose for it.
 * Routes set by calfpen carry NETLINK_OWNER and the interface; a foreign route with the
 * same destination and metric is neither replaced nor hidden: that is an error which the
 * status shows.
 * The policy decides which routes a server may hand out (route_policy.h). Without
 * carrier there are no routes, so that another uplink gets the traffic; a connected route
 * of the kernel remains, but the kernel is told not to use it. A foreign default
 * route through the uplink that is ahead of ours is reported. With --takeover, what a
 * former client left is removed when ours stands (former.h).
 */
#include "userspace/priv/handlers/route_policy.h"

#include <errno.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/priv/handlers/former.h"
#include "userspace/priv/handlers/kernels_route.h"
#include "userspace/priv/handlers/link.h"
#include "userspace/priv/handlers/state.h"

#define PRESENT_MAX (2 * ROUTE_PLAN_MAX)

struct present {
	struct netlink_route routes[PRESENT_MAX];
	uint32_t n_routes;
};

static const struct handler_family route_families[] = {
	{ "/gateway", FAMILY_TYPE(VALUE_IPV4), 0 },
	{ "/route", FAMILY_TYPE(VALUE_ROUTE), FAMILY_LIST },
	{ "/ip", FAMILY_TYPE(VALUE_IPV4_NET), FAMILY_DEPENDS },
	{ "/mtu", FAMILY_TYPE(VALUE_U16), FAMILY_DEPENDS },
};

static void on_route(const struct netlink_route *route, void *data)
{
	struct present *present = data;

	if (present->n_routes < PRESENT_MAX)
		present->routes[present->n_routes++] = *route;
}

static bool is_equal(const struct netlink_route *a, const struct netlink_route *b)
{
	return route_is_same_key(a, b) && a->gateway.s_addr == b->gateway.s_addr &&
	       a->source.s_addr == b->source.s_addr && a->mtu == b->mtu;
}

static int fail_route(struct handler_context *context, int error, const struct netlink_route *route)
{
	struct value_ipv4_net destination = { route->destination, route->prefix_length };
	char text[VALUE_IPV4_NET_SIZE];

	value_format_ipv4_net(&destination, text);
	if (error == -EEXIST)
		return handler_fail(context, error,
				    "route to %s metric %u belongs to another program", text,
				    route->metric);
	return handler_fail(context, error, "route to %s", text);
}

/* Returns true if a present route with the same destination and metric will be removed;
 * until then ours stands behind it. */
static bool goes_away(const struct handler_context *context, const struct former *former,
		      const struct route_planned *planned)
{
	for (uint32_t i = 0; i < former->n_routes; i++)
		if (route_is_same_key(&planned->route, &former->routes[i]))
			return true;
	return planned->is_connected && !planned->route.metric &&
	       context->state->address.has_kernels_route;
}

struct equal {
	const struct netlink_route *route;
	bool is_there;
};

static void on_uplinks_route(const struct netlink_route *there, void *data)
{
	struct equal *equal = data;

	equal->is_there |= there->is_onlink && route_is_same_key(equal->route, there);
}

/* Is the subnet connected by the address of another program on the uplink, with the same
 * metric? Then there is nothing to add. */
static bool is_connected_by_others(struct handler_context *context,
				   const struct netlink_route *route)
{
	struct equal equal = { .route = route };

	return !netlink_route_each_through(context->netlink, context->uplink_ifindex, route->table,
					   on_uplinks_route, &equal) &&
	       equal.is_there;
}

static int add_route(struct handler_context *context, const struct former *former,
		     const struct route_planned *planned, bool is_changed)
{
	const struct netlink_route *route = &planned->route;
	int r = is_changed ? -EEXIST :
			     netlink_route_add(context->netlink, context->uplink_ifindex, route);

	if (r == -EEXIST && (is_changed || goes_away(context, former, planned)))
		return netlink_route_append(context->netlink, context->uplink_ifindex, route);
	if (r == -EEXIST && planned->is_connected && is_connected_by_others(context, route))
		return 0;
	return r;
}

static int add_missing(struct handler_context *context, struct route_plan *plan,
		       const struct present *present, const struct former *former)
{
	bool is_taken = false;
	int error = 0;
	uint32_t i, j;

	for (i = 0; i < plan->n_routes; i++) {
		struct netlink_route *route = &plan->routes[i].route;
		bool is_there = false, is_changed = false;
		int r;

		/* What leads to the gateway may be another program's, on another interface. */
		route->is_gateway_onlink = route->gateway.s_addr &&
					   (is_taken || !route_plan_reaches(plan, route->gateway));
		for (j = 0; j < present->n_routes && !is_there; j++) {
			is_there = is_equal(route, &present->routes[j]);
			is_changed |= route_is_same_key(route, &present->routes[j]);
		}
		if (is_there)
			continue;
		r = add_route(context, former, &plan->routes[i], is_changed);
		is_taken |= r == -EEXIST;
		if (r)
			error = handler_first(error, fail_route(context, r, route));
	}
	return error;
}

/* Backwards: delete routes before the on-link route to their gateway. */
static int delete_surplus(struct handler_context *context, const struct route_plan *plan,
			  const struct present *present)
{
	int error = 0;
	uint32_t i, j;

	for (i = present->n_routes; i-- > 0;) {
		const struct netlink_route *route = &present->routes[i];
		bool is_wanted = false;
		int r;

		for (j = 0; j < plan->n_routes && !is_wanted; j++)
			is_wanted = is_equal(route, &plan->routes[j].route);
		if (is_wanted)
			continue;
		r = netlink_route_delete(context->netlink, context->uplink_ifindex, route);
		if (r)
			error = handler_first(error, fail_route(context, r, route));
	}
	return error;
}

struct policy {
	struct route_plan *plan;
	const struct former *former;
	struct route_policy_view view;
};

static void on_any_route(const struct netlink_route *route, void *data)
{
	const struct policy *policy = data;

	if (!former_has_route(policy->former, route))
		route_policy_judge(policy->plan, &policy->view, route);
}

/* Read the routes of other programs, of which there may be a million, only if the
 * server handed out a route other than the default route. */
static int apply_policy(struct handler_context *context, struct route_plan *plan,
			const struct former *former)
{
	struct policy policy = { .plan = plan, .former = former };
	uint32_t i, n = 0;
	int r;

	for (i = 0; i < plan->n_routes; i++) {
		n += plan->routes[i].route.prefix_length && !plan->routes[i].is_connected;
		policy.view.has_default |= !plan->routes[i].route.prefix_length;
	}
	if (!n || context->options->allow_hiding)
		return 0;
	r = route_policy_each(context, &policy.view, on_any_route, &policy);
	if (!r)
		route_policy_apply(plan, context);
	return r;
}

static void set_mtu(struct handler_context *context, const struct wanted *wanted,
		    struct route_plan *plan)
{
	uint32_t mtu = plan->n_routes ? link_route_mtu(context, wanted) : 0;

	for (uint32_t i = 0; i < plan->n_routes; i++)
		plan->routes[i].route.mtu = mtu;
}

/* Plan the routes, apply the policy, and read the present routes. On failure the
 * plan is empty. */
static int read_present_routes(struct handler_context *context, const struct wanted *wanted,
			       struct route_plan *plan, struct present *present,
			       struct former *former)
{
	int error, r;

	present->n_routes = 0;
	*former = (struct former){ .n_routes = 0 };
	error = route_plan_init(plan, context, wanted);
	set_mtu(context, wanted, plan);
	if (context->is_carrier_lost && plan->n_routes && context->uplink_ifindex) {
		handler_note(context, "withdrawn, because the uplink has no carrier");
		plan->n_routes = 0;
	}
	if (error == -EBADMSG && !plan->n_routes)
		return error;
	r = netlink_route_each(context->netlink, context->uplink_ifindex, context->options->table,
			       on_route, present);
	if (r == -ENODEV && !plan->n_routes)
		return error;
	if (r)
		r = handler_fail(context, r, "cannot read the routes of the uplink");
	else if (plan->n_routes)
		r = former_find(context, wanted, former);
	if (!r)
		r = apply_policy(context, plan, former);
	if (r)
		plan->n_routes = 0;
	return handler_first(error, r);
}

/* The kernel would use its own connected route even without carrier. Ignore a failure:
 * it matters only if another uplink is in the same subnet. */
static void ignore_connected_route(struct handler_context *context)
{
	(void)netlink_link_set_ipv4(context->netlink, context->uplink_ifindex,
				    IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN, 1);
}

static int make_loose(struct handler_context *context, const char *router)
{
	uint32_t mode = 0;
	int r = netlink_link_get_rp_filter(context->netlink, context->uplink_ifindex, &mode);

	if (r || mode != NETLINK_RP_FILTER_STRICT)
		return r;
	r = netlink_link_set_ipv4(context->netlink, context->uplink_ifindex, IPV4_DEVCONF_RP_FILTER,
				  NETLINK_RP_FILTER_LOOSE);
	if (!r)
		log_warning("set the uplink's rp_filter from strict (1) to loose (2), because no "
			    "route leads to the router %s: beside a VPN its ARP requests would be "
			    "dropped",
			    router);
	return r;
}

/*
 * A VPN gets what is sent to the own address of an on-link router, so strict reverse path
 * filtering would drop the router's ARP requests, and it could send us nothing. The setting
 * stays, like promote_secondaries.
 */
static void accept_router(struct handler_context *context, const struct route_plan *plan)
{
	char router[VALUE_IPV4_SIZE], text[HANDLER_ERROR_SIZE];
	uint32_t i = 0;
	int r;

	while (i < plan->n_routes && !plan->routes[i].route.is_gateway_onlink)
		i++;
	if (i == plan->n_routes)
		return;
	value_format_ipv4(plan->routes[i].route.gateway, router);
	r = make_loose(context, router);
	if (!r || r == -ENODEV)
		return;
	(void)snprintf(text, sizeof(text),
		       "cannot set rp_filter to loose (2): %s; beside a VPN, ARP requests of the "
		       "router %s may be dropped",
		       strerror(-r), router);
	handler_note(context, "%s", text);
	if (!context->state->route.has_warned)
		log_warning("%s", text);
	context->state->route.has_warned = true;
}

struct ahead_search {
	const struct netlink_route *ours;
	struct netlink_route found; /* table 0: none */
	bool has_seen_ours;
};

static void on_default_route(const struct netlink_route *route, void *data)
{
	struct ahead_search *search = data;
	bool is_ahead = route->metric < search->ours->metric ||
			(route->metric == search->ours->metric && !search->has_seen_ours);

	if (route->prefix_length || route->type != RTN_UNICAST || route->tos)
		return;
	if (route->protocol == NETLINK_OWNER)
		search->has_seen_ours = true;
	else if (is_ahead && (!search->found.table || route->metric < search->found.metric))
		search->found = *route;
}

/* Find a foreign default route through the uplink that takes the traffic of ours. */
static int find_ahead(struct handler_context *context, const struct route_plan *plan,
		      struct netlink_route *aheadp)
{
	struct ahead_search search = { .ours = NULL };
	int r = 0;

	for (uint32_t i = 0; i < plan->n_routes; i++)
		if (!plan->routes[i].route.prefix_length)
			search.ours = &plan->routes[i].route;
	if (search.ours)
		r = netlink_route_each_through(context->netlink, context->uplink_ifindex,
					       search.ours->table, on_default_route, &search);
	if (r)
		return handler_fail(context, r, "cannot read the default routes of the uplink");
	*aheadp = search.found;
	return 0;
}

/* It says more than the notes so far. */
static void note_first(struct handler_context *context, const char *text)
{
	char earlier[HANDLER_ERROR_SIZE];

	memcpy(earlier, context->note, sizeof(earlier));
	context->note[0] = '\0';
	handler_note(context, "%s%s%s", text, earlier[0] ? "; " : "", earlier);
}

static bool is_same_default(const struct netlink_route *a, const struct netlink_route *b)
{
	return route_is_same_key(a, b) && a->gateway.s_addr == b->gateway.s_addr &&
	       a->protocol == b->protocol;
}

static int report_ahead(struct handler_context *context, const struct route_plan *plan)
{
	struct netlink_route *reported = &context->state->route.ahead, ahead = { .table = 0 };
	char route[ROUTE_TEXT_SIZE], text[HANDLER_ERROR_SIZE];
	int r = find_ahead(context, plan, &ahead);

	if (r)
		return r;
	if (ahead.table) {
		route_format(&ahead, route);
		(void)snprintf(text, sizeof(text),
			       "another program's route to %s through the uplink is ahead of ours",
			       route);
		note_first(context, text);
		if (!is_same_default(&ahead, reported))
			log_warning("%s, which has metric %u", text, handler_metric(context));
	}
	*reported = ahead;
	return 0;
}

static int route_apply(struct handler_context *context, const struct wanted *wanted)
{
	struct route_plan *set = &context->state->route.set;
	struct present present;
	struct route_plan plan;
	struct former former;
	int r = read_present_routes(context, wanted, &plan, &present, &former);

	set->n_routes = 0;
	if (r && !plan.n_routes)
		return r;
	if (context->is_carrier_lost)
		ignore_connected_route(context);
	r = handler_first(r, add_missing(context, &plan, &present, &former));
	accept_router(context, &plan);
	r = handler_first(r, delete_surplus(context, &plan, &present));
	*set = plan;
	if (!r)
		r = kernels_route_remove(context, &plan);
	if (!r)
		r = former_remove_routes(context, &former, &plan);
	return handler_first(r, report_ahead(context, &plan));
}

static int route_release(struct handler_context *context, const struct wanted *wanted)
{
	return former_remove_addresses(context, wanted);
}

static bool has_route(const struct route_plan *plan, const struct netlink_route *route)
{
	for (uint32_t i = 0; i < plan->n_routes; i++)
		if (is_equal(&plan->routes[i].route, route))
			return true;
	return false;
}

static int route_check(struct handler_context *context, const struct wanted *wanted)
{
	struct value_ipv4_net destination;
	char text[VALUE_IPV4_NET_SIZE];
	struct present present;
	struct netlink_route ahead = { .table = 0 };
	struct route_plan plan;
	struct former former;
	uint32_t i, j;
	int r = read_present_routes(context, wanted, &plan, &present, &former);

	if (!r)
		r = find_ahead(context, &plan, &ahead);
	if (r)
		return r;
	if (!is_same_default(&ahead, &context->state->route.ahead))
		return HANDLER_APPLY;
	/* Changes by other programs may have changed the policy's decisions, both ways. */
	for (i = 0; i < present.n_routes; i++)
		if (!has_route(&plan, &present.routes[i]))
			return HANDLER_APPLY;
	for (i = 0; i < plan.n_routes; i++) {
		const struct netlink_route *route = &plan.routes[i].route;

		for (j = 0; j < present.n_routes && !is_equal(route, &present.routes[j]);)
			j++;
		if (j < present.n_routes)
			continue;
		if (!has_route(&context->state->route.set, route))
			return HANDLER_APPLY;
		destination = (struct value_ipv4_net){ route->destination, route->prefix_length };
		value_format_ipv4_net(&destination, text);
		return handler_drift(context, "the route to %s was removed or changed", text);
	}
	return 0;
}

const struct handler handler_route = {
	.name = "route",
	.effect = "routes through the uplink",
	.families = route_families,
	.n_families = sizeof(route_families) / sizeof(route_families[0]),
	.apply = route_apply,
	.release = route_release,
	.check = route_check,
	.repairs_drift = true,
};
