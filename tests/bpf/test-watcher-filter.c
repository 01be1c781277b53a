/* SPDX-License-Identifier: Apache-2.0 */
/* What the watcher tells the frame filter (maps/frame.h, struct frame_host). */
#include <arpa/inet.h>
#include <bpf/bpf.h>

#include "tests/bpf/support-watcher.h"

TestSuite(watcher_filter, .init = setup, .fini = teardown);

static struct frame_host told(void)
{
	struct frame_host host;

	cr_assert_eq(bpf_map_lookup_elem(frames_host_map(&server.host), &(uint32_t){ 0 }, &host),
		     0);
	cr_expect_eq(host.version % 2, 0u);
	return host;
}

static void expect_told(const char *address, const char *mask, const char *router)
{
	const struct frame_host host = told();

	cr_expect_eq(host.address, inet_addr(address), "%#x", ntohl(host.address));
	cr_expect_eq(host.mask, inet_addr(mask), "%#x", ntohl(host.mask));
	cr_expect_eq(host.family, (uint32_t)AF_INET);
	cr_expect_eq(host.next_hop[0], inet_addr(router), "%#x", ntohl(host.next_hop[0]));
}

/* The address counts when it is on the uplink, not when the calf has it. */
Test(watcher_filter, F5_address_is_what_the_uplink_has)
{
	uint64_t revision;

	cr_expect_eq(told().address, 0u);
	start();
	revision = lease("192.0.2.5/24", "3600");
	EXPECT_OK("address", revision);
	expect_told("192.0.2.5", "255.255.255.0", "192.0.2.1");
	EXPECT_SH("ip address del 192.0.2.5/24 dev up0");
	EVENTUALLY("ip address show dev up0 | grep 192.0.2.5/24");
	settle();
	expect_told("192.0.2.5", "255.255.255.0", "192.0.2.1");
	commit_init(&commit);
	add("/ip", "192.0.2.6/24"); /* which no server gave */
	(void)run();
	settle();
	expect_told("192.0.2.5", "255.255.255.0", "192.0.2.1");
	(void)stop(SIGKILL);
	expect_told("192.0.2.5", "255.255.255.0", "192.0.2.1");
	commit_init(&commit);
	cr_assert_eq(commit_delete(&commit, "/ip"), 0);
	(void)run();
	start();
	EVENTUALLY("! ip address show dev up0 | grep 192.0.2.5");
	settle();
	cr_expect_eq(told().address, 0u);
}

/* Another program's, whose subnet ours would not connect: the host has it. */
Test(watcher_filter, F5_refused_subnet_of_another_programs_address)
{
	EXPECT_SH("ip link add vpn0 type veth peer name far0; ip link set far0 up;"
		  "ip link set vpn0 up; ip address add 10.8.0.2/32 dev vpn0;"
		  "ip route add default dev vpn0 metric 50; ip address add 192.0.2.5/24 dev up0");
	start();
	(void)lease("192.0.2.5/24", "3600");
	EVENTUALLY("ip route show default dev up0 | grep -q 'proto 202'");
	settle();
	EXPECT_SH("! ip address show dev up0 | grep 192.0.2.5/32");
	expect_told("192.0.2.5", "255.255.255.0", "192.0.2.1");
}

static void check_server_behind_a_router(bool is_used)
{
	uint64_t revision;

	start();
	frames_test_ack(&server, "192.0.2.5/24", "192.0.2.1", "3600");
	commit_init(&commit);
	add("/ip", "192.0.2.5/24");
	add("/gateway", "192.0.2.1");
	add("/lease/time", "3600");
	add("/lease/server", "10.77.0.1");
	add("/route/001", "10.77.0.0/16 via 192.0.2.8");
	add("/route/002", "10.77.0.1/32 via 192.0.2.9");
	revision = run();
	EXPECT_OK("address", revision);
	EXPECT_OK("route", revision);
	settle();
	EXPECT_SH(is_used ? "ip route show 10.77.0.1 | grep -q 'via 192.0.2.9 '" :
			    "test -z \"$(ip route show 10.77.0.1; ip route show default)\"");
	expect_told("192.0.2.5", "255.255.255.0", "192.0.2.9");
}

Test(watcher_filter, U06_router_to_the_server)
{
	check_server_behind_a_router(true);
}

/* The renewal has to get there, too, if the operator wants no routes on the host. */
Test(watcher_filter, U06_router_that_the_host_does_not_use)
{
	configure("use: {routes: false}\n");
	check_server_behind_a_router(false);
}
