/* SPDX-License-Identifier: Apache-2.0 */
/* A watcher that dies, and what the next one does. */
#include "tests/bpf/support-watcher.h"

TestSuite(watcher_restarts, .init = setup, .fini = teardown);

/* Lines of the audit log per revision, 1 to n; all read once. */
static void count_audit_lines(unsigned int *counts, uint64_t n)
{
	FILE *file = fopen(AUDIT, "r");
	char text[8192];

	cr_assert_not_null(file);
	while (fgets(text, sizeof(text), file)) {
		json_t *line = json_loads(text, 0, NULL);
		uint64_t revision;

		cr_assert_not_null(line, "%s", text);
		revision = (uint64_t)json_integer_value(json_object_get(line, "revision"));
		/* a commit of statuses may have any number of lines */
		if (revision >= 1 && revision <= n &&
		    (!counts[revision] || !strcmp(field(line, "subject"), "dhcp4")))
			counts[revision]++;
		json_decref(line);
	}
	(void)fclose(file);
}

/* Killed again and again while a calf writes: every revision is in the log,
 * once (or twice, the one it died at), and the state is the last one. */
Test(watcher_restarts, killed_while_the_store_changes)
{
	static unsigned int counts[4096];
	uint64_t revision = 0, i, n;
	unsigned int n_doubles = 0, round;
	char value[32];

	for (round = 0; round < 8; round++) {
		(void)snprintf(value, sizeof(value), "192.0.2.%u/24", round + 10);
		frames_test_ack(&server, value, NULL, NULL);
		start();
		for (i = 0; i < 100; i++) {
			commit_init(&commit);
			add("/ip", value);
			add("/x/y", value);
			revision = run();
			if (i % 10 == 0)
				(void)usleep(1000 * round);
		}
		(void)stop(SIGKILL);
	}
	cr_expect_eq(gate_delete(calf, "/x/y", &revision), 0);
	start();
	EVENTUALLY("ip -4 addr show dev up0 | grep 192.0.2.17/24");
	EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 1");
	(void)status_of("address", "ok");
	settle();
	(void)stop(SIGTERM);
	n = gate_test_ctl(&test).revision;
	cr_assert_lt(n, sizeof(counts) / sizeof(counts[0]));
	count_audit_lines(counts, n);
	for (i = 1; i <= n; i++) {
		cr_expect_gt(counts[i], 0, "revision %llu is not in the log",
			     (unsigned long long)i);
		n_doubles += counts[i] > 4; /* two changes, twice */
	}
	cr_expect_eq(n_doubles, 0);
}

/* A change that was applied gets into the log although the watcher that applied it did
 * not write it: it hung in the pass and was killed there. */
Test(watcher_restarts, killed_between_the_pass_and_the_log)
{
	uint64_t revision;
	int lock;

	(void)start_with_lease();
	lock = open("/run/calfpen/handlers.lock", O_RDWR | O_CLOEXEC);
	cr_assert_geq(lock, 0);
	cr_assert_eq(flock(lock, LOCK_EX), 0); /* the DNS handler waits for it, for a second */
	frames_test_ack(&server, "192.0.2.6/24", "192.0.2.1", "3600");
	commit_init(&commit);
	add("/ip", "192.0.2.6/24");
	add("/nameserver/001", "192.0.2.54");
	revision = run();
	EVENTUALLY("ip -4 addr show dev up0 | grep 192.0.2.6/24");
	(void)stop(SIGKILL);
	(void)close(lock);
	start();
	EVENTUALLY("grep -qx 'nameserver 192.0.2.54' " RESOLV_CONF);
	cr_expect_geq(audit_lines(revision, NULL), 2);
	(void)status_of("dns", "ok");
}

Test(watcher_restarts, changes_while_it_is_down)
{
	uint64_t revision;

	(void)start_with_lease();
	(void)stop(SIGKILL);
	/* a stale address set by calfpen, and a removed key */
	(void)lease("192.0.2.6/24", "3600");
	cr_expect_eq(gate_delete(calf, "/nameserver/001", &revision), 0);
	start();
	EVENTUALLY("grep -qx original " RESOLV_CONF);
	EXPECT_SH("test $(ip -4 addr show dev up0 | grep -c inet) = 1");
	EXPECT_SH("ip route show default | grep -q 'src 192.0.2.6'");
	cr_expect_eq(audit_lines(revision, NULL), 1, "from before the list, audited");
}
