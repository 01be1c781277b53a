/* SPDX-License-Identifier: Apache-2.0 */
/* The watcher never has the text of a secret: not in the log, nor in what it saves. */
#include "tests/bpf/support-watcher.h"
#include "userspace/priv/persist/persist.h"

#define TEXT "hunter2"

TestSuite(watcher_secrets, .init = setup, .fini = teardown);

/* Wait until the supervisor is told that a secret has changed. */
static bool is_told(void)
{
	eventfd_t n;

	for (int i = 0; i < PATIENCE_S * 1000000 / PAUSE_US; i++) {
		if (!eventfd_read(secrets_ask, &n))
			return true;
		(void)usleep(PAUSE_US);
	}
	return false;
}

static uint64_t write_secret(void)
{
	commit_init(&commit);
	add("/x/psk", TEXT);
	return run();
}

static void expect_line(uint64_t revision, const char *verb)
{
	json_t *line;

	cr_expect_eq(audit_lines(revision, &line), 1, "one line, and none about its type");
	cr_expect_str_eq(field(line, "subject"), "dhcp4");
	cr_expect_str_eq(field(line, "verb"), verb);
	cr_expect_str_eq(field(line, "path"), "/x/psk");
	cr_expect_str_eq(field(line, "value"), KV_SECRET_TEXT);
	EXPECT_SH("! grep -q " TEXT " " AUDIT);
}

/* It is not of its key's type, which only the gateway and the calf can see. */
Test(watcher_secrets, audited_without_its_text)
{
	uint64_t revision;

	(void)start_with_lease();
	settle();
	cr_expect(is_told(), "of the first list");
	revision = write_secret();
	cr_expect(is_told());
	settle();
	expect_line(revision, "commit");
	cr_assert_eq(gate_delete(calf, "/x/psk", NULL), 0);
	cr_expect(is_told());
}

/* Of a key whose record is missing, the list has no more. */
Test(watcher_secrets, covered_by_list)
{
	uint64_t before, lost;

	before = start_with_lease();
	settle();
	pause_watcher();
	lost = write_secret();
	gate_test_drain(&test);
	commit_init(&commit);
	add("/x/z", "told");
	before = run();
	cr_assert_eq(kill(watcher, SIGCONT), 0);
	EXPECT_OK("link", before);
	settle();
	expect_line(lost, "list");
	EXPECT_SH("! grep -q \"cannot\\|EACCES\" " AUDIT);
}

/* The file of the watcher has no secrets, also of a key whose description does not say so any
 * more, whether it was listed or changed. */
Test(watcher_secrets, not_saved)
{
	uint64_t revision;

	cr_assert_eq(gate_write(calf, "/x/was-secret", TEXT, strlen(TEXT), NULL), 0);
	start();
	(void)lease("192.0.2.5/24", "1800");
	settle();
	EVENTUALLY("grep -q 1800 " STATE "/store");
	EXPECT_SH("! grep -rq '" TEXT "\\|was-secret\\|<secret>' " STATE);
	cr_assert_eq(gate_write(calf, "/x/was-secret", TEXT, strlen(TEXT), NULL), 0);
	revision = write_secret();
	(void)lease("192.0.2.5/24", "3600");
	EXPECT_OK("persist", revision);
	(void)stop(SIGTERM);
	EXPECT_SH("grep -q 3600 " STATE "/store");
	EXPECT_SH("! grep -rq '" TEXT "\\|psk\\|was-secret\\|<secret>' " STATE);
	EXPECT_SH("! grep -rq " TEXT " /run");
}
