/* SPDX-License-Identifier: Apache-2.0 */
/* The uplink disappears, returns, is renamed; and the keys at and below /link. */
#include "tests/bpf/support-watcher.h"
#include "userspace/common/link_macs.h"

TestSuite(watcher_uplink, .init = setup, .fini = teardown);

/* Let the handlers fail so often that they are tried again in a minute only. */
static void fail_often(void)
{
	for (int i = 0; i < 8; i++) {
		(void)lease(i % 2 ? "192.0.2.5/24" : "192.0.2.6/24", "3600");
		settle();
	}
}

/* Well before that. */
#define EXPECT_AT_ONCE(_command)                                                        \
	EXPECT_SH("end=$(($(date +%s) + 30)); until " _command "; do sleep 0.05; test " \
		  "$(date +%s) -lt $end || exit 1; done")

Test(watcher_uplink, uplink_comes_back)
{
	(void)start_with_lease();
	EXPECT_SH("ip link del up0");
	cr_expect_str_eq(status_of("address", "error: "),
			 "error: address 192.0.2.5/24: No such device");
	cr_expect_eq(strncmp(status_of("dns", "ok "), "ok ", 3), 0);
	fail_often();
	EXPECT_SH("ip link add up0 type veth peer name peer0; ip link set up0 up;"
		  "ip link set peer0 up");
	EXPECT_AT_ONCE("ip route show default | grep -q 'src 192.0.2.5'");
	cr_expect_eq(strncmp(status_of("address", "ok "), "ok ", 3), 0);
	cr_expect_eq(strncmp(status_of("route", "ok "), "ok ", 3), 0);
	EXPECT_SH("ip link show up0 | grep -q 'mtu 1400'");
}

Test(watcher_uplink, uplink_appears_after_the_start)
{
	EXPECT_SH("ip link del up0");
	start();
	(void)lease("192.0.2.5/24", "3600");
	cr_expect_eq(strncmp(status_of("address", "error: "), "error: ", 7), 0);
	EXPECT_SH("ip link add other type veth peer name peer0; ip link set other up");
	settle();
	EXPECT_SH("! ip addr show other | grep 192.0.2.5");
	EXPECT_SH("ip link set other down; ip link set other name up0; ip link set up0 up");
	EVENTUALLY("ip addr show up0 | grep 192.0.2.5");
}

/* The device counts, not its name. */
Test(watcher_uplink, uplink_is_renamed)
{
	uint64_t revision;

	(void)start_with_lease();
	EXPECT_SH("ip link set up0 down; ip link set up0 name new0; ip link set new0 up;"
		  "ip link add up0 type veth peer name other0");
	/* setting it down has dropped the routes */
	EVENTUALLY("ip route show default | grep 'dev new0'");
	revision = lease("192.0.2.6/24", "3600");
	EXPECT_OK("address", revision);
	EXPECT_SH("ip addr show new0 | grep -q 192.0.2.6; ! ip addr show up0 | grep inet");
	/* a new watcher gets the index and so finds it, too */
	(void)stop(SIGKILL);
	uplink_ifindex = if_nametoindex("new0");
	start();
	revision = lease("192.0.2.7/24", "3600");
	EXPECT_OK("address", revision);
	EXPECT_SH("ip addr show new0 | grep -q 192.0.2.7; ! ip addr show up0 | grep inet");
}

/* The zone of a server that is reached through the uplink only. */
Test(watcher_uplink, link_local_name_in_resolv_conf)
{
	configure("carrier: ignore\n");
	EXPECT_SH("ip link set up0 down"); /* else it has to be set down for its new name */
	start();
	commit_init(&commit);
	add("/nameserver/001", "fe80::1");
	(void)run();
	EVENTUALLY("grep -x 'nameserver fe80::1%up0' " RESOLV_CONF);
	EXPECT_SH("ip link set up0 name new0");
	EVENTUALLY("grep -x 'nameserver fe80::1%new0' " RESOLV_CONF);
	EXPECT_SH("ip link del new0");
	EVENTUALLY("! grep fe80 " RESOLV_CONF);
}

Test(watcher_uplink, uplink_down_and_up)
{
	(void)start_with_lease();
	EXPECT_SH("ip link set up0 down");
	cr_expect_str_eq(status_of("route", "error: "),
			 "error: route to 192.0.2.0/24: Network is down");
	fail_often();
	EXPECT_SH("ip link set up0 up");
	EXPECT_AT_ONCE("ip route show default | grep -q 'src 192.0.2.5'");
	cr_expect_eq(strncmp(status_of("route", "ok "), "ok ", 3), 0);
}

/* Wait until /link says so; 0 or -1. */
static int link_is(const char *word)
{
	static struct kv_value value;

	for (int i = 0; i < PATIENCE_S * 1000000 / PAUSE_US; i++) {
		if (gate_read(test.fds[KV_SUBJECT_WATCHER], "/link", &value) == 0 &&
		    !strcmp(value.text, word))
			return 0;
		(void)usleep(PAUSE_US);
	}
	return -1;
}

static unsigned int n_link_lines(void)
{
	char text[4096];
	unsigned int n = 0;
	FILE *file = fopen(AUDIT, "r");

	cr_assert_not_null(file);
	while (fgets(text, sizeof(text), file))
		n += strstr(text, "\"path\":\"/link\"") != NULL;
	(void)fclose(file);
	return n;
}

Test(watcher_uplink, link_key)
{
	start();
	cr_expect_eq(link_is("up"), 0);
	EXPECT_SH("ip link set peer0 down"); /* the carrier */
	cr_expect_eq(link_is("down"), 0);
	EXPECT_SH("ip link set peer0 up");
	cr_expect_eq(link_is("up"), 0);
	EXPECT_SH("ip link set up0 down"); /* the operator */
	cr_expect_eq(link_is("down"), 0);
	EXPECT_SH("ip link set up0 up");
	cr_expect_eq(link_is("up"), 0);
	EXPECT_SH("ip link set up0 mtu 1300; ip addr add 192.0.2.9/24 dev up0; ip link set peer0 "
		  "mtu 1300; ip link add other0 type veth peer name other1; ip link del other0");
	settle();
	cr_expect_eq(n_link_lines(), 5, "only when it changes: %u", n_link_lines());
	EXPECT_SH("ip link del up0");
	cr_expect_eq(link_is("down"), 0);
	EXPECT_SH("ip link add up0 type veth peer name peer0; ip link set peer0 up;"
		  "ip link set up0 up");
	cr_expect_eq(link_is("up"), 0);
}

/* A loss that ends before the watcher reads the events is reported nevertheless. */
Test(watcher_uplink, link_that_was_lost_for_a_moment)
{
	start();
	cr_expect_eq(link_is("up"), 0);
	pause_watcher();
	EXPECT_SH("ip link set up0 down; ip link set up0 up");
	cr_assert_eq(kill(watcher, SIGCONT), 0);
	EVENTUALLY("test $(grep -c '\"path\":\"/link\"' " AUDIT ") = 3");
	cr_expect_eq(link_is("up"), 0);
}

Test(watcher_uplink, link_key_across_restarts)
{
	start();
	cr_expect_eq(link_is("up"), 0);
	(void)stop(SIGKILL);
	start();
	(void)lease("192.0.2.5/24", "3600");
	cr_expect_eq(strncmp(status_of("address", "ok "), "ok ", 3), 0);
	/* the first life may have left its record to the second one's log */
	settle();
	cr_expect_eq(n_link_lines(), 1, "said already: %u", n_link_lines());
	(void)stop(SIGKILL);
	EXPECT_SH("ip link set peer0 down");
	start();
	cr_expect_eq(link_is("down"), 0);
}

/* The uplink appears only later. */
Test(watcher_uplink, link_key_without_link)
{
	EXPECT_SH("ip link del up0");
	start();
	cr_expect_eq(link_is("down"), 0);
}

/* The MACs below /link/macs, each with a space on both sides. */
static const char *macs_now(void)
{
	static char text[LINK_MACS_KEYS * (KV_VALUE_SIZE + 1) + 2];
	static struct kv_value value;
	size_t length = 1;
	char path[64];

	text[0] = ' ';
	for (unsigned int i = 0; i < LINK_MACS_KEYS; i++) {
		(void)snprintf(path, sizeof(path), LINK_MACS_DIRECTORY "/%03u", i + 1);
		if (gate_read(test.fds[KV_SUBJECT_WATCHER], path, &value))
			continue;
		cr_assert_gt(value.length, 0);
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s ", value.text);
	}
	text[length] = '\0';
	return text;
}

static bool has_mac(const char *mac)
{
	char spaced[LINK_MACS_TEXT + 3];

	(void)snprintf(spaced, sizeof(spaced), " %s ", mac);
	return strstr(macs_now(), spaced) != NULL;
}

/* Wait until the MAC is listed, or is not. */
static bool becomes_listed(const char *mac, bool is_listed)
{
	for (int i = 0; i < PATIENCE_S * 1000000 / PAUSE_US; i++) {
		if (has_mac(mac) == is_listed)
			return true;
		(void)usleep(PAUSE_US);
	}
	return false;
}

#define EXPECT_LISTED(_mac, _is_listed) \
	cr_expect(becomes_listed(_mac, _is_listed), "%s: %s", _mac, macs_now())

Test(watcher_uplink, U04_macs_of_every_link_of_the_host)
{
	EXPECT_SH("ip link set up0 address 02:00:00:00:00:01;"
		  "ip link add before0 address 02:00:00:00:00:02 type bridge");
	start();
	EXPECT_LISTED("02:00:00:00:00:02", true); /* also while it is down */
	cr_expect(has_mac("02:00:00:00:00:01"), "the uplink");
	cr_expect_not(has_mac("00:00:00:00:00:00"), "lo");
	EXPECT_SH("ip link add late0 address 02:00:00:00:00:03 type bridge");
	EXPECT_LISTED("02:00:00:00:00:03", true);
	EXPECT_SH("ip link set late0 address 02:00:00:00:00:04");
	EXPECT_LISTED("02:00:00:00:00:04", true);
	EXPECT_LISTED("02:00:00:00:00:03", false);
	EXPECT_SH("ip link set late0 arp off");
	EXPECT_LISTED("02:00:00:00:00:04", false);
	EXPECT_SH("ip link set late0 arp on");
	EXPECT_LISTED("02:00:00:00:00:04", true);
	EXPECT_SH("ip link del late0; ip link set before0 name other0");
	EXPECT_LISTED("02:00:00:00:00:04", false);
	cr_expect(has_mac("02:00:00:00:00:02"));
}

/* Of another network namespace: another host. */
Test(watcher_uplink, U04_links_of_containers_are_other_hosts)
{
	start();
	EXPECT_SH(
		"ip link add link up0 name mv0 address 02:00:00:00:00:02 type macvlan mode bridge");
	EXPECT_LISTED("02:00:00:00:00:02", true);
	EXPECT_SH("mkdir -p /run/netns; ip netns add container && ip link set mv0 netns container");
	EXPECT_LISTED("02:00:00:00:00:02", false);
	EXPECT_SH("ip -n container link set mv0 netns $$");
	EXPECT_LISTED("02:00:00:00:00:02", true);
	EXPECT_SH("ip netns del container");
}

/* The bridge answers ARP, with its own MAC. */
Test(watcher_uplink, U04_bridge_instead_of_its_ports)
{
	EXPECT_SH("ip link add port0 address 02:00:00:00:00:02 type veth peer name port1;"
		  "ip link add br0 address 02:00:00:00:00:03 type bridge;"
		  "ip link set port0 master br0");
	start();
	EXPECT_LISTED("02:00:00:00:00:03", true);
	cr_expect_not(has_mac("02:00:00:00:00:02"));
	EXPECT_SH("ip link set port0 nomaster");
	EXPECT_LISTED("02:00:00:00:00:02", true);
	EXPECT_SH("ip link set port0 master br0");
	EXPECT_LISTED("02:00:00:00:00:02", false);
}

/* Two links have the same MAC, as Calico's do: it is listed until both are gone. */
Test(watcher_uplink, U04_shared_mac)
{
	EXPECT_SH("ip link add a0 address 02:00:00:00:00:02 type bridge;"
		  "ip link add b0 address 02:00:00:00:00:02 type bridge");
	start();
	EXPECT_LISTED("02:00:00:00:00:02", true);
	EXPECT_SH("ip link del a0; ip link add c0 address 02:00:00:00:00:03 type bridge");
	EXPECT_LISTED("02:00:00:00:00:03", true);
	cr_expect(has_mac("02:00:00:00:00:02"));
	EXPECT_SH("ip link del b0");
	EXPECT_LISTED("02:00:00:00:00:02", false);
}

/* More links than a key can hold; lost events and restarts leave nothing stale. */
Test(watcher_uplink, U04_many_links)
{
	EXPECT_SH("for i in $(seq 60); do printf 'link add m%d address 02:00:00:00:01:%02x type "
		  "bridge\\n' $i $i; done | ip -batch -");
	start();
	EXPECT_LISTED("02:00:00:00:01:3c", true);
	cr_expect(has_mac("02:00:00:00:01:01"));
	EXPECT_SH("ip link del m1");
	EXPECT_LISTED("02:00:00:00:01:01", false);
	(void)stop(SIGKILL);
	EXPECT_SH("for i in $(seq 2 59); do echo link del m$i; done | ip -batch -");
	start();
	EXPECT_LISTED("02:00:00:00:01:02", false);
	cr_expect(has_mac("02:00:00:00:01:3c"));
	pause_watcher();
	/* more than the kernel buffers */
	EXPECT_SH("ip link del m60; for i in $(seq 1000 3000); do echo link set lo mtu $i; done | "
		  "ip -batch -");
	cr_assert_eq(kill(watcher, SIGCONT), 0);
	EXPECT_LISTED("02:00:00:00:01:3c", false);
}

/* Another instance that has the other uplink, with a higher metric. */
static void other_instance(void)
{
	EXPECT_SH("mkdir -p /run/calfpen/other;"
		  "printf '%s\n' '# Generated by calfpen (instance other)' "
		  "'# metric 5000 " RESOLV_CONF "' 'nameserver 198.51.100.53' "
		  "> /run/calfpen/other/resolv.conf;"
		  "ip link add up1 type veth peer name peer1; ip link set peer1 up;"
		  "ip link set up1 up; ip addr add 198.51.100.5/24 dev up1;"
		  "ip route add default via 198.51.100.1 dev up1 proto 202 metric 5000");
}

#define FIRST_SERVER(_address) \
	"grep -m1 ^nameserver " RESOLV_CONF " | grep -qx 'nameserver " _address "'"
#define ROUTE_BY(_device) "ip route get 203.0.113.9 | grep -q 'dev " _device " '"
#define WITHIN_1_S(_command) \
	EXPECT_SH("for i in $(seq 40); do " _command " && exit 0; sleep 0.025; done; exit 1")

Test(watcher_uplink, U09_lost_carrier_gives_way_to_another_uplink)
{
	other_instance();
	(void)start_with_lease();
	EVENTUALLY(FIRST_SERVER("192.0.2.53"));
	EXPECT_SH(ROUTE_BY("up0"));
	EXPECT_SH("ip link set peer0 down");
	WITHIN_1_S(ROUTE_BY("up1") " && " FIRST_SERVER("198.51.100.53"));
	EXPECT_SH("grep -qx 'nameserver 192.0.2.53' " RESOLV_CONF);
	EVENTUALLY("grep -q '\"path\":\"/status/route\".*withdrawn, because' " AUDIT);
	EXPECT_SH("ip link set peer0 up");
	WITHIN_1_S(ROUTE_BY("up0") " && " FIRST_SERVER("192.0.2.53"));
	/* what the operator sets down, and what is gone, is of no use either */
	EXPECT_SH("ip link set up0 down");
	WITHIN_1_S(ROUTE_BY("up1") " && " FIRST_SERVER("198.51.100.53"));
	EXPECT_SH("ip link set up0 up");
	WITHIN_1_S(ROUTE_BY("up0") " && " FIRST_SERVER("192.0.2.53"));
	EXPECT_SH("ip link del up0");
	WITHIN_1_S(ROUTE_BY("up1") " && " FIRST_SERVER("198.51.100.53"));
}

/* Both have a connected route to the same subnet; the metric says which one is used. */
Test(watcher_uplink, U09_uplinks_in_one_subnet)
{
	configure("routes: {allow_hiding: true}\n");
	(void)start_with_lease();
	EXPECT_SH("ip link add up1 type veth peer name peer1; ip link set peer1 up;"
		  "ip link set up1 up; ip addr add 192.0.2.6/24 dev up1 metric 9000");
	EVENTUALLY("ip route get 192.0.2.99 | grep -q 'dev up0 '");
	EXPECT_SH("ip link set peer0 down");
	WITHIN_1_S("ip route get 192.0.2.99 | grep -q 'dev up1 '");
	EXPECT_SH("ip link set peer0 up");
	WITHIN_1_S("ip route get 192.0.2.99 | grep -q 'dev up0 '");
}

Test(watcher_uplink, U09_watcher_that_starts_without_carrier)
{
	other_instance();
	EXPECT_SH("ip link set peer0 down");
	(void)start_with_lease();
	EVENTUALLY(ROUTE_BY("up1") " && " FIRST_SERVER("198.51.100.53"));
	EXPECT_SH("! ip route show default | grep 'dev up0'");
	EXPECT_SH("ip link set peer0 up");
	WITHIN_1_S(ROUTE_BY("up0") " && " FIRST_SERVER("192.0.2.53"));
}

/* A link that flaps, or an operator who does not want this. */
Test(watcher_uplink, U09_short_loss_changes_nothing)
{
	configure("carrier_delay: 60000\n");
	(void)start_with_lease();
	EXPECT_SH("ip -4 route show > /tmp/before");
	for (int i = 0; i < 3; i++) {
		EXPECT_SH(
			"ip link set peer0 down; sleep 0.3; ip -4 route show | sed 's/ linkdown//'"
			" > /tmp/after; ip link set peer0 up; diff /tmp/before /tmp/after");
	}
	EXPECT_SH("! grep 'withdrawn, because' " AUDIT);
}

Test(watcher_uplink, U09_carrier_is_ignored_if_configured)
{
	configure("carrier: ignore\ncarrier_delay: 0\n");
	other_instance();
	(void)start_with_lease();
	EVENTUALLY(FIRST_SERVER("192.0.2.53"));
	EXPECT_SH("ip link set peer0 down");
	cr_expect_eq(link_is("down"), 0);
	settle();
	EXPECT_SH(ROUTE_BY("up0") " && " FIRST_SERVER("192.0.2.53"));
}
