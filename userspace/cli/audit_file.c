/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/audit.h"

#define MAX_REPLACED 2

int audit_file_open(struct audit_file *file)
{
	/* O_NONBLOCK, because the path might be a pipe */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	file->fd = fd;
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->offset = 0;
	file->n_replaced = 0;
	return 0;
}

static void end_line(struct audit_file *file, audit_file_fn call, void *data)
{
	call(data, file->line, file->used);
	file->used = 0;
}

static void split_lines(struct audit_file *file, const char *bytes, size_t size, audit_file_fn call,
			void *data)
{
	while (size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		size_t length = newline ? (size_t)(newline - bytes) : size;
		size_t room = sizeof(file->line) - file->used, n = length < room ? length : room;

		/* of a line that is too long, keep only the start */
		memcpy(file->line + file->used, bytes, n);
		file->used += n;
		if (newline)
			end_line(file, call, data);
		length += newline != NULL;
		bytes += length;
		size -= length;
	}
}

int audit_file_read(struct audit_file *file, audit_file_fn call, void *data)
{
	char bytes[16384];

	for (;;) {
		ssize_t n = pread(file->fd, bytes, sizeof(bytes), file->offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		file->offset += n;
		split_lines(file, bytes, (size_t)n, call, data);
	}
}

void audit_file_end(struct audit_file *file, audit_file_fn call, void *data)
{
	if (file->used > 0)
		end_line(file, call, data);
}

int audit_file_follow(struct audit_file *file, audit_file_fn call, void *data)
{
	struct stat st;
	int old = file->fd, r;

	if (fstat(file->fd, &st) == 0 && st.st_size < file->offset) {
		audit_file_end(file, call, data);
		file->offset = 0;
		return 0;
	}
	/* renamed and not yet recreated: the old file may still grow */
	if (stat(file->path, &st) < 0 || (st.st_dev == file->device && st.st_ino == file->inode) ||
	    st.st_size == 0) {
		file->n_replaced = 0;
		return 0;
	}
	if (++file->n_replaced < MAX_REPLACED)
		return 0;
	r = audit_file_open(file);
	if (r < 0) /* removed again, or not a regular file: the old one is still open */
		return r == -ENOENT ? 0 : r;
	close(old);
	audit_file_end(file, call, data);
	return 0;
}

void audit_file_close(struct audit_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
