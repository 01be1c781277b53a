/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/pen/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define KILLED_MS 2000

/* The name in field 2 may contain blanks and parentheses: begin behind its end. */
static int read_stat(pid_t pid, char *statep, uint64_t *startp)
{
	char path[32], text[1024];
	unsigned long long start = 0;
	const char *rest;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest,
			    ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			    "%*d %*d %llu",
			    statep, &start) != 2)
		return -EBADMSG;
	*startp = start;
	return 0;
}

int pen_process_start(pid_t pid, uint64_t *startp)
{
	char state;

	return read_stat(pid, &state, startp);
}

int pen_process_open(pid_t pid, uint64_t start)
{
	int fd = pid > 1 ? pidfd_open(pid, 0) : -1, r;
	uint64_t found = 0;
	char state = 0;

	if (fd < 0)
		return pid <= 1 ? -ESRCH : -errno;
	r = read_stat(pid, &state, &found);
	if (!r && (found != start || state == 'Z' || state == 'X'))
		r = -ESRCH;
	if (!r)
		return fd;
	close(fd);
	return r;
}

int pen_process_kill(int pidfd)
{
	struct pollfd exited = { .fd = pidfd, .events = POLLIN };

	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0))
		return errno == ESRCH ? 0 : -errno;
	for (;;) {
		int n = poll(&exited, 1, KILLED_MS);

		if (n >= 0 || errno != EINTR)
			return n > 0 ? 0 : n < 0 ? -errno : -ETIMEDOUT;
	}
}
