/* SPDX-License-Identifier: Apache-2.0 */
/* No change without its record: an audit log that takes nothing, for which nobody pays
 * but the subject that causes too many records, and records that cannot be read. */
#include "tests/bpf/forge.h"
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
	return gate_write(test.fds[KV_SUBJECT_OPERATOR], "/control/dhcp4/x", "now", 3, revisionp);
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
	block_log();
	start();
	(void)lease("192.0.2.5/24", "3600");
	EXPECT_SH("ip link add vpn0 type veth peer name far0; ip link set vpn0 up;"
		  "ip route add default dev vpn0 metric 50");
	commit_init(&commit);
	add("/route/001", "198.51.100.0/24 via 192.0.2.1");
	(void)run();
	cr_expect(status_has("route", "; refused /route/001: "), "%s", status_now("route"));
	(void)status_of("audit", "error: ");
	EVENTUALLY("ip -4 addr show up0 | grep 192.0.2.5/32");
	cr_expect(status_has("address", "; refused /ip: 192.0.2.5/24: its subnet would hide the "
					"route to 0.0.0.0/0 on-link metric 50 protocol 3 table "
					"254; set with /32"),
		  "%s", status_now("address"));
	unblock_log();
	cr_expect_str_eq(status_of("audit", "ok"), "ok");
	EVENTUALLY(
		"grep '\"verb\":\"configure\",\"path\":\"/route/001\",\"verdict\":\"refused\"' " AUDIT
		" && grep '\"verb\":\"configure\",\"path\":\"/ip\",\"verdict\":\"refused\"' " AUDIT);
	EXPECT_SH("test $(grep -c '\"verdict\":\"refused\"' " AUDIT ") = 2");
}

/* The next subject that the watcher accuses, or -1. */
static int accused(void)
{
	uint8_t subject;

	return read(breaches[0], &subject, sizeof(subject)) == sizeof(subject) ? subject : -1;
}

/* A commit of the calf whose record cannot be read; the store has the change
 * nevertheless. */
static uint64_t commit_unreadable(const char *ip, uint16_t subject)
{
	uint64_t revision;

	pause_watcher();
	frames_test_ack(&server, ip, "192.0.2.1", NULL);
	commit_init(&commit);
	add("/ip", ip);
	revision = run();
	gate_test_drain(&test);
	cr_assert_eq(forge_commit(test.store.events_fd, subject, revision), 0);
	cr_assert_eq(kill(watcher, SIGCONT), 0);
	return revision;
}

/* A record that cannot be read is told with what the kernel wrote into it, the change
 * is made and told by the list, and the supervisor knows whose it was. */
Test(watcher_audit, F1_malformed_record)
{
	json_t *line;
	uint64_t revision;

	(void)start_with_lease();
	settle();
	revision = commit_unreadable("192.0.2.9/24", KV_SUBJECT_CALF);
	EXPECT_OK("address", revision);
	settle();
	EXPECT_SH("ip -4 addr show dev up0 | grep -q 'inet 192.0.2.9/24'");
	EXPECT_SH(
		"grep -q '\"seq\":.*\"subject\":\"dhcp4\",\"verb\":\"malformed\","
		"\"verdict\":\"EBADMSG\",\"reason\":\"change ring: record of 120 bytes: 01000000.*"
		"\"uid\":1234567,\"pid\":54321,\"prev\".*}$' " AUDIT);
	cr_expect_eq(audit_lines(revision, &line), 2);
	cr_expect_str_eq(field(line, "verb"), "list");
	cr_expect_str_eq(field(line, "path"), "/ip");
	cr_expect_str_eq(field(line, "value"), "192.0.2.9/24");
	cr_expect_str_eq(field(line, "subject"), "dhcp4");
	cr_expect_eq(accused(), KV_SUBJECT_CALF);
	cr_expect_eq(accused(), -1);
	EXPECT_SH("test $(grep -c covered " AUDIT ") = 1");
}

/* The supervisor's, or the operator's: nobody has a gateway that could be ended. */
Test(watcher_audit, F1_malformed_record_of_another_subject)
{
	uint64_t revision;

	(void)start_with_lease();
	settle();
	revision = commit_unreadable("192.0.2.9/24", KV_SUBJECT_OPERATOR);
	EXPECT_OK("address", revision);
	settle();
	EXPECT_SH("grep -q '\"subject\":\"operator\",\"verb\":\"malformed\"' " AUDIT);
	revision = commit_unreadable("192.0.2.10/24", 500);
	EXPECT_OK("address", revision);
	settle();
	EXPECT_SH("grep -q '\"subject\":\"unknown\",\"verb\":\"malformed\"' " AUDIT);
	cr_expect_eq(accused(), -1);
}

Test(watcher_audit, F1_malformed_refusal)
{
	struct kv_denial record = {
		.type = KV_RECORD_DENIAL,
		.verdict = -EACCES,
		.sequence = 17,
		.uid = 1234567,
		.tgid = 54321,
		.subject = KV_SUBJECT_CALF,
		.verb = 77,
		.path = "/mac",
	};
	uint64_t revision = start_with_lease();

	cr_assert_eq(forge_record(test.store.denials_fd, &record, sizeof(record)), 0);
	/* and two of which nothing is known */
	cr_assert_eq(forge_record(test.store.denials_fd, &record, 64), 0);
	record.type = 99;
	cr_assert_eq(forge_record(test.store.denials_fd, &record, sizeof(record)), 0);
	EVENTUALLY("test $(grep -c '\"verb\":\"malformed\"' " AUDIT ") = 3");
	EXPECT_SH(
		"grep -q '\"seq\":17,\"subject\":\"dhcp4\",\"verb\":\"malformed\","
		"\"verdict\":\"EBADMSG\",\"reason\":\"refusal ring: record of 104 bytes: 02000000.*"
		"\"uid\":1234567,\"pid\":54321,\"prev\".*}$' " AUDIT);
	EXPECT_SH("test $(grep -c '\"subject\":\"kernel\",\"verb\":\"malformed\"' " AUDIT ") = 2");
	cr_expect_eq(accused(), KV_SUBJECT_CALF);
	cr_expect_eq(accused(), -1);
	cr_expect_eq(audit_lines(revision, NULL), 5);
}

/* Who stored it is in the audit log, once, also if the watcher is restarted. */
Test(watcher_audit, F1_value_of_another_type_is_audited)
{
	char command[128];

	start();
	commit_init(&commit);
	add("/ip", "999.1.2.3/99 zz");
	add("/lease/time", "3600");
	(void)snprintf(command, sizeof(command), "grep -q '\"revision\":%llu,.*\"refused\"' " AUDIT,
		       (unsigned long long)run());
	EVENTUALLY(
		"grep '\"revision\":[0-9]*,\"subject\":\"dhcp4\",\"verb\":\"configure\","
		"\"path\":\"/ip\",\"verdict\":\"refused\",\"reason\":\"not a valid ipv4-net\"' " AUDIT);
	cr_expect_eq(sh(command), 0, "%s", command);
	frames_test_ack(&server, "192.0.2.5/24", "192.0.2.1", NULL);
	commit_init(&commit);
	add("/ip", "192.0.2.5/24");
	(void)run();
	EVENTUALLY("ip -4 address show up0 | grep 192.0.2.5/24");
	settle();
	EXPECT_SH("test $(grep -c '\"not a valid ' " AUDIT ") = 1");
}

/* Each change is charged to its subject; the line about its value must not double it. */
Test(watcher_audit, F2_values_of_another_type_are_recorded_at_a_rate)
{
	start();
	for (int i = 0; i < 600; i++) {
		commit_init(&commit);
		add("/ip", "999.1.2.3/99 zz");
		(void)run();
		if (i % 50 == 0)
			settle();
	}
	settle();
	EXPECT_SH("n=$(grep -c '\"not a valid ' " AUDIT
		  "); echo $n >&2; test $n -ge 256 -a $n -lt 400");
	(void)sleep(1);
	commit_init(&commit);
	add("/ip", "9");
	(void)run();
	EVENTUALLY("grep '\"not a valid ipv4-net\",\"suppressed\":[1-9]' " AUDIT);
}
