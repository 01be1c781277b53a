/* SPDX-License-Identifier: Apache-2.0 */
/* The watcher applies what servers gave, not what the calf claims. */
#include "tests/bpf/support-watcher.h"

TestSuite(watcher_witness, .init = setup, .fini = teardown);

static const struct claim {
	const char *path, *value, *why;
} claims[] = {
	{ "/ip", "192.0.2.1/24", "no server gave it" },
	{ "/ip", "192.0.2.66/24", "no server gave it" },
	{ "/ip", "10.0.0.1/8", "no server gave it" },
	{ "/ip", "169.254.0.1/16", "no server gave it" },
	{ "/ip", "192.0.2.5/23", "no server gave so large a subnet" },
	{ "/ip", "192.0.2.5/1", "no server gave so large a subnet" },
	{ "/lease/time", "infinite", "longer than the server allows" },
	{ "/lease/time", "7200", "longer than the server allows" },
	{ "/gateway", "192.0.2.66", "no server gave it" },
	{ "/gateway", "203.0.113.1", "no server gave it" },
};

static const char *handler_of(const char *path)
{
	return !strcmp(path, "/gateway") ? "route" : "address";
}

Test(watcher_witness, F6_claims_are_refused)
{
	char text[256], command[512];
	uint64_t revision;

	(void)start_with_lease();
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		const struct claim *claim = &claims[i];

		commit_init(&commit);
		add(claim->path, claim->value);
		revision = run();
		(void)snprintf(text, sizeof(text), "; refused %s: %s: %s", claim->path,
			       claim->value, claim->why);
		cr_expect(status_has(handler_of(claim->path), text), "%s: %s", text,
			  status_now(handler_of(claim->path)));
		EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 1");
		EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 192.0.2.5/24'");
		EXPECT_SH("! ip -4 addr show dev up0 | grep -E 'forever|valid_lft 7'");
		EXPECT_SH("! ip route show default | grep -v 'via 192.0.2.1 '");
		(void)snprintf(
			command, sizeof(command),
			"grep '\"revision\":%llu.*\"path\":\"%s\",\"verdict\":\"refused\"' " AUDIT,
			(unsigned long long)revision, claim->path);
		for (int tries = 0; tries < PATIENCE_S * 100 && sh(command) != 0; tries++)
			(void)usleep(PAUSE_US);
		cr_expect_eq(sh(command), 0, "%s", command);
		revision = lease("192.0.2.5/24", "3600");
		EXPECT_OK("address", revision);
		EXPECT_OK("route", revision);
	}
}

/* The address goes when its own lifetime is over, not later. */
Test(watcher_witness, F6_what_was_set_before_ends)
{
	start();
	EXPECT_OK("address", lease("192.0.2.5/24", "2"));
	commit_init(&commit);
	add("/ip", "192.0.2.1/24");
	(void)run();
	cr_expect(status_has("address", "; refused /ip: "), "%s", status_now("address"));
	EVENTUALLY("! ip -4 addr show dev up0 | grep inet");
}

/* What was committed while no watcher ran. */
Test(watcher_witness, F6_killed_between_ack_and_address)
{
	uint64_t revision;

	(void)start_with_lease();
	(void)stop(SIGKILL);
	revision = lease("192.0.2.6/24", "3600");
	start();
	EXPECT_OK("address", revision);
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 192.0.2.6/24'");
	(void)stop(SIGKILL);
	commit_init(&commit);
	add("/ip", "192.0.2.66/24");
	(void)run();
	start();
	cr_expect(status_has("address", "; refused /ip: 192.0.2.66/24"), "%s",
		  status_now("address"));
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 192.0.2.6/24'");
	EXPECT_SH("ip route show default | grep -q 'via 192.0.2.1 .* src 192.0.2.6'");
}

/* The policy goes on for the routes that stay. */
Test(watcher_witness, F6_policy_of_a_refused_lease)
{
	uint64_t revision;

	start();
	(void)lease("192.0.2.5/24", "3600");
	commit_init(&commit);
	add("/route/001", "198.51.100.0/24 via 192.0.2.1");
	revision = run();
	EXPECT_OK("route", revision);
	commit_init(&commit);
	add("/ip", "192.0.2.1/24");
	(void)run();
	cr_expect(status_has("route", "; refused /ip: "), "%s", status_now("route"));
	EXPECT_SH("ip route show 198.51.100.0/24 | grep -q 'src 192.0.2.5'");
	EXPECT_SH("ip link add vpn0 type veth peer name far0; ip link set vpn0 up;"
		  "ip route add default dev vpn0 metric 50");
	EVENTUALLY("! ip route show 198.51.100.0/24 | grep 202");
}

Test(watcher_witness, F6_warn)
{
	configure("witness: warn\n");
	(void)start_with_lease();
	commit_init(&commit);
	add("/ip", "192.0.2.66/24");
	add("/gateway", "192.0.2.77");
	(void)run();
	cr_expect(status_has("address", "; used in spite of the witness: /ip: 192.0.2.66/24"), "%s",
		  status_now("address"));
	EVENTUALLY("ip -4 addr show dev up0 | grep 'inet 192.0.2.66/24'");
	EVENTUALLY("ip route show default | grep 'via 192.0.2.77 '");
	EVENTUALLY("grep '\"path\":\"/ip\",\"verdict\":\"warned\"' " AUDIT);
	EVENTUALLY("grep '\"path\":\"/gateway\",\"verdict\":\"warned\"' " AUDIT);
}
