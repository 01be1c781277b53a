/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int streams_open(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free number is this one. They stay open in children. */
		if (open("/dev/null", O_RDWR | O_NOCTTY) < 0 && open("/", O_PATH) < 0)
			return -errno;
	}
	return 0;
}

static bool can_block(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && (S_ISFIFO(status.st_mode) || isatty(fd));
}

static int reopen(int fd)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int streams_own(int fd)
{
	int mode = fcntl(fd, F_GETFL), own = -1;

	if (mode < 0 || (mode & O_ACCMODE) == O_RDONLY || (mode & O_PATH))
		return -EBADF;
	if (can_block(fd))
		own = reopen(fd);
	if (own < 0)
		own = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return own < 0 ? -errno : own;
}

void streams_own_log(void)
{
	int fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (!can_block(STDERR_FILENO))
		return;
	fd = reopen(STDERR_FILENO);
	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}
