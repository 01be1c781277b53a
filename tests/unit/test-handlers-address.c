/* SPDX-License-Identifier: Apache-2.0 */
/* Two uplinks in one process: the address handler, with netlink played by a
 * table of two interfaces that hold one address each. */
#include <errno.h>

#include "tests/unit/support-wanted.h"
#include "userspace/common/log.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"

static struct uplink {
	struct handlers_state state;
	struct handler_context context;
	struct wanted wanted;
	/* the kernel's state, and the requests since the last run */
	bool is_there;
	struct netlink_address address;
	unsigned int n_added, n_replaced, n_listed;
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

int netlink_link_enable_ipv4(struct netlink *netlink, int ifindex, int setting)
{
	(void)netlink;
	(void)ifindex;
	(void)setting;
	return -ENODEV;
}

static void setup(void)
{
	int i;

	log_init("test", -1, LOG_LEVEL_ERROR);
	for (i = 0; i < 2; i++) {
		uplinks[i].context = (struct handler_context){ .state = &uplinks[i].state,
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
	uplink->n_added = uplink->n_replaced = uplink->n_listed = 0;
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
