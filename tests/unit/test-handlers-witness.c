/* SPDX-License-Identifier: Apache-2.0 */
/* What the calf says, against what servers have said. */
#include <arpa/inet.h>
#include <errno.h>

#include "tests/unit/support-no_links.h"
#include "tests/unit/support-wanted.h"
#include "userspace/common/address.h"
#include "userspace/priv/handlers/lease.h"
#include "userspace/priv/handlers/route_plan.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/netlink/netlink.h"

#define BIT(name) (1u << FRAME_OPTION_##name)
#define REQUEST_NS (1000 * S)

static struct handler_options options;
static struct handlers_state state;
static struct handler_context context;
static struct wanted wanted;
static struct lease lease;
static char told[2 * HANDLER_ERROR_SIZE];
static unsigned int n_told;
static bool was_used;

/* the kernel's side: addresses of the uplink */
static struct netlink_address present[2];
static unsigned int n_present;

int netlink_address_each(struct netlink *netlink, int ifindex, netlink_address_fn call, void *data)
{
	(void)netlink;
	(void)ifindex;
	for (unsigned int i = 0; i < n_present; i++)
		call(&present[i], data);
	return 0;
}

static unsigned int n_requests;

int netlink_address_add(struct netlink *netlink, int ifindex, const struct netlink_address *address)
{
	(void)netlink;
	(void)ifindex;
	(void)address;
	n_requests++;
	return -EEXIST;
}

int netlink_address_replace(struct netlink *netlink, int ifindex,
			    const struct netlink_address *address)
{
	return netlink_address_add(netlink, ifindex, address);
}

int netlink_address_delete(struct netlink *netlink, int ifindex,
			   const struct netlink_address *address)
{
	return netlink_address_add(netlink, ifindex, address);
}

int netlink_link_set_ipv4(struct netlink *netlink, int ifindex, int setting, uint32_t value)
{
	(void)setting;
	(void)value;
	return netlink_address_add(netlink, ifindex, NULL);
}

static void on_refusal(void *data, const char *path, const char *reason, bool is_used)
{
	(void)data;
	(void)snprintf(told, sizeof(told), "%s %s", path, reason);
	was_used = is_used;
	n_told++;
}

static void setup(void)
{
	options = (struct handler_options){ .table = 254,
					    .max_routes = 64,
					    .use_routes = true,
					    .min_connected_prefix_length = 16 };
	context = (struct handler_context){ .options = &options,
					    .state = &state,
					    .uplink_ifindex = 1,
					    .on_refusal = on_refusal,
					    .now_ns = REQUEST_NS,
					    .witness.is_in_force = true };
	n_told = n_present = n_requests = 0;
	told[0] = '\0';
	cr_assert_eq(wanted_init(&wanted, 256), 0);
}

static void teardown(void)
{
	wanted_deinit(&wanted);
}

TestSuite(handlers_witness, .init = setup, .fini = teardown);

/* An ACK for 10.7.0.5 that said nothing yet. */
static struct frame_witnessed *ack(uint32_t said)
{
	struct frame_witnessed *added = &context.witness.acks[context.witness.n_acks++];

	*added = (struct frame_witnessed){ .address = inet_addr("10.7.0.5"),
					   .request_ns = REQUEST_NS,
					   .ack_ns = REQUEST_NS + 1,
					   .mask = htonl(0xffffff00),
					   .time_s = 600,
					   .routers = { inet_addr("10.7.0.1") },
					   .said = said };
	return added;
}

static void leased(const char *ip, const char *time, const char *gateway)
{
	test_set(&wanted, "/ip", ip, context.now_ns);
	if (time)
		test_set(&wanted, "/lease/time", time, context.now_ns);
	if (gateway)
		test_set(&wanted, "/gateway", gateway, context.now_ns);
}

/* The address is used with `left_s`; -1: it is refused. */
static void expect(const char *ip, const char *time, int64_t left_s)
{
	int r;

	context.note[0] = '\0';
	n_told = 0;
	leased(ip, time, NULL);
	r = lease_get_whole(&context, &wanted, &lease);
	cr_expect_eq(r, left_s < 0 ? LEASE_ABSENT : 0, "%s %s: %d %s", ip, time, r, context.error);
	if (!r && left_s >= 0)
		cr_expect_eq((int64_t)lease.left_s, left_s, "%s %s: %u s", ip, time, lease.left_s);
	cr_expect(left_s >= 0 || n_told == 1, "%s: %u", ip, n_told);
}

Test(handlers_witness, F6_only_an_address_that_a_server_gave)
{
	expect("10.7.0.5/24", "600", -1);
	cr_expect_str_eq(told, "/ip 10.7.0.5/24: no server gave it");
	cr_expect_str_eq(context.note, "refused /ip: 10.7.0.5/24: no server gave it");
	ack(BIT(MASK) | BIT(TIME));
	expect("10.7.0.5/24", "600", 600);
	expect("10.7.0.1/24", "600", -1);
	cr_expect_str_eq(told, "/ip 10.7.0.1/24: no server gave it");
	expect("10.7.0.5/24", "600", 600);
	cr_expect_eq(n_told, 0);
	/* an instance whose calves do not speak DHCPv4 */
	context.witness.is_in_force = false;
	expect("10.7.0.1/24", "600", 600);
}

Test(handlers_witness, F6_prefix_of_the_mask_or_longer)
{
	ack(BIT(MASK) | BIT(TIME));
	expect("10.7.0.5/24", "600", 600);
	expect("10.7.0.5/25", "600", 600);
	expect("10.7.0.5/32", "600", 600);
	expect("10.7.0.5/23", "600", -1);
	cr_expect_str_eq(told, "/ip 10.7.0.5/23: no server gave so large a subnet");
	expect("10.7.0.5/8", "600", -1);
	expect("10.7.0.5/1", "600", -1);
}

/* Q28: without a mask, or with one that is not contiguous, the calf uses the class. */
Test(handlers_witness, Q28_class_without_a_mask)
{
	struct frame_witnessed *added = ack(BIT(TIME));

	expect("10.7.0.5/8", "600", 600);
	expect("10.7.0.5/7", "600", -1);
	added->address = inet_addr("192.0.2.5");
	expect("192.0.2.5/24", "600", 600);
	expect("192.0.2.5/16", "600", -1);
	/* a renewal kept the mask; a new lease of the same address uses the class */
	added->kept = BIT(MASK);
	added->mask = htonl(0xffff0000);
	expect("192.0.2.5/16", "600", 600);
	expect("192.0.2.5/24", "600", 600);
	expect("192.0.2.5/15", "600", -1);
	added->mask = htonl(0xffffffff);
	expect("192.0.2.5/24", "600", 600);
	expect("192.0.2.5/23", "600", -1);
}

Test(handlers_witness, F6_no_longer_than_the_server_said)
{
	ack(BIT(MASK) | BIT(TIME));
	context.now_ns = REQUEST_NS + 100 * S;
	expect("10.7.0.5/24", "500", 500);
	expect("10.7.0.5/24", "400", 400);
	expect("10.7.0.5/24", "502", 500);
	cr_expect_eq(n_told, 0, "a commit takes its time");
	expect("10.7.0.5/24", "600", 500);
	cr_expect_str_eq(told, "/lease/time 600: longer than the server allows");
	expect("10.7.0.5/24", "infinite", 500);
	cr_expect_str_eq(told, "/lease/time infinite: longer than the server allows");
	test_remove(&wanted, "/lease/time");
	expect("10.7.0.5/24", NULL, 500);
	cr_expect_eq(n_told, 0);
	cr_expect_eq(lease_end_ns(&context, &wanted), REQUEST_NS + 600 * S);
	test_set(&wanted, "/lease/time", "7200", context.now_ns);
	cr_expect_eq(lease_end_ns(&context, &wanted), REQUEST_NS + 600 * S);
	test_set(&wanted, "/lease/time", "7", context.now_ns);
	cr_expect_eq(lease_end_ns(&context, &wanted), context.now_ns + 7 * S);
	context.now_ns = REQUEST_NS + 600 * S;
	leased("10.7.0.5/24", "600", NULL);
	cr_expect_eq(lease_get(&context, &wanted, &lease), LEASE_ABSENT, "it is over");
	cr_expect_str_eq(told, "/ip 10.7.0.5/24: its lease is over");
}

Test(handlers_witness, for_ever_only_if_the_server_said_so)
{
	struct frame_witnessed *added = ack(BIT(MASK) | BIT(TIME));

	added->time_s = UINT32_MAX;
	context.now_ns = REQUEST_NS + 1000000 * S;
	expect("10.7.0.5/24", "infinite", NETLINK_FOREVER);
	cr_expect_eq(n_told, 0);
	test_remove(&wanted, "/lease/time");
	expect("10.7.0.5/24", NULL, NETLINK_FOREVER);
	expect("10.7.0.5/24", "60", 60);
	cr_expect_eq(lease_end_ns(&context, &wanted), context.now_ns + 60 * S);
	added->time_s = UINT32_MAX - 1;
	expect("10.7.0.5/24", "infinite", UINT32_MAX - 1 - 1000000);
	cr_expect_eq(n_told, 1);
}

/* Q25, Q26: no time, and one that is too short to live with. */
Test(handlers_witness, Q25_fallback)
{
	struct frame_witnessed *added = ack(BIT(MASK));

	expect("10.7.0.5/24", "infinite", 3600);
	options.fallback_lease_s = 60;
	expect("10.7.0.5/24", "infinite", 60);
	options.fallback_lease_s = 7200;
	expect("10.7.0.5/24", "infinite", 7200);
	/* a renewal has the time of the lease before, a new lease the fallback */
	added->kept = BIT(TIME);
	expect("10.7.0.5/24", "infinite", 7200);
	added->time_s = 9000;
	expect("10.7.0.5/24", "infinite", 9000);
	added->said |= BIT(TIME);
	added->time_s = 5;
	expect("10.7.0.5/24", "infinite", 30);
}

/* What is forged on the network takes nothing away, and what was said before stays. */
Test(handlers_witness, all_acks_for_the_address_count)
{
	struct frame_witnessed *forged;

	ack(BIT(MASK) | BIT(TIME) | BIT(ROUTER));
	forged = ack(BIT(MASK) | BIT(TIME) | BIT(ROUTER));
	forged->time_s = 1;
	forged->mask = htonl(0xffffffff);
	forged->routers[0] = inet_addr("10.7.0.66");
	expect("10.7.0.5/24", "600", 600);
	cr_expect_eq(n_told, 0);
	cr_expect(witness_has_router(&context.witness, lease.net.address,
				     (struct in_addr){ inet_addr("10.7.0.1") }));
}

/* The address that the host has stays, with its own lifetime, and with its routes. */
Test(handlers_witness, F6_what_was_set_before_stays)
{
	struct route_plan plan;

	ack(BIT(MASK) | BIT(TIME) | BIT(ROUTER));
	present[0] = (struct netlink_address){ .address = { inet_addr("10.7.0.77") },
					       .prefix_length = 24,
					       .valid_s = 9999 };
	present[1] = (struct netlink_address){ .address = { inet_addr("10.7.0.5") },
					       .prefix_length = 24,
					       .valid_s = 123,
					       .protocol = NETLINK_OWNER };
	n_present = 2;
	leased("10.7.0.1/24", "infinite", "10.7.0.1");
	cr_assert_eq(lease_get(&context, &wanted, &lease), 0);
	cr_expect_eq(lease.net.address.s_addr, inet_addr("10.7.0.5"));
	cr_expect_eq(lease.net.prefix_length, 24);
	cr_expect_eq(lease.left_s, 123);
	cr_expect_eq(n_told, 1);
	/* nothing is requested of the kernel: it would lose a part of a second each time */
	cr_expect_eq(handler_address.apply(&context, &wanted), 0, "%s", context.error);
	cr_expect_not(context.is_leased, "what /ip says is not on the uplink");
	cr_expect_eq(handler_address.release(&context, &wanted), 0);
	cr_expect_eq(n_requests, 0);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_assert_eq(plan.n_routes, 2, "to its subnet, and the default route");
	cr_expect_eq(plan.routes[0].route.source.s_addr, inet_addr("10.7.0.5"));
	cr_expect_eq(plan.routes[1].route.source.s_addr, inet_addr("10.7.0.5"));
	n_present = 1;
	cr_expect_eq(lease_get(&context, &wanted, &lease), LEASE_ABSENT, "another program's");
}

Test(handlers_witness, F6_only_a_router_that_a_server_gave)
{
	struct frame_witnessed *added = ack(BIT(MASK) | BIT(TIME) | BIT(ROUTER));
	struct route_plan plan;

	leased("10.7.0.5/24", "600", "10.7.0.1");
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2);
	leased("10.7.0.5/24", "600", "10.7.0.66");
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 1);
	cr_expect_str_eq(told, "/gateway 10.7.0.66: no server gave it");
	added->routers[2] = inet_addr("10.7.0.66");
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2, "the first one cannot be a router");
	added->routers[2] = 0;
	added->said = BIT(MASK) | BIT(TIME) | BIT(CLASSLESS_MICROSOFT);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2, "from option 249");
	added->said = BIT(MASK) | BIT(TIME);
	added->kept = BIT(CLASSLESS);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2, "kept from option 121");
	added->kept = 0;
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 1, "no router was said");
}

/* A default route below /route/ is as good as /gateway, so it needs the same proof. */
Test(handlers_witness, F6_no_default_route_around_the_gateway)
{
	struct frame_witnessed *added = ack(BIT(MASK) | BIT(TIME) | BIT(ROUTER));
	struct route_plan plan;

	leased("10.7.0.5/24", "600", NULL);
	test_set(&wanted, "/route/001", "0.0.0.0/0 via 10.7.0.66", context.now_ns);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 1, "only to the subnet");
	cr_expect_str_eq(told, "/route/001 0.0.0.0/0 via 10.7.0.66: no server gave it");
	test_set(&wanted, "/route/001", "0.0.0.0/0 via 10.7.0.1", context.now_ns);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2, "the server's router");
	/* the unused routers of a record are 0.0.0.0, but no server said so */
	test_set(&wanted, "/route/001", "0.0.0.0/0 onlink", context.now_ns);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 1, "only to the subnet");
	cr_expect_str_eq(told, "/route/001 0.0.0.0/0 onlink: no server gave it");
	n_told = 0;
	added->said = BIT(MASK) | BIT(TIME) | BIT(CLASSLESS);
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2, "option 121 can say so");
	cr_expect_eq(n_told, 0);
	added->said = BIT(MASK) | BIT(TIME);
	options.witness_warns = true;
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2);
	cr_expect(was_used);
}

Test(handlers_witness, F6_warn)
{
	struct route_plan plan;

	options.witness_warns = true;
	ack(BIT(MASK) | BIT(TIME));
	leased("10.7.0.1/24", "infinite", "10.7.0.66");
	cr_assert_eq(lease_get(&context, &wanted, &lease), 0);
	cr_expect_eq(lease.net.address.s_addr, inet_addr("10.7.0.1"));
	cr_expect_eq(lease.left_s, NETLINK_FOREVER);
	cr_expect(was_used);
	cr_expect_str_eq(told, "/ip 10.7.0.1/24: no server gave it");
	cr_expect_str_eq(context.note,
			 "used in spite of the witness: /ip: 10.7.0.1/24: no server gave it");
	leased("10.7.0.5/24", "infinite", "10.7.0.66");
	cr_assert_eq(lease_get(&context, &wanted, &lease), 0);
	cr_expect_eq(lease.left_s, NETLINK_FOREVER);
	cr_expect_str_eq(told, "/lease/time infinite: longer than the server allows");
	cr_expect_eq(route_plan_init(&plan, &context, &wanted), 0);
	cr_expect_eq(plan.n_routes, 2);
	cr_expect_str_eq(told, "/gateway 10.7.0.66: no server gave it");
}

/* What is not refused is not changed either, and what has no end ends with the ACK. */
Test(handlers_witness, F6_warn_changes_no_lifetime)
{
	options.witness_warns = true;
	ack(BIT(MASK) | BIT(TIME));
	expect("10.7.0.5/24", "604", 604);
	cr_expect_eq(n_told, 0, "a commit takes its time");
	cr_expect_eq(lease_end_ns(&context, &wanted), REQUEST_NS + 604 * S);
	expect("10.7.0.5/24", "606", 606);
	cr_expect_eq(n_told, 1);
	cr_expect(was_used);
	cr_expect_eq(lease_end_ns(&context, &wanted), REQUEST_NS + 606 * S);
	test_remove(&wanted, "/lease/time");
	expect("10.7.0.5/24", NULL, 600);
	cr_expect_eq(lease_end_ns(&context, &wanted), REQUEST_NS + 600 * S);
	context.now_ns = REQUEST_NS + 600 * S;
	cr_expect_eq(lease_get(&context, &wanted, &lease), LEASE_ABSENT);
	cr_expect_eq(n_told, 0);
}
