/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/common/clock.h"
#include "userspace/common/log.h"
#include "userspace/priv/audit/audit.h"

#define WALL 1795486525123456789ull

static const struct audit_entry change = {
	.wall_ns = WALL,
	.sequence = 17,
	.revision = 17,
	.subject = "dhcp4",
	.verb = "commit",
	.path = "/ip",
	.verdict = "ok",
	.value = "192.0.2.5/24",
	.has_caller = true,
	.uid = 1878000000,
	.pid = 4711,
};

static char line[AUDIT_LINE_SIZE];

Test(audit, lines)
{
	struct audit_entry entry = change;

	cr_expect_eq(audit_format(&entry, line), strlen(line));
	cr_expect_str_eq(line, "{\"time\":\"2026-11-24T02:15:25.123456Z\",\"seq\":17,"
			       "\"revision\":17,\"subject\":\"dhcp4\",\"verb\":\"commit\","
			       "\"path\":\"/ip\",\"verdict\":\"ok\",\"value\":\"192.0.2.5/24\","
			       "\"uid\":1878000000,\"pid\":4711}\n");
	entry.value = NULL;
	(void)audit_format(&entry, line);
	cr_expect_null(strstr(line, "value"));
	entry.revision = 0;
	entry.verdict = audit_verdict(-EACCES);
	entry.path = NULL;
	entry.suppressed = 9;
	(void)audit_format(&entry, line);
	cr_expect_str_eq(line, "{\"time\":\"2026-11-24T02:15:25.123456Z\",\"seq\":17,"
			       "\"subject\":\"dhcp4\",\"verb\":\"commit\",\"verdict\":\"EACCES\","
			       "\"suppressed\":9,\"uid\":1878000000,\"pid\":4711}\n");
}

Test(audit, every_byte_comes_back_by_a_json_parser)
{
	struct audit_entry entry = change;
	char value[KV_VALUE_SIZE], all[256];
	json_t *root;
	int i;

	for (i = 1; i < 128; i++)
		all[i - 1] = (char)i;
	all[127] = '\0';
	entry.value = all;
	cr_assert_lt(audit_format(&entry, line), AUDIT_LINE_SIZE);
	cr_expect_eq(strchr(line, '\n') - line, (long)strlen(line) - 1, "one line");
	root = json_loads(line, 0, NULL);
	cr_assert_not_null(root);
	cr_expect_str_eq(json_string_value(json_object_get(root, "value")), all);
	json_decref(root);

	/* the longest line, of the bytes that need most room */
	memset(value, '\x01', KV_VALUE_MAX);
	value[KV_VALUE_MAX] = '\0';
	entry.value = value;
	entry.subject = "subject12345678";
	entry.path = "/a123456789012345678901234567890/b12345678901234567890123456789";
	entry.sequence = entry.revision = INT64_MAX;
	entry.wall_ns = UINT64_MAX;
	entry.uid = entry.pid = entry.suppressed = UINT32_MAX;
	cr_assert_lt(audit_format(&entry, line), AUDIT_LINE_SIZE);
	root = json_loads(line, 0, NULL);
	cr_assert_not_null(root, "%s", line);
	cr_expect_eq(json_string_length(json_object_get(root, "value")), KV_VALUE_MAX);
	json_decref(root);
}

/* What the gate charges for a line (KV_AUDIT_COST()) is at least its length, with 50 bytes
 * for a digest. */
Test(audit, F2_no_line_is_longer_than_what_is_charged)
{
	static const char *const verbs[] = { "commit", "delete", "restore", "unknown", "denial" };
	static const char path_max[] =
		"/a123456789012345678901234567890/b12345678901234567890123456789";
	char value[KV_VALUE_SIZE] = "";
	struct audit_entry entry = {
		.wall_ns = UINT64_MAX,
		.sequence = UINT64_MAX,
		.revision = UINT64_MAX,
		.subject = "subject12345678",
		.path = path_max,
		.verdict = "EMSGSIZE",
		.has_caller = true,
		.uid = UINT32_MAX,
		.pid = UINT32_MAX,
	};

	cr_assert_eq(strlen(path_max), KV_PATH_MAX);
	memset(value, '"', KV_VALUE_MAX);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		entry.verb = verbs[i];
		entry.value = value;
		entry.suppressed = 0;
		cr_expect_leq(audit_format(&entry, line) + 50,
			      KV_AUDIT_COST(KV_PATH_MAX, KV_VALUE_MAX), "%zu", strlen(line));
		entry.value = NULL;
		entry.suppressed = UINT32_MAX;
		cr_expect_leq(audit_format(&entry, line) + 50, KV_AUDIT_COST(KV_PATH_MAX, 0), "%zu",
			      strlen(line));
	}
}

Test(audit, verdicts)
{
	cr_expect_str_eq(audit_verdict(0), "ok");
	cr_expect_str_eq(audit_verdict(-EDQUOT), "EDQUOT");
	cr_expect_str_eq(audit_verdict(-EFBIG), "EFBIG");
	cr_expect_null(audit_verdict(-ENOTTY));
}

static char path[128];

static void setup(void)
{
	log_init("test", -1, LOG_LEVEL_ERROR);
	scratch_make();
	(void)snprintf(path, sizeof(path), "%s/a/b/test.audit.jsonl", scratch);
}

static void teardown(void)
{
	scratch_remove();
}

TestSuite(audit_file, .init = setup, .fini = teardown);

static size_t count_lines(unsigned int *n_badp)
{
	FILE *file = fopen(path, "r");
	char text[AUDIT_LINE_SIZE];
	size_t n = 0;

	cr_assert_not_null(file);
	*n_badp = 0;
	while (fgets(text, sizeof(text), file)) {
		json_t *root = json_loads(text, 0, NULL);

		*n_badp += !root;
		json_decref(root);
		n++;
	}
	(void)fclose(file);
	return n;
}

Test(audit_file, modes_and_sharing)
{
	struct audit one = AUDIT_NULL(one), two = AUDIT_NULL(two);
	struct stat status;
	unsigned int n_bad;

	audit_close(&one, 0);
	cr_assert_eq(audit_open(&one, path), 0);
	cr_assert_eq(audit_open(&two, path), 0);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	*strrchr(path, '/') = '\0';
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0700);
	path[strlen(path)] = '/';
	audit_write(&one, &change);
	audit_malformed(&two, "dhcp4", "table breaks a limit");
	audit_write(&one, &change);
	cr_expect_eq(count_lines(&n_bad), 3);
	cr_expect_eq(n_bad, 0);
	audit_close(&one, 0);
	audit_close(&two, 0);
	cr_expect_eq(audit_fd(&one), -1);
}

Test(audit_file, open_failures)
{
	struct audit audit = AUDIT_NULL(audit);
	char link[256];

	cr_expect_eq(audit_open(&audit, scratch), -EISDIR);
	(void)snprintf(link, sizeof(link), "%s/link", scratch);
	cr_assert_eq(symlink("/tmp/elsewhere", link), 0);
	cr_expect_eq(audit_open(&audit, link), -ELOOP);
	cr_expect_eq(audit_fd(&audit), -1);
	cr_expect_eq(audit_open(&audit, "/proc/no/such/file"), -ENOENT);
}

/* Each record tries to open it; the loss is told by the first one that can. */
Test(audit_file, U14_opened_later)
{
	struct audit audit;
	unsigned int n_bad;

	(void)snprintf(path, sizeof(path), "%s/file/audit", scratch);
	scratch_write_text("file", "", 0600);
	cr_expect_eq(audit_open(&audit, path), -ENOTDIR);
	cr_expect_eq(audit.error, -ENOTDIR);
	cr_expect_eq(audit_retry(&audit), -ENOTDIR);
	audit_write(&audit, &change);
	audit_write(&audit, &change);
	cr_expect_eq(audit.n_lost, 2u);
	cr_expect_eq(audit.error, -ENOTDIR);
	cr_assert_eq(unlink(scratch_path("file")), 0);
	cr_assert_eq(audit_make_directory(path), 0);
	audit_write(&audit, &change);
	cr_expect_eq(audit.n_lost, 0u);
	cr_expect_eq(audit.error, 0);
	cr_expect_eq(count_lines(&n_bad), 2, "the loss and the record");
	audit_close(&audit, 0);
}

/* Also without another record. */
Test(audit_file, U14_retried)
{
	struct audit audit;
	unsigned int n_bad;

	(void)snprintf(path, sizeof(path), "%s/later/audit", scratch);
	cr_expect_eq(audit_open(&audit, path), 0);
	cr_expect_eq(audit_retry(&audit), 0, "nothing to do");
	audit_close(&audit, 0);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(audit_open(&audit, path), -EISDIR);
	cr_assert_eq(rmdir(path), 0);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_eq(count_lines(&n_bad), 0, "nothing was lost");
	audit_close(&audit, 0);

	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(audit_open(&audit, path), -EISDIR);
	audit_write(&audit, &change);
	cr_assert_eq(rmdir(path), 0);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_eq(count_lines(&n_bad), 1, "the loss");
	cr_expect_eq(audit.n_lost, 0u);
	audit_close(&audit, 0);
}

/* SIGHUP opens it, too; a failure leaves everything as it is. */
Test(audit_file, U14_reopened)
{
	struct audit audit;
	unsigned int n_bad;

	cr_assert_eq(mkdir(scratch_path("audit"), 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/audit", scratch);
	cr_expect_eq(audit_open(&audit, path), -EISDIR);
	cr_expect_eq(audit_reopen(&audit), -EISDIR);
	cr_expect_eq(audit_fd(&audit), -1);
	cr_assert_eq(rmdir(path), 0);
	cr_expect_eq(audit_reopen(&audit), 0);
	cr_expect_eq(audit.error, 0);
	audit_write(&audit, &change);
	cr_expect_eq(count_lines(&n_bad), 1);
	audit_close(&audit, 0);
}

/* A file size limit cuts the writes as a full disk does. */
static void limit_size(rlim_t size)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The record that was cut is completed, so that no line is damaged. */
Test(audit_file, U38_full_disk)
{
	size_t n_whole = 1000 / audit_format(&change, line);
	struct audit audit;
	unsigned int n_bad, i;
	char text[256];

	cr_assert_eq(audit_open(&audit, path), 0);
	limit_size(1000);
	for (i = 0; i < 10; i++)
		audit_write(&audit, &change);
	cr_expect_eq(audit.n_lost, 10 - n_whole - 1, "all but the one that was cut");
	cr_expect(audit_describe_error(&audit, text, sizeof(text)));
	cr_expect_not_null(strstr(text, "; records are lost"));
	(void)count_lines(&n_bad);
	cr_expect_eq(n_bad, 1u, "now it is");
	limit_size(RLIM_INFINITY);
	audit_write(&audit, &change);
	cr_expect_eq(audit.n_lost, 0u);
	/* as many, the completed one, the one that reports the loss, the last one */
	cr_expect_eq(count_lines(&n_bad), n_whole + 3);
	cr_expect_eq(n_bad, 0u);
	audit_close(&audit, 0);
}

/* Also without another record; and the status says so until then. */
Test(audit_file, U38_completed_by_itself)
{
	struct audit audit;
	unsigned int n_bad;
	char text[256];

	cr_assert_eq(audit_open(&audit, path), 0);
	audit_write(&audit, &change);
	limit_size(300);
	audit_write(&audit, &change);
	cr_expect_eq(audit.error, -ENOSPC);
	cr_expect_eq(audit.n_lost, 0u);
	cr_expect(audit_describe_error(&audit, text, sizeof(text)));
	cr_expect_neq(audit_retry(&audit), 0);
	cr_expect(audit_describe_error(&audit, text, sizeof(text)));
	limit_size(RLIM_INFINITY);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect(!audit_describe_error(&audit, text, sizeof(text)));
	cr_expect_eq(count_lines(&n_bad), 2u, "nothing is lost");
	cr_expect_eq(n_bad, 0u);
	audit_close(&audit, 0);
}

/* The process ends while the disk is full: the line stays damaged and is counted, and the
 * next process begins a new one. */
Test(audit_file, U38_cut_by_a_former_process)
{
	struct audit audit;
	unsigned int n_bad;

	cr_assert_eq(audit_open(&audit, path), 0);
	audit_write(&audit, &change);
	limit_size(300);
	audit_write(&audit, &change);
	capture_begin();
	audit_close(&audit, 0);
	limit_size(RLIM_INFINITY);
	cr_expect_str_eq(capture_text(), "audit log: 1 records could not be written\n");
	cr_assert_eq(audit_open(&audit, path), 0);
	audit_write(&audit, &change);
	cr_expect_eq(count_lines(&n_bad), 3u);
	cr_expect_eq(n_bad, 1u);
	audit_close(&audit, 0);
}

/* The log is rotated because the disk is full: the new file has the record. */
Test(audit_file, U38_rotated_while_full)
{
	struct audit audit;
	unsigned int n_bad;
	char old[160];

	cr_assert_eq(audit_open(&audit, path), 0);
	audit_write(&audit, &change);
	limit_size(300);
	audit_write(&audit, &change);
	limit_size(RLIM_INFINITY);
	(void)snprintf(old, sizeof(old), "%s.1", path);
	cr_assert_eq(rename(path, old), 0);
	cr_assert_eq(audit_reopen(&audit), 0);
	audit_write(&audit, &change);
	cr_expect_eq(count_lines(&n_bad), 2u);
	cr_expect_eq(n_bad, 0u);
	audit_close(&audit, 0);
}

/* What is no file, and no pipe: each gets a reason that says so. */
Test(audit_file, U39_refused)
{
	static const struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct sockaddr_un address = at;
	struct audit audit;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(path, sizeof(path), "%s/link", scratch);
	cr_assert_eq(symlink("/dev/stdout", path), 0);
	cr_expect_eq(audit_open(&audit, path), -ELOOP);
	cr_expect_str_eq(audit_strerror(audit.error),
			 "is a symbolic link, which is not followed; name the file itself");
	(void)snprintf(path, sizeof(path), "%s/socket", scratch);
	memcpy(address.sun_path, path, strlen(path));
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_expect_eq(audit_open(&audit, path), -ENOTSUP);
	cr_expect_str_eq(audit_strerror(audit.error), "is no file, pipe or character device");
	(void)snprintf(path, sizeof(path), "%s/pipe", scratch);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(audit_open(&audit, path), -EPIPE);
	cr_expect_str_eq(audit_strerror(audit.error), "nobody reads it");
	(void)close(fd);
}

static char *read_all(int fd)
{
	static char text[1 << 21];
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	return text;
}

/* A named pipe that nobody reads: nothing waits, and the loss is reported. */
Test(audit_file, U16_full_pipe)
{
	struct audit audit;
	struct loop loop;
	const char *text;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/pipe", scratch);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(audit_open(&audit, path), -EPIPE, "nobody reads it");
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert(fd >= 0);
	cr_assert_eq(audit_open(&audit, path), 0);
	loop_init(&loop);
	cr_assert_eq(audit_watch(&audit, &loop), 0);
	while (!audit.n_lost)
		audit_write(&audit, &change);
	audit_write(&audit, &change);
	cr_expect_eq(audit.n_lost, 2);
	do
		text = read_all(fd);
	while (!loop_run_once(&loop, loop_now_ns() + NS_PER_MS) &&
	       !strstr(text, "\"verb\":\"lost\""));
	/* also if no other record follows */
	cr_expect(strstr(text, "2 records could not be written"), "%s", text);
	cr_expect_eq(audit.n_lost, 0u);
	audit_close(&audit, 0);
	(void)close(fd);
}

/* The reader goes away and comes back; meanwhile the records wait. */
Test(audit_file, U39_reader_of_a_pipe)
{
	struct audit audit;
	const char *text;
	char reason[256];
	int fd;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(path, sizeof(path), "%s/pipe", scratch);
	cr_assert_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_eq(audit_open(&audit, path), 0);
	(void)close(fd);
	audit_write(&audit, &change);
	cr_expect_eq(audit.error, -EPIPE);
	cr_expect(audit_describe_error(&audit, reason, sizeof(reason)));
	cr_expect_not_null(strstr(reason, "/pipe: nobody reads it; records wait"));
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect(!audit_describe_error(&audit, reason, sizeof(reason)));
	text = read_all(fd);
	cr_expect(strstr(text, "192.0.2.5/24") && strchr(text, '\n') == strrchr(text, '\n'), "%s",
		  text);
	audit_close(&audit, 0);
	(void)close(fd);
}

/* Descriptors that --audit names: a pipe, and a file that others may have written to. */
Test(audit_file, U39_descriptors)
{
	struct audit audit;
	unsigned int n_bad;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	cr_assert_eq(audit_open_fd(&audit, fds[1], "-"), 0);
	audit_write(&audit, &change);
	cr_expect_eq(audit_reopen(&audit), 0, "there is nothing to rotate");
	audit_write(&audit, &change);
	audit_close(&audit, 0);
	cr_expect_not_null(strchr(strchr(read_all(fds[0]), '\n') + 1, '\n'));
	cr_expect_eq(fcntl(fds[1], F_GETFD), -1, "closed");

	(void)snprintf(path, sizeof(path), "%s/file", scratch);
	scratch_write_text("file", "{}\n", 0600);
	fds[0] = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_eq(lseek(fds[0], 0, SEEK_END), 3);
	cr_assert_eq(audit_open_fd(&audit, fds[0], "-"), 0);
	audit_write(&audit, &change);
	limit_size(300);
	audit_write(&audit, &change);
	limit_size(RLIM_INFINITY);
	audit_write(&audit, &change);
	audit_close(&audit, 0);
	cr_expect_eq(count_lines(&n_bad), 5u, "the one that was cut is repeated as a whole");
	cr_expect_eq(n_bad, 1u);
}

Test(audit_file, reopened_after_a_rotation)
{
	struct audit audit;
	char old[160];
	unsigned int n_bad;

	cr_assert_eq(audit_open(&audit, path), 0);
	audit_write(&audit, &change);
	cr_expect_eq(audit_reopen(&audit), 0, "not rotated: continues");
	audit_write(&audit, &change);
	(void)snprintf(old, sizeof(old), "%s.1", path);
	cr_assert_eq(rename(path, old), 0);
	audit_write(&audit, &change);
	cr_expect_eq(access(path, F_OK), -1, "until it is reopened");
	cr_assert_eq(audit_reopen(&audit), 0);
	audit_write(&audit, &change);
	cr_expect_eq(count_lines(&n_bad), 1);
	cr_assert_eq(rename(old, path), 0);
	cr_expect_eq(count_lines(&n_bad), 3);

	/* cannot reopen: continue with the old file */
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(audit_reopen(&audit), -EISDIR);
	cr_assert_geq(audit_fd(&audit), 0);
	audit_write(&audit, &change);
	cr_expect_eq(audit.n_lost, 0);
	audit_close(&audit, 0);
}
