/* SPDX-License-Identifier: Apache-2.0 */
/* The socket of a syslog daemon that reads when a test does. */
#ifndef CALFPEN_TESTS_UNIT_SYSLOG_DAEMON_H
#define CALFPEN_TESTS_UNIT_SYSLOG_DAEMON_H

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static inline int syslog_daemon_open(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	cr_assert_geq(fd, 0);
	cr_assert_lt(strlen(path), sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path));
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

#endif
