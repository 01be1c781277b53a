/* SPDX-License-Identifier: Apache-2.0 */
/* The uplink disappears, returns, is renamed; and the key /link. */
#include "tests/bpf/support-watcher.h"

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
	EXPECT_SH("ip link add up0 type veth peer name peer0; ip link set up0 up");
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

Test(watcher_uplink, uplink_down_and_up)
{
	(void)start_with_lease();
	EXPECT_SH("ip link set up0 down");
	cr_expect_str_eq(status_of("route", "error: "),
			 "error: route to 0.0.0.0/0: Network is unreachable");
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
