/* SPDX-License-Identifier: Apache-2.0 */
/* Drift: changes by other programs are reported, and repaired if so configured. */
#include "tests/bpf/support-watcher.h"

TestSuite(watcher_drift, .init = setup, .fini = teardown);

static void lease_that_is_well(void)
{
	uint64_t revision = start_with_lease();

	(void)usleep(500000); /* our own events are looked at, and are no drift */
	EXPECT_OK("address", revision);
	EXPECT_OK("route", revision);
	EXPECT_OK("link", revision);
	EXPECT_OK("dns", revision);
}

Test(watcher_drift, drift_of_the_route)
{
	configure("drift: report\n");
	lease_that_is_well();
	EXPECT_SH("ip route del default proto 202");
	cr_expect_str_eq(status_of("route", "drift: "),
			 "drift: the route to 0.0.0.0/0 was removed or changed");
	(void)usleep(1500000);
	EXPECT_SH("! ip route show default | grep 202"); /* and is not added again */
	/* the operator adds it again */
	EXPECT_SH("ip route add default via 192.0.2.1 dev up0 proto 202 src 192.0.2.5 "
		  "metric $((1000 + $(ip -o link show up0 | cut -d: -f1)))");
	cr_expect_eq(strncmp(status_of("route", "ok "), "ok ", 3), 0);
	EXPECT_SH("ip route del default proto 202");
	(void)status_of("route", "drift: ");
	/* or the next change of one of its keys does */
	(void)lease("192.0.2.5/24", "3600");
	cr_expect_eq(strncmp(status_of("route", "ok "), "ok ", 3), 0);
	EXPECT_SH("ip route show default | grep -q 202");
	cr_expect(status_has("metrics/route", " drifts=2 "), "%s", status_now("metrics/route"));
}

Test(watcher_drift, drift_of_the_address)
{
	configure("drift: report\n");
	lease_that_is_well();
	EXPECT_SH("ip addr del 192.0.2.5/24 dev up0");
	cr_expect_str_eq(status_of("address", "drift: "), "drift: 192.0.2.5/24 was removed");
	cr_expect_str_eq(status_of("route", "drift: "),
			 "drift: the route to 192.0.2.0/24 was removed or changed");
	(void)usleep(1000000);
	EXPECT_SH("! ip addr show up0 | grep 'inet '");
	/* a renewal restores it and the routes that were removed with it */
	commit_init(&commit);
	add("/lease/time", "3600");
	(void)run();
	cr_expect_eq(strncmp(status_of("route", "ok "), "ok ", 3), 0);
	EXPECT_SH("ip addr show up0 | grep -q 192.0.2.5; ip route show default | grep -q 202");
	/* Replaced by another program: Linux 6.1 keeps the protocol of a replaced
	 * address, so there it cannot be detected. */
	if (system("case $(uname -r) in 6.1.*) false;; esac") != 0)
		return;
	EXPECT_SH("ip addr change 192.0.2.5/24 dev up0 valid_lft forever");
	cr_expect_str_eq(status_of("address", "drift: "),
			 "drift: 192.0.2.5/24 was changed and now belongs to another program");
}

/* By default the address and the routes come back, again and again, but each time
 * later; a file does not. */
Test(watcher_drift, U18_removed_address_is_set_again)
{
	lease_that_is_well();
	EXPECT_SH("echo theirs > " RESOLV_CONF);
	(void)status_of("dns", "drift: ");
	for (int i = 0; i < 3; i++) {
		EXPECT_SH("ip addr flush dev up0");
		EVENTUALLY("ip addr show up0 | grep -q 'inet 192.0.2.5/24' && "
			   "ip route show default | grep -q 202");
		cr_expect_eq(strncmp(status_of("address", "ok "), "ok ", 3), 0);
	}
	EXPECT_SH("ip addr show up0 | grep -q 'valid_lft 3[0-9]*sec'"); /* not for ever */
	EXPECT_SH("grep -qx theirs " RESOLV_CONF);
	cr_expect_eq(strncmp(status_now("dns"), "drift: ", 7), 0);
}

/* Without the address nothing else has changed. */
Test(watcher_drift, U18_removed_route_is_added_again)
{
	lease_that_is_well();
	EXPECT_SH("ip route del default proto 202");
	EVENTUALLY("ip route show default | grep -q 202");
	cr_expect_eq(strncmp(status_of("route", "ok "), "ok ", 3), 0);
	/* and the connected route */
	EXPECT_SH("ip route del 192.0.2.0/24 dev up0");
	EVENTUALLY("ip route show 192.0.2.0/24 | grep 'proto 202' && "
		   "ip route show default | grep -q 202");
	cr_expect_eq(strncmp(status_of("route", "ok "), "ok ", 3), 0);
}

/* A program that insists is not followed at its pace. */
Test(watcher_drift, U18_repairs_are_limited)
{
	lease_that_is_well();
	EXPECT_SH("end=$(($(date +%s) + 7)); while [ $(date +%s) -lt $end ]; do "
		  "ip addr flush dev up0; sleep 0.1; done");
	/* at 0.2 s, then after 1 s, 2 s and 4 s */
	cr_expect(status_has("metrics/address", " errors=0 drifts="));
	settle();
	EXPECT_SH("n=$(grep -c '\"path\":\"/status/address\".*drift: ' " AUDIT
		  "); test $n -ge 1 -a $n -le 6");
}

/* The operator need not wait, and wants the file to be as configured, too. */
Test(watcher_drift, U18_renew_restores_everything)
{
	configure("drift: report\n");
	lease_that_is_well();
	EXPECT_SH("echo theirs > " RESOLV_CONF "; ip link set up0 mtu 1350; ip addr flush dev up0");
	commit_init(&commit);
	add("/control/dhcp4/renew", "now");
	(void)run();
	EVENTUALLY("ip addr show up0 | grep -q 192.0.2.5 && ip route show default | grep -q 202 && "
		   "ip link show up0 | grep -q 'mtu 1400' && grep -q 192.0.2.53 " RESOLV_CONF);
	cr_expect_eq(strncmp(status_of("address", "ok "), "ok ", 3), 0);
	cr_expect_eq(strncmp(status_of("dns", "ok "), "ok ", 3), 0);
}

Test(watcher_drift, U18_everything_is_repaired_if_configured)
{
	configure("drift: repair\n");
	lease_that_is_well();
	EXPECT_SH("echo theirs > " RESOLV_CONF "; ip link set up0 mtu 1350");
	EVENTUALLY("ip link show up0 | grep -q 'mtu 1400' && grep -q 192.0.2.53 " RESOLV_CONF);
	cr_expect_eq(strncmp(status_of("dns", "ok "), "ok ", 3), 0);
}

/* The expiry of an address is no drift. */
Test(watcher_drift, drift_is_not_an_expired_address)
{
	start();
	EXPECT_OK("address", lease("192.0.2.5/24", "2"));
	EVENTUALLY("! ip addr show up0 | grep 192.0.2.5");
	(void)usleep(700000);
	settle();
	cr_expect_eq(strncmp(status_now("address"), "ok ", 3), 0, "%s", status_now("address"));
	cr_expect_eq(strncmp(status_of("route", "ok "), "ok ", 3), 0);
}

Test(watcher_drift, drift_of_the_mtu)
{
	lease_that_is_well();
	EXPECT_SH("ip link set up0 mtu 1350");
	cr_expect_str_eq(status_of("link", "drift: "),
			 "drift: the MTU was changed from 1400 to 1350");
	EXPECT_SH("ip link set up0 mtu 1400");
	cr_expect_eq(strncmp(status_of("link", "ok "), "ok ", 3), 0);
}

Test(watcher_drift, drift_of_the_file)
{
	lease_that_is_well();
	EXPECT_SH("echo theirs > " RESOLV_CONF);
	cr_expect_str_eq(status_of("dns", "drift: "), "drift: " RESOLV_CONF " was changed");
	(void)usleep(500000);
	EXPECT_SH("grep -qx theirs " RESOLV_CONF);
	EXPECT_SH("rm " RESOLV_CONF);
	cr_expect_str_eq(status_of("dns", "drift: " RESOLV_CONF " was r"),
			 "drift: " RESOLV_CONF " was removed");
	/* replaced, twice: the new file is watched as well */
	EXPECT_SH("echo a > " RESOLV_CONF ".new; mv " RESOLV_CONF ".new " RESOLV_CONF);
	cr_expect_str_eq(status_of("dns", "drift: " RESOLV_CONF " was c"),
			 "drift: " RESOLV_CONF " was changed");
	EXPECT_SH(
		"printf '# Generated by calfpen (instance watched)\\nnameserver 192.0.2.53\\n' > " RESOLV_CONF);
	cr_expect_eq(strncmp(status_of("dns", "ok "), "ok ", 3), 0);
	EXPECT_SH("touch /tmp/etc/other; rm /tmp/etc/other");
}

/* The directory does not exist when the watcher starts, confined and with any umask;
 * the watcher sees what becomes of the file, also after the directory was removed. */
Test(watcher_drift, U12_file_in_a_directory_that_is_made)
{
	uint64_t revision;

	EXPECT_SH("ln -sfn ../../run/resolvconf/resolv.conf " RESOLV_CONF);
	configure("drift: repair\n");
	(void)umask(077);
	start();
	(void)umask(022);
	revision = lease("192.0.2.5/24", "3600");
	EXPECT_OK("dns", revision);
	EXPECT_SH("grep -qx 'nameserver 192.0.2.53' /run/resolvconf/resolv.conf;"
		  "test $(stat -c %a /run/resolvconf) = 755");
	EXPECT_SH("echo theirs > /run/resolvconf/resolv.conf");
	EVENTUALLY("grep -q 192.0.2.53 /run/resolvconf/resolv.conf");
	EXPECT_SH("rm -r /run/resolvconf");
	EVENTUALLY("grep -q 192.0.2.53 /run/resolvconf/resolv.conf");
	EXPECT_SH("echo theirs > /run/resolvconf/resolv.conf");
	EVENTUALLY("grep -q 192.0.2.53 /run/resolvconf/resolv.conf");
}

/* It is seen by who has bound it, and what is written there is drift. */
Test(watcher_drift, U13_file_that_is_bound)
{
	EXPECT_SH("touch /tmp/bound; mount --bind " RESOLV_CONF " /tmp/bound");
	lease_that_is_well();
	EXPECT_SH("grep -qx 'nameserver 192.0.2.53' /tmp/bound");
	EXPECT_SH("echo theirs > /tmp/bound");
	cr_expect_str_eq(status_of("dns", "drift: "), "drift: " RESOLV_CONF " was changed");
}

/* The confined watcher is root that must obey the mode: it replaces the file. */
Test(watcher_drift, U13_file_that_must_not_be_written)
{
	EXPECT_SH("chmod 444 " RESOLV_CONF);
	lease_that_is_well();
	EXPECT_SH("grep -qx 'nameserver 192.0.2.53' " RESOLV_CONF "; test $(stat -c %a " RESOLV_CONF
		  ") = 444");
}
