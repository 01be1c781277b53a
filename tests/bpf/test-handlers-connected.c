/* SPDX-License-Identifier: Apache-2.0 */
/* The connected route with a real kernel: a hostile server beside a VPN, and other owners of
 * the same route. A running connection is in test-handlers-connection.c. */
#include "tests/bpf/support-connected.h"

TestSuite(handlers_connected_kernel, .init = setup, .fini = teardown);

static const struct hostile {
	const char *option;
	const char *ip, *gateway, *route;
	const char *refused; /* path, or NULL: nothing need be */
	const char *victim;
} hostiles[] = {
	{ "option 1", "10.77.0.50/5", "10.77.0.1", NULL, "/ip ", "8.8.8.8" },
	{ "option 1, a quarter of the world", "192.0.2.50/2", "192.0.2.1", NULL, "/ip ",
	  "200.1.1.1" },
	{ "option 1, one subnet", "8.8.8.5/24", "8.8.8.1", NULL, "/ip ", "8.8.8.8" },
	{ "option 1, two addresses", "8.8.8.9/31", "8.8.8.8", NULL, "/ip ", "8.8.8.8" },
	{ "option 3", "10.77.0.50/24", "8.8.8.8", NULL, NULL, "8.8.8.8" },
	{ "option 3 with a /32", "10.77.0.50/32", "8.8.8.8", NULL, NULL, "8.8.8.8" },
	{ "options 121, 249: by a router", "10.77.0.50/24", "10.77.0.1", "8.8.8.0/24 via 10.77.0.1",
	  "/route/001 ", "8.8.8.8" },
	{ "options 121, 249: on the link", "10.77.0.50/24", "8.8.8.8", "8.8.8.8/32 onlink",
	  "/route/001 ", "8.8.8.8" },
	{ "option 33", "10.77.0.50/24", "10.77.0.1", "8.8.8.8/32 via 10.77.0.1", "/route/001 ",
	  "8.8.8.8" },
	{ "option 33, a router outside", "10.77.0.50/24", "10.77.0.1", "8.8.8.8/32 via 9.9.9.9",
	  "/route/001 ", "8.8.8.8" },
};
#define N_HOSTILES (sizeof(hostiles) / sizeof(hostiles[0]))

static void hostile_lease(const struct hostile *hostile)
{
	wanted_clear(&wanted);
	lease(hostile->ip, hostile->gateway, "3600");
	if (hostile->route)
		test_set(&wanted, "/route/001", hostile->route, loop_now_ns());
}

static void expect_by(const char *address, const char *device, const struct style *style,
		      const struct hostile *hostile)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "ip route get %s | grep -q ' dev %s '", address,
		       device);
	cr_expect_eq(sh(command), 0, "%s, %s: %s is not reached by %s", style->name,
		     hostile->option, address, device);
}

static void expect_refusal(const struct style *style, const struct hostile *hostile)
{
	cr_expect(hostile->refused ? !strncmp(refused, hostile->refused, strlen(hostile->refused)) :
				     !refused[0],
		  "%s, %s: %s", style->name, hostile->option, refused);
}

static void expect_hostile_fails(const struct style *style, const struct hostile *hostile)
{
	expect_by(hostile->victim, "vpn0", style, hostile);
	expect_by("1.1.1.1", "vpn0", style, hostile);
	expect_refusal(style, hostile);
	/* what there is without the VPN */
	EXPECT_SH("ip route show default dev up0 | grep -q 'proto 202'");
}

/* TunnelCrack and TunnelVision: the VPN is there first, or it comes later, and goes. */
Test(handlers_connected_kernel, F3_hostile_server_beside_a_vpn)
{
	for (size_t i = 0; i < N_STYLES; i++)
		for (size_t j = 0; j < N_HOSTILES; j++) {
			vpn_up(&styles[i]);
			hostile_lease(&hostiles[j]);
			settle_state();
			expect_hostile_fails(&styles[i], &hostiles[j]);
			vpn_down();
			check_again();
			expect_by(hostiles[j].victim, "up0", &styles[i], &hostiles[j]);
			cr_expect_str_eq(refused, "");
			vpn_up(&styles[i]);
			check_again();
			expect_hostile_fails(&styles[i], &hostiles[j]);
			wanted_clear(&wanted);
			settle_state();
			EXPECT_SH("! ip -4 addr show up0 | grep inet");
			EXPECT_SH("! ip route show table all | grep 'proto 202'");
			vpn_down();
		}
}

/* A restart finds the address as the last run has left it. */
Test(handlers_connected_kernel, F3_refused_subnet_over_a_restart)
{
	context.n_address_changes = 1; /* the watcher counts them */
	vpn_up(&styles[0]);
	hostile_lease(&hostiles[0]);
	settle_state();
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 10.77.0.50/32 '");
	memset(&state, 0, sizeof(state));
	context.is_subnet_refused = false;
	reconcile_init(&handlers, handlers_all, HANDLERS_ALL_N);
	(void)n_changes();
	settle_state();
	cr_expect_eq(n_changes(), 0, "nothing to change");
	cr_expect_eq(strncmp(refused,
			     "/ip 10.77.0.50/5: its subnet would hide the route to "
			     "0.0.0.0/0 on-link metric 50 protocol 3 table 254; "
			     "set with /32\n",
			     100),
		     0, "%s", refused);
	cr_expect_not_null(strstr(handlers.state[0].status, "; refused /ip: 10.77.0.50/5: "), "%s",
			   handlers.state[0].status);
	/* nor does a renewal show less, or set more */
	lease("10.77.0.50/5", "10.77.0.1", "7200");
	cr_expect_eq(pass_of("/lease/time"), 0, "%s", reason);
	cr_expect_not_null(strstr(handlers.state[0].status, "; refused /ip: 10.77.0.50/5: "));
	EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 1");
	EXPECT_SH("ip -4 addr show dev up0 | grep -Eq 'valid_lft 7(200|19[0-9])sec'");
	EXPECT_SH("test $(ip route show | grep -c 'proto 202') = 1");
}

#define THEIRS "ip -4 -o addr show dev up0 | grep -q 'inet 192.0.2.5/24 .*valid_lft forever'"
#define N_ADDRESSES(_n) "test $(ip -4 addr show dev up0 | grep -c inet) = " _n

/* Another program's address is left alone, with its subnet, and the status does not say more. */
Test(handlers_connected_kernel, F3_refused_subnet_of_another_programs_address)
{
	vpn_up(&styles[0]);
	EXPECT_SH("ip addr add 192.0.2.5/24 dev up0");
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	for (int i = 0; i < 2; i++) {
		settle_state();
		EXPECT_SH(THEIRS " && " N_ADDRESSES("1"));
		cr_expect(context.is_leased);
		cr_expect_not_null(strstr(refused, "; left as another program has set it\n"), "%s",
				   refused);
		cr_expect_null(strstr(handlers.state[0].status, "/32"));
	}
	check_again();
	EXPECT_SH(THEIRS " && " N_ADDRESSES("1"));
	/* with another subnet it is not the lease */
	EXPECT_SH("ip addr del 192.0.2.5/24 dev up0; ip addr add 192.0.2.5/25 dev up0");
	settle_state();
	EXPECT_SH(ADDRESS("192.0.2.5/32") " && " N_ADDRESSES("2"));
	cr_expect_not_null(strstr(refused, "; set with /32\n"), "%s", refused);
	/* nor does ours go because they add one */
	EXPECT_SH("ip addr del 192.0.2.5/25 dev up0; ip addr add 192.0.2.5/24 dev up0");
	settle_state();
	EXPECT_SH(THEIRS " && " ADDRESS("192.0.2.5/32") " && " N_ADDRESSES("2"));
	cr_expect_not_null(strstr(refused, "; set with /32\n"), "%s", refused);
	wanted_clear(&wanted);
	settle_state();
	EXPECT_SH(THEIRS " && " N_ADDRESSES("1"));
}

/* A former client's goes when ours is there, whether it has an end or not. */
Test(handlers_connected_kernel, F3_refused_subnet_of_a_former_clients_address)
{
	static const char *const lifetimes[] = { "", " valid_lft 900 preferred_lft 900" };
	char command[128];

	context.takeover = true;
	vpn_up(&styles[0]);
	for (unsigned int i = 0; i < 2; i++) {
		(void)snprintf(command, sizeof(command), "ip addr add 192.0.2.5/24 dev up0%s",
			       lifetimes[i]);
		EXPECT_SH(command);
		wanted.revision = 1000 * (i + 1); /* another start */
		test_set(&wanted, "/address", "192.0.2.5/24", 0);
		lease("192.0.2.5/24", "192.0.2.1", "3600");
		(void)n_changes();
		settle_state();
		EXPECT_SH(ADDRESS("192.0.2.5/32") " && " N_ADDRESSES("1"));
		EXPECT_SH("! ip route show 192.0.2.0/24 | grep .");
		EXPECT_SH("ip route show default dev up0 | grep -q 'proto 202 src 192.0.2.5'");
		EXPECT_SH(BY("192.0.2.9", "vpn0"));
		cr_expect_not_null(strstr(refused, "; set with /32\n"), "%s", refused);
		wanted_clear(&wanted);
		settle_state();
		EXPECT_SH("! ip -4 addr show dev up0 | grep inet");
	}
}

/* The honest server's LAN stays the host's. */
Test(handlers_connected_kernel, F3_lan_beside_a_vpn)
{
	for (size_t i = 0; i < N_STYLES; i++) {
		vpn_up(&styles[i]);
		wanted_clear(&wanted);
		lease("10.77.0.50/24", "10.77.0.1", "3600");
		settle_state();
		cr_expect_str_eq(refused, "");
		EXPECT_SH(ADDRESS("10.77.0.50/24"));
		EXPECT_SH(OURS("10.77.0.0/24", "10.77.0.50") " && " NO_OTHER("10.77.0.0/24"));
		EXPECT_SH(BY("10.77.0.9", "up0") " && " BY("8.8.8.8", "vpn0"));
		options.min_connected_prefix_length = 25;
		settle_state();
		EXPECT_SH(ADDRESS("10.77.0.50/32") " && " BY("10.77.0.9", "vpn0"));
		options.min_connected_prefix_length = 16;
		options.allow_hiding = true;
		lease("192.0.2.50/24", "192.0.2.1", "3600");
		settle_state();
		EXPECT_SH(ADDRESS("192.0.2.50/24") " && " BY("192.0.2.9", "up0"));
		options.allow_hiding = false;
		vpn_down();
		wanted_clear(&wanted);
		settle_state();
	}
}

/* What is more specific, or equal and made by the kernel, goes first. */
Test(handlers_connected_kernel, F3_other_owners_of_private_space)
{
	EXPECT_SH("ip link add vpn0 type veth peer name far0; ip link set vpn0 up;"
		  "ip addr add 10.77.0.9/24 dev vpn0; ip route add 10.77.3.0/24 dev vpn0;"
		  "" OF_VPN " > /tmp/before");
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	settle_state();
	EXPECT_SH(BY("10.77.0.7", "vpn0"));
	EXPECT_SH(
		"ip route show | grep -q '^10.77.0.0/24 dev up0 proto 202 scope link src 10.77.0.50 " METRIC
		"'");
	lease("10.77.0.50/16", "10.77.0.1", "3600");
	settle_state();
	EXPECT_SH(BY("10.77.0.7", "vpn0") " && " BY("10.77.3.7", "vpn0") " && " BY("10.77.4.7",
										   "up0"));
	wanted_clear(&wanted);
	settle_state();
	EXPECT_SH(OF_VPN " | diff /tmp/before -");
}

/* Neither replaced nor removed; the default route is set nevertheless. */
Test(handlers_connected_kernel, F3_foreign_route_of_equal_metric)
{
	EXPECT_SH("ip link add vpn0 type veth peer name far0; ip link set vpn0 up;"
		  "ip route add 10.77.0.0/24 dev vpn0 metric 100;"
		  "" OF_VPN " > /tmp/before");
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	cr_expect_eq(pass(), -EEXIST);
	EXPECT_SH(OF_VPN " | diff /tmp/before -");
	EXPECT_SH("ip route show default | grep -q 'via 10.77.0.1 dev up0 proto 202'");
	EXPECT_SH("ip route del 10.77.0.0/24 dev vpn0 metric 100");
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH(OURS("10.77.0.0/24", "10.77.0.50"));
	/* the same on the uplink, by another program */
	wanted_clear(&wanted);
	settle_state();
	/* the kernel drops all routes with the last address */
	EXPECT_SH("ip addr add 198.51.100.9/24 dev up0; "
		  "ip route add 10.77.0.0/24 dev up0 metric 100 proto static");
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	settle_state(); /* it is connected */
	EXPECT_SH("ip route show default | grep -q 'via 10.77.0.1 dev up0 proto 202'");
	wanted_clear(&wanted);
	settle_state();
	EXPECT_SH("ip route show 10.77.0.0/24 | grep -q static && " NO_OTHER("10.77.0.0/24"));
}

/* With metric 0 ours has the same metric as the kernel's of our own address. */
Test(handlers_connected_kernel, F3_metric_of_the_kernel)
{
	options.metric = 0;
	add_ours("up0", "10.77.0.50", NETLINK_FOREVER);
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	settle_state();
	EXPECT_SH("ip route show 10.77.0.0/24 | grep -q 'proto 202' && " NO_OTHER("10.77.0.0/24"));
}

/* The link goes down and up: the kernel drops our routes, and adds its own if the address
 * is one of an older version. */
Test(handlers_connected_kernel, F3_link_down_and_up)
{
	for (int is_old = 0; is_old < 2; is_old++) {
		if (is_old)
			add_ours("up0", "10.77.0.50", NETLINK_FOREVER);
		lease("10.77.0.50/24", "10.77.0.1", "3600");
		settle_state();
		EXPECT_SH(OURS("10.77.0.0/24", "10.77.0.50") " && " NO_OTHER("10.77.0.0/24"));
		EXPECT_SH("ip link set up0 down; ip link set up0 up;"
			  "for i in $(seq 50); do ip link show up0 | grep -q LOWER_UP && exit 0;"
			  "sleep 0.1; done; exit 1");
		settle_state();
		EXPECT_SH(OURS("10.77.0.0/24", "10.77.0.50") " && " NO_OTHER("10.77.0.0/24"));
		EXPECT_SH("ip route show default | grep -q 'proto 202'");
		wanted_clear(&wanted);
		settle_state();
		EXPECT_SH("test -z \"$(ip route show dev up0)\"");
	}
}

static void set_rp_filter(int all_links, int uplink)
{
	char command[128];

	(void)snprintf(command, sizeof(command),
		       "sysctl -qw net.ipv4.conf.all.rp_filter=%d net.ipv4.conf.up0.rp_filter=%d",
		       all_links, uplink);
	cr_assert_eq(sh(command), 0);
}

#define RP_FILTER(_value) "test $(sysctl -n net.ipv4.conf.up0.rp_filter) = " _value

/* Strict filtering would drop ARP requests of a router that a VPN reaches. */
Test(handlers_connected_kernel, F3_rp_filter_and_an_onlink_router)
{
	static const struct {
		int all, uplink;
		const char *after;
	} rows[] = {
		{ 0, 1, RP_FILTER("2") }, { 1, 0, RP_FILTER("2") }, { 1, 1, RP_FILTER("2") },
		{ 0, 0, RP_FILTER("0") }, { 0, 2, RP_FILTER("2") }, { 2, 0, RP_FILTER("0") },
		{ 2, 1, RP_FILTER("1") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_rp_filter(rows[i].all, rows[i].uplink);
		lease("10.77.0.50/32", "10.99.0.1", "3600");
		settle_state();
		EXPECT_SH(rows[i].after);
		(void)n_changes();
		settle_state();
		cr_expect_eq(n_changes(), 0, "row %zu: nothing to change", i);
		/* the routes are there, and somebody sets it again */
		set_rp_filter(rows[i].all, rows[i].uplink);
		settle_state();
		EXPECT_SH(rows[i].after);
		wanted_clear(&wanted);
		settle_state();
	}
}

Test(handlers_connected_kernel, F3_rp_filter_and_a_router_in_the_subnet)
{
	set_rp_filter(1, 1);
	lease("192.0.2.50/24", "192.0.2.1", "3600");
	settle_state();
	EXPECT_SH(RP_FILTER("1"));
	/* its subnet is refused */
	vpn_up(&styles[1]);
	check_again();
	EXPECT_SH(ADDRESS("192.0.2.50/32") " && " RP_FILTER("2"));
}

/* Without carrier another uplink gets the traffic of the subnet, too. */
Test(handlers_connected_kernel, F3_no_carrier)
{
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	settle_state();
	context.is_carrier_lost = true;
	settle_state();
	EXPECT_SH("test -z \"$(ip route show dev up0)\"");
	context.is_carrier_lost = false;
	settle_state();
	EXPECT_SH(OURS("10.77.0.0/24", "10.77.0.50"));
}

/* A route that another program removed comes back, unless only a report is wanted. */
Test(handlers_connected_kernel, F3_drift)
{
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	settle_state();
	EXPECT_SH("ip route del 10.77.0.0/24 dev up0");
	check_again();
	EXPECT_SH(OURS("10.77.0.0/24", "10.77.0.50"));
	EXPECT_SH("ip route show default | grep -q 'via 10.77.0.1 .*proto 202'");
	handlers.drift = CONFIGURATION_DRIFT_REPORT;
	EXPECT_SH("ip route del 10.77.0.0/24 dev up0");
	check_again();
	EXPECT_SH("! ip route show 10.77.0.0/24 | grep .");
}

/* `use: {routes: false}` leaves the host its subnet. */
Test(handlers_connected_kernel, F3_without_routes_of_the_server)
{
	options.use_routes = false;
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	test_set(&wanted, "/route/001", "10.99.0.0/16 via 10.77.0.1", 0);
	settle_state();
	EXPECT_SH(OURS("10.77.0.0/24", "10.77.0.50"));
	EXPECT_SH("test $(ip route show dev up0 | wc -l) = 1");
	vpn_up(&styles[1]);
	lease("10.77.0.50/5", "10.77.0.1", "3600");
	settle_state();
	EXPECT_SH(BY("8.8.8.8", "vpn0"));
}

/* Then the VPN's default route is not behind one of ours, whatever its metric. */
Test(handlers_connected_kernel, F3_default_route_of_a_vpn_alone)
{
	static const struct style behind = { "a default route with a higher metric",
					     "ip route add default dev vpn0 metric 500" };

	options.use_routes = false;
	vpn_up(&behind);
	lease("10.77.0.50/5", "10.77.0.1", "3600");
	settle_state();
	EXPECT_SH(BY("8.8.8.8", "vpn0"));
	EXPECT_SH(ADDRESS("10.77.0.50/32"));
	options.use_routes = true;
	settle_state();
	EXPECT_SH(ADDRESS("10.77.0.50/5"));
}

/* An address of another program connects the subnet already, with the same metric. */
Test(handlers_connected_kernel, F3_subnet_that_is_connected_with_metric_0)
{
	options.metric = 0;
	EXPECT_SH("ip addr add 10.77.0.9/24 dev up0");
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	settle_state();
	EXPECT_SH("ip route show 10.77.0.0/24 | grep -q 'proto kernel'");
	EXPECT_SH("ip route show default | grep -q 'via 10.77.0.1 '");
}

/* The operator's metrics order two uplinks in one subnet. */
Test(handlers_connected_kernel, F3_two_uplinks_in_a_public_subnet)
{
	EXPECT_SH("ip link add up1 type veth peer name peer1; ip link set peer1 up;"
		  "ip link set up1 up; ip addr add 192.0.2.6/24 dev up1 noprefixroute;"
		  "ip route add 192.0.2.0/24 dev up1 proto 202 src 192.0.2.6 metric 200;"
		  "ip route add default via 192.0.2.1 dev up1 proto 202 metric 200 src 192.0.2.6");
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	settle_state();
	cr_expect_str_eq(refused, "");
	EXPECT_SH(BY("192.0.2.77", "up0"));
	EXPECT_SH("ip link set up0 down; ip link set up0 up; sleep 0.1");
	settle_state();
	EXPECT_SH(BY("192.0.2.77", "up0"));
}

/* A calf that was taken over: what the address has stays, with its subnet under the policy. */
Test(handlers_connected_kernel, F3_kept_lease)
{
	add_ours("up0", "192.0.2.50", 3600);
	context.witness.is_in_force = true;
	lease("192.0.2.1/24", "192.0.2.1", "3600");
	settle_state();
	cr_expect_eq(strncmp(refused, "/ip 192.0.2.1/24: no server gave it\n", 36), 0, "%s",
		     refused);
	EXPECT_SH(OURS("192.0.2.0/24", "192.0.2.50") " && " NO_OTHER("192.0.2.0/24"));
	for (size_t i = 0; i < N_STYLES; i++) {
		vpn_up(&styles[i]);
		check_again();
		EXPECT_SH(BY("192.0.2.9", "vpn0"));
		cr_expect_not_null(strstr(refused, "its subnet would hide"), "%s", refused);
		EXPECT_SH(ADDRESS("192.0.2.50/32"));
		EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 1");
		EXPECT_SH("ip -4 addr show dev up0 | grep -Eq 'valid_lft 3(600|59[0-9])sec'");
		vpn_down();
		wanted_clear(&wanted);
		context.witness.is_in_force = false;
		settle_state();
		context.witness.is_in_force = true;
		add_ours("up0", "192.0.2.50", 3600);
		lease("192.0.2.1/24", "192.0.2.1", "3600");
		settle_state();
	}
}

/* MTU of option 26 beside IPv6: the neighbours' packets have it, too (U11). */
Test(handlers_connected_kernel, F3_mtu_of_the_subnet)
{
	EXPECT_SH("ip link set up0 down; ip link set up0 addrgenmode none;"
		  "mount -t proc proc /proc; echo 0 > /proc/sys/net/ipv6/conf/up0/disable_ipv6;"
		  "ip link set up0 up; ip -6 addr add 2001:db8::5/64 dev up0 nodad");
	for (size_t i = 0; i < N_STYLES; i++) {
		vpn_up(&styles[i]);
		lease("10.77.0.50/24", "10.77.0.1", "3600");
		test_set(&wanted, "/mtu", "600", loop_now_ns());
		settle_state();
		EXPECT_SH("ip -6 addr show dev up0 | grep -q 2001:db8::5/64");
		EXPECT_SH("ip link show up0 | grep -q 'mtu 1280'");
		EXPECT_SH("ip route get 10.77.0.9 | grep -q 'mtu 600'");
		EXPECT_SH("test $(ip route show proto 202 | grep -c 'mtu 600') = 2");
		EXPECT_SH("! ip route get 8.8.8.8 | grep mtu"); /* of the VPN */
		vpn_down();
		wanted_clear(&wanted);
		settle_state();
		EXPECT_SH("ip link show up0 | grep -q 'mtu 1500'");
	}
}
