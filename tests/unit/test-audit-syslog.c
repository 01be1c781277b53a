/* SPDX-License-Identifier: Apache-2.0 */
/* A syslog daemon that runs, stops, restarts, and one that does not read. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/audit/audit.h"

static const struct audit_entry change = {
	.wall_ns = 1795486525123456789ull,
	.sequence = 17,
	.revision = 17,
	.subject = "dhcp4",
	.verb = "commit",
	.path = "/ip",
	.verdict = "ok",
	.value = "192.0.2.5/24",
};

static char path[64], file[64];
static struct audit audit = { .fd = -1 };
static int daemon_fd = -1;

static void start_daemon(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	memcpy(at.sun_path, path, strlen(path));
	daemon_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert_geq(daemon_fd, 0);
	cr_assert_eq(bind(daemon_fd, (struct sockaddr *)&at, sizeof(at)), 0);
}

static void stop_daemon(void)
{
	close(daemon_fd);
	cr_assert_eq(unlink(path), 0);
}

/* The next message, or NULL. */
static const char *receive(void)
{
	static char text[AUDIT_LINE_SIZE + 512];
	ssize_t n = recv(daemon_fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return NULL;
	text[n] = '\0';
	return text;
}

static void setup(void)
{
	capture_begin();
	scratch_make();
	(void)snprintf(path, sizeof(path), "%s/log", scratch);
	(void)snprintf(file, sizeof(file), "%s/audit.jsonl", scratch);
	cr_assert_eq(audit_open(&audit, file), 0);
	cr_assert_eq(audit_syslog_open(&audit.syslog, path, "eth0"), 0);
}

static void teardown(void)
{
	audit_close(&audit);
	cr_expect_eq(audit.syslog.fd, -1);
	scratch_remove();
}

TestSuite(audit_syslog, .init = setup, .fini = teardown);

/* As syslog(3) sends it, without the time. */
Test(audit_syslog, message)
{
	struct audit_entry entry = change;
	const char *text;
	json_t *json;
	regex_t form;

	cr_assert_eq(regcomp(&form, "^<86>calfpen-eth0\\[[0-9]{1,10}\\]: \\{.*\\}$",
			     REG_EXTENDED | REG_NOSUB),
		     0);
	start_daemon();
	audit_write(&audit, &entry);
	text = receive();
	cr_assert_not_null(text);
	cr_expect_eq(regexec(&form, text, 0, NULL, 0), 0, "%s", text);
	json = json_loads(strchr(text, '{'), 0, NULL);
	cr_assert_not_null(json);
	cr_expect_str_eq(json_string_value(json_object_get(json, "value")), "192.0.2.5/24");
	json_decref(json);
	regfree(&form);

	entry.verdict = "EACCES";
	audit_write(&audit, &entry);
	cr_expect_eq(strncmp(receive(), "<84>calfpen-eth0[", 17), 0, "a refusal is a warning");
	cr_expect_str_eq(capture_text(), "");
}

Test(audit_syslog, longest_line)
{
	struct audit_entry entry = change;
	char value[KV_VALUE_SIZE];

	memset(value, '\x01', KV_VALUE_MAX);
	value[KV_VALUE_MAX] = '\0';
	entry.value = value;
	start_daemon();
	audit_write(&audit, &entry);
	cr_expect_gt(strlen(receive()), 6 * KV_VALUE_MAX);
	cr_expect_eq(audit.n_syslog_lost, 0);
}

Test(audit_syslog, daemon_is_restarted)
{
	audit_write(&audit, &change);
	audit_write(&audit, &change);
	cr_expect_str_eq(capture_text(), "audit to syslog: No such file or directory; audit "
					 "records are being lost\n");
	cr_expect_eq(audit.n_syslog_lost, 2);
	cr_expect_eq(audit.n_lost, 0, "the file has them");
	start_daemon();
	capture_begin();
	audit_write(&audit, &change);
	cr_expect_str_eq(capture_text(),
			 "audit to syslog: writable again; 2 records could not be written\n");
	cr_expect_not_null(strstr(receive(), "2 records could not be written"));
	cr_expect_not_null(strstr(receive(), "192.0.2.5"));
	cr_expect_null(receive());

	/* another one, at the same place, before we noticed */
	stop_daemon();
	start_daemon();
	audit_write(&audit, &change);
	cr_expect_not_null(receive());
	cr_expect_eq(audit.n_syslog_lost, 0);

	/* a socket without a process */
	close(daemon_fd);
	audit_write(&audit, &change);
	cr_expect_eq(audit.n_syslog_lost, 1);
}

/* It never waits: what does not fit is counted. */
Test(audit_syslog, daemon_does_not_read)
{
	unsigned int n_received = 0;
	unsigned long long n_lost;
	const char *text;
	int i;

	start_daemon();
	for (i = 0; i < 2000; i++)
		audit_write(&audit, &change);
	n_lost = audit.n_syslog_lost;
	cr_assert_gt(n_lost, 0);
	while (receive())
		n_received++;
	cr_expect_eq(n_received + n_lost, 2000);
	audit_write(&audit, &change);
	text = receive();
	cr_assert_not_null(text);
	cr_expect_eq(strtoull(strstr(text, "\"reason\":\"") + 10, NULL, 10), n_lost);
	cr_expect_not_null(receive());
	cr_expect_null(receive());
}

Test(audit_syslog, path_too_long)
{
	static char long_path[200];
	struct audit_syslog log = AUDIT_SYSLOG_NULL(log);

	memset(long_path, 'x', sizeof(long_path) - 1);
	cr_expect_eq(audit_syslog_open(&log, long_path, "eth0"), -ENAMETOOLONG);
	cr_expect_eq(log.fd, -1);
}
