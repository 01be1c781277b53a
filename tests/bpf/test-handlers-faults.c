/* SPDX-License-Identifier: Apache-2.0 */
/* Which system calls a pass makes, and the effects if one of them fails. */
#include "tests/bpf/calls.h"

#include "tests/bpf/support-handlers.h"

TestSuite(handlers_faults, .init = setup, .fini = teardown);

/* Count the host's events, as the watcher does. */
static void listened(void)
{
	context.n_address_changes = 1;
}

static void whole_lease(const char *seconds)
{
	lease("192.0.2.5/24", "192.0.2.1", seconds);
	test_set(&wanted, "/mtu", "1400", 0);
	test_set(&wanted, "/domain", "example.net", 0);
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 192.0.2.1", 0);
}

static int renew(const char *seconds)
{
	test_set(&wanted, "/lease/time", seconds, loop_now_ns());
	return pass_of("/lease/time");
}

Test(handlers_faults, renewal_is_one_request_and_no_file)
{
	unsigned int i;

	listened();
	whole_lease("3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	for (i = 0; i < 3; i++) {
		(void)n_changes();
		calls_begin(CALLS_PASS, 0, 0);
		cr_expect_eq(renew("3600"), 0, "%s", reason);
		calls.is_on = false;
		cr_expect_eq(calls.n_requests, 1, "%u requests", calls.n_requests);
		cr_expect_eq(calls.n_files, 0, "%u calls on files", calls.n_files);
		cr_expect_eq(n_changes(), 1, "RTM_NEWADDR");
	}
	cr_expect_eq(renew("7200"), 0, "%s", reason);
	EXPECT_SH("ip -4 addr show dev up0 | grep -Eq 'valid_lft 7(200|19[0-9])sec'");
}

/* The remembered address is valid as long as no other program changes addresses. */
Test(handlers_faults, renewal_looks_again_after_a_change)
{
	options.allow_hiding = true; /* the routes of up0 */
	listened();
	whole_lease("3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip addr del 192.0.2.5/24 dev up0; ip addr add 192.0.2.5/24 dev up0");
	context.n_address_changes++;
	cr_expect_eq(renew("7200"), 0, "%s", reason);
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 'valid_lft forever'"); /* theirs */
	/* nor is anything known of another device */
	EXPECT_SH("ip addr del 192.0.2.5/24 dev up0");
	context.n_address_changes++;
	cr_expect_eq(pass(), 0, "%s", reason);
	EXPECT_SH("ip addr add 192.0.2.5/24 dev peer0");
	context.uplink_ifindex = (int)if_nametoindex("peer0");
	cr_expect_eq(renew("3600"), 0, "%s", reason);
	EXPECT_SH("ip -4 addr show dev peer0 | grep -q 'valid_lft forever'");
}

/*
 * Each system call fails in turn, or the process is killed at it. In every case nothing
 * foreign is changed, the next pass establishes the wanted state, and without keys
 * everything is as before.
 */

static const char *const dump =
	"{ ip -4 addr show | sed 's/valid_lft [0-9]*sec/valid_lft N/; s/preferred_lft [0-9]*sec//;"
	" s/ state [A-Z]*//; s/<[^>]*>//'; ip -4 route show table all | sort;"
	" cat /tmp/chrony-dhcp/* /tmp/chronyd-has /tmp/root/test/ntp-servers; cat /tmp/etc/resolv.conf /proc/sys/kernel/domainname /proc/sys/kernel/hostname; } 2>/dev/null > ";

static void save_state(const char *path)
{
	char command[1024];

	(void)snprintf(command, sizeof(command), "%s %s", dump, path);
	cr_assert_eq(sh(command), 0);
}

static bool is_state(const char *path)
{
	char command[1024];

	(void)snprintf(command, sizeof(command), "%s /tmp/now; cmp -s /tmp/now %s", dump, path);
	return sh(command) == 0;
}

/* A reload of chronyd: it then has the content of the directory. */
static void reload(void *data)
{
	bool was_on = calls.is_on;

	(void)data;
	calls.is_on = false;
	EXPECT_SH("cat /tmp/chrony-dhcp/*.sources > /tmp/chronyd-has 2>/dev/null || true");
	calls.is_on = was_on;
}

/* A host that has its own address, routes and files before the lease. */
static void host_with_something(void)
{
	EXPECT_SH("ip addr add 198.51.100.5/24 dev up0;"
		  "ip route add 203.0.113.0/24 via 198.51.100.1 proto static;"
		  "sysctl -qw net.ipv4.conf.up0.promote_secondaries=1;"
		  "echo original > /tmp/etc/resolv.conf; hostname before; mkdir /tmp/chrony-dhcp;"
		  "echo before.example > /proc/sys/kernel/domainname");
	options.use_hostname = true;
	context.chrony = (struct handler_chrony){ .ask = reload, .result = -1 };
	listened();
}

static void first_lease(void)
{
	whole_lease("3600");
	test_set(&wanted, "/hostname", "leased", 0);
	test_set(&wanted, "/ntp/001", "192.0.2.9", 0);
}

static void second_lease(void)
{
	first_lease();
	test_set(&wanted, "/gateway", "192.0.2.2", 0);
	test_set(&wanted, "/mtu", "1300", 0);
	test_set(&wanted, "/domain", "other.example", 0);
	test_set(&wanted, "/hostname", "again", 0);
	test_set(&wanted, "/ntp/001", "192.0.2.10", 0);
	test_set(&wanted, "/nameserver/001", "192.0.2.2", 0);
	test_set(&wanted, "/route/001", "10.0.0.0/8 via 192.0.2.2", 0);
	test_set(&wanted, "/route/002", "172.16.0.0/12 via 203.0.113.9", 0);
}

static void no_lease(void)
{
	wanted_clear(&wanted);
}

/* Run a pass in a separate process without state of earlier ones, like a restarted
 * watcher. Returns its exit status. */
enum outcome { WELL = 0, FAILED, DIED_OR_NOT_REACHED, WRONG };

static enum outcome pass_in_child(void (*want)(void), enum calls_action action, unsigned int at,
				  int error, const char *then)
{
	pid_t child = fork();
	int status = 0;

	cr_assert_geq(child, 0);
	if (!child) {
		int r;

		want();
		if (netlink_new(&context.netlink)) /* a new socket, as after a restart */
			_exit(WRONG);
		calls_begin(action, at, error);
		r = pass();
		calls.is_on = false;
		if (calls.n < at)
			_exit(DIED_OR_NOT_REACHED);
		/* the same process tries again, as it does after a second */
		if (action == CALLS_FAIL && (pass() || !is_state(then))) {
			(void)fprintf(stderr, "call %u, %s: %s\n", at, calls.name, reason);
			_exit(WRONG);
		}
		_exit(r ? FAILED : WELL);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status), "status %x", status);
	return (enum outcome)WEXITSTATUS(status);
}

static void states_of(void)
{
	host_with_something();
	save_state("/tmp/none");
	cr_assert_eq(pass_in_child(first_lease, CALLS_PASS, 0, 0, NULL), WELL);
	save_state("/tmp/first");
	cr_assert_eq(pass_in_child(second_lease, CALLS_PASS, 0, 0, NULL), WELL);
	save_state("/tmp/second");
	cr_assert_eq(pass_in_child(no_lease, CALLS_PASS, 0, 0, NULL), WELL);
	cr_assert(is_state("/tmp/none"));
}

/* Each system call between one lease and the next fails in turn. */
static void fail_each(void (*from)(void), void (*to)(void), const char *then, int error)
{
	unsigned int at, n_failed = 0;
	enum outcome outcome = WELL;

	states_of();
	for (at = 1; outcome != DIED_OR_NOT_REACHED; at++) {
		cr_assert_lt(at, 2000u);
		if (pass_in_child(from, CALLS_PASS, 0, 0, NULL) != WELL)
			cr_assert_fail("the state before, call %u", at);
		outcome = pass_in_child(to, CALLS_FAIL, at, error, then);
		cr_expect_neq(outcome, WRONG, "call %u", at);
		n_failed += outcome == FAILED;
		cr_expect_eq(pass_in_child(no_lease, CALLS_PASS, 0, 0, NULL), WELL);
		cr_expect(is_state("/tmp/none"), "call %u", at);
	}
	cr_expect_gt(at, 40u, "%u calls", at);
	cr_expect_gt(n_failed, 20u, "%u of %u led to a reported failure", n_failed, at);
}

Test(handlers_faults, each_call_of_a_first_lease_fails)
{
	fail_each(no_lease, first_lease, "/tmp/first", EIO);
}

Test(handlers_faults, each_call_of_a_change_fails)
{
	fail_each(first_lease, second_lease, "/tmp/second", ENOSPC);
}

Test(handlers_faults, each_call_of_the_end_fails)
{
	fail_each(second_lease, no_lease, "/tmp/none", ENOBUFS);
}

#define STRICT "sysctl -qw net.ipv4.conf.up0.rp_filter=1"
#define IS_LOOSE "test $(sysctl -n net.ipv4.conf.up0.rp_filter) = 2"

/* rp_filter cannot be read or set: the lease is used nevertheless. */
Test(handlers_faults, F3_rp_filter_that_cannot_be_set)
{
	static const char note[] = "; cannot set rp_filter to loose (2): Operation not permitted; ";
	const char *status = handlers.state[2].status;
	unsigned int at, n_noted = 0;
	bool was_reached = true;

	lease("10.77.0.5/32", "10.99.0.1", "3600");
	cr_assert_eq(pass(), 0, "%s", reason);
	for (at = 1; was_reached; at++) {
		bool is_noted;

		EXPECT_SH(STRICT);
		calls_begin(CALLS_FAIL, at, EPERM);
		(void)pass_of("/gateway");
		calls.is_on = false;
		was_reached = calls.n >= at;
		is_noted = strstr(status, note);
		n_noted += is_noted;
		cr_expect(!is_noted || !strncmp(status, "ok ", 3), "%s", status);
		cr_expect_eq(pass(), 0, "%s", reason);
		cr_expect_null(strstr(status, "rp_filter"), "%s", status);
		EXPECT_SH(IS_LOOSE);
	}
	cr_expect_geq(n_noted, 4, "sent and received of %u calls: %u", at, n_noted);
}

/* A watcher that is killed at any point of a pass, and the next one. */
static void die_at_each(void (*from)(void), void (*to)(void), const char *then)
{
	unsigned int at;
	enum outcome outcome;
	bool was_reached = true;

	states_of();
	for (at = 1; was_reached; at++) {
		cr_assert_lt(at, 2000u);
		cr_assert_eq(pass_in_child(from, CALLS_PASS, 0, 0, NULL), WELL);
		(void)n_changes_of(RTM_DELADDR);
		outcome = pass_in_child(to, CALLS_DIE, at, 0, NULL);
		was_reached = outcome != DIED_OR_NOT_REACHED;
		cr_expect_eq(pass_in_child(to, CALLS_PASS, 0, 0, NULL), WELL, "call %u", at);
		cr_expect(is_state(then), "call %u", at);
		cr_expect_eq(n_changes_of(RTM_DELADDR), 0, "call %u", at);
		cr_expect_eq(pass_in_child(no_lease, CALLS_PASS, 0, 0, NULL), WELL);
		cr_expect(is_state("/tmp/none"), "call %u", at);
	}
	cr_expect_gt(at, 40u, "%u calls", at);
}

Test(handlers_faults, killed_at_each_call_of_a_first_lease)
{
	die_at_each(no_lease, first_lease, "/tmp/first");
}

Test(handlers_faults, killed_at_each_call_of_a_change)
{
	die_at_each(first_lease, second_lease, "/tmp/second");
}

/* Killed while it deletes its configuration, and then the lease returns. */
static void expect_end_after_death(void)
{
	unsigned int at;
	enum outcome outcome = WELL;

	for (at = 1; outcome != DIED_OR_NOT_REACHED; at++) {
		cr_assert_lt(at, 2000u);
		cr_assert_eq(pass_in_child(second_lease, CALLS_PASS, 0, 0, NULL), WELL);
		outcome = pass_in_child(no_lease, CALLS_DIE, at, 0, NULL);
		cr_expect_eq(pass_in_child(no_lease, CALLS_PASS, 0, 0, NULL), WELL);
		cr_expect(is_state("/tmp/none"), "call %u", at);
	}
	cr_expect_gt(at, 40u, "%u calls", at);
}

Test(handlers_faults, killed_at_each_call_of_the_end)
{
	states_of();
	expect_end_after_death();
}

/*
 * Take-over. Two addresses of the former client, one of them the one that is leased,
 * and default routes by both, one of them with our metric.
 */
static unsigned int n_starts; /* of the instance */

static void former_host(void)
{
	EXPECT_SH("ip addr flush dev up0; rm -f /tmp/root/test/takeover;"
		  "ip addr add 192.0.2.145/24 dev up0 valid_lft 900 preferred_lft 900;"
		  "ip addr add 192.0.2.5/24 brd + dev up0 valid_lft 900 preferred_lft 900;"
		  "ip addr add 198.51.100.5/24 dev up0;"
		  "ip route add 203.0.113.0/24 via 198.51.100.1;"
		  "ip route add default via 192.0.2.9;"
		  "ip route add default via 192.0.2.9 proto dhcp src 192.0.2.5 metric 100");
	n_starts++;
}

static void takeover(void)
{
	context.takeover = true;
	wanted.revision = 1000 * n_starts; /* the same in both passes of a start */
	test_set(&wanted, "/address", "192.0.2.145/24", 0);
	first_lease();
}

/* Ours: at every moment one of the two leads to the world. */
#define HAS_DEFAULT "ip route get 192.88.99.1 | grep -q 'via 192.0.2.[19] dev up0'"
#define HAS_OTHERS                                              \
	"ip -4 addr show dev up0 | grep -q 198.51.100.5/24 && " \
	"ip route show 203.0.113.0/24 | grep -q 198.51.100.1"

static void expect_taken(void)
{
	EXPECT_SH("test $(ip route show default | wc -l) = 1 && "
		  "ip route show default | grep -q 'via 192.0.2.1 .*proto 202 src 192.0.2.5'");
	EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c 'inet 192') = 1 && " HAS_OTHERS);
	EXPECT_SH("grep -q ^done /tmp/root/test/takeover");
}

/* `is_new_start`: not only the watcher but the instance is started again. */
static void disturb_each(enum calls_action action, int error, bool is_new_start)
{
	enum outcome outcome = WELL;
	unsigned int at;

	host_with_something();
	former_host();
	cr_assert_eq(pass_in_child(takeover, CALLS_PASS, 0, 0, NULL), WELL);
	expect_taken();
	save_state("/tmp/taken");
	for (at = 1; outcome != DIED_OR_NOT_REACHED; at++) {
		cr_assert_lt(at, 2000u);
		former_host();
		outcome = pass_in_child(takeover, action, at, error, "/tmp/taken");
		cr_expect_neq(outcome, WRONG, "call %u", at);
		EXPECT_SH(HAS_DEFAULT " && " HAS_OTHERS);
		n_starts += is_new_start;
		cr_expect_eq(pass_in_child(takeover, CALLS_PASS, 0, 0, NULL), WELL, "call %u", at);
		expect_taken();
	}
	cr_expect_gt(at, 40u, "%u calls", at);
}

Test(handlers_faults, U25_each_call_of_a_take_over_fails)
{
	disturb_each(CALLS_FAIL, EIO, false);
}

Test(handlers_faults, U25_killed_at_each_call_of_a_take_over)
{
	disturb_each(CALLS_DIE, 0, false);
}

Test(handlers_faults, U25_instance_killed_at_each_call_of_a_take_over)
{
	disturb_each(CALLS_DIE, 0, true);
}

/* Whatever call is the last one, a reader finds the old text or the new one, perhaps
 * with blank lines; what is cut off is never read behind it. */
static void expect_one_of(const char *from, const char *to, unsigned int at)
{
	char command[256];

	(void)snprintf(command, sizeof(command),
		       "grep -v '^$' /tmp/etc/resolv.conf > /tmp/now;"
		       "cmp -s /tmp/now %s || cmp -s /tmp/now %s",
		       from, to);
	cr_expect_eq(sh(command), 0, "call %u", at);
}

static void short_lease(void)
{
	test_set(&wanted, "/nameserver/001", "192.0.2.1", 0);
}

Test(handlers_faults, U13_reader_of_a_file_whose_writer_is_killed)
{
	enum outcome outcome = WELL;
	unsigned int at;

	EXPECT_SH("for i in 1 2 3 4 5; do echo nameserver 198.51.100.$i; done > /tmp/old;"
		  "cp /tmp/old /tmp/etc/resolv.conf");
	cr_assert_eq(pass_in_child(short_lease, CALLS_PASS, 0, 0, NULL), WELL);
	EXPECT_SH("cp /tmp/etc/resolv.conf /tmp/new");
	cr_assert_eq(pass_in_child(no_lease, CALLS_PASS, 0, 0, NULL), WELL);
	for (at = 1; outcome != DIED_OR_NOT_REACHED; at++) {
		outcome = pass_in_child(short_lease, CALLS_DIE, at, 0, NULL);
		expect_one_of("/tmp/old", "/tmp/new", at);
		cr_expect_eq(pass_in_child(no_lease, CALLS_PASS, 0, 0, NULL), WELL);
		EXPECT_SH("cmp /tmp/etc/resolv.conf /tmp/old");
	}
	cr_expect_gt(at, 40u, "%u calls", at);
}

/* Returns the type of the first change of an address that the kernel has announced, 0: none. */
static uint16_t first_address_change(void)
{
	static char bytes[65536];
	ssize_t size;

	while ((size = recv(monitor, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		struct nlmsghdr *header = (struct nlmsghdr *)bytes;

		for (; NLMSG_OK(header, (unsigned int)size); header = NLMSG_NEXT(header, size))
			if (header->nlmsg_type == RTM_NEWADDR || header->nlmsg_type == RTM_DELADDR)
				return header->nlmsg_type;
	}
	return 0;
}

#define LEASED "ip -4 addr show dev up0 | grep -q 'inet 10.77.0.50/'"
#define WIDE "ip route show 8.0.0.0/5 | grep -q 'dev up0 proto 202'"

/* A renewal with another mask, which is hostile beside a VPN. The call fails, and so it does
 * when the pass is repeated. The child ends with an enum outcome. */
static void wide_mask_in_child(unsigned int at, bool is_hostile, const char *then)
{
	bool was_reached = false;

	if (netlink_new(&context.netlink))
		_exit(WRONG);
	lease("10.77.0.50/24", "10.77.0.1", "3600");
	if (pass())
		_exit(WRONG);
	(void)n_changes();
	lease("10.77.0.50/5", "10.77.0.1", "3600");
	for (int i = 0; i < 2; i++) {
		if (!i)
			reconcile_mark_all(&handlers);
		else
			reconcile_mark_due(&handlers, UINT64_MAX - 1);
		calls_begin(CALLS_FAIL, at, EIO);
		(void)run_pass();
		calls.is_on = false;
		was_reached |= calls.n >= at;
		if (sh(LEASED) || (is_hostile && !sh(WIDE)) ||
		    sh("ip route show default dev up0 | grep -q 'via 10.77.0.1 .*proto 202'"))
			_exit(WRONG);
	}
	reconcile_mark_due(&handlers, UINT64_MAX - 1);
	if (run_pass() || first_address_change() != RTM_NEWADDR || sh(then))
		_exit(WRONG);
	_exit(was_reached ? WELL : DIED_OR_NOT_REACHED);
}

static void expect_wide_mask(bool is_hostile, const char *then)
{
	enum outcome outcome = WELL;
	unsigned int at;
	int status;

	listened();
	for (at = 1; outcome != DIED_OR_NOT_REACHED; at++) {
		pid_t child = fork();

		cr_assert_lt(at, 2000u);
		cr_assert_geq(child, 0);
		if (!child)
			wide_mask_in_child(at, is_hostile, then);
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert(WIFEXITED(status), "status %x", status);
		outcome = (enum outcome)WEXITSTATUS(status);
		cr_expect_neq(outcome, WRONG, "call %u", at);
		cr_expect_eq(pass_in_child(no_lease, CALLS_PASS, 0, 0, NULL), WELL);
	}
	cr_expect_gt(at, 30u, "%u calls", at);
}

#define ONLY_ADDRESS(_net) \
	"test \"$(ip -o -4 addr show dev up0 | grep -o 'inet [^ ]*')\" = 'inet " _net "'"

/* What cannot be judged is not connected, and the address of the lease stays. */
Test(handlers_faults, F3_each_call_of_a_hostile_mask_fails)
{
	EXPECT_SH("ip link add vpn0 type veth peer name far0; ip link set far0 up;"
		  "ip link set vpn0 up; ip addr add 10.8.0.2/32 dev vpn0;"
		  "ip route add default dev vpn0 metric 50");
	expect_wide_mask(
		true,
		ONLY_ADDRESS(
			"10.77.0.50/32") " && ip route get 8.8.8.8 | "
					 "grep -q 'dev vpn0' && test $(ip route show proto 202 | wc -l) = 1");
}

/* The routes follow when it has been judged. */
Test(handlers_faults, F3_each_call_of_another_mask_fails)
{
	expect_wide_mask(
		false,
		ONLY_ADDRESS("10.77.0.50/5") " && " WIDE
					     " && test $(ip route show proto 202 | wc -l) = 2");
}
