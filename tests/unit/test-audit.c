/* SPDX-License-Identifier: Apache-2.0 */
/* Records to a log that takes them, takes them later, or never; what waits, and where. */
#include "tests/unit/support-audit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "userspace/common/clock.h"

TestSuite(audit, .init = audit_setup, .fini = audit_teardown);

Test(audit, modes)
{
	struct stat status;

	audit_close(&audit, 0);
	cr_assert_eq(audit_open(&audit, path, &settings), 0);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	*strrchr(path, '/') = '\0';
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0700);
	path[strlen(path)] = '/';
	cr_expect_eq(put(1), 0);
	cr_expect_eq(put(2), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2");
	audit_close(&audit, 0);
	cr_expect_str_eq(capture_text(), "");
}

Test(audit, open_failures)
{
	char link[256];

	cr_expect_eq(audit_open(&audit, scratch, &settings), -EISDIR);
	audit_close(&audit, 0);
	(void)snprintf(link, sizeof(link), "%s/link", scratch);
	cr_assert_eq(symlink("/tmp/elsewhere", link), 0);
	cr_expect_eq(audit_open(&audit, link, &settings), -ELOOP);
	audit_close(&audit, 0);
	cr_expect_eq(audit_check(link), -ELOOP);
	cr_expect_eq(audit_open(&audit, "/proc/no/such/file", &settings), -ENOENT);
}

/* What is no file, and no pipe: each gets a reason that says so. */
Test(audit, U39_refused)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(path, sizeof(path), "%s/link", scratch);
	cr_assert_eq(symlink("/dev/stdout", path), 0);
	cr_expect_str_eq(audit_strerror(audit_check(path)),
			 "is a symbolic link, which is not followed; name the file itself");
	(void)snprintf(path, sizeof(path), "%s/socket", scratch);
	memcpy(address.sun_path, path, strlen(path));
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_expect_str_eq(audit_strerror(audit_check(path)), "is no file, pipe or character device");
	(void)snprintf(path, sizeof(path), "%s/pipe", scratch);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_str_eq(audit_strerror(audit_check(path)), "nobody reads it");
	(void)close(fd);
}

/* A log that cannot be opened: its records wait, and are in it when it can be. */
Test(audit, U14_F2_opened_later)
{
	char text[512];

	scratch_write_text("log", "", 0600);
	cr_expect_eq(audit_open(&audit, path, &settings), -ENOTDIR);
	cr_expect_eq(audit_retry(&audit), -ENOTDIR);
	cr_expect_eq(put(1), 0);
	cr_expect_eq(put(2), 0);
	cr_expect_str_eq(see_reserve(1), "1, 2");
	cr_expect(audit_describe_error(&audit, text, sizeof(text)));
	cr_expect(strstr(text, ": Not a directory; records go to ") &&
			  strstr(text, "/run/audit-reserve; when it is full, calves are refused"),
		  "%s", text);
	cr_expect_not_null(strstr(capture_text(), "Not a directory; records go to "));
	cr_assert_eq(unlink(scratch_path("log")), 0);
	cr_expect_eq(put(3), 0, "it is not tried with each record");
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_eq(put(4), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, 4");
	cr_expect_str_eq(see_reserve(1), "");
	cr_expect(audit.reserves[0].is_allocated, "beside the log is room now");
	cr_expect(!audit_describe_error(&audit, text, sizeof(text)));
	cr_expect_not_null(strstr(capture_text(),
				  "writable again; 3 records waited in the reserve, 0 were lost"));
}

/* SIGHUP opens it, too; a failure leaves everything as it is. */
Test(audit, U14_F2_reopened)
{
	cr_assert_eq(mkdir(scratch_path("log"), 0700), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(audit_open(&audit, path, &settings), -EISDIR);
	cr_expect_eq(put(1), 0);
	cr_expect_str_eq(see_reserve(1), "1");
	cr_expect_eq(audit_reopen(&audit), -EISDIR);
	cr_assert_eq(rmdir(path), 0);
	cr_expect_eq(audit_reopen(&audit), 0);
	cr_expect_eq(put(2), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2");
}

/* The disk is full: first one reserve, then the other, then nothing; and all of it in
 * order when there is room. */
Test(audit, F2_full_disk)
{
	size_t length = line_length();
	unsigned int n;
	char text[512];

	cr_assert_eq(audit_open(&audit, path, &settings), 0);
	limit_size(4 * length + 20);
	for (n = 1; !put(n) && n < 100; n++)
		;
	cr_expect_eq(n, 3 + 4 + 4 + 1, "with the begin, 4 in each file");
	cr_expect_eq(put(n), -EAGAIN);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3");
	cr_expect_str_eq(see_reserve(0), "4, 5, 6, 7");
	cr_expect_str_eq(see_reserve(1), "8, 9, 10, 11");
	cr_expect(audit_describe_error(&audit, text, sizeof(text)));
	cr_expect(strstr(text, "; the reserve is full; calves are refused"), "%s", text);
	cr_expect_not_null(strstr(capture_text(), "no room in the reserve; calves are refused\n"));
	limit_size(RLIM_INFINITY);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_eq(put(n), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12");
	cr_expect(!audit_describe_error(&audit, text, sizeof(text)));
	cr_expect_eq(audit.n_lost, 0u);
	/* and once more: the reserves are there again */
	limit_size(audit.file.end);
	cr_expect_eq(put(13), 0);
	cr_expect_str_eq(see_reserve(0), "13");
}

/* The room is enough for a part: what was written does not come twice. */
Test(audit, F2_room_for_a_part)
{
	size_t length = line_length();

	cr_assert_eq(audit_open(&audit, path, &settings), 0);
	limit_size(2 * length);
	for (unsigned int i = 1; i <= 5; i++)
		(void)put(i);
	cr_expect_str_eq(see_log(), "begin 1, 1");
	limit_size(4 * length);
	cr_expect_neq(audit_retry(&audit), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3");
	limit_size(RLIM_INFINITY);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, 4, 5");
}

/* Records are counted instead of refused. */
Test(audit, F2_lose)
{
	size_t length = line_length();
	char text[512];

	settings.may_lose = true;
	settings.run_directory = NULL;
	cr_assert_eq(audit_open(&audit, path, &settings), 0);
	limit_size(2 * length);
	for (unsigned int i = 1; i <= 5; i++)
		cr_expect_eq(put(i), 0);
	cr_expect_eq(audit.n_lost, 2u);
	cr_expect(audit_describe_error(&audit, text, sizeof(text)));
	cr_expect(strstr(text, "records are lost"), "%s", text);
	limit_size(RLIM_INFINITY);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_eq(audit.n_lost, 0u);
	cr_expect_eq(put(6), 0);
	cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, lost, 6");
	cr_expect_not_null(strstr(capture_text(), ", 2 were lost\n"));
}

/* Not even a reserve can be made; later one can. */
Test(audit, F2_nothing_takes_it)
{
	scratch_write_text("log", "", 0600);
	cr_assert_eq(rmdir(run_directory), 0);
	cr_expect_eq(audit_open(&audit, path, &settings), -ENOTDIR);
	cr_expect_eq(put(1), -EAGAIN);
	cr_expect_eq(put(1), -EAGAIN);
	cr_assert_eq(mkdir(run_directory, 0700), 0);
	(void)audit_retry(&audit);
	cr_expect_eq(put(1), 0);
	cr_expect_str_eq(see_reserve(1), "1");
}

/* No log, no refusal. */
Test(audit, U39_F2_none)
{
	audit_open_none(&audit, &settings);
	cr_expect_eq(put(1), 0);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_eq(audit_reopen(&audit), 0);
}

static char *read_all(int fd)
{
	static char text[1 << 22];
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	return text;
}

/* The numbers of the records in a text: "1, 2, 3". */
static const char *see_text(char *text)
{
	static struct seen seen;
	char *line = text, *end;

	seen = (struct seen){ .n_bad = 0 };
	for (; (end = strchr(line, '\n')); line = end + 1)
		see_line(&seen, line, (size_t)(end - line));
	cr_expect_eq(seen.n_breaks, 0u, "%s", seen.text);
	return seen.text;
}

/* A named pipe that nobody reads: nothing waits, and nothing is lost. */
Test(audit, U16_F2_full_pipe)
{
	unsigned int n = 1, seen = 0;
	struct loop loop;
	char *text;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/pipe", scratch);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(audit_open(&audit, path, &settings), -EPIPE, "nobody reads it");
	audit_close(&audit, 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert(fd >= 0);
	cr_assert_eq(audit_open(&audit, path, &settings), 0);
	loop_init(&loop);
	audit_watch(&audit, &loop);
	while (!put(n))
		n++;
	cr_expect_gt(n * line_length(), AUDIT_RESERVE_SIZE);
	cr_expect_not_null(strstr(capture_text(), "does not keep up; records go to "));
	cr_expect_not_null(strstr(capture_text(), "does not keep up, and there is no room"));
	cr_expect_eq(access(scratch_path("pipe.reserve"), F_OK), -1, "nothing is beside a pipe");
	do {
		text = read_all(fd);
		for (char *line = text; *line; line = strchr(line, '\n') + 1) {
			const char *revision = strstr(line, "\"revision\":");

			cr_assert_eq((unsigned int)atoi(revision + 11), ++seen);
		}
	} while (!loop_run_once(&loop, loop_now_ns() + NS_PER_MS) && seen < n - 1);
	cr_expect_eq(audit.error, 0);
	cr_expect_eq(put(n), 0);
	audit_close(&audit, 0);
	(void)close(fd);
}

/* The reader goes away and comes back; meanwhile the records wait. */
Test(audit, U39_F2_reader_of_a_pipe)
{
	char reason[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/pipe", scratch);
	cr_assert_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_eq(audit_open(&audit, path, &settings), 0);
	(void)close(fd);
	cr_expect_eq(put(1), 0);
	cr_expect_eq(audit.error, -EPIPE);
	cr_expect(audit_describe_error(&audit, reason, sizeof(reason)));
	cr_expect_not_null(strstr(reason, "/pipe: nobody reads it; records go to "));
	kill_audit();
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_expect_eq(audit_open(&audit, path, &settings), 0, "the next process");
	cr_expect_eq(put(2), 0);
	cr_expect(!audit_describe_error(&audit, reason, sizeof(reason)));
	cr_expect_str_eq(see_text(read_all(fd)), "1, 2");
	audit_close(&audit, 0);
	(void)close(fd);
}

/* A line longer than the pipe's memory is taken in parts: it is written once. */
Test(audit, F2_line_in_parts)
{
	static char value[KV_VALUE_SIZE];
	struct audit_entry entry = entry_of(1);
	int fds[2];
	char *text;

	memset(value, '\x01', KV_VALUE_MAX);
	entry.value = value;
	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	cr_assert_geq(fcntl(fds[1], F_SETPIPE_SZ, 4096), 0);
	cr_assert_eq(audit_open_fd(&audit, fds[1], "-", &settings), 0);
	cr_expect_eq(audit_write(&audit, &entry), 0);
	cr_expect(audit_stream_is_cut(&audit.stream));
	cr_expect_eq(put(2), 0);
	cr_expect_str_eq(see_reserve(1), "1, 2");
	text = strdup(read_all(fds[0]));
	cr_expect_eq(strlen(text), 4096u);
	(void)audit_retry(&audit);
	text = realloc(text, 1 << 16);
	(void)strcat(text, read_all(fds[0]));
	(void)audit_retry(&audit);
	(void)strcat(text, read_all(fds[0]));
	cr_expect_str_eq(see_text(text), "1, 2");
	cr_expect_eq(audit.error, 0);
	free(text);
	/* a process that is killed in the middle: the next one begins a line */
	cr_expect_eq(audit_write(&audit, &entry), 0);
	(void)read_all(fds[0]);
	fds[1] = dup(fds[1]);
	kill_audit();
	cr_assert_leq(audit_open_fd(&audit, fds[1], "-", &settings), 0);
	text = read_all(fds[0]);
	cr_expect_eq(text[0], '\n');
	(void)close(fds[0]);
}

/* A part of a line is in the pipe, and no reserve takes the line: it comes again, and what
 * waits in a reserve later is another one. */
Test(audit, F2_part_of_a_refused_line)
{
	static char value[KV_VALUE_SIZE];
	struct audit_entry entry = entry_of(1);
	char *text = malloc(1 << 16);
	int fds[2];

	memset(value, '\x01', KV_VALUE_MAX);
	entry.value = value;
	cr_assert_eq(rmdir(run_directory), 0);
	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	cr_assert_geq(fcntl(fds[1], F_SETPIPE_SZ, 4096), 0);
	cr_assert_eq(audit_open_fd(&audit, fds[1], "-", &settings), 0);
	cr_expect_eq(audit_write(&audit, &entry), -EAGAIN);
	cr_assert_eq(mkdir(run_directory, 0700), 0);
	(void)audit_retry(&audit);
	cr_expect_eq(put(2), 0);
	cr_expect_eq(audit_write(&audit, &entry), 0);
	text[0] = '\0';
	for (int i = 0; i < 4; i++) {
		(void)strcat(text, read_all(fds[0]));
		(void)audit_retry(&audit);
	}
	cr_expect_str_eq(see_text(text), "1, 2, 1");
	free(text);
	(void)close(fds[0]);
}

/* Descriptors that --audit names: a pipe, and a file that others may have written to. */
Test(audit, U39_descriptors)
{
	static struct seen seen;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	cr_assert_eq(audit_open_fd(&audit, fds[1], "-", &settings), 0);
	cr_expect_eq(put(1), 0);
	cr_expect_eq(audit_reopen(&audit), 0, "there is nothing to rotate");
	cr_expect_eq(put(2), 0);
	audit_close(&audit, 0);
	cr_expect_str_eq(see_text(read_all(fds[0])), "1, 2");
	cr_expect_eq(fcntl(fds[1], F_GETFD), -1, "closed");

	(void)snprintf(path, sizeof(path), "%s/file", scratch);
	scratch_write_text("file", "{}\n", 0600);
	fds[0] = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_eq(lseek(fds[0], 0, SEEK_END), 3);
	cr_assert_eq(audit_open_fd(&audit, fds[0], "-", &settings), 0);
	cr_expect_eq(put(1), 0);
	limit_size(3 + line_length() + 10);
	cr_expect_eq(put(2), 0);
	limit_size(RLIM_INFINITY);
	cr_expect_eq(audit_retry(&audit), 0);
	cr_expect_eq(put(3), 0);
	audit_close(&audit, 0);
	see_file(&seen, path);
	cr_expect_str_eq(seen.text, "1, 2, 3", "the one that was cut is repeated as a whole");
	cr_expect_eq(seen.n_bad, 2u);
	cr_expect_eq(seen.n_breaks, 0u);
}

/* What is left in the reserve when the process ends is for the next one. */
Test(audit, F2_ends_while_full)
{
	size_t length = line_length();

	for (int is_killed = 0; is_killed < 2; is_killed++) {
		cr_assert_eq(audit_open(&audit, path, &settings), 0);
		limit_size(2 * length);
		for (unsigned int i = 1; i <= 6; i++)
			(void)put(i);
		if (is_killed)
			kill_audit();
		else
			audit_close(&audit, 0);
		limit_size(RLIM_INFINITY);
		cr_assert_eq(audit_open(&audit, path, &settings), 0);
		cr_expect_eq(put(7), 0);
		cr_expect_str_eq(see_log(), "begin 1, 1, 2, 3, 4, 5, 7");
		audit_close(&audit, 0);
		cr_assert_eq(unlink(path), 0);
		cr_assert_eq(unlink(scratch_path("run/audit-head")), 0);
	}
}
