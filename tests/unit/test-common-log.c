/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/log.h"

static char *logged(int fd)
{
	static char text[8192];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

Test(log, errors_are_kept)
{
	char kept[9];

	memset(kept, 'x', sizeof(kept));
	log_init("dhcp4", open("/dev/null", O_WRONLY), LOG_LEVEL_INFO);
	log_keep_errors(kept, sizeof(kept) - 1, false);
	log_warning("no error");
	cr_expect_arr_eq(kept, "xxxxxxxxx", 9);
	log_error("no %d\n", 17);
	cr_expect_arr_eq(kept, "no 17?\0\0x", 9);
	log_info("later");
	cr_expect_arr_eq(kept, "no 17?\0\0x", 9);
	log_error("longer than there is room for");
	cr_expect_arr_eq(kept, "longer tx", 9);
	log_keep_errors(NULL, 0, false);
	log_error("not kept");
	cr_expect_arr_eq(kept, "longer tx", 9);
}

Test(log, error_of_the_process_before_is_not_logged_again)
{
	char kept[9] = "no lease";
	int fds[2];

	cr_assert_eq(pipe2(fds, O_NONBLOCK | O_DIRECT), 0);
	log_init("dhcp4", fds[1], LOG_LEVEL_INFO);
	log_keep_errors(kept, sizeof(kept), true);
	log_error("no lease");
	log_warning("no lease");
	cr_expect_str_eq(logged(fds[0]), "<warning> dhcp4: no lease\n");
	log_error("no leases");
	cr_expect_str_eq(logged(fds[0]), "<error> dhcp4: no leases\n");
	log_error("no lease");
	cr_expect_str_eq(logged(fds[0]), "<error> dhcp4: no lease\n");
	log_init("dhcp4", fds[1], LOG_LEVEL_DEBUG);
	log_keep_errors(kept, sizeof(kept), true);
	log_error("no lease");
	cr_expect_str_eq(logged(fds[0]), "<debug> dhcp4: no lease\n");
	log_keep_errors(NULL, 0, false);
}

Test(log, one_line_in_one_write)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_NONBLOCK | O_DIRECT), 0); /* packets: one read per write */
	log_init("dhcp4", fds[1], LOG_LEVEL_INFO);
	log_info("lease %s for %d s", "10.0.2.15", 3600);
	cr_assert_str_eq(logged(fds[0]), "<info> dhcp4: lease 10.0.2.15 for 3600 s\n");
	log_error("x");
	cr_assert_str_eq(logged(fds[0]), "<error> dhcp4: x\n");
	log_debug("left out");
	cr_assert_str_eq(logged(fds[0]), "");
	log_init("dhcp4", fds[1], LOG_LEVEL_DEBUG);
	log_debug("%s", "");
	cr_assert_str_eq(logged(fds[0]), "<debug> dhcp4: \n");
}

Test(log, no_argument_can_forge_a_line)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
	log_init("a\nb", fds[1], LOG_LEVEL_INFO);
	log_warning("%s", "x\n<error> priv: forged\x1b[2J\xff");
	cr_assert_str_eq(logged(fds[0]), "<warning> a?b: x?<error> priv: forged?[2J?\n");
}

Test(log, long_lines_and_tags_are_cut)
{
	static char text[5000];
	int fds[2];
	char *line;

	cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
	memset(text, 'x', sizeof(text) - 1);
	log_init(text, fds[1], LOG_LEVEL_INFO);
	errno = ENOENT;
	log_info("%s", text);
	cr_assert_eq(errno, ENOENT);
	line = logged(fds[0]);
	cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1);
	cr_assert_lt(strlen(line), 1500);
	cr_assert_gt(strlen(line), 1023);
	cr_assert_eq(strchr(line, ':') - line, (long)strlen("<info> ") + 31);
}

Test(log, nobody_reads)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
	log_init("x", fds[1], LOG_LEVEL_INFO);
	for (int i = 0; i < 10000; i++)
		log_info("a line that nobody reads");
}

/* Journald strips <0> to <7> only; $JOURNAL_STREAM says which stream it reads. */
Test(log, U34_levels_for_journald)
{
	struct stat status;
	char stream[64];
	int fds[2];

	cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
	cr_assert_eq(fstat(fds[1], &status), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		 (uintmax_t)status.st_ino);
	cr_assert_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_init("x", fds[1], LOG_LEVEL_DEBUG);
	log_error("e");
	log_warning("w");
	log_info("i");
	log_debug("d");
	cr_expect_str_eq(logged(fds[0]), "<3>x: e\n<4>x: w\n<6>x: i\n<7>x: d\n");
	/* descriptor 2 was redirected */
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		 (uintmax_t)status.st_ino + 1);
	cr_assert_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_init("x", fds[1], LOG_LEVEL_DEBUG);
	log_error("e");
	cr_assert_eq(setenv("JOURNAL_STREAM", "", 1), 0);
	log_init("x", fds[1], LOG_LEVEL_DEBUG);
	log_error("e");
	cr_assert_eq(unsetenv("JOURNAL_STREAM"), 0);
	log_init("x", fds[1], LOG_LEVEL_DEBUG);
	log_error("e");
	cr_expect_str_eq(logged(fds[0]), "<error> x: e\n<error> x: e\n<error> x: e\n");
}

static char also_text[256];

static void take_also(void *data, enum log_level level, const char *text, size_t length)
{
	size_t used = strlen(also_text);

	cr_expect_str_eq(data, "data");
	snprintf(also_text + used, sizeof(also_text) - used, "%d %.*s\n", (int)level, (int)length,
		 text);
}

/* Whatever happens to the other destination. */
Test(log, U34_lines_are_passed_on)
{
	static char data[] = "data";

	log_init("x", -1, LOG_LEVEL_INFO);
	log_also(take_also, data);
	log_error("one");
	log_debug("left out");
	log_info("two");
	log_also(NULL, NULL);
	log_info("three");
	cr_expect_str_eq(also_text, "0 x: one\n2 x: two\n");
}

/* An error that the process before has logged is not one there, either. */
Test(log, U34_repeated_errors_are_passed_on_as_debug)
{
	static char data[] = "data";
	char kept[9] = "no lease";

	log_init("x", -1, LOG_LEVEL_DEBUG);
	log_keep_errors(kept, sizeof(kept), true);
	log_also(take_also, data);
	log_error("no lease");
	log_error("no link");
	log_init("x", -1, LOG_LEVEL_INFO);
	log_keep_errors(kept, sizeof(kept), true);
	log_error("no link");
	log_also(NULL, NULL);
	log_keep_errors(NULL, 0, false);
	cr_expect_str_eq(also_text, "3 x: no lease\n0 x: no link\n");
}

/* Make a pipe that blocks, as a shell does, and that is full. */
static void full_pipe(int fds[2])
{
	cr_assert_eq(pipe(fds), 0);
	cr_assert(fcntl(fds[1], F_SETPIPE_SZ, 8192) >= 0);
	cr_assert_eq(write(fds[1], (char[8192]){ 0 }, 8192), 8192);
}

static void drain(int fd)
{
	char bytes[65536];

	cr_assert_gt(read(fd, bytes, sizeof(bytes)), 0);
}

Test(log, U16_full_pipe_of_others)
{
	int fds[2];

	full_pipe(fds);
	log_init("x", fds[1], LOG_LEVEL_INFO);
	errno = ENOENT;
	for (int i = 0; i < 3; i++)
		log_info("lost");
	cr_expect_eq(errno, ENOENT);
	cr_expect_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0, "its mode is not ours to change");
	drain(fds[0]);
	log_info("written");
	cr_expect_str_eq(logged(fds[0]),
			 "<warning> x: log: lost 3 lines: its reader did not keep up\n"
			 "<info> x: written\n");
	log_info("once only");
	cr_expect_str_eq(logged(fds[0]), "<info> x: once only\n");
}

Test(log, U16_full_socket)
{
	char bytes[4096] = { 0 }, text[512];
	int fds[2], n_lost = 2;
	ssize_t n;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	log_init("x", fds[1], LOG_LEVEL_INFO);
	while (send(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	while (send(fds[1], bytes, 1, MSG_DONTWAIT) > 0)
		;
	for (int i = 0; i < n_lost; i++)
		log_info("lost");
	while (recv(fds[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	log_info("written");
	n = recv(fds[0], text, sizeof(text) - 1, MSG_DONTWAIT);
	cr_assert_gt(n, 0);
	text[n] = '\0';
	cr_expect_str_eq(text, "<warning> x: log: lost 2 lines: its reader did not keep up\n"
			       "<info> x: written\n");
	close(fds[0]);
	log_info("nobody is there, which is no signal either");
}

/* The count does not wait for another line. */
Test(log, U16_lost_lines_are_reported_by_themselves)
{
	uint64_t wait_ns;
	int fds[2];

	full_pipe(fds);
	log_init("x", fds[1], LOG_LEVEL_INFO);
	cr_expect_eq(log_report_lost(), UINT64_MAX, "none is lost");
	log_info("lost");
	wait_ns = log_report_lost();
	cr_expect(wait_ns > 0 && wait_ns <= 1000000000, "%lu", wait_ns);
	sleep(2);
	wait_ns = log_report_lost();
	cr_expect(wait_ns > 1000000000, "it is full: wait longer");
	drain(fds[0]);
	sleep(3);
	cr_expect_eq(log_report_lost(), UINT64_MAX);
	cr_expect_str_eq(logged(fds[0]),
			 "<warning> x: log: lost 1 lines: its reader did not keep up\n");
}

/* A file that is full takes a part of a line: the next one begins in its own. */
Test(log, U16_truncated_line)
{
	const char *path = "/tmp/calfpen-test-log";
	char text[512] = "";
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0);
	unlink(path);
	log_init("x", fd, LOG_LEVEL_INFO);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 10, RLIM_INFINITY }), 0);
	log_info("truncated");
	log_info("lost");
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }), 0);
	log_info("written");
	cr_assert_gt(pread(fd, text, sizeof(text) - 1, 0), 0);
	cr_expect_str_eq(text, "<info> x: \n<warning> x: log: lost 2 lines: File too large\n"
			       "<info> x: written\n");
}
