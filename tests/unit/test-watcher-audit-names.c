/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records name subjects as the store does, whatever the order of the calves is. */
#include "tests/unit/support-audit.h"
#include "userspace/priv/watcher/audit.h"

enum { OBSERVER = KV_SUBJECT_CALF, DHCP4, REMOVED, FREE };

#define GATEWAY_UID 1879048198u

static struct watcher_audit watched;
/* in another order than their numbers */
static struct description descriptions[] = { { .name = "dhcp4" }, { .name = "observer" } };
static const struct loaded loaded = { .descriptions = descriptions, .n_descriptions = 2 };

static void begin(void)
{
	static struct kv_ctl ctl = { .names = { [KV_SUBJECT_SUPERVISOR] = KV_NAME_SUPERVISOR,
						[KV_SUBJECT_WATCHER] = KV_NAME_WATCHER,
						[KV_SUBJECT_OPERATOR] = KV_NAME_OPERATOR,
						[OBSERVER] = "observer",
						[DHCP4] = "dhcp4",
						[REMOVED] = "removed" } };

	audit_setup();
	descriptions[0].n_keys = 1;
	descriptions[0].keys[0] =
		(struct key_rule){ .path = "/ip",
				   .access = KV_ACCESS_WRITE,
				   .rule = { .type = VALUE_IPV4_NET, .max_length = 18 } };
	watcher_audit_init(&watched);
	watcher_audit_take_names(&watched, &ctl);
	cr_assert_eq(audit_open(&watched.log, path, &settings), 0);
}

static void end(void)
{
	audit_close(&watched.log, 0);
	audit_teardown();
}

TestSuite(watcher_audit_names, .init = begin, .fini = end);

/* Returns true if the last line of the log has this. */
static bool is_in_last_line(const char *expected)
{
	char line[1024] = "";
	FILE *file = fopen(path, "r");

	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file))
		;
	(void)fclose(file);
	if (!strstr(line, expected))
		cr_log_warn("%s", line);
	return strstr(line, expected) != NULL;
}

static struct kv_event event_of(uint16_t subject, uint32_t uid)
{
	static uint64_t revision;

	return (struct kv_event){
		.revision = ++revision, .subject = subject, .uid = uid, .verb = KV_VERB_COMMIT
	};
}

static void change_at(const char *key, uint16_t subject, uint32_t uid, uint16_t operation)
{
	struct kv_event event = event_of(subject, uid);
	struct record_change change = { .operation = operation, .text = "" };

	(void)snprintf(change.key.path, sizeof(change.key.path), "%s", key);
	cr_assert_eq(watcher_audit_change(&watched, &event, &change), 0);
}

static void change_by(uint16_t subject, uint32_t uid, uint16_t operation)
{
	change_at("/config/x", subject, uid, operation);
}

#define EXPECT_LINE(_subject, _verb) \
	cr_expect(is_in_last_line("\"subject\":\"" _subject "\",\"verb\":\"" _verb "\""))

Test(watcher_audit_names, by_number)
{
	change_by(KV_SUBJECT_SUPERVISOR, 0, KV_CHANGE_DELETE);
	EXPECT_LINE("supervisor", "commit");
	change_by(KV_SUBJECT_OPERATOR, 0, KV_CHANGE_DELETE);
	EXPECT_LINE("operator", "commit");
	change_by(OBSERVER, GATEWAY_UID, KV_CHANGE_WRITE);
	EXPECT_LINE("observer", "commit");
	change_by(DHCP4, GATEWAY_UID, KV_CHANGE_WRITE);
	EXPECT_LINE("dhcp4", "commit");
	change_by(FREE, GATEWAY_UID, KV_CHANGE_WRITE);
	EXPECT_LINE("unknown", "commit");
	change_by(KV_SUBJECTS_MAX, GATEWAY_UID, KV_CHANGE_WRITE);
	EXPECT_LINE("unknown", "commit");
}

/* What root deletes by a commit, but for the host's own keys: gateways are not root. Whose record it is, and whether its calf is of this run, means nothing. */
Test(watcher_audit_names, orphans)
{
	static const char *const hosts[] = { "/address",      "/mac",
					     "/host/name",    "/status/quarantine",
					     "/config/a/b",   "/control/dhcp4/renew",
					     "/link/macs/01", "/control/renew" };

	const struct record_change change = { .key = { "/ip" },
					      .operation = KV_CHANGE_DELETE,
					      .text = "" };
	struct kv_event event;

	change_at("/ip", REMOVED, 0, KV_CHANGE_DELETE);
	EXPECT_LINE("removed", "orphan");
	change_at("/ip", DHCP4, 0, KV_CHANGE_DELETE);
	EXPECT_LINE("dhcp4", "orphan");
	change_at("/ip", KV_SUBJECT_SUPERVISOR, 0, KV_CHANGE_DELETE);
	EXPECT_LINE("supervisor", "orphan"); /* it had restored it */
	change_at("/ip", REMOVED, GATEWAY_UID, KV_CHANGE_DELETE);
	EXPECT_LINE("removed", "commit"); /* from the run before, still in the ring */
	change_at("/ip", DHCP4, GATEWAY_UID, KV_CHANGE_DELETE);
	EXPECT_LINE("dhcp4", "commit");
	change_at("/ip", KV_SUBJECT_SUPERVISOR, 0, KV_CHANGE_WRITE);
	EXPECT_LINE("supervisor", "commit");
	event = event_of(DHCP4, 0);
	event.verb = KV_VERB_DELETE;
	cr_assert_eq(watcher_audit_change(&watched, &event, &change), 0);
	EXPECT_LINE("dhcp4", "delete"); /* by whoever is root and has its gate */
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		change_at(hosts[i], KV_SUBJECT_SUPERVISOR, 0, KV_CHANGE_DELETE);
		EXPECT_LINE("supervisor", "commit");
	}
}

/* The types of a calf's keys are those of its own description. */
Test(watcher_audit_names, types)
{
	struct kv_event event = event_of(OBSERVER, GATEWAY_UID);
	const struct record_change change = {
		.key = { "/ip" }, .operation = KV_CHANGE_WRITE, .text = "bad", .length = 3
	};

	cr_assert_eq(watcher_audit_type(&watched, &loaded, &event, &change), 0);
	cr_expect_str_eq(capture_text(), "", "observer has no such key");
	event = event_of(REMOVED, GATEWAY_UID);
	cr_assert_eq(watcher_audit_type(&watched, &loaded, &event, &change), 0);
	cr_expect_str_eq(capture_text(), "", "nobody knows its types");
	event = event_of(DHCP4, GATEWAY_UID);
	cr_assert_eq(watcher_audit_type(&watched, &loaded, &event, &change), 0);
	cr_expect_str_eq(capture_text(), "/ip: refused: not a valid ipv4-net\n");
	EXPECT_LINE("dhcp4", "configure");
}
