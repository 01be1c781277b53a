/* SPDX-License-Identifier: Apache-2.0 */
/* `calfpen audit`: lines, filters, and a file that grows and is rotated. */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/cli-capture.h"
#include "userspace/cli/audit.h"

#define LINE_IP                                                                          \
	"{\"time\":\"2026-11-24T02:15:25.123456Z\",\"seq\":17,\"revision\":17,"          \
	"\"subject\":\"dhcp4\",\"verb\":\"commit\",\"path\":\"/ip\",\"verdict\":\"ok\"," \
	"\"value\":\"192.0.2.5/24\",\"uid\":1878000000,\"pid\":4711}\n"
#define LINE_DELETE                                                                       \
	"{\"time\":\"2026-11-24T02:15:26.000000Z\",\"seq\":18,\"revision\":18,"           \
	"\"subject\":\"operator\",\"verb\":\"delete\",\"path\":\"/control/dhcp4/renew\"," \
	"\"verdict\":\"ok\",\"uid\":0,\"pid\":1}\n"
#define LINE_DELETE_IN_COMMIT                                                   \
	"{\"time\":\"2026-11-24T02:15:26.500000Z\",\"seq\":19,\"revision\":19," \
	"\"subject\":\"dhcp4\",\"verb\":\"commit\",\"path\":\"/route/001\","    \
	"\"verdict\":\"ok\",\"uid\":0,\"pid\":1}\n"
#define LINE_DENIED                                                                  \
	"{\"time\":\"2026-11-24T02:15:27.000000Z\",\"seq\":3,\"subject\":\"dhcp4\"," \
	"\"verb\":\"write\",\"path\":\"/mac\",\"verdict\":\"EACCES\",\"suppressed\":12}\n"
#define LINE_MALFORMED                                                     \
	"{\"time\":\"2026-11-24T02:15:28.000000Z\",\"subject\":\"dhcp4\"," \
	"\"verb\":\"malformed\",\"verdict\":\"EBADMSG\",\"reason\":\"control message\"}\n"

#define SHOWN_IP \
	"2026-11-24T02:15:25.123456Z        17  dhcp4       commit  ok        /ip  192.0.2.5/24\n"
#define SHOWN_DELETE \
	"2026-11-24T02:15:26.000000Z        18  operator    delete  ok        /control/dhcp4/renew\n"
#define SHOWN_DENIED                                                                \
	"2026-11-24T02:15:27.000000Z         -  dhcp4       write   EACCES    /mac" \
	"  (12 earlier denials not recorded)\n"
#define SHOWN_MALFORMED \
	"2026-11-24T02:15:28.000000Z         -  dhcp4       malformed  EBADMSG   -  (control message)\n"

static char log_path[128];

static void put_in(const char *path, const char *mode, const char *text)
{
	FILE *to = fopen(path, mode);

	fputs(text, to);
	fclose(to);
}

static void setup(void)
{
	make_roots();
	snprintf(log_path, sizeof(log_path), "%s/x.audit.jsonl", scratch);
	put_in(log_path, "w", LINE_IP LINE_DELETE LINE_DENIED LINE_MALFORMED);
}

TestSuite(cli_audit, .init = setup, .fini = scratch_remove);

Test(cli_audit, deletion_in_a_commit)
{
	put_in(log_path, "w", LINE_DELETE_IN_COMMIT);
	cr_assert_eq(calfpen("--instance", "x", "audit", NULL), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, "2026-11-24T02:15:26.500000Z        19  dhcp4       commit  ok"
				   "        /route/001  (deleted)\n");
}

Test(cli_audit, for_people)
{
	cr_assert_eq(calfpen("--instance", "x", "audit", NULL), CLI_OK, "%s", err_text);
	cr_assert_str_eq(out_text, SHOWN_IP SHOWN_DELETE SHOWN_DENIED SHOWN_MALFORMED);
}

Test(cli_audit, raw)
{
	cr_assert_eq(calfpen("--instance", "x", "audit", "--json", NULL), CLI_OK);
	cr_assert_str_eq(out_text, LINE_IP LINE_DELETE LINE_DENIED LINE_MALFORMED);
}

Test(cli_audit, filters)
{
	cr_assert_eq(calfpen("--instance", "x", "audit", "--denied", NULL), CLI_OK);
	cr_assert_str_eq(out_text, SHOWN_DENIED SHOWN_MALFORMED);
	cr_assert_eq(calfpen("--instance", "x", "audit", "--subject", "operator", NULL), CLI_OK);
	cr_assert_str_eq(out_text, SHOWN_DELETE);
	cr_assert_eq(calfpen("--instance", "x", "audit", "--path", "/control/", NULL), CLI_OK);
	cr_assert_str_eq(out_text, SHOWN_DELETE);
	cr_assert_eq(calfpen("--instance", "x", "audit", "--path", "/ma", NULL), CLI_OK);
	cr_assert_str_eq(out_text, "");
	cr_assert_eq(calfpen("--instance", "x", "audit", "--path", "/", "--subject", "dhcp4",
			     "--denied", "--json", NULL),
		     CLI_OK);
	cr_assert_str_eq(out_text, LINE_DENIED, "a record without a path is below none");
}

Test(cli_audit, where_the_supervisor_says)
{
	char path[256], text[512];

	make_directory(run_root, "x");
	snprintf(path, sizeof(path), "%s/x/state.json", run_root);
	snprintf(text, sizeof(text), "{\"version\": 1, \"audit\": \"%s/elsewhere\"}", scratch);
	put_in(path, "w", text);
	cr_assert_eq(calfpen("--instance", "x", "audit", NULL), CLI_FAILURE);
	snprintf(text, sizeof(text), "calfpen: %s/elsewhere: No such file or directory\n", scratch);
	cr_assert_str_eq(err_text, text);
	put_in(path, "w", "{\"version\": 1, \"audit\": 5}");
	cr_assert_eq(calfpen("--instance", "x", "audit", NULL), CLI_OK, "the default");
	cr_assert_str_eq(err_text, "");
	/* a file of another version is ignored, and the default used */
	snprintf(text, sizeof(text), "{\"version\": 7, \"audit\": \"%s/elsewhere\"}", scratch);
	put_in(path, "w", text);
	cr_assert_eq(calfpen("--instance", "x", "audit", NULL), CLI_OK);
	snprintf(text, sizeof(text),
		 "calfpen: %s: version 7, this calfpen reads version 1; "
		 "use the calfpen that started the instance, or restart it\n",
		 path);
	cr_assert_str_eq(err_text, text);
}

Test(cli_audit, no_file)
{
	char path[128];

	make_directory(run_root, "z");
	scratch_write_text("run/z/hostname.until", "1", 0600);
	cr_assert_eq(calfpen("--instance", "z", "audit", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "/z.audit.jsonl: No such file or directory"));
	cr_assert_eq(calfpen("audit", "y", NULL), CLI_FAILURE);
	cr_assert_str_eq(err_text, "calfpen: no such instance: y; existing instances: z\n");
	snprintf(path, sizeof(path), "%s/y.audit.jsonl", scratch);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(calfpen("--instance", "y", "audit", NULL), CLI_FAILURE);
	cr_assert_not_null(strstr(err_text, "/y.audit.jsonl: not a regular file"));
}

/* It says who has the records. */
Test(cli_audit, U39_log_that_is_no_file)
{
	static const struct {
		const char *members, *error;
	} rows[] = {
		{ "\"audit\": \"none\"", "instance x has no audit log (--audit none)" },
		{ "\"audit\": \"none\", \"syslog\": true",
		  "instance x has no audit log (--audit none); syslog has its records" },
		{ "\"audit\": \"stdout\", \"syslog\": false",
		  "the audit log of instance x is no file: it goes to the standard output of "
		  "process 17" },
		{ "\"audit\": \"stderr\"",
		  "the audit log of instance x is no file: it goes to the standard error of "
		  "process 17" },
		{ "\"audit\": \"fd 63\"",
		  "the audit log of instance x is no file: it goes to fd 63 of process 17" },
		{ "\"audit\": \"/dev/null\"",
		  "/dev/null: not a regular file, so its records cannot be read again" },
	};
	char path[160], text[256];

	snprintf(path, sizeof(path), "%s/x", run_root);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/x/state.json", run_root);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"version\": 1, \"pid\": 17, %s}", rows[i].members);
		put_in(path, "w", text);
		cr_expect_eq(calfpen("--instance", "x", "audit", NULL), CLI_FAILURE);
		snprintf(text, sizeof(text), "calfpen: %s\n", rows[i].error);
		cr_expect_str_eq(err_text, text);
		cr_expect_str_eq(out_text, "");
	}
}

/* A record that an older version appended to one that was cut is a record. */
Test(cli_audit, U38_glued_lines)
{
	put_in(log_path, "w",
	       "{\"time\":\"2026-11-30T00:20:5" LINE_IP "{\"ti" LINE_DENIED
	       "{\"time\":\"2026{\"time\":\"2027" LINE_IP LINE_DENIED);
	cr_assert_eq(calfpen("--instance", "x", "audit", NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(
		out_text,
		"damaged: {\"time\":\"2026-11-30T00:20:5\n" SHOWN_IP "damaged: {\"ti\n" SHOWN_DENIED
		"damaged: {\"time\":\"2026\ndamaged: {\"time\":\"2027\n" SHOWN_IP SHOWN_DENIED);
	cr_assert_eq(calfpen("--instance", "x", "audit", "--json", "--path", "/ip", NULL), CLI_OK);
	cr_expect_not_null(strstr(out_text, "\n" LINE_IP));
	cr_expect_null(strstr(out_text, LINE_DENIED));
}

/* The text of a value is none. */
Test(cli_audit, U38_value_that_looks_like_a_record)
{
	static const char forged[] = "{\"time\":\"2026\",\"value\":\"{\\\"time\\\":\\\"x\\\"";

	put_in(log_path, "w", forged);
	cr_assert_eq(calfpen("--instance", "x", "audit", NULL), CLI_OK, "%s", err_text);
	cr_expect_eq(strncmp(out_text, "damaged: ", 9), 0);
	cr_expect_eq(strchr(out_text, '\n') + 1, out_text + strlen(out_text), "%s", out_text);
}

Test(cli_audit, damaged_lines)
{
	static const char *const lines[] = {
		"{\"time\":\"2026",
		"[]",
		"5",
		"{}",
		"{\"time\":1,\"subject\":\"a\",\"verb\":\"b\",\"verdict\":\"c\"}",
		"{\"time\":\"\\u0000\",\"subject\":\"a\",\"verb\":\"b\",\"verdict\":\"c\"}",
		"\x1b[2J\x01",
		"{\"time\":\"\xc2\x9b\",\"subject\":\"a\",\"verb\":\"b\",\"verdict\":\"c\"}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};
	char *line = malloc(100000);
	json_t *json;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(line, 100000, "%s\n%s", lines[i], LINE_IP);
		put_in(log_path, "w", line);
		cr_assert_eq(calfpen("--instance", "x", "audit", "--path", "/ip", NULL), CLI_OK);
		cr_assert_eq(strncmp(out_text, "damaged: ", 9), 0, "%s", out_text);
		cr_assert_null(strchr(out_text, '\x1b'));
		cr_assert_null(strchr(out_text, '\xc2'));
		cr_assert_str_eq(strchr(out_text, '\n') + 1, SHOWN_IP);
		cr_assert_eq(calfpen("--instance", "x", "audit", "--json", NULL), CLI_OK);
		*strchr(out_text, '\n') = '\0';
		json = json_loads(out_text, 0, NULL);
		cr_assert_not_null(json_object_get(json, "damaged"));
		json_decref(json);
	}
	/* NUL bytes, no newline at the end, a very long line */
	cr_assert_eq(truncate(log_path, 0), 0);
	cr_assert_eq(truncate(log_path, 100), 0);
	cr_assert_eq(calfpen("--instance", "x", "audit", NULL), CLI_OK);
	cr_assert_eq(strncmp(out_text, "damaged: ????", 13), 0);
	memset(line, 'a', 99999);
	memcpy(line + 70000, "\n" LINE_IP "{", sizeof(LINE_IP) + 2);
	put_in(log_path, "w", line);
	cr_assert_eq(calfpen("--instance", "x", "audit", NULL), CLI_OK);
	cr_assert_eq(strncmp(out_text, "damaged: aaaa", 13), 0);
	cr_assert_not_null(strstr(out_text, "aaa...\n" SHOWN_IP "damaged: {"), "%s", out_text);
	free(line);
}

/* --- as it grows --- */

static char seen[8192];

static void see(void *data, const char *line, size_t length)
{
	(void)data;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "<%.*s>", (int)length, line);
}

static void look(struct audit_file *file)
{
	seen[0] = '\0';
	cr_assert_eq(audit_file_read(file, see, NULL), 0);
	cr_assert_eq(audit_file_follow(file, see, NULL), 0);
}

Test(cli_audit, grows_is_rotated_and_cut)
{
	struct audit_file *file = calloc(1, sizeof(*file));
	char rotated[160];

	snprintf(rotated, sizeof(rotated), "%s.1", log_path);
	snprintf(file->path, sizeof(file->path), "%s", log_path);
	put_in(log_path, "w", "a\nb");
	cr_assert_eq(audit_file_use(file, open(log_path, O_RDONLY | O_CLOEXEC)), 0);
	look(file);
	cr_assert_str_eq(seen, "<a>");
	put_in(log_path, "a", "c\nd\n");
	look(file);
	cr_assert_str_eq(seen, "<bc><d>");
	/* renamed: the writer still uses it for a while, even if there is a new file */
	cr_assert_eq(rename(log_path, rotated), 0);
	put_in(rotated, "a", "e\n");
	look(file);
	cr_assert_str_eq(seen, "<e>");
	put_in(log_path, "w", "");
	look(file);
	put_in(log_path, "a", "1\n");
	look(file);
	put_in(rotated, "a", "f\ng");
	look(file);
	cr_assert_str_eq(seen, "<f><g>");
	look(file);
	cr_assert_str_eq(seen, "<1>");
	/* truncated and rewritten */
	put_in(log_path, "a", "2\n3");
	look(file);
	put_in(log_path, "w", "");
	look(file);
	cr_assert_str_eq(seen, "<3>");
	put_in(log_path, "a", "4\n");
	look(file);
	cr_assert_str_eq(seen, "<4>");
	/* removed, and back */
	cr_assert_eq(unlink(log_path), 0);
	look(file);
	put_in(log_path, "w", "5\n");
	look(file);
	look(file);
	look(file);
	cr_assert_str_eq(seen, "<5>");
	audit_file_close(file);
	audit_file_close(file);
	free(file);
}

/* The watcher has moved the first record of each reserve to the log. */
static void make_reserves(void)
{
	struct audit_head head = { .hash = CHAIN_START,
				   .log = audit_head_log(log_path),
				   .drained = { strlen(LINE_IP), strlen(LINE_DENIED) } };
	struct audit_head_page *page;

	make_directory(run_root, "x");
	put_in(log_path, "w", LINE_MALFORMED LINE_IP LINE_DENIED);
	put_in(scratch_path("x.audit.reserve"), "w", LINE_IP LINE_DELETE);
	put_in(scratch_path("run/x/audit-reserve"), "w", LINE_DENIED LINE_DELETE_IN_COMMIT);
	cr_assert_eq(audit_head_open(scratch_path("run/x/audit-head"), &page), 0);
	audit_head_set(page, &head);
	audit_head_close(page);
}

/* Returns its whole output, of `length` bytes. */
static const char *follow(size_t length)
{
	static char text[8192];
	char *argv[] = { "calfpen", "--instance", "x", "audit", "--follow", "--json", NULL };
	size_t used = 0;
	int fd;
	pid_t pid = follower(6, argv, &fd);
	ssize_t n = 1;

	for (; used < length && n > 0; used += (size_t)n)
		n = read(fd, text + used, sizeof(text) - 1 - used);
	text[used] = '\0';
	follower_end(pid, fd);
	return text;
}

/* What the log has already is neither printed twice nor counted. */
Test(cli_audit, F2_reserve_that_is_partly_in_the_log)
{
	char text[1024] = "", wanted[1024];
	int fd;

	make_reserves();
	cr_assert_eq(calfpen("--instance", "x", "audit", "--json", NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(out_text,
			 LINE_MALFORMED LINE_IP LINE_DENIED LINE_DELETE LINE_DELETE_IN_COMMIT);
	fd = open(scratch_path("errors"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	cr_expect_str_eq(follow(strlen(LINE_MALFORMED LINE_IP LINE_DENIED)),
			 LINE_MALFORMED LINE_IP LINE_DENIED);
	cr_expect_gt(pread(fd, text, sizeof(text) - 1, 0), 0);
	close(fd);
	snprintf(wanted, sizeof(wanted),
		 "calfpen: 1 records wait in %s/x.audit.reserve\n"
		 "calfpen: 1 records wait in %s/run/x/audit-reserve\n",
		 scratch, scratch);
	cr_expect_str_eq(text, wanted);
	/* after a boot, it is not known */
	cr_assert_eq(unlink(scratch_path("run/x/audit-head")), 0);
	cr_assert_eq(calfpen("--instance", "x", "audit", "--json", NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(out_text, LINE_MALFORMED LINE_IP LINE_DENIED LINE_IP LINE_DELETE
					   LINE_DENIED LINE_DELETE_IN_COMMIT);
}

/* The watcher may be writing the last line of a reserve: the next file begins a line. */
Test(cli_audit, F2_reserve_with_a_cut_line)
{
	make_reserves();
	put_in(scratch_path("x.audit.reserve"), "a", "{\"ti");
	cr_assert_eq(calfpen("--instance", "x", "audit", "--json", NULL), CLI_OK, "%s", err_text);
	cr_expect_str_eq(out_text,
			 LINE_MALFORMED LINE_IP LINE_DENIED LINE_DELETE LINE_DELETE_IN_COMMIT);
	put_in(scratch_path("run/x/audit-reserve"), "a", "{\"ti");
	cr_expect_str_eq(follow(strlen(LINE_MALFORMED LINE_IP LINE_DENIED)),
			 LINE_MALFORMED LINE_IP LINE_DENIED);
}

Test(cli_audit, follow)
{
	const char *want = LINE_IP LINE_DELETE LINE_DENIED LINE_MALFORMED LINE_IP LINE_DELETE;
	char text[8192] = "", rotated[160];
	size_t used = 0;
	char *argv[] = { "calfpen", "--instance", "x", "audit", "--follow", "--json", NULL };
	int fd;
	pid_t pid = follower(6, argv, &fd);

	while (used < sizeof(LINE_IP LINE_DELETE LINE_DENIED LINE_MALFORMED) - 1)
		used += (size_t)read(fd, text + used, sizeof(text) - 1 - used);
	put_in(log_path, "a", LINE_IP);
	snprintf(rotated, sizeof(rotated), "%s.1", log_path);
	cr_assert_eq(rename(log_path, rotated), 0);
	put_in(log_path, "w", LINE_DELETE);
	while (used < strlen(want))
		used += (size_t)read(fd, text + used, sizeof(text) - 1 - used);
	cr_assert_str_eq(text, want);
	follower_end(pid, fd);
}
