/* SPDX-License-Identifier: Apache-2.0 */
/* netlink.c with a real kernel, each test in its own network namespace. */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/ip.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/priv/netlink/netlink.h"

static struct netlink *netlink;
static int uplink;

static int sh(const char *command)
{
	return system(command); /* NOLINT(cert-env33-c) */
}

static void setup(void)
{
	struct netlink_link link;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	if (sh("ip -V 2>&1 | grep -q iproute2"))
		cr_skip_test("needs iproute2's ip");
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	cr_assert_eq(sh("ip link set lo up; ip link add up0 type veth peer name peer0;"
			"ip link set peer0 up"),
		     0);
	cr_assert_eq(netlink_new(&netlink), 0);
	cr_assert_eq(netlink_link_get_by_name(netlink, "up0", &link), 0);
	uplink = link.ifindex;
}

static void teardown(void)
{
	netlink = netlink_free(netlink);
}

TestSuite(netlink, .init = setup, .fini = teardown);

static struct in_addr in(const char *text)
{
	struct in_addr address = { 0 };

	cr_assert_eq(inet_pton(AF_INET, text, &address), 1);
	return address;
}

Test(netlink, link_get_and_set)
{
	struct netlink_link link;

	cr_assert_eq(netlink_link_get(netlink, uplink, &link), 0);
	cr_expect_str_eq(link.name, "up0");
	cr_expect_eq(link.mtu, 1500);
	cr_expect_gt(link.max_mtu, 9000);
	cr_expect_eq(link.type, 1);
	cr_expect_eq(link.flags & IFF_UP, 0);

	cr_expect_eq(netlink_link_set_up(netlink, uplink, true), 0);
	cr_expect_eq(netlink_link_set_mtu(netlink, uplink, 1400), 0);
	cr_assert_eq(netlink_link_get(netlink, uplink, &link), 0);
	cr_expect_neq(link.flags & IFF_UP, 0);
	cr_expect_eq(link.mtu, 1400);
	cr_expect_eq(netlink_link_set_mtu(netlink, uplink, 60), -EINVAL);
	cr_expect_eq(netlink_link_set_up(netlink, uplink, false), 0);
	cr_assert_eq(netlink_link_get(netlink, uplink, &link), 0);
	cr_expect_eq(link.flags & IFF_UP, 0);
}

static uint32_t rp_filter(void)
{
	uint32_t mode = 99;

	cr_expect_eq(netlink_link_get_rp_filter(netlink, uplink, &mode), 0);
	return mode;
}

/* The higher one of the link's and of all links' is in effect. */
Test(netlink, link_rp_filter)
{
	uint32_t mode = 99;
	char command[128];

	for (unsigned int all = 0; all < 3; all++)
		for (unsigned int link = 0; link < 3; link++) {
			(void)snprintf(command, sizeof(command),
				       "sysctl -qw net.ipv4.conf.all.rp_filter=%u "
				       "net.ipv4.conf.up0.rp_filter=%u",
				       all, link);
			cr_assert_eq(sh(command), 0);
			cr_expect_eq(rp_filter(), link > all ? link : all, "%s", command);
		}
	cr_assert_eq(sh("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.up0.rp_filter=0"),
		     0);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(netlink_link_set_ipv4(netlink, uplink, IPV4_DEVCONF_RP_FILTER,
						   NETLINK_RP_FILTER_LOOSE),
			     0);
		cr_expect_eq(rp_filter(), NETLINK_RP_FILTER_LOOSE);
	}
	cr_expect_eq(sh("test $(sysctl -n net.ipv4.conf.up0.rp_filter) = 2 && "
			"test $(sysctl -n net.ipv4.conf.all.rp_filter) = 1"),
		     0);
	cr_expect_eq(netlink_link_get_rp_filter(netlink, 0, &mode), -ENODEV);
	cr_expect_lt(netlink_link_get_rp_filter(netlink, 4711, &mode), 0);
	cr_expect_eq(mode, 99);
	cr_expect_eq(netlink_link_set_ipv4(netlink, 4711, IPV4_DEVCONF_RP_FILTER, 2), -ENODEV);
}

/* Only what reaches beyond the link counts, and only on this interface. */
Test(netlink, address_find_ipv6)
{
	struct in6_addr address = { 0 }, expected;

	if (sh("sysctl -qw net.ipv6.conf.up0.disable_ipv6=0; ip link set up0 up;"
	       "ip -6 address add 2001:db8::1/64 dev lo nodad"))
		cr_skip_test("needs IPv6");
	cr_assert_eq(sh("ip -6 address add fe80::7/64 dev up0 nodad"), 0);
	cr_expect_eq(netlink_address_find_ipv6(netlink, uplink, &address), 0);
	cr_assert_eq(sh("ip -6 address add 2001:db8::7/64 dev up0 nodad"), 0);
	cr_expect_eq(netlink_address_find_ipv6(netlink, uplink, &address), 1);
	cr_assert_eq(inet_pton(AF_INET6, "2001:db8::7", &expected), 1);
	cr_expect_arr_eq(&address, &expected, sizeof(address));
	cr_expect_eq(netlink_address_find_ipv6(netlink, 0, &address), -ENODEV);
	cr_expect_eq(netlink_address_find_ipv6(netlink, 99, &address), -ENODEV);
}

Test(netlink, link_that_is_not_there)
{
	struct netlink_link link;

	cr_expect_eq(netlink_link_get_by_name(netlink, "none0", &link), -ENODEV);
	cr_expect_eq(netlink_link_get_by_name(netlink, "", &link), -ENODEV);
	cr_expect_eq(netlink_link_get_by_name(netlink, "0123456789abcdef", &link), -ENODEV);
	cr_expect_eq(netlink_link_get(netlink, 4711, &link), -ENODEV);
	cr_expect_eq(netlink_link_get(netlink, 0, &link), -ENODEV);
	cr_expect_eq(netlink_link_set_up(netlink, 4711, true), -ENODEV);
	cr_expect_eq(netlink_link_set_mtu(netlink, 4711, 1400), -ENODEV);
	cr_expect_eq(netlink_link_set_quiet(netlink, 4711), -ENODEV);
	cr_expect_eq(netlink_link_set_alias(netlink, 4711, "x"), -ENODEV);
	cr_expect_eq(netlink_link_set_alias(netlink, 0, "x"), -ENODEV);
	cr_expect_eq(netlink_link_delete(netlink, 4711), -ENODEV);
	cr_expect_eq(netlink_link_delete(netlink, 0), -ENODEV);
	cr_expect_eq(netlink_link_set_noqueue(netlink, 4711), -ENODEV);
	cr_expect_eq(netlink_link_set_noqueue(netlink, 0), -ENODEV);
}

struct listed {
	unsigned int n, n_ports;
	bool has_uplink;
};

static void list_link(const struct netlink_link *link, void *data)
{
	struct listed *listed = data;

	listed->n++;
	listed->n_ports += link->is_bridge_port;
	listed->has_uplink |= link->ifindex == uplink && !strcmp(link->name, "up0") && link->mac[0];
}

Test(netlink, link_each)
{
	struct listed listed = { 0 };

	cr_assert_eq(netlink_link_each(netlink, list_link, &listed), 0);
	cr_expect_eq(listed.n, 3, "lo, up0, peer0: %u", listed.n);
	cr_expect(listed.has_uplink);
	cr_expect_eq(listed.n_ports, 0);
	cr_assert_eq(sh("ip link add br0 type bridge; ip link set peer0 master br0"), 0);
	listed = (struct listed){ 0 };
	cr_assert_eq(netlink_link_each(netlink, list_link, &listed), 0);
	cr_expect_eq(listed.n, 4, "%u", listed.n);
	cr_expect_eq(listed.n_ports, 1);
}

Test(netlink, quiet_link_has_no_ipv6_address)
{
	struct netlink_link link;

	cr_assert_eq(netlink_link_set_quiet(netlink, uplink), 0);
	cr_assert_eq(netlink_link_set_up(netlink, uplink, true), 0);
	cr_assert_eq(netlink_link_get(netlink, uplink, &link), 0);
	cr_expect_neq(link.flags & IFF_NOARP, 0);
	cr_expect_eq(sh("! ip -6 addr show dev up0 | grep -q inet6"), 0);
	cr_expect_eq(sh("ip -6 addr show dev peer0 | grep -q inet6"), 0);
}

struct seen {
	struct netlink_address addresses[8];
	struct netlink_route routes[8];
	uint32_t n;
};

static void see_address(const struct netlink_address *address, void *data)
{
	struct seen *seen = data;

	cr_assert_lt(seen->n, 8);
	seen->addresses[seen->n++] = *address;
}

static void see_route(const struct netlink_route *route, void *data)
{
	struct seen *seen = data;

	cr_assert_lt(seen->n, 8);
	seen->routes[seen->n++] = *route;
}

Test(netlink, addresses)
{
	struct netlink_address ours = {
		.address = in("192.0.2.5"),
		.prefix_length = 24,
		.broadcast = in("192.0.2.255"),
		.valid_s = 600,
		.preferred_s = 600,
	};
	struct seen seen = { .n = 0 };

	cr_assert_eq(sh("ip addr add 198.51.100.7/25 dev up0"), 0);
	cr_assert_eq(sh("ip addr add 192.0.2.99/24 dev peer0"), 0);
	cr_assert_eq(netlink_address_add(netlink, uplink, &ours), 0);
	cr_expect_eq(netlink_address_add(netlink, uplink, &ours), -EEXIST);

	cr_assert_eq(netlink_address_each(netlink, uplink, see_address, &seen), 0);
	cr_assert_eq(seen.n, 2);
	cr_expect_eq(seen.addresses[0].protocol, 0);
	cr_expect_eq(seen.addresses[0].valid_s, NETLINK_FOREVER);
	cr_expect_eq(seen.addresses[1].protocol, NETLINK_OWNER);
	cr_expect_eq(seen.addresses[1].prefix_length, 24);
	cr_expect_eq(seen.addresses[1].address.s_addr, ours.address.s_addr);
	cr_expect_eq(seen.addresses[1].broadcast.s_addr, ours.broadcast.s_addr);
	cr_expect_leq(seen.addresses[1].valid_s, 600);
	cr_expect_geq(seen.addresses[1].valid_s, 598);

	/* in place, the mark stays */
	ours.valid_s = ours.preferred_s = 7200;
	cr_assert_eq(netlink_address_replace(netlink, uplink, &ours), 0);
	seen.n = 0;
	cr_assert_eq(netlink_address_each(netlink, uplink, see_address, &seen), 0);
	cr_assert_eq(seen.n, 2);
	cr_expect_geq(seen.addresses[1].valid_s, 7198);
	cr_expect_eq(seen.addresses[1].protocol, NETLINK_OWNER);

	ours.valid_s = ours.preferred_s = NETLINK_FOREVER;
	cr_assert_eq(netlink_address_replace(netlink, uplink, &ours), 0);
	seen.n = 0;
	cr_assert_eq(netlink_address_each(netlink, uplink, see_address, &seen), 0);
	cr_expect_eq(seen.addresses[1].valid_s, NETLINK_FOREVER);

	cr_expect_eq(netlink_address_delete(netlink, uplink, &ours), 0);
	cr_expect_eq(netlink_address_delete(netlink, uplink, &ours), 0);
	seen.n = 0;
	cr_assert_eq(netlink_address_each(netlink, uplink, see_address, &seen), 0);
	cr_expect_eq(seen.n, 1);
	cr_expect_eq(netlink_address_add(netlink, 4711, &ours), -ENODEV);
}

static const struct netlink_address lease = { .prefix_length = 24,
					      .valid_s = NETLINK_FOREVER,
					      .preferred_s = NETLINK_FOREVER };

static void routes_in_table(uint32_t table)
{
	struct netlink_address address = lease;
	struct netlink_route route = {
		.gateway = in("192.0.2.1"),
		.source = in("192.0.2.5"),
		.metric = 100,
		.table = table,
	};
	struct netlink_route other = route;
	struct seen seen = { .n = 0 };
	char command[256];

	address.address = route.source;
	cr_assert_eq(netlink_link_set_up(netlink, uplink, true), 0);
	cr_assert_eq(netlink_address_add(netlink, uplink, &address), 0);
	/* no route in the table yet */
	cr_assert_eq(netlink_route_each(netlink, uplink, table, see_route, &seen), 0);
	cr_assert_eq(seen.n, 0);

	cr_assert_eq(netlink_route_add(netlink, uplink, &route), 0);
	cr_expect_eq(netlink_route_add(netlink, uplink, &route), -EEXIST);
	(void)snprintf(command, sizeof(command),
		       "ip route add default via 192.0.2.9 table %u metric 50 proto dhcp", table);
	cr_assert_eq(sh(command), 0);

	cr_assert_eq(netlink_route_each(netlink, uplink, table, see_route, &seen), 0);
	cr_assert_eq(seen.n, 1);
	cr_expect_eq(seen.routes[0].metric, 100);
	cr_expect_eq(seen.routes[0].table, table);
	cr_expect_eq(seen.routes[0].gateway.s_addr, route.gateway.s_addr);
	cr_expect_eq(seen.routes[0].source.s_addr, route.source.s_addr);
	cr_expect_eq(seen.routes[0].prefix_length, 0);

	/* a second one with the same destination and metric, then the first is deleted */
	other.gateway = in("192.0.2.2");
	cr_expect_eq(netlink_route_add(netlink, uplink, &other), -EEXIST);
	cr_assert_eq(netlink_route_append(netlink, uplink, &other), 0);
	cr_assert_eq(netlink_route_delete(netlink, uplink, &route), 0);
	cr_expect_eq(netlink_route_delete(netlink, uplink, &route), 0);
	seen.n = 0;
	cr_assert_eq(netlink_route_each(netlink, uplink, table, see_route, &seen), 0);
	cr_assert_eq(seen.n, 1);
	cr_expect_eq(seen.routes[0].gateway.s_addr, other.gateway.s_addr);

	/* the foreign route is still present, and cannot be deleted as ours */
	route.gateway = in("192.0.2.9");
	route.source.s_addr = 0;
	route.metric = 50;
	cr_expect_eq(netlink_route_delete(netlink, uplink, &route), 0);
	(void)snprintf(command, sizeof(command), "ip route show table %u | grep -q 192.0.2.9",
		       table);
	cr_expect_eq(sh(command), 0);
}

Test(netlink, routes_main)
{
	routes_in_table(254);
}

Test(netlink, routes_own_table)
{
	routes_in_table(1000);
}

Test(netlink, route_on_link)
{
	struct netlink_address address = lease;
	struct netlink_route route = {
		.destination = in("203.0.113.1"),
		.prefix_length = 32,
		.source = in("192.0.2.5"),
		.metric = 100,
		.table = 254,
	};
	struct seen seen = { .n = 0 };

	address.address = route.source;
	address.prefix_length = 32;
	cr_expect_eq(netlink_route_add(netlink, uplink, &route), -ENETDOWN);
	cr_assert_eq(netlink_link_set_up(netlink, uplink, true), 0);
	cr_expect_eq(netlink_route_add(netlink, uplink, &route), -EINVAL, "source is not ours yet");
	cr_assert_eq(netlink_address_add(netlink, uplink, &address), 0);
	cr_assert_eq(netlink_route_add(netlink, uplink, &route), 0);
	cr_assert_eq(netlink_route_each(netlink, uplink, 254, see_route, &seen), 0);
	cr_assert_eq(seen.n, 1);
	cr_expect_eq(seen.routes[0].gateway.s_addr, 0);
	cr_expect_eq(sh("ip route show 203.0.113.1 | grep -q 'scope link'"), 0);
	cr_assert_eq(netlink_route_delete(netlink, uplink, &route), 0);
	cr_expect_eq(sh("! ip route show | grep -q 203.0.113.1"), 0);
}

#define HAS_KERNELS_ROUTE "ip route show 192.0.2.0/24 | grep -q 'dev up0 proto kernel'"

Test(netlink, F3_address_without_a_route_of_the_kernel)
{
	struct netlink_address address = { .address = in("192.0.2.5"),
					   .prefix_length = 24,
					   .flags = IFA_F_NOPREFIXROUTE,
					   .valid_s = NETLINK_FOREVER,
					   .preferred_s = NETLINK_FOREVER };
	struct seen seen = { .n = 0 };

	cr_assert_eq(netlink_link_set_up(netlink, uplink, true), 0);
	cr_assert_eq(netlink_address_add(netlink, uplink, &address), 0);
	cr_assert_eq(netlink_address_each(netlink, uplink, see_address, &seen), 0);
	cr_assert_eq(seen.n, 1);
	cr_expect(seen.addresses[0].flags & IFA_F_NOPREFIXROUTE);
	cr_expect_neq(sh(HAS_KERNELS_ROUTE), 0);
	/* a replacement has no influence on that, in either direction */
	address.flags = 0;
	cr_assert_eq(netlink_address_replace(netlink, uplink, &address), 0);
	cr_expect_neq(sh(HAS_KERNELS_ROUTE), 0);
	cr_assert_eq(netlink_address_delete(netlink, uplink, &address), 0);
	cr_assert_eq(netlink_address_add(netlink, uplink, &address), 0);
	cr_expect_eq(sh(HAS_KERNELS_ROUTE), 0);
	address.flags = IFA_F_NOPREFIXROUTE;
	cr_assert_eq(netlink_address_replace(netlink, uplink, &address), 0);
	cr_expect_eq(sh(HAS_KERNELS_ROUTE), 0);
}

Test(netlink, F3_gateway_that_no_route_leads_to)
{
	struct netlink_address address = { .address = in("192.0.2.5"),
					   .prefix_length = 32,
					   .valid_s = NETLINK_FOREVER,
					   .preferred_s = NETLINK_FOREVER };
	struct netlink_route route = {
		.gateway = in("203.0.113.1"), .source = in("192.0.2.5"), .metric = 100, .table = 254
	};

	cr_assert_eq(netlink_link_set_up(netlink, uplink, true), 0);
	cr_assert_eq(netlink_address_add(netlink, uplink, &address), 0);
	cr_expect_eq(netlink_route_add(netlink, uplink, &route), -ENETUNREACH);
	route.is_gateway_onlink = true;
	cr_expect_eq(netlink_route_add(netlink, uplink, &route), 0);
	cr_expect_eq(sh("ip route show default | grep -q 'via 203.0.113.1 dev up0 .*onlink'"), 0);
	cr_expect_eq(sh("! ip route show | grep -q '^203'"), 0);
	route.is_gateway_onlink = false;
	cr_expect_eq(netlink_route_delete(netlink, uplink, &route), 0);
	cr_expect_eq(sh("! ip route show default | grep -q ."), 0);
}

static void see_onlink(const struct netlink_route *route, void *data)
{
	struct seen *seen = data;

	if (route->is_onlink && route->table == 254)
		see_route(route, seen);
}

/* Only the first is without anything that could lead elsewhere. */
Test(netlink, U19_route_of_neighbours)
{
	struct seen seen = { .n = 0 };

	cr_assert_eq(sh("ip link set up0 up; ip addr add 192.0.2.5/32 dev up0;"
			"ip route add 169.254.0.0/16 dev up0 metric 1002;"
			"ip route add 198.51.100.0/24 dev up0 scope global;"
			"ip route add 198.51.101.0/24 via 169.254.0.1 dev up0;"
			"ip route add 198.51.102.0/24 nexthop dev up0 nexthop dev peer0;"
			"ip route add 198.51.103.0/24 scope link via inet6 fe80::1 dev up0 onlink;"
			"ip route add unreachable 198.51.104.0/24"),
		     0);
	(void)sh("ip route add 198.51.105.0/24 encap ip id 7 dst 192.0.2.9 dev up0 2>/dev/null");
	cr_assert_eq(netlink_route_each_owner(netlink, 254, see_onlink, &seen), 0);
	cr_assert_eq(seen.n, 1);
	cr_expect_eq(seen.routes[0].destination.s_addr, in("169.254.0.0").s_addr);
	cr_expect_eq(seen.routes[0].ifindex, uplink);
}

static void count_address(const struct netlink_address *address, void *data)
{
	uint32_t *n = data;

	(void)address;
	(*n)++;
}

/* The most specific route through the uplink counts, whatever other devices and rules say. */
Test(netlink, route_find_ipv6_router)
{
	const struct in_addr server = in("10.77.0.1");
	struct in6_addr router = { 0 }, expected;

	cr_expect_eq(netlink_route_find_ipv6_router(netlink, uplink, server, &router), 0,
		     "no route");
	if (access("/proc/sys/net/ipv6", F_OK))
		cr_skip_test("no IPv6");
	cr_assert_eq(sh("ip link set up0 up; ip address add 10.77.0.5/24 dev up0; "
			"ip link add vpn0 type veth peer name vpn1; ip link set vpn0 up; "
			"ip route add 10.77.0.1 dev vpn0; ip route add default dev vpn0 table 7; "
			"ip rule add pref 1 table 7; "
			"ip -4 route add default via inet6 fe80::76 dev up0"),
		     0);
	cr_expect_eq(netlink_route_find_ipv6_router(netlink, uplink, server, &router), 0,
		     "on the link");
	cr_assert_eq(sh("ip route add 10.77.0.1 via inet6 fe80::77 dev up0 metric 5"), 0);
	cr_expect_eq(netlink_route_find_ipv6_router(netlink, uplink, server, &router), 1);
	cr_assert_eq(inet_pton(AF_INET6, "fe80::77", &expected), 1);
	cr_expect_eq(memcmp(&router, &expected, sizeof(router)), 0);
	cr_expect_eq(netlink_route_find_ipv6_router(netlink, uplink, in("192.0.2.1"), &router), 1);
	cr_assert_eq(inet_pton(AF_INET6, "fe80::76", &expected), 1);
	cr_expect_eq(memcmp(&router, &expected, sizeof(router)), 0);
	cr_assert_eq(sh("ip route add unreachable 192.0.2.1"), 0);
	cr_expect_eq(netlink_route_find_ipv6_router(netlink, uplink, in("192.0.2.1"), &router), 0);
	cr_expect_eq(netlink_route_find_ipv6_router(netlink, 0, server, &router), -ENODEV);
}

/* Dumps that do not fit one message, with entries of others in between. */
Test(netlink, many)
{
	struct netlink_address address = lease;
	struct netlink_route route = { .source = in("192.0.2.5"),
				       .prefix_length = 32,
				       .table = 254 };
	struct seen seen = { .n = 0 };
	uint32_t i, n = 0;

	cr_assert_eq(netlink_link_set_up(netlink, uplink, true), 0);
	address.address = route.source;
	cr_assert_eq(netlink_address_add(netlink, uplink, &address), 0);
	cr_assert_eq(sh("for i in $(seq 0 3); do for j in $(seq 1 250); do "
			"echo addr add 10.0.$i.$j/8 dev up0;"
			"echo route add 172.16.$i.$j dev peer0 proto 202;"
			"done; done | ip -batch -"),
		     0);
	cr_assert_eq(netlink_route_each(netlink, uplink, 254, see_route, &seen), 0);
	cr_expect_eq(seen.n, 0, "peer0's routes are none of ours");
	cr_assert_eq(netlink_address_each(netlink, uplink, count_address, &n), 0);
	cr_expect_eq(n, 1001);
	for (i = 0; i < 8; i++) {
		route.destination.s_addr = htonl(0xac200000u + i);
		cr_assert_eq(netlink_route_add(netlink, uplink, &route), 0);
	}
	cr_assert_eq(netlink_route_each(netlink, uplink, 254, see_route, &seen), 0);
	cr_expect_eq(seen.n, 8);
}

static struct {
	unsigned int n_links, n_addresses, n_routes, n_rules;
	bool is_gone;
} seen;

static void see_event(const struct netlink_event *event, void *data)
{
	(void)data;
	seen.n_links += event->type == NETLINK_EVENT_LINK;
	seen.n_addresses += event->type == NETLINK_EVENT_ADDRESS;
	seen.n_routes += event->type == NETLINK_EVENT_ROUTE;
	seen.n_rules += event->type == NETLINK_EVENT_RULE;
	seen.is_gone |= event->type == NETLINK_EVENT_LINK && event->is_gone &&
			event->ifindex == uplink;
}

Test(netlink, events)
{
	struct netlink *all, *links;
	int i, r;

	cr_assert_eq(netlink_listen(&all, false), 0);
	cr_assert_eq(netlink_listen(&links, true), 0);
	cr_expect_eq(netlink_events(all, see_event, NULL), 0, "nothing has come");
	cr_expect_eq(seen.n_links + seen.n_addresses + seen.n_routes, 0);
	cr_assert_eq(sh("ip addr add 192.0.2.5/24 dev up0; ip link set up0 up; ip link del up0"),
		     0);
	cr_expect_eq(netlink_events(all, see_event, NULL), 0);
	cr_expect(seen.n_links && seen.n_addresses && seen.n_routes && seen.is_gone);
	cr_assert_eq(sh("ip rule add pref 9 table 99; ip rule del pref 9; ip -6 rule add table 99"),
		     0);
	cr_expect_eq(netlink_events(all, see_event, NULL), 0);
	cr_expect_eq(seen.n_rules, 2, "of IPv4");
	memset(&seen, 0, sizeof(seen));
	cr_expect_eq(netlink_events(links, see_event, NULL), 0);
	cr_expect(seen.n_links && seen.is_gone);
	cr_expect_eq(seen.n_addresses + seen.n_routes + seen.n_rules, 0);
	/* more than the kernel buffers: it reports the loss, and events continue */
	cr_assert_eq(
		sh("for i in $(seq 1000 3000); do echo link set lo mtu $i; done | ip -batch -"), 0);
	memset(&seen, 0, sizeof(seen));
	for (i = 0, r = NETLINK_MORE; i < 1000 && r == NETLINK_MORE; i++)
		r = netlink_events(links, see_event, NULL);
	cr_expect_eq(r, NETLINK_LOST);
	do
		r = netlink_events(links, see_event, NULL);
	while (r == NETLINK_MORE);
	cr_expect_eq(r, 0);
	cr_expect_gt(seen.n_links, 0);
	cr_assert_eq(sh("ip link set lo mtu 2000"), 0);
	memset(&seen, 0, sizeof(seen));
	cr_expect_eq(netlink_events(links, see_event, NULL), 0);
	cr_expect_gt(seen.n_links, 0);
	netlink_free(all);
	netlink_free(links);
}
