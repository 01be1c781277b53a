/* SPDX-License-Identifier: Apache-2.0 */
/* Records to a syslog daemon that reads, reads slowly, and does not read. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/syslog-daemon.h"
#include "userspace/common/clock.h"
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
static struct audit audit;
static struct syslog syslog;
static struct loop loop;
static int daemon_fd = -1;
static const struct audit_settings settings = { .syslog = &syslog };
static char *begun; /* the first message */

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
	daemon_fd = syslog_daemon_open(path);
	loop_init(&loop);
	cr_assert_eq(syslog_open(&syslog, path, "eth0"), 0);
	log_also(NULL, NULL);
	cr_assert_eq(syslog_watch(&syslog, &loop), 0);
	cr_assert_eq(audit_open(&audit, file, &settings), 0);
	begun = strdup(receive());
}

static void teardown(void)
{
	audit_close(&audit, 0);
	syslog_close(&syslog, 0);
	free(begun);
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

/* The daemon has the same lines as the file, so that it can witness the chain. */
Test(audit_syslog, F2_same_lines)
{
	static char text[4096];
	char hash[CHAIN_SIZE];
	const char *line = strchr(begun, '{');
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	audit_write(&audit, &change);
	cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
	cr_expect_eq(strncmp(text, line, strlen(line)), 0, "%s", line);
	chain_hash(line, strlen(line), hash);
	line = strchr(receive(), '{');
	cr_expect_eq(strncmp(strchr(text, '\n') + 1, line, strlen(line)), 0, "%s", line);
	cr_expect_eq(strncmp(chain_previous(line, strlen(line)), hash, CHAIN_SIZE - 1), 0);
	(void)close(fd);
}

Test(audit_syslog, longest_line)
{
	struct audit_entry entry = change;
	char value[KV_VALUE_SIZE];

	memset(value, '\x01', KV_VALUE_MAX);
	value[KV_VALUE_MAX] = '\0';
	entry.value = value;
	audit_write(&audit, &entry);
	cr_expect_gt(strlen(receive()), 6 * KV_VALUE_MAX);
	cr_expect_eq(syslog.outlet.n_lost[OUTLET_RECORD], 0u);
}

/* The number of the next record, or 0. */
static unsigned int receive_number(void)
{
	const char *text = receive(), *value = text ? strstr(text, "\"value\":\"") : NULL;

	return value ? (unsigned int)strtoul(value + 9, NULL, 10) : 0;
}

static void write_number(unsigned int i)
{
	struct audit_entry entry = change;
	char value[16];

	(void)snprintf(value, sizeof(value), "%u", i);
	entry.value = value;
	audit_write(&audit, &entry);
}

/* The socket takes no more than net.unix.max_dgram_qlen. */
Test(audit_syslog, U34_burst_of_1000)
{
	unsigned int i, next;

	for (i = 1; i <= 1000; i++)
		write_number(i);
	for (next = 1; next <= 1000; next++) {
		while ((i = receive_number()) == 0)
			cr_assert_eq(loop_run_once(&loop, loop_now_ns() + 10 * NS_PER_S), 0);
		cr_assert_eq(i, next);
	}
	cr_expect_null(receive());
	cr_expect_str_eq(capture_text(), "");
	cr_expect(queue_is_empty(&syslog.outlet.queue));
}

/* However many, nothing waits, and what does not fit is counted: in the log, in the
 * status, and at its place among the records. */
Test(audit_syslog, U34_daemon_does_not_read)
{
	unsigned int i, n = 0, last = 0;
	unsigned long long n_lost;
	char expected[256], text[256];
	const char *message = "";

	for (i = 1; i <= 20000; i++)
		write_number(i);
	n_lost = syslog.outlet.n_lost[OUTLET_RECORD];
	cr_assert_gt(n_lost, 10000u);
	cr_expect_str_eq(capture_text(), "audit to syslog: its reader does not keep up; audit "
					 "records are being lost\n");
	cr_expect(audit_describe_error(&audit, text, sizeof(text)));
	cr_expect_str_eq(text, "syslog: its reader does not keep up; records are lost");
	cr_expect_eq(audit.error, 0, "the file has them");
	capture_begin();
	while ((i = receive_number())) {
		cr_assert_eq(i, ++last);
		n++;
		cr_assert_eq(loop_run_once(&loop, loop_now_ns()), 0);
		if (n + n_lost == 20000)
			break;
	}
	cr_expect_eq(n + n_lost, 20000u);
	message = receive();
	cr_assert_not_null(message);
	(void)snprintf(expected, sizeof(expected), "%llu records could not be written", n_lost);
	cr_expect_not_null(strstr(message, expected), "%s", message);
	(void)snprintf(expected, sizeof(expected),
		       "audit to syslog: writable again; %llu records could not be written\n",
		       n_lost);
	cr_expect_str_eq(capture_text(), expected);
	cr_expect(!audit_describe_error(&audit, text, sizeof(text)));
	write_number(7);
	cr_expect_eq(receive_number(), 7u);
	cr_expect_null(receive());
}

/* The log is closed first; the daemon is told the number of lost records if it reads again
 * before syslog is closed. */
Test(audit_syslog, U34_daemon_reads_at_the_end)
{
	int status;
	pid_t pid;

	for (unsigned int i = 1; i <= 20000; i++)
		write_number(i);
	cr_assert_gt(syslog.outlet.n_lost[OUTLET_RECORD], 0u);
	audit_close(&audit, 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (!pid) {
		const char *text = "";
		struct pollfd in = { .fd = daemon_fd, .events = POLLIN };

		while (!text || !strstr(text, "records could not be written")) {
			if (poll(&in, 1, 10000) <= 0)
				_exit(1);
			text = receive();
		}
		_exit(0);
	}
	syslog_close(&syslog, 60 * NS_PER_S);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
}

/* Without a file, syslog has all. */
Test(audit_syslog, U39_no_log)
{
	static struct audit none;

	audit_open_none(&none, &settings);
	audit_write(&none, &change);
	cr_expect_not_null(receive());
	cr_expect_eq(none.error, 0);
	cr_expect_eq(audit_retry(&none), 0);
	cr_expect_eq(audit_reopen(&none), 0);
	audit_close(&none, 0);
	syslog_close(&syslog, 0);
	cr_expect_str_eq(capture_text(), "");
}
