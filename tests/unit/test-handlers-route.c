/* SPDX-License-Identifier: Apache-2.0 */
/* Two uplinks in one process: the route handler, with netlink played by a
 * table of two interfaces. */
#include <arpa/inet.h>
#include <errno.h>

#include "tests/unit/support-wanted.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"

static struct handler_options options = { .metric = 100, .table = 254, .use_routes = true };

static struct uplink {
	struct handlers_state state;
	struct handler_context context;
	struct wanted wanted;
	struct netlink_route routes[4]; /* the kernel's side */
	uint32_t n_routes;
} uplinks[2];

static struct uplink *uplink_of(int ifindex)
{
	cr_assert(ifindex == 1 || ifindex == 2);
	return &uplinks[ifindex - 1];
}

int netlink_route_each(struct netlink *netlink, int ifindex, uint32_t table, netlink_route_fn call,
		       void *data)
{
	const struct uplink *uplink = uplink_of(ifindex);
	uint32_t i;

	(void)netlink;
	(void)table;
	for (i = 0; i < uplink->n_routes; i++)
		call(&uplink->routes[i], data);
	return 0;
}

int netlink_route_each_owner(struct netlink *netlink, uint32_t table, netlink_route_fn call,
			     void *data)
{
	(void)netlink;
	(void)table;
	(void)call;
	(void)data;
	return 0;
}

int netlink_route_each_through(struct netlink *netlink, int ifindex, uint32_t table,
			       netlink_route_fn call, void *data)
{
	return netlink_route_each(netlink, ifindex, table, call, data);
}

int netlink_rule_suppressed(struct netlink *netlink, uint32_t table, int *lengthp)
{
	(void)netlink;
	(void)table;
	*lengthp = -1;
	return 0;
}

int netlink_route_add(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	struct uplink *uplink = uplink_of(ifindex);

	(void)netlink;
	cr_assert_lt(uplink->n_routes, 4);
	uplink->routes[uplink->n_routes++] = *route;
	return 0;
}

int netlink_route_append(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	return netlink_route_add(netlink, ifindex, route);
}

int netlink_route_delete(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	(void)netlink;
	(void)ifindex;
	(void)route;
	return -EIO;
}

int netlink_route_delete_foreign(struct netlink *netlink, int ifindex,
				 const struct netlink_route *route)
{
	return netlink_route_delete(netlink, ifindex, route);
}

static void setup(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		uplinks[i].context = (struct handler_context){
			.state = &uplinks[i].state,
			.options = &options,
			.uplink_ifindex = i + 1,
			.now_ns = 100 * S,
			.allowed_subnet = { { inet_addr("192.0.2.5") }, 24 },
		};
		cr_assert_eq(wanted_init(&uplinks[i].wanted, 8), 0);
		test_set(&uplinks[i].wanted, "/ip", "192.0.2.5/24", 100 * S);
		test_set(&uplinks[i].wanted, "/gateway", "192.0.2.1", 100 * S);
	}
}

static void teardown(void)
{
	wanted_deinit(&uplinks[0].wanted);
	wanted_deinit(&uplinks[1].wanted);
}

TestSuite(handlers_route, .init = setup, .fini = teardown);

static int apply(struct uplink *uplink)
{
	return handler_route.apply(&uplink->context, &uplink->wanted);
}

static int check(struct uplink *uplink)
{
	uplink->context.error[0] = '\0';
	return handler_route.check(&uplink->context, &uplink->wanted);
}

Test(handlers_route, loss_is_drift_only_where_it_was_set)
{
	cr_expect_eq(apply(&uplinks[0]), 0);
	cr_expect_eq(uplinks[0].n_routes, 2);
	cr_expect_eq(uplinks[1].n_routes, 0);
	/* the second one has set nothing yet: missing routes must be added */
	cr_expect_eq(check(&uplinks[1]), HANDLER_APPLY);
	uplinks[0].n_routes = 1;
	cr_expect_eq(check(&uplinks[0]), HANDLER_DRIFT);
	cr_expect_str_eq(uplinks[0].context.error, "the route to 0.0.0.0/0 was removed or changed");
	uplinks[0].n_routes = 0;
	cr_expect_eq(check(&uplinks[0]), HANDLER_DRIFT);
	cr_expect_str_eq(uplinks[0].context.error,
			 "the route to 192.0.2.0/24 was removed or changed");
}

Test(handlers_route, another_uplinks_run_forgets_nothing)
{
	cr_expect_eq(apply(&uplinks[0]), 0);
	wanted_clear(&uplinks[1].wanted);
	cr_expect_eq(apply(&uplinks[1]), 0); /* sets no route */
	uplinks[0].n_routes = 0;
	cr_expect_eq(check(&uplinks[0]), HANDLER_DRIFT);
	cr_expect_eq(check(&uplinks[1]), 0);
}
