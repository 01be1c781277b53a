/* SPDX-License-Identifier: Apache-2.0 */
/* The connected route with a real kernel: a hostile server beside a VPN, an address of an
 * older version, a running connection, and other owners of the same route. */
#include "tests/bpf/support-handlers.h"

#include <linux/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

TestSuite(handlers_connected_kernel, .init = setup, .fini = teardown);

#define METRIC "metric 100"
#define OURS(_net, _source) \
	"ip route show " _net " | grep -q 'dev up0 proto 202 scope link src " _source " " METRIC "'"
#define NO_OTHER(_net) "test $(ip route show " _net " | wc -l) = 1"
#define BY(_address, _device) "ip route get " _address " | grep -q ' dev " _device " '"
#define OF_VPN "ip route show dev vpn0 | sed 's/ linkdown//'"
#define ADDRESS(_net) "ip -4 addr show dev up0 | grep -q 'inet " _net " .*noprefixroute'"

/* How a VPN gets the host's traffic. */
static const struct style {
	const char *name;
	const char *up;
} styles[] = {
	{ "a default route with a lower metric", "ip route add default dev vpn0 metric 50" },
	{ "OpenVPN's two halves", "ip route add 0.0.0.0/1 dev vpn0 && "
				  "ip route add 128.0.0.0/1 dev vpn0" },
	{ "wg-quick's table and rules",
	  "ip route add default dev vpn0 table 51820 && "
	  "ip rule add pref 100 table main suppress_prefixlength 0 && "
	  "ip rule add pref 101 not fwmark 51820 table 51820" },
};
#define N_STYLES (sizeof(styles) / sizeof(styles[0]))

static void vpn_up(const struct style *style)
{
	cr_assert_eq(sh("ip link add vpn0 type veth peer name far0 && ip link set far0 up && "
			"ip link set vpn0 up && ip addr add 10.8.0.2/32 dev vpn0"),
		     0);
	cr_assert_eq(sh(style->up), 0, "%s", style->name);
}

static void vpn_down(void)
{
	EXPECT_SH("ip link del vpn0; ip rule del pref 100 2>/dev/null;"
		  "ip rule del pref 101 2>/dev/null; true");
}

static char refused[1024]; /* what the last passes refused */

static void on_refusal(void *data, const char *path, const char *why, bool is_used)
{
	size_t length = strlen(refused);

	(void)data;
	(void)is_used;
	(void)snprintf(refused + length, sizeof(refused) - length, "%s %s\n", path, why);
}

/* One pass, or the check of the watcher and the passes that it requires. */
static void settle_state(void)
{
	refused[0] = '\0';
	context.on_refusal = on_refusal;
	cr_expect_eq(pass(), 0, "%s", reason);
}

static void check_again(void)
{
	refused[0] = '\0';
	context.now_ns = loop_now_ns();
	reconcile_suspect_all(&handlers);
	reconcile_check(&handlers, &context, &wanted);
	cr_expect_eq(run_pass(), 0, "%s", reason);
}

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
	reconcile_init(&handlers, all, N_ALL);
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
		configuration.min_connected_prefix_length = 25;
		settle_state();
		EXPECT_SH(ADDRESS("10.77.0.50/32") " && " BY("10.77.0.9", "vpn0"));
		configuration.min_connected_prefix_length = 16;
		configuration.allow_hiding = true;
		lease("192.0.2.50/24", "192.0.2.1", "3600");
		settle_state();
		EXPECT_SH(ADDRESS("192.0.2.50/24") " && " BY("192.0.2.9", "up0"));
		configuration.allow_hiding = false;
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
	configuration.metric = 0;
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
	configuration.use_routes = false;
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

	configuration.use_routes = false;
	vpn_up(&behind);
	lease("10.77.0.50/5", "10.77.0.1", "3600");
	settle_state();
	EXPECT_SH(BY("8.8.8.8", "vpn0"));
	EXPECT_SH(ADDRESS("10.77.0.50/32"));
	configuration.use_routes = true;
	settle_state();
	EXPECT_SH(ADDRESS("10.77.0.50/5"));
}

/* An address of another program connects the subnet already, with the same metric. */
Test(handlers_connected_kernel, F3_subnet_that_is_connected_with_metric_0)
{
	configuration.metric = 0;
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

/* a running connection */

#define PEER "192.168.7.1"
#define PORT 7777

static struct talk {
	pid_t peer;
	int tcp, udp;
	pthread_t thread;
	atomic_bool is_over;
	atomic_uint n_rounds, n_errors;
	int error; /* the last one */
} talk;

static struct sockaddr_in peer_address(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(PORT),
				     .sin_addr = { inet_addr(PEER) } };
}

/* The other end of the veth, in a namespace of its own: it repeats what it hears. */
__attribute__((noreturn)) static void be_peer(int ready, int moved)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int listener, channel, one = 1;
	char c = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) || write(ready, &c, 1) != 1 || read(moved, &c, 1) != 1 ||
	    sh("ip link set peer0 up; ip addr add " PEER "/16 dev peer0"))
		_exit(1);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1) ||
	    write(ready, &c, 1) != 1)
		_exit(1);
	channel = accept(listener, NULL, NULL);
	while (read(channel, &c, 1) == 1 && write(channel, &c, 1) == 1)
		;
	_exit(0);
}

/* Each datagram asks for a route anew, so it notices a moment without one. */
static void *keep_talking(void *data)
{
	struct sockaddr_in to = peer_address();
	char c = 'x';

	(void)data;
	while (!talk.is_over) {
		for (int i = 0; i < 20; i++) {
			if (sendto(talk.udp, &c, 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1 ||
			    errno == ECONNREFUSED)
				continue;
			talk.error = errno;
			talk.n_errors++;
		}
		if (write(talk.tcp, &c, 1) != 1 || read(talk.tcp, &c, 1) != 1) {
			talk.error = errno;
			talk.n_errors++;
			break;
		}
		talk.n_rounds++;
	}
	return NULL;
}

static void start_talk(void)
{
	struct timeval patience = { .tv_sec = 10 };
	struct sockaddr_in to = peer_address();
	sigset_t all_signals, signals;
	int ready[2], moved[2];
	char command[64], c = 0;

	cr_assert(!pipe(ready) && !pipe(moved));
	talk.peer = fork();
	cr_assert_geq(talk.peer, 0);
	if (!talk.peer)
		be_peer(ready[1], moved[0]);
	cr_assert_eq(read(ready[0], &c, 1), 1);
	(void)snprintf(command, sizeof(command), "ip link set peer0 netns %d", talk.peer);
	cr_assert_eq(sh(command), 0);
	cr_assert_eq(write(moved[1], &c, 1), 1);
	cr_assert_eq(read(ready[0], &c, 1), 1);
	EXPECT_SH("for i in $(seq 50); do ip link show up0 | grep -q LOWER_UP && exit 0; sleep 0.1;"
		  "done; exit 1");
	talk.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	talk.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(talk.tcp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	cr_assert_eq(connect(talk.tcp, (struct sockaddr *)&to, sizeof(to)), 0, "%m");
	(void)sigfillset(&all_signals);
	(void)pthread_sigmask(SIG_BLOCK, &all_signals, &signals);
	cr_assert_eq(pthread_create(&talk.thread, NULL, keep_talking, NULL), 0);
	(void)pthread_sigmask(SIG_SETMASK, &signals, NULL);
}

/* Returns how many segments of the connection were lost: sent again, and not found there
 * already, as on a busy machine on which an answer takes longer than the timer. */
static unsigned int n_lost(void)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	cr_assert_eq(getsockopt(talk.tcp, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	return info.tcpi_total_retrans - info.tcpi_dsack_dups;
}

/* Until something was said after what has happened. */
static void hear(const char *what)
{
	unsigned int n = talk.n_rounds;

	for (int i = 0; i < 2000 && talk.n_rounds < n + 3; i++)
		(void)usleep(5000);
	cr_expect_geq(talk.n_rounds, n + 3, "%s", what);
	for (int i = 0; i < 200 && n_lost(); i++)
		(void)usleep(5000); /* for the acknowledgement that says so */
	cr_expect_eq(n_lost(), 0, "%s: %u segments", what, n_lost());
	cr_expect_eq(talk.n_errors, 0, "%s: %u errors, %s", what, talk.n_errors,
		     strerror(talk.error));
}

static void end_talk(void)
{
	int status;

	talk.is_over = true;
	(void)pthread_join(talk.thread, NULL);
	(void)close(talk.tcp);
	(void)close(talk.udp);
	cr_expect_eq(waitpid(talk.peer, &status, 0), talk.peer);
}

#define IS_OURS OURS("192.168.7.0/24", "192.168.7.5") " && " NO_OTHER("192.168.7.0/24")

static void expect_renewals(void)
{
	for (int i = 0; i < 50; i++) {
		lease("192.168.7.5/24", "192.168.7.1", i & 1 ? "3600" : "7200");
		test_remove(&wanted, "/gateway");
		cr_expect_eq(pass(), 0, "%s", reason);
	}
	hear("renewals");
	EXPECT_SH(IS_OURS);
}

/* Without a gateway there is no other route that could help. */
Test(handlers_connected_kernel, F3_running_connection_and_an_older_version)
{
	add_ours("up0", "192.168.7.5", NETLINK_FOREVER);
	start_talk();
	hear("before");
	EXPECT_SH("ip monitor address > /tmp/monitor 2>&1 & echo $! > /tmp/pid; sleep 0.3");
	expect_renewals();
	/* the removal of the address would end masqueraded connections */
	EXPECT_SH("kill $(cat /tmp/pid); ! grep Deleted /tmp/monitor");
	/* as at first, 50 times: the kernel's route only */
	for (int i = 0; i < 50; i++) {
		EXPECT_SH("ip route prepend 192.168.7.0/24 dev up0 proto kernel scope link "
			  "src 192.168.7.5 && ip route del 192.168.7.0/24 proto 202");
		cr_expect_eq(pass(), 0, "%s", reason);
		EXPECT_SH(IS_OURS);
	}
	hear("the kernel's route");
	end_talk();
}

/* As networkd and dhcpcd set it, with a route of their own. */
Test(handlers_connected_kernel, F3_running_connection_and_a_take_over)
{
	EXPECT_SH(
		"ip addr add 192.168.7.5/24 dev up0 noprefixroute valid_lft 900 preferred_lft 900;"
		"ip route add 192.168.7.0/24 dev up0 proto dhcp src 192.168.7.5 metric 7");
	context.takeover = true;
	test_set(&wanted, "/address", "192.168.7.5/24", 0);
	start_talk();
	hear("before");
	EXPECT_SH("ip monitor address > /tmp/monitor 2>&1 & echo $! > /tmp/pid; sleep 0.3");
	expect_renewals();
	EXPECT_SH("kill $(cat /tmp/pid); ! grep Deleted /tmp/monitor");
	end_talk();
}

/* An address that the kernel does not let us mark (Linux 6.1) stays at the end, and so does
 * its subnet. */
Test(handlers_connected_kernel, F3_end_after_a_take_over)
{
	bool is_marked;

	EXPECT_SH("ip addr add 10.77.0.50/24 dev up0 valid_lft 900 preferred_lft 900");
	context.takeover = true;
	test_set(&wanted, "/address", "10.77.0.50/24", 0);
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	settle_state();
	is_marked = !sh(NO_OTHER("10.77.0.0/24"));
	EXPECT_SH("ip route show 10.77.0.0/24 | grep -q 'proto 202'");
	settle_state();
	EXPECT_SH("ip route show 10.77.0.0/24 | grep -q 'proto 202'");
	wanted_clear(&wanted);
	settle_state();
	if (is_marked) {
		EXPECT_SH("! ip -4 addr show dev up0 | grep inet");
		EXPECT_SH("test -z \"$(ip route show dev up0)\"");
	} else {
		EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 10.77.0.50/24'");
		EXPECT_SH("ip route show 10.77.0.0/24 | grep -q 'proto kernel' && " NO_OTHER(
			"10.77.0.0/24"));
	}
}

Test(handlers_connected_kernel, F3_running_connection_and_changes)
{
	static const char *const nets[] = { "192.168.7.5/25", "192.168.7.5/24", "192.168.7.5/16",
					    "192.168.7.5/24" };

	lease("192.168.7.5/24", "192.168.7.1", "3600");
	test_remove(&wanted, "/gateway");
	settle_state();
	start_talk();
	expect_renewals();
	for (int i = 0; i < 40; i++) { /* of the mask */
		lease(nets[i % 4], "192.168.7.1", "3600");
		test_remove(&wanted, "/gateway");
		cr_expect_eq(pass(), 0, "%s", reason);
		EXPECT_SH("test $(ip route show dev up0 | wc -l) = 1");
	}
	hear("changes of the mask");
	for (int i = 0; i < 40; i++) { /* of the MTU of the routes */
		test_set(&wanted, "/mtu", i & 1 ? "1000" : "1200", 0);
		cr_expect_eq(pass(), 0, "%s", reason);
	}
	hear("changes of the MTU");
	/* a VPN that comes and goes, and hides nothing of this */
	for (size_t i = 0; i < N_STYLES; i++) {
		vpn_up(&styles[i]);
		check_again();
		hear(styles[i].name);
		vpn_down();
		check_again();
	}
	hear("without a VPN");
	EXPECT_SH(IS_OURS);
	end_talk();
}
