/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

void streams_own_log(void)
{
	struct stat status;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (fstat(STDERR_FILENO, &status) || (!S_ISFIFO(status.st_mode) && !isatty(STDERR_FILENO)))
		return;
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}
