/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "userspace/common/log.h"

static char *logged(int fd)
{
	static char text[8192];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
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
