/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void audit_file_init(struct audit_file *file, int fd)
{
	int mode = fcntl(fd, F_GETFL);

	file->fd = fd;
	/* Without O_APPEND the position is shared, and must not change. */
	file->is_readable = mode >= 0 && (mode & O_ACCMODE) == O_RDWR && (mode & O_APPEND);
	file->end = UINT64_MAX;
}

/* Returns whether the file has grown, or was replaced or truncated, since our last
 * write, and stores its size in `end`. */
static bool has_changed(struct audit_file *file)
{
	struct stat status;
	uint64_t end = file->end;

	if (!file->is_readable || fstat(file->fd, &status))
		return false;
	file->end = (uint64_t)status.st_size;
	return file->end != end;
}

/* Returns true if the last byte is that of a line that is not whole. With O_APPEND, the
 * position does not matter to write(). */
static bool is_in_line(const struct audit_file *file)
{
	char last = '\n';

	return file->end && lseek(file->fd, -1, SEEK_END) >= 0 && read(file->fd, &last, 1) == 1 &&
	       last != '\n';
}

/* Write file->line from `skip` on. */
static int write_line(struct audit_file *file, size_t skip)
{
	size_t length = file->length - skip;
	ssize_t n;

	do
		n = write(file->fd, file->line + skip, length);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	file->end += (uint64_t)n;
	file->done = skip + (size_t)n;
	file->is_cut = file->done < file->length;
	return file->is_cut ? AUDIT_FILE_CUT : 0;
}

int audit_file_complete(struct audit_file *file)
{
	if (!file->is_cut)
		return 0;
	if (has_changed(file) || !file->is_readable)
		return write_line(file, file->is_readable && !is_in_line(file) ? 1 : 0);
	return write_line(file, file->done);
}

int audit_file_append(struct audit_file *file, const char *line, size_t length)
{
	int r = audit_file_complete(file);

	if (r)
		return r < 0 ? r : -ENOSPC;
	file->line[0] = '\n';
	memcpy(file->line + 1, line, length);
	file->length = 1 + length;
	return write_line(file, has_changed(file) && is_in_line(file) ? 0 : 1);
}
