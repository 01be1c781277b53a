/* SPDX-License-Identifier: Apache-2.0 */
/* Two uplinks in one process: the address handler, with netlink played by a
 * table of two interfaces that hold one address each. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>

#include "tests/unit/support-no_links.h"
#include "tests/unit/support-no_routes.h"
#include "tests/unit/support-wanted.h"
#include "userspace/common/log.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"

static struct handler_options options = { .metric = 100, .table = 254, .allow_hiding = true };

static struct uplink {
	struct handlers_state state;
	struct handler_context context;
	struct wanted wanted;
	/* the kernel's state, and the requests since the last run */
	bool is_there;
	struct netlink_address address;
	struct netlink_route route; /* the last one that was added */
	unsigned int n_added, n_replaced, n_listed, n_routes_added;
} uplinks[2];

static struct uplink *uplink_of(int ifindex)
{
	cr_assert(ifindex == 1 || ifindex == 2);
	return &uplinks[ifindex - 1];
}

int netlink_address_each(struct netlink *netlink, int ifindex, netlink_address_fn call, void *data)
{
	struct uplink *uplink = uplink_of(ifindex);

	(void)netlink;
	uplink->n_listed++;
	if (uplink->is_there)
		call(&uplink->address, data);
	return 0;
}

static void put(struct uplink *uplink, const struct netlink_address *address)
{
	uplink->address = *address;
	uplink->address.protocol = NETLINK_OWNER;
	uplink->is_there = true;
}

int netlink_address_add(struct netlink *netlink, int ifindex, const struct netlink_address *address)
{
	struct uplink *uplink = uplink_of(ifindex);

	(void)netlink;
	uplink->n_added++;
	if (uplink->is_there)
		return -EEXIST;
	put(uplink, address);
	return 0;
}

int netlink_address_replace(struct netlink *netlink, int ifindex,
			    const struct netlink_address *address)
{
	struct uplink *uplink = uplink_of(ifindex);

	(void)netlink;
	uplink->n_replaced++;
	put(uplink, address);
	return 0;
}

int netlink_address_delete(struct netlink *netlink, int ifindex,
			   const struct netlink_address *address)
{
	(void)netlink;
	(void)address;
	uplink_of(ifindex)->is_there = false;
	return 0;
}

int netlink_link_set_ipv4(struct netlink *netlink, int ifindex, int setting, uint32_t value)
{
	(void)netlink;
	(void)ifindex;
	(void)setting;
	(void)value;
	return -ENODEV;
}

int netlink_route_add(struct netlink *netlink, int ifindex, const struct netlink_route *route)
{
	struct uplink *uplink = uplink_of(ifindex);

	(void)netlink;
	cr_expect(uplink->is_there, "its source is needed first");
	uplink->n_routes_added++;
	uplink->route = *route;
	return 0;
}

int netlink_route_each_owner(struct netlink *netlink, uint32_t table, netlink_route_fn call,
			     void *data)
{
	return netlink_route_each_through(netlink, 0, table, call, data);
}

int netlink_rule_suppressed(struct netlink *netlink, uint32_t table, int *lengthp)
{
	(void)netlink;
	(void)table;
	*lengthp = -1;
	return 0;
}

static void setup(void)
{
	int i;

	log_init("test", -1, LOG_LEVEL_ERROR);
	for (i = 0; i < 2; i++) {
		uplinks[i].context = (struct handler_context){ .state = &uplinks[i].state,
							       .options = &options,
							       .uplink_ifindex = i + 1,
							       .n_address_changes = 1,
							       .now_ns = 100 * S };
		cr_assert_eq(wanted_init(&uplinks[i].wanted, 8), 0);
		test_set(&uplinks[i].wanted, "/ip", "192.0.2.5/24", 100 * S);
		test_set(&uplinks[i].wanted, "/lease/time", "3600", 100 * S);
	}
}

static void teardown(void)
{
	wanted_deinit(&uplinks[0].wanted);
	wanted_deinit(&uplinks[1].wanted);
}

TestSuite(handlers_address, .init = setup, .fini = teardown);

/* Returns what release returned. */
static int run(struct uplink *uplink)
{
	uplink->n_added = uplink->n_replaced = uplink->n_listed = uplink->n_routes_added = 0;
	cr_expect_eq(handler_address.apply(&uplink->context, &uplink->wanted), 0, "%s",
		     uplink->context.error);
	return handler_address.release(&uplink->context, &uplink->wanted);
}

Test(handlers_address, renewal_is_one_request)
{
	cr_expect_eq(run(&uplinks[0]), 0);
	cr_expect_eq(uplinks[0].n_added, 1);
	cr_expect(uplinks[0].context.is_leased);
	cr_expect_eq(run(&uplinks[0]), 0);
	cr_expect_eq(uplinks[0].n_added, 0);
	cr_expect_eq(uplinks[0].n_replaced, 1);
	cr_expect_eq(uplinks[0].n_listed, 0);
}

Test(handlers_address, two_uplinks_know_their_own)
{
	cr_expect_eq(run(&uplinks[0]), 0);
	cr_expect_eq(run(&uplinks[1]), 0);
	cr_expect_eq(uplinks[1].n_added, 1, "what the first one knows is not the second one's");
	/* the second one's address does not make the first one forget */
	cr_expect_eq(run(&uplinks[0]), 0);
	cr_expect_eq(uplinks[0].n_added, 0);
	cr_expect_eq(uplinks[0].n_replaced, 1);
	cr_expect_eq(run(&uplinks[1]), 0);
	cr_expect_eq(uplinks[1].n_replaced, 1);
}

Test(handlers_address, two_uplinks_drift_apart)
{
	cr_expect_eq(run(&uplinks[0]), 0);
	uplinks[0].is_there = false;
	cr_expect_eq(handler_address.check(&uplinks[0].context, &uplinks[0].wanted), HANDLER_DRIFT);
	cr_expect_str_eq(uplinks[0].context.error, "192.0.2.5/24 was removed");
	/* the second one has set none, though it wants the same */
	cr_expect_eq(handler_address.check(&uplinks[1].context, &uplinks[1].wanted), 0);
	cr_expect_str_eq(uplinks[1].context.error, "");
	/* so only the first one restores its address and requests another round */
	uplinks[0].context.n_address_changes++;
	cr_expect_eq(run(&uplinks[1]), 0);
	cr_expect_eq(run(&uplinks[0]), HANDLER_REPEAT);
	cr_expect_eq(run(&uplinks[0]), 0);
}

Test(handlers_address, request_to_repeat_stays_with_its_uplink)
{
	cr_expect_eq(run(&uplinks[0]), 0);
	cr_expect_eq(run(&uplinks[1]), 0);
	uplinks[0].is_there = false;
	uplinks[0].context.n_address_changes++;
	cr_expect_eq(handler_address.apply(&uplinks[0].context, &uplinks[0].wanted), 0);
	cr_expect_eq(run(&uplinks[1]), 0, "asked for by the first");
	cr_expect_eq(handler_address.release(&uplinks[0].context, &uplinks[0].wanted),
		     HANDLER_REPEAT);
}

/* The kernel has no route to its subnet, so it comes at once. */
Test(handlers_address, F3_route_to_the_subnet_follows_at_once)
{
	struct uplink *uplink = &uplinks[0];

	cr_expect_eq(run(uplink), 0);
	cr_expect(uplink->address.flags & IFA_F_NOPREFIXROUTE);
	cr_assert_eq(uplink->n_routes_added, 1);
	cr_expect_eq(uplink->route.destination.s_addr, inet_addr("192.0.2.0"));
	cr_expect_eq(uplink->route.prefix_length, 24);
	cr_expect_eq(uplink->route.source.s_addr, inet_addr("192.0.2.5"));
	cr_expect_eq(uplink->route.gateway.s_addr, 0);
	cr_expect(uplink->route.metric == 100 && uplink->route.table == 254);
	cr_expect_eq(run(uplink), 0);
	cr_expect_eq(uplink->n_routes_added, 0, "a renewal is one request");
	test_set(&uplink->wanted, "/ip", "192.0.2.5/32", 100 * S);
	uplink->is_there = false;
	cr_expect_eq(run(uplink), 0);
	cr_expect_eq(uplink->n_routes_added, 0, "there is no subnet");
	uplinks[1].context.is_carrier_lost = true;
	cr_expect_eq(run(&uplinks[1]), 0);
	cr_expect_eq(uplinks[1].n_routes_added, 0, "another uplink may have the same subnet");
}
