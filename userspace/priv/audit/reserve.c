/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(struct audit_reserve *reserve)
{
	if (reserve->fd >= 0)
		(void)close(reserve->fd);
	reserve->fd = -1;
	reserve->is_allocated = false;
	reserve->at = reserve->used = 0;
}

static ssize_t read_line(struct audit_reserve *reserve, uint64_t at)
{
	ssize_t n;

	if (lseek(reserve->fd, (off_t)at, SEEK_SET) < 0)
		return -1;
	do
		n = read(reserve->fd, reserve->line, sizeof(reserve->line));
	while (n < 0 && errno == EINTR);
	return n;
}

/* Find the end of the last whole line: behind it may be what a power failure has left. */
static void find_end(struct audit_reserve *reserve, uint64_t size)
{
	uint64_t from = size > AUDIT_LINE_SIZE ? size - AUDIT_LINE_SIZE : 0;
	ssize_t n = read_line(reserve, from);
	const char *newline = n > 0 ? memrchr(reserve->line, '\n', (size_t)n) : NULL;

	reserve->used = newline ? from + (uint64_t)(newline + 1 - reserve->line) : 0;
}

static int allocate(struct audit_reserve *reserve)
{
	if (fallocate(reserve->fd, FALLOC_FL_KEEP_SIZE, 0, AUDIT_RESERVE_SIZE))
		return -errno;
	reserve->is_allocated = true;
	return 0;
}

static int open_file(struct audit_reserve *reserve)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
	int fd = open(reserve->path, flags, 0600);
	struct stat status;

	/* What waits can be read, also if there is no other right. */
	if (fd < 0)
		fd = open(reserve->path, (flags & ~(O_RDWR | O_CREAT)) | O_RDONLY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		(void)close(fd);
		return -ENOTSUP;
	}
	reserve->fd = fd;
	reserve->at = 0;
	find_end(reserve, (uint64_t)status.st_size);
	return 0;
}

int audit_reserve_prepare(struct audit_reserve *reserve)
{
	int r = 0;

	if (!reserve->path[0] || reserve->is_allocated)
		return 0;
	if (reserve->fd < 0)
		r = open_file(reserve);
	if (!r)
		r = allocate(reserve);
	if (r && reserve->fd >= 0 && !reserve->used) {
		(void)unlink(reserve->path);
		forget(reserve);
	}
	return r;
}

bool audit_reserve_is_empty(const struct audit_reserve *reserve)
{
	return reserve->at == reserve->used;
}

void audit_reserve_close(struct audit_reserve *reserve)
{
	if (reserve->fd >= 0 && audit_reserve_is_empty(reserve))
		(void)unlink(reserve->path);
	forget(reserve);
}

int audit_reserve_append(struct audit_reserve *reserve, const char *line, size_t length)
{
	ssize_t n;
	int r;

	if (!reserve->is_allocated || reserve->used + length > AUDIT_RESERVE_SIZE)
		return -ENOSPC;
	do
		n = pwrite(reserve->fd, line, length, (off_t)reserve->used);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)length) {
		reserve->used += length;
		return 0;
	}
	/* A file system that does not keep what it has allocated. */
	r = n < 0 ? -errno : -ENOSPC;
	reserve->is_allocated = false;
	return n > 0 && ftruncate(reserve->fd, (off_t)reserve->used) ? -errno : r;
}

const char *audit_reserve_first(struct audit_reserve *reserve, size_t *lengthp)
{
	const char *newline;
	ssize_t n;

	if (audit_reserve_is_empty(reserve))
		return NULL;
	n = read_line(reserve, reserve->at);
	if (n < 0)
		return NULL;
	newline = memchr(reserve->line, '\n', (size_t)n);
	if (!newline) { /* somebody else has written to it */
		reserve->at = reserve->used;
		return NULL;
	}
	*lengthp = (size_t)(newline + 1 - reserve->line);
	return reserve->line;
}

void audit_reserve_pop(struct audit_reserve *reserve, size_t length)
{
	reserve->at += length;
}

void audit_reserve_reset(struct audit_reserve *reserve)
{
	if (reserve->fd < 0 || !reserve->used)
		return;
	reserve->is_allocated = false;
	if (ftruncate(reserve->fd, 0)) {
		(void)unlink(reserve->path);
		forget(reserve);
		return;
	}
	reserve->at = reserve->used = 0;
	(void)audit_reserve_prepare(reserve);
}
