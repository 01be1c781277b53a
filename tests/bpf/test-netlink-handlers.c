/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers against the kernel. */
#include "tests/bpf/support-handlers.h"

TestSuite(handlers, .init = setup, .fini = teardown);

Test(handlers, lease_twice_changes_once)
{
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	test_set(&wanted, "/mtu", "1400", 0);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	(void)n_changes();
	cr_assert_eq(pass(), 0, "%s", reason);
	cr_expect_gt(n_changes(), 2);
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 192.0.2.5/24 brd 192.0.2.255'");
	EXPECT_SH("ip -4 addr show dev up0 | grep -Eq 'valid_lft 3(600|59[0-9])sec'");
	EXPECT_SH("ip route show default | "
		  "grep -q 'via 192.0.2.1 dev up0 proto 202 src 192.0.2.5 metric 100'");
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1400'");
	EXPECT_SH("grep -q 'nameserver 192.0.2.1' /tmp/etc/resolv.conf");
	cr_expect_eq(pass(), 0);
	cr_expect_eq(pass(), 0);
	cr_expect_eq(n_changes(), 0, "nothing to change, nothing changed");
}

Test(handlers, everything_is_taken_back)
{
	EXPECT_SH("ip -4 addr show > /tmp/before; ip route show table all >> /tmp/before;"
		  "ip link show up0 | grep -o 'mtu [0-9]*' >> /tmp/before;"
		  "echo original > /tmp/etc/resolv.conf");
	lease("192.0.2.5/32", "203.0.113.1", "3600");
	test_set(&wanted, "/mtu", "1400", 0);
	test_set(&wanted, "/search", "example.net", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 203.0.113.1", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("! ip route show | grep '^203.0.113.1'");
	EXPECT_SH("ip route show | grep -q '^default via 203.0.113.1 dev up0 proto 202 .*onlink'");
	EXPECT_SH(
		"ip route show | grep -q '^10.0.0.0/8 via 203.0.113.1 dev up0 proto 202 .*onlink'");
	wanted_clear(&wanted);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip -4 addr show > /tmp/after; ip route show table all >> /tmp/after;"
		  "ip link show up0 | grep -o 'mtu [0-9]*' >> /tmp/after;"
		  "diff /tmp/before /tmp/after; grep -qx original /tmp/etc/resolv.conf;"
		  "rmdir /tmp/root/test; test $(ls -A /tmp/root) = handlers.lock");
	(void)n_changes();
	cr_expect_eq(pass(), 0);
	cr_expect_eq(n_changes(), 0);
}

Test(handlers, renewal_extends_in_place)
{
	unsigned int n;

	lease("192.0.2.5/24", "192.0.2.1", "100");
	cr_assert_eq(pass(), 0, "%s", reason);
	(void)n_changes();
	lease("192.0.2.5/24", "192.0.2.1", "200");
	cr_assert_eq(pass(), 0, "%s", reason);
	n = n_changes();
	cr_expect_eq(n, 1, "one RTM_NEWADDR, not %u", n);
	EXPECT_SH("ip -4 addr show dev up0 | grep -Eq 'valid_lft (200|199)sec'");
	lease("192.0.2.5/24", "192.0.2.1", "infinite");
	cr_assert_eq(pass(), 0);
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 'valid_lft forever'");
	lease("192.0.2.5/24", "192.0.2.1", "200");
	cr_assert_eq(pass(), 0);
	EXPECT_SH("ip -4 addr show dev up0 | grep -Eq 'valid_lft (200|199)sec'");
}

Test(handlers, lifetime_is_what_is_left)
{
	/* ages that a machine has which booted a moment ago */
	lease("192.0.2.5/24", "192.0.2.1", "1000");
	test_set(&wanted, "/lease/time", "1000", loop_now_ns() - 2 * S);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip -4 addr show dev up0 | grep -Eq 'valid_lft (998|997)sec'");
	test_set(&wanted, "/lease/time", "2", loop_now_ns() - 2 * S);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("! ip -4 addr show dev up0 | grep inet");
	EXPECT_SH("! ip route show | grep 'proto 202'");
}

/* The kernel removes the address and the routes by itself. */
Test(handlers, expiry_without_us)
{
	lease("192.0.2.5/24", "192.0.2.1", "2");
	EXPECT_SH("ip addr add 198.51.100.7/24 dev up0");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip route show default | grep -q 202");
	EXPECT_SH("for i in $(seq 60); do ip addr show up0 | grep -q 192.0.2.5 || exit 0;"
		  "sleep 0.1; done; exit 1");
	EXPECT_SH("! ip route show | grep 'proto 202'");
	EXPECT_SH("ip addr show up0 | grep -q 198.51.100.7");
	/* and the next lease comes up again */
	lease("192.0.2.5/24", "192.0.2.1", "100");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip route show default | grep -q 'src 192.0.2.5'");
}

/* The witness refuses /ip: the address that is kept is never repaired, so whatever
 * happens to it is not reported as drift. */
Test(handlers, F6_kept_address_does_not_drift)
{
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	context.witness.is_in_force = true;
	cr_expect_eq(handler_address.check(&context, &wanted), 0, "%s", context.error);
	EXPECT_SH("ip addr del 192.0.2.5/24 dev up0");
	cr_expect_eq(handler_address.check(&context, &wanted), 0, "%s", context.error);
	context.witness.is_in_force = false;
	cr_expect_eq(handler_address.check(&context, &wanted), HANDLER_DRIFT);
}

static void change_of_address(const char *before, const char *after)
{
	lease(before, "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	lease(after, "192.0.2.1", "3600");
	/* There is an address and a default route at every moment of the change. */
	EXPECT_SH("ip monitor address route > /tmp/monitor 2>&1 & echo $! > /tmp/pid; sleep 0.3");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("sleep 0.2; kill $(cat /tmp/pid)");
	EXPECT_SH("! grep -n -m1 '^Deleted.*default' /tmp/monitor | grep -q '^1:'");
	EXPECT_SH(
		"test $(grep -n default /tmp/monitor | grep -v Deleted | head -1 | cut -d: -f1) -lt "
		"$(grep -n 'Deleted default' /tmp/monitor | head -1 | cut -d: -f1)");
	EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 1");
	EXPECT_SH("test $(ip route show | grep -c 'proto 202') = 2");
}

Test(handlers, change_of_address_same_subnet)
{
	change_of_address("192.0.2.5/24", "192.0.2.77/24");
	EXPECT_SH("ip addr show up0 | grep 192.0.2.77/24 | grep -vq secondary");
	EXPECT_SH("ip route show default | grep -q 'src 192.0.2.77'");
	EXPECT_SH("ip route show 192.0.2.0/24 | grep -q 'src 192.0.2.77'");
}

Test(handlers, change_of_prefix)
{
	change_of_address("192.0.2.5/24", "192.0.2.77/25");
	EXPECT_SH("ip route show default | grep -q 'src 192.0.2.77'");
}

Test(handlers, change_of_subnet)
{
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	lease("198.51.100.5/24", "198.51.100.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip route show default | grep -q 'via 198.51.100.1 .* src 198.51.100.5'");
	EXPECT_SH("ip route show 198.51.100.0/24 | grep -q 'proto 202 .*src 198.51.100.5'");
	EXPECT_SH("test $(ip route show | grep -c 'proto 202') = 2");
	EXPECT_SH("! ip addr show up0 | grep 192.0.2.5");
}

Test(handlers, change_of_gateway)
{
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	lease("192.0.2.5/24", "192.0.2.2", "3600");
	(void)n_changes();
	cr_assert_eq(pass(), 0, "%s", reason);
	cr_expect_eq(n_changes(), 2, "one route added, one deleted");
	EXPECT_SH("ip route show default | grep -q 'via 192.0.2.2'");
	EXPECT_SH("test $(ip route show default | wc -l) = 1");
}

Test(handlers, foreign_state_stays)
{
	EXPECT_SH("ip addr add 192.0.2.5/24 dev up0; ip addr add 198.51.100.5/24 dev up0;"
		  "ip route add 10.1.0.0/16 dev up0 proto dhcp;"
		  "ip route add default via 192.0.2.9 dev up0 metric 50 proto static;"
		  "ip route add 10.2.0.0/16 dev peer0 proto 202;"
		  "ip route add 10.3.0.0/16 dev up0 proto 202 table 77");
	add_ours("peer0", "192.0.2.6", NETLINK_FOREVER);
	EXPECT_SH("ip -4 addr show > /tmp/before; ip route show table all > /tmp/routes");
	/* the leased address itself is already present, set by another program */
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip -4 addr show > /tmp/after; diff /tmp/before /tmp/after");
	EXPECT_SH("test $(ip route show default | wc -l) = 2");
	wanted_clear(&wanted);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip -4 addr show > /tmp/after; diff /tmp/before /tmp/after");
	EXPECT_SH("ip route show table all > /tmp/after; diff /tmp/routes /tmp/after");
}

/* The operator stopped another client and wants to keep its address. */
Test(handlers, takeover_makes_the_leased_address_ours)
{
	EXPECT_SH("ip addr add 192.0.2.5/24 dev up0 valid_lft 50 preferred_lft 50;"
		  "ip addr add 198.51.100.5/24 dev up0");
	context.takeover = true;
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	EXPECT_SH("ip monitor address > /tmp/monitor 2>&1 & echo $! > /tmp/pid; sleep 0.3");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("sleep 0.2; kill $(cat /tmp/pid); ! grep Deleted /tmp/monitor");
	EXPECT_SH("ip -4 addr show dev up0 | grep -Eq 'valid_lft 3(600|59[0-9])sec'");
	wanted_clear(&wanted);
	cr_assert_eq(pass(), 0, "%s", reason);
	/* Linux 6.1 keeps the protocol of a replaced address: there it is still
	 * foreign, but expires with the lease */
	EXPECT_SH(
		"case $(uname -r) in 6.1.*) ;; *) ! ip -4 addr show dev up0 | grep 192.0.2.5;; esac");
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 198.51.100.5/24");
}

static void expect_note(const char *note)
{
	char status[RECONCILE_STATUS_SIZE];

	(void)snprintf(status, sizeof(status), "ok %llu; %s", (unsigned long long)wanted.revision,
		       note);
	cr_expect_str_eq(handlers.state[2].status, status);
}

/* --takeover, with what the commands set on the uplink before. */
static void take_over(const char *address, const char *commands)
{
	EXPECT_SH(commands);
	context.takeover = true;
	test_set(&wanted, "/address", address, 0);
}

#define IS_DONE "grep -q ^done /tmp/root/test/takeover"
#define ONLY_OURS                                       \
	"test $(ip route show default | wc -l) = 1 && " \
	"ip route show default | grep -q 'proto 202' && " IS_DONE

/* Nothing goes before there is something in its place. */
Test(handlers, U25_default_route_stays_until_there_is_another)
{
	take_over("192.0.2.9/24", "ip addr add 192.0.2.9/24 dev up0 valid_lft 50 preferred_lft 50;"
				  "ip route add default via 192.0.2.7;"
				  "ip route add 10.1.0.0/16 via 192.0.2.7 proto dhcp");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip route show default | grep -q 192.0.2.7 && test ! -e /tmp/root/test/takeover");
	test_set(&wanted, "/ip", "192.0.2.5/24", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 192.0.2.1", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip route show default | grep -q 192.0.2.7 && ! " IS_DONE);
	EXPECT_SH("ip addr show up0 | grep -q 192.0.2.9/24 && ! ip route show | grep 10.1.0.0");
	EXPECT_SH("ip route show 10.0.0.0/8 | grep -q 'proto 202'");
	context.is_carrier_lost = true;
	test_set(&wanted, "/gateway", "192.0.2.1", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH(
		"ip route show default | grep -q 192.0.2.7 && ip addr show up0 | grep -q 192.0.2.9");
	context.is_carrier_lost = false;
	cr_assert_eq(pass_of("/gateway"), 0, "%s", reason);
	EXPECT_SH(ONLY_OURS);
	EXPECT_SH("! ip addr show up0 | grep 192.0.2.9");
	(void)n_changes();
	cr_expect_eq(pass(), 0);
	cr_expect_eq(n_changes(), 0);
}

/* A cloud: a /32, and the gateway by a host route. */
Test(handlers, U25_host_route_to_the_gateway_goes)
{
	take_over("192.0.2.5/32",
		  "ip addr add 192.0.2.5/32 dev up0;"
		  "ip route add 203.0.113.1 dev up0; ip route add 203.0.113.2 dev up0;"
		  "ip route add default via 203.0.113.1 dev up0;"
		  "ip route add 169.254.169.254 via 203.0.113.1 dev up0 proto dhcp;"
		  "ip route add 10.1.0.0/16 via 203.0.113.1 proto static");
	lease("192.0.2.5/32", "203.0.113.7", "3600");
	test_set(&wanted, "/route/001", "169.254.169.254/32 via 203.0.113.8", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH(ONLY_OURS);
	EXPECT_SH("! ip route show 203.0.113.1 | grep .");
	EXPECT_SH("ip route show 203.0.113.2 | grep -q 'scope link'");
	EXPECT_SH("ip route show 169.254.169.254 | grep -q 'via 203.0.113.8 .*proto 202'");
	EXPECT_SH("test $(ip route show 169.254.169.254 | wc -l) = 1");
	EXPECT_SH("ip route show 10.1.0.0/16 | grep -q static");
}

/* What the main table has is not replaced by routes of another table. */
Test(handlers, U25_other_tables_stay)
{
	options.table = 1000;
	take_over("192.0.2.9/24", "ip addr add 192.0.2.9/24 dev up0 valid_lft 50 preferred_lft 50;"
				  "ip route add default via 192.0.2.7 src 192.0.2.9 proto dhcp;"
				  "ip route add default via 192.0.2.7 table 1000 proto dhcp");
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip route show table 1000 | wc -l) = 2 && " IS_DONE);
	EXPECT_SH("test $(ip route show table 1000 | grep -c 'proto 202') = 2");
	EXPECT_SH("ip route show default | grep -q 'via 192.0.2.7 .*src 192.0.2.9'");
	EXPECT_SH("ip addr show up0 | grep -q 192.0.2.9/24");
}

/* Ours is promoted, which needs no /proc/sys. */
Test(handlers, U25_ours_is_promoted_when_the_primary_address_goes)
{
	cr_assert_eq(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL), 0);
	cr_assert_eq(mount(NULL, "/proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
	take_over("192.0.2.9/24", "ip addr add 192.0.2.9/24 dev up0 valid_lft 50 preferred_lft 50;"
				  "ip route add default via 192.0.2.7");
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	EXPECT_SH("ip monitor address route > /tmp/monitor 2>&1 & echo $! > /tmp/pid; sleep 0.3");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("sleep 0.2; kill $(cat /tmp/pid); ! grep 'Deleted.* 192.0.2.5/24' /tmp/monitor");
	EXPECT_SH(ONLY_OURS);
	EXPECT_SH("! ip addr show up0 | grep 192.0.2.9 && ip addr show up0 | grep -q 192.0.2.5");
}

/* Nobody knows what else has no end: the operator's, if it is in another subnet. */
Test(handlers, U25_addresses_without_an_end_stay)
{
	take_over("198.51.100.9/24", "ip addr add 198.51.100.9/24 dev up0;"
				     "ip addr add 192.0.2.9/24 dev up0;"
				     "ip route add default via 198.51.100.1 metric 7;"
				     "ip route add default via 192.0.2.7 metric 8");
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip route show default | wc -l) = 3 && " IS_DONE);
	expect_note("another program's route to 0.0.0.0/0 via 198.51.100.1 metric 7 protocol 3 "
		    "through the uplink is ahead of ours");
	/* one that the take-over asked the server for is a former client's */
	take_over("192.0.2.9/24", "true");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip route show default | wc -l) = 2");
	EXPECT_SH("ip route show default | grep -q 198.51.100.1");
	EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 3");
	/* once for each start */
	EXPECT_SH("ip route add default via 192.0.2.7 metric 8");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip route show default | wc -l) = 3");
}

Test(handlers, route_of_another_owner_is_not_displaced)
{
	EXPECT_SH("ip addr add 198.51.100.5/24 dev peer0;"
		  "ip route add default via 198.51.100.1 metric 100;"
		  "ip route show > /tmp/before");
	options.allow_hiding = true;
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 192.0.2.1", 0);
	cr_expect_eq(pass(), -EEXIST);
	cr_expect_str_eq(
		reason,
		"error: route to 0.0.0.0/0 metric 100 belongs to another program: File exists");
	EXPECT_SH("ip route show default | grep -q 198.51.100.1");
	EXPECT_SH("ip route show 10.0.0.0/8 | grep -q 192.0.2.1"); /* the others are set */
	options.metric = 200;
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip route show default | wc -l) = 2");
}

/* A server tries to get a VPN's traffic (CVE-2024-3661). */
Test(handlers, C4_27_vpn_with_a_default_route_of_its_own)
{
	EXPECT_SH("ip link add vpn0 type veth peer name far0; ip link set vpn0 up;"
		  "ip addr add 10.8.0.2/24 dev vpn0; ip route add default dev vpn0 metric 50");
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	test_set(&wanted, "/route/001", "198.51.100.0/24 via 192.0.2.1", 0);
	test_set(&wanted, "/route/002", "10.8.0.128/25 via 192.0.2.1", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	expect_note(
		"refused /route/001: 198.51.100.0/24 would hide the route to 0.0.0.0/0 metric 50 "
		"table 254 protocol 3");
	EXPECT_SH("test $(ip route show | grep -c 'proto 202') = 1");
	EXPECT_SH("ip route show default | grep -q 'via 192.0.2.1 .* metric 100'");
	/* the operator knows better */
	options.allow_hiding = true;
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip route show | grep -c 'proto 202') = 4");
}

/* The tunnel comes up after the lease: a route that would hide it is deleted. */
Test(handlers, C4_27_vpn_that_comes_later)
{
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	test_set(&wanted, "/route/001", "198.51.100.0/24 via 192.0.2.1", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip route show 198.51.100.0/24 | grep -q 'proto 202'");
	/* as wg-quick does it */
	EXPECT_SH("ip link add wg0 type veth peer name far0; ip link set wg0 up;"
		  "ip addr add 10.8.0.2/32 dev wg0; ip route add default dev wg0 table 51820;"
		  "ip rule add not fwmark 51820 table 51820;"
		  "ip rule add table main suppress_prefixlength 0");
	cr_expect_eq(pass(), 0, "%s", reason);
	expect_note(
		"refused /route/001: 198.51.100.0/24 would hide the route to 0.0.0.0/0 metric 0 "
		"table 51820 protocol 3");
	EXPECT_SH("test $(ip route show | grep -c 'proto 202') = 1");
	EXPECT_SH("ip route get 198.51.100.7 | grep -q 'dev wg0'");
	/* and is added again when the tunnel is gone */
	EXPECT_SH("ip link del wg0");
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip route show 198.51.100.0/24 | grep -q 'proto 202'");
}

/* A hosting provider's router outside of the subnet, together with a VPN: it stays an
 * on-link next hop, but what the host sends to it goes through the VPN. */
Test(handlers, F3_cloud_with_a_vpn)
{
	EXPECT_SH("ip link add vpn0 type veth peer name far0; ip link set vpn0 up;"
		  "ip route add default dev vpn0 metric 50");
	lease("192.0.2.5/32", "203.0.113.1", "3600");
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip route get 203.0.113.1 | grep -q 'dev vpn0'");
	EXPECT_SH("ip route show default | grep -q 'via 203.0.113.1 dev up0 .* metric 100 onlink'");
	EXPECT_SH("ip link del vpn0; ip route get 8.8.8.8 | grep -q 'via 203.0.113.1 dev up0'");
}

/* Two uplinks, each with its own instance. */
Test(handlers, two_uplinks_two_metrics)
{
	EXPECT_SH("ip link add up1 type veth peer name peer1; ip link set peer1 up;"
		  "ip link set up1 up; ip addr add 192.168.2.1/24 dev peer0;"
		  "ip addr add 192.168.100.1/24 dev peer1");
	lease("192.168.2.5/24", "192.168.2.1", "3600");
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 192.168.2.1", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	wanted_clear(&wanted);
	context.uplink_ifindex = (int)if_nametoindex("up1");
	options.metric = 200;
	lease("192.168.100.5/24", "192.168.100.1", "3600");
	test_set(&wanted, "/route/001", "10.1.0.0/16 via 192.168.100.1", 0);
	test_set(&wanted, "/route/002", "172.16.0.0/12 via 192.168.100.1", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip route show default | wc -l) = 2");
	expect_note("refused /route/001: 10.1.0.0/16 would hide the route to 0.0.0.0/0 metric 100 "
		    "table 254 protocol 202");
	wanted_clear(&wanted);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip route show default | wc -l) = 1");
	EXPECT_SH("ip route show 10.0.0.0/8 | grep -q 'dev up0 proto 202'");
}

Test(handlers, own_table)
{
	options.table = 1000;
	lease("192.0.2.5/32", "203.0.113.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("! ip route show | grep 202");
	EXPECT_SH("ip route show table 1000 | grep -q '^default via 203.0.113.1'");
	(void)n_changes();
	cr_assert_eq(pass(), 0);
	cr_expect_eq(n_changes(), 0);
	test_remove(&wanted, "/gateway");
	cr_assert_eq(pass(), 0);
	EXPECT_SH("test -z \"$(ip route show table 1000 2>/dev/null)\"");
}

/* A restarted watcher knows only what is in the kernel and the files. */
Test(handlers, leftovers_of_a_previous_run)
{
	add_ours("up0", "192.0.2.5", 100);
	add_ours("up0", "192.0.2.9", NETLINK_FOREVER);
	add_ours("up0", "203.0.113.9", NETLINK_FOREVER);
	EXPECT_SH("ip route add default via 192.0.2.7 proto 202 metric 100 src 192.0.2.9;"
		  "ip route add 10.0.0.0/8 via 192.0.2.7 proto 202 metric 100");
	lease("192.0.2.9/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 1");
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 192.0.2.9/24");
	EXPECT_SH("test $(ip route show | grep -c 'proto 202') = 2");
	EXPECT_SH("ip route show default | grep -q 'via 192.0.2.1 .* src 192.0.2.9'");
}

Test(handlers, ST_2_mtu)
{
	EXPECT_SH("ip link set up0 mtu 1450");
	test_set(&wanted, "/mtu", "575", 0);
	cr_expect_eq(pass(), 0);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1450'");
	test_set(&wanted, "/mtu", "576", 0);
	cr_expect_eq(pass(), 0);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 576'");
	test_set(&wanted, "/mtu", "1300", 0);
	cr_expect_eq(pass(), 0);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1300'");
	options.use_mtu = false;
	cr_expect_eq(pass(), 0);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1450'");
	options.use_mtu = true;
	test_set(&wanted, "/mtu", "14x0", 0);
	cr_expect_eq(pass(), -EBADMSG);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1450'");
	/* changed by another program since, so not restored */
	test_set(&wanted, "/mtu", "1300", 0);
	cr_expect_eq(pass(), 0);
	EXPECT_SH("ip link set up0 mtu 1350");
	test_remove(&wanted, "/mtu");
	cr_expect_eq(pass(), 0);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1350'");
}

/* A watcher that was killed between the note and the change, or after it. */
#define IPV6_IS_THERE                                                      \
	"ip -6 addr show dev up0 | grep -q 2001:db8::5/64 && "             \
	"ip -6 route show default | grep -q 'via 2001:db8::1 dev up0' && " \
	"ip link show up0 | grep -q 'mtu 1280'"

static void enable_ipv6(void)
{
	EXPECT_SH("ip link set up0 down; ip link set up0 addrgenmode none;"
		  "mount -t proc proc /proc; echo 0 > /proc/sys/net/ipv6/conf/up0/disable_ipv6;"
		  "ip link set up0 up; ip -6 addr add 2001:db8::5/64 dev up0 nodad;"
		  "ip -6 route add default via 2001:db8::1 dev up0");
}

/* IPv4 gets the MTU by its routes, as far as they are ours. */
Test(handlers, U11_mtu_below_1280_keeps_ipv6)
{
	enable_ipv6();
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 203.0.113.1", 0);
	test_set(&wanted, "/mtu", "1000", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH(IPV6_IS_THERE);
	EXPECT_SH("test $(ip route show proto 202 | grep -c 'mtu 1000') = 3");
	EXPECT_SH("test $(ip route show proto 202 | wc -l) = 3");
	cr_expect_not_null(strstr(handlers.state[1].status,
				  "; IPv6 requires an MTU of 1280; the routes have 1000 instead"),
			   "%s", handlers.state[1].status);
	(void)n_changes();
	cr_expect_eq(pass(), 0);
	cr_expect_eq(n_changes(), 0);
	/* another value */
	test_set(&wanted, "/mtu", "576", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH(IPV6_IS_THERE);
	EXPECT_SH("test $(ip route show proto 202 | grep -c 'mtu 576') = 3");
	EXPECT_SH("test $(ip route show proto 202 | wc -l) = 3");
	/* none of this from 1280 on, or without a value */
	test_set(&wanted, "/mtu", "1280", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH(IPV6_IS_THERE);
	EXPECT_SH("! ip route show | grep mtu; test $(ip route show proto 202 | wc -l) = 3");
	test_set(&wanted, "/mtu", "1279", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("test $(ip route show proto 202 | grep -c 'mtu 1279') = 3");
	test_remove(&wanted, "/mtu");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("! ip route show | grep mtu; ip link show up0 | grep -q 'mtu 1500'");
}

/* The operator has disabled IPv6 on the uplink, then he enables it. */
Test(handlers, U11_mtu_below_1280_without_ipv6)
{
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	test_set(&wanted, "/mtu", "1000", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1000'; ! ip route show | grep mtu");
	test_set(&wanted, "/mtu", "1400", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	enable_ipv6();
	test_set(&wanted, "/mtu", "1000", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH(IPV6_IS_THERE " && ip route show default | grep -q 'mtu 1000'");
}

/* Its addresses may come later. */
Test(handlers, U11_mtu_below_1280_with_link_local_address)
{
	enable_ipv6();
	EXPECT_SH("ip -6 addr flush dev up0; ip -6 addr add fe80::5/64 dev up0 nodad");
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	test_set(&wanted, "/mtu", "1000", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip -6 addr flush dev up0");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip -6 addr add 2001:db8::5/64 dev up0 nodad");
	EXPECT_SH(IPV6_IS_THERE " && ip route show default | grep -q 'mtu 1000'");
}

Test(handlers, mtu_of_a_killed_pass)
{
	test_set(&wanted, "/mtu", "1400", 0);
	cr_assert_eq(pass(), 0);
	EXPECT_SH("ip link set up0 mtu 1400; f=/tmp/root/test/mtu.saved;"
		  "read i original set former < $f; echo $i $original 1300 1400 > $f");
	test_remove(&wanted, "/mtu");
	cr_expect_eq(pass(), 0);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1500'; test ! -e /tmp/root/test/mtu.saved");
}

/* The file of an interface that is gone does not apply to the next one. */
Test(handlers, mtu_of_another_device)
{
	EXPECT_SH("echo 99999 1450 1500 1500 > /tmp/root/test/mtu.saved");
	cr_expect_eq(pass(), 0);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1500'; test ! -e /tmp/root/test/mtu.saved");
	EXPECT_SH("echo nonsense > /tmp/root/test/mtu.saved");
	test_set(&wanted, "/mtu", "1400", 0);
	cr_expect_eq(pass(), 0);
	test_remove(&wanted, "/mtu");
	cr_expect_eq(pass(), 0);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1500'");
}

Test(handlers, ST_2_mtu_is_clamped_to_the_device)
{
	EXPECT_SH("ip link add tap0 type dummy || ip tuntap add mode tap name tap0");
	context.uplink_ifindex = (int)if_nametoindex("tap0");
	test_set(&wanted, "/mtu", "65535", 0);
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("max=$(ip -d link show tap0 | grep -o 'maxmtu [0-9]*' | cut -d' ' -f2);"
		  "[ $max = 0 ] && max=65535; ip link show tap0 | grep -q \"mtu $max\"");
}

Test(handlers, uplink_gone)
{
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	EXPECT_SH("ip link del up0");
	cr_expect_eq(pass(), -ENODEV);
	EXPECT_SH("grep -q 192.0.2.1 /tmp/etc/resolv.conf"); /* the other handlers still work */
	context.uplink_ifindex = 0;
	cr_expect_eq(pass(), -ENODEV);
	wanted_clear(&wanted);
	cr_expect_eq(handler_address.apply(&context, &wanted), 0);
	cr_expect_eq(handler_address.release(&context, &wanted), 0);
	cr_expect_eq(handler_route.apply(&context, &wanted), 0);
}

static void make_proc_sys_read_only(void)
{
	cr_assert_eq(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL), 0);
	cr_assert_eq(mount(NULL, "/proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
}

/* Otherwise the new address would be deleted with the old one, and added again. */
Test(handlers, U21_change_of_address_with_read_only_proc_sys)
{
	make_proc_sys_read_only();
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	(void)n_changes();
	lease("192.0.2.6/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	cr_expect_eq(n_changes_of(RTM_DELADDR), 1u, "only the old one");
	EXPECT_SH("ip addr show up0 | grep -q 192.0.2.6/24");
	EXPECT_SH("! ip addr show up0 | grep 192.0.2.5");
	EXPECT_SH("ip route show default | grep -q 'src 192.0.2.6'");
	EXPECT_SH("grep -qx 1 /proc/sys/net/ipv4/conf/up0/promote_secondaries");
}

Test(handlers, U21_no_carrier_with_read_only_proc_sys)
{
	make_proc_sys_read_only();
	lease("192.0.2.5/24", "192.0.2.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	context.is_carrier_lost = true;
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -qx 1 /proc/sys/net/ipv4/conf/up0/ignore_routes_with_linkdown");
	/* what is set is not set again */
	(void)n_changes();
	cr_assert_eq(pass(), 0, "%s", reason);
	cr_expect_eq(n_changes_of(RTM_NEWLINK), 0u);
}

Test(handlers, resolv_conf_bind_mount)
{
	EXPECT_SH("echo under > /tmp/etc/resolv.conf; echo over-over-over-over > /tmp/over;"
		  "mount --bind /tmp/over /tmp/etc/resolv.conf");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -qx 'nameserver 192.0.2.1' /tmp/over");
	EXPECT_SH("test $(wc -l < /tmp/over) = 2; test $(ls -A /tmp/etc | wc -l) = 1");
	wanted_clear(&wanted);
	cr_assert_eq(pass(), 0);
	EXPECT_SH("grep -qx over-over-over-over /tmp/over");
	EXPECT_SH("umount /tmp/etc/resolv.conf; grep -qx under /tmp/etc/resolv.conf");
}

Test(handlers, resolv_conf_bind_mount_behind_link)
{
	EXPECT_SH("echo under > /tmp/etc/real; ln -s real /tmp/etc/resolv.conf; echo x > /tmp/over;"
		  "mount --bind /tmp/over /tmp/etc/real");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -qx 'nameserver 192.0.2.1' /tmp/over; test -L /tmp/etc/resolv.conf");
}

Test(handlers, resolv_conf_in_read_only_directory)
{
	EXPECT_SH(
		"echo old > /tmp/over; touch /tmp/etc/resolv.conf; mount --bind /tmp/etc /tmp/etc;"
		"mount -o remount,bind,ro /tmp/etc;"
		"mount --bind /tmp/over /tmp/etc/resolv.conf");
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("grep -qx 'nameserver 192.0.2.1' /tmp/over");
	EXPECT_SH("umount /tmp/etc/resolv.conf");
	cr_expect_eq(pass(), -EROFS);
	cr_expect_str_eq(reason, "error: /tmp/etc/resolv.conf: Read-only file system");
}
