// SPDX-License-Identifier: Apache-2.0
/* Which system calls a pass makes, and what follows if one of them fails. */
#include "tests/bpf/calls.h"

#include "tests/bpf/support-handlers.h"

TestSuite(handlers_faults, .init = setup, .fini = teardown, .timeout = 120);

/* Somebody listens to the host's events, as the watcher does. */
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
	EXPECT_SH("ip -4 addr show dev up0 | grep -Eq 'valid_lft 7(200|199)sec'");
}

/* What is known is good as long as nobody else has changed the addresses. */
Test(handlers_faults, renewal_looks_again_after_a_change)
{
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
