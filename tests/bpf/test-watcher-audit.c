/* SPDX-License-Identifier: Apache-2.0 */
/* An audit log that takes nothing: no change without its record, and nobody but the
 * subject that causes too many of them pays for it. */
#include "tests/bpf/support-watcher.h"
#include "userspace/common/chain.h"

#define RESERVE "/run/calfpen/watched/audit-reserve"

TestSuite(watcher_audit, .init = setup, .fini = teardown);

/* Neither the log nor a reserve can be made. */
static void block_log(void)
{
	EXPECT_SH("mkdir -p " AUDIT " " RESERVE "/x");
}

static void unblock_log(void)
{
	EXPECT_SH("rm -r " AUDIT " " RESERVE);
}

/* One change of the calf that is as long as possible; 0, or what the gate says. */
static int write_long(uint64_t *revisionp)
{
	static char text[KV_VALUE_SIZE];

	memset(text, 'x', KV_VALUE_MAX);
	return gate_write(calf, "/x/y", text, KV_VALUE_MAX, revisionp);
}

static int operate(uint64_t *revisionp)
{
	return gate_write(test.fds[KV_SUBJECT_OPERATOR], "/control/x", "now", 3, revisionp);
}

/* Every revision up to this one is in the log, and each line follows the one before it. */
static void expect_complete(uint64_t n)
{
	static bool seen[8192];
	FILE *file = fopen(AUDIT, "r");
	char text[8192], hash[CHAIN_SIZE] = CHAIN_START;

	cr_assert_not_null(file);
	cr_assert_lt(n, sizeof(seen));
	while (fgets(text, sizeof(text), file)) {
		size_t length = strcspn(text, "\n");
		const char *previous = chain_previous(text, length);
		json_t *line = json_loads(text, 0, NULL);
		uint64_t revision = (uint64_t)json_integer_value(json_object_get(line, "revision"));

		cr_assert(line && previous, "%s", text);
		cr_expect_eq(strncmp(previous, hash, CHAIN_SIZE - 1), 0, "%s", text);
		chain_hash(text, length, hash);
		if (revision < sizeof(seen))
			seen[revision] = true;
		json_decref(line);
	}
	(void)fclose(file);
	for (uint64_t i = 1; i <= n; i++)
		cr_expect(seen[i], "revision %llu is not in the log", (unsigned long long)i);
}

/* The calf fills its share of the ring and is told to try again; the others are not, and
 * what was accepted is done. When the log takes records, all is as before. */
Test(watcher_audit, F2_only_the_calf_is_refused)
{
	uint64_t revision = 0, mine;

	block_log();
	start();
	revision = lease("192.0.2.5/24", "3600");
	EXPECT_OK("address", revision);
	while (!write_long(&mine))
		revision = mine;
	cr_expect_eq(write_long(&mine), -EAGAIN);
	cr_expect_eq(operate(&revision), 0, "the operator has a share of its own");
	cr_expect_eq(gate_note_denial(test.fds[KV_SUBJECT_OPERATOR], KV_VERB_READ, "/x", -EACCES),
		     0);
	cr_expect_str_eq(status_of("audit", "error: "),
			 "error: " AUDIT
			 ": Is a directory; the reserve is full; calves are refused");
	cr_expect_eq(kill(watcher, 0), 0);
	unblock_log();
	cr_expect_str_eq(status_of("audit", "ok"), "ok");
	settle();
	cr_expect_eq(write_long(&revision), 0, "the share is free again");
	EVENTUALLY("test $(grep -c xxxx " AUDIT ") -gt 200");
	revision = lease("192.0.2.6/24", "3600");
	EXPECT_OK("address", revision);
	settle();
	expect_complete(revision);
	EXPECT_SH("grep -q '\"subject\":\"operator\",\"verb\":\"read\",\"path\":\"/x\"' " AUDIT);
}

/* A lease that is written while nothing takes records reaches the host, and the watcher
 * does not spin. */
Test(watcher_audit, F2_changes_are_applied_nevertheless)
{
	uint64_t revision;
	char command[256];
	int i;

	block_log();
	start();
	for (i = 0; i < 3; i++) {
		revision = lease(i % 2 ? "192.0.2.5/24" : "192.0.2.6/24", "3600");
		EXPECT_OK("address", revision);
	}
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 192.0.2.6/24");
	(void)snprintf(command, sizeof(command),
		       "set -- $(cut -d' ' -f14,15 /proc/%d/stat); a=$(($1 + $2)); sleep 1;"
		       "set -- $(cut -d' ' -f14,15 /proc/%d/stat); test $(($1 + $2 - a)) -lt 30",
		       watcher, watcher);
	EXPECT_SH(command);
	unblock_log();
	settle();
	expect_complete(revision);
}

/* Killed again and again while records wait in the ring and in the reserve. */
Test(watcher_audit, F2_killed_while_records_wait)
{
	uint64_t revision = 0, mine;

	EXPECT_SH("mkdir -p " AUDIT);
	for (int i = 0; i < 4; i++) {
		start();
		for (int j = 0; j < 300 && !write_long(&mine); j++)
			revision = mine;
		(void)usleep(1000 * 20 * (unsigned int)i);
		(void)stop(SIGKILL);
	}
	EXPECT_SH("test -s " RESERVE "; rmdir " AUDIT);
	start();
	EVENTUALLY("test ! -s " RESERVE);
	revision = lease("192.0.2.5/24", "3600");
	EXPECT_OK("address", revision);
	settle();
	expect_complete(revision);
	EXPECT_SH("test ! -s " RESERVE);
}

/* Commits that fail take room in the ring, too, until the reader has passed them: not that
 * of others. */
Test(watcher_audit, F2_commits_that_fail_take_only_their_share)
{
	uint64_t revision;
	char path[32];
	int r = 0;

	block_log();
	start();
	revision = lease("192.0.2.5/24", "3600");
	EXPECT_OK("address", revision);
	/* more keys than the store has */
	for (int i = 0; i < 4000 && r != -EAGAIN; i++) {
		commit_init(&commit);
		for (int j = 0; j < KV_CHANGES_MAX; j++) {
			(void)snprintf(path, sizeof(path), "/x/%d", i * KV_CHANGES_MAX + j);
			add(path, "0123456789abcdef0123456789abcdef");
		}
		r = gate_commit(calf, &commit, NULL, NULL);
	}
	cr_expect_eq(r, -EAGAIN);
	for (int i = 0; i < 300; i++) /* more than such a commit leaves free by chance */
		cr_assert_eq(operate(&revision), 0, "the operator has no room: %d", i);
	unblock_log();
	settle();
	expect_complete(revision);
}

/* What the supervisor notes of a calf is the calf's record. */
Test(watcher_audit, F2_malformed_message)
{
	int supervisor = test.fds[KV_SUBJECT_SUPERVISOR];

	start();
	cr_expect_eq(gate_note_denial(supervisor, KV_VERB_NONE, "/dhcp4", -EBADMSG), 0);
	EVENTUALLY("grep '\"subject\":\"dhcp4\",\"verb\":\"malformed\",\"verdict\":\"EBADMSG\","
		   "\"reason\":\"control message\"' " AUDIT);
}

/* A refused value is recorded when the log takes records, once. */
Test(watcher_audit, F2_refusals_of_handlers)
{
	uint64_t revision;

	block_log();
	start();
	(void)lease("192.0.2.5/24", "3600");
	EXPECT_SH("ip link add vpn0 type veth peer name far0; ip link set vpn0 up;"
		  "ip route add default dev vpn0 metric 50");
	commit_init(&commit);
	add("/route/001", "198.51.100.0/24 via 192.0.2.1");
	revision = run();
	cr_expect(status_has("route", "; refused /route/001: "), "%s", status_now("route"));
	(void)status_of("audit", "error: ");
	EXPECT_OK("address", revision);
	unblock_log();
	cr_expect_str_eq(status_of("audit", "ok"), "ok");
	EVENTUALLY(
		"grep '\"verb\":\"configure\",\"path\":\"/route/001\",\"verdict\":\"refused\"' " AUDIT);
	EXPECT_SH("test $(grep -c '\"verdict\":\"refused\"' " AUDIT ") = 1");
}
