/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/audit_files.h"

#define WINDOW_SIZE ((size_t)4 * AUDIT_LINE_SIZE) /* the last line, and damaged ones behind it */

/* Returns how many bytes were read, or a negative errno. */
static ssize_t read_at(int fd, uint64_t at, char *bytes, size_t size)
{
	size_t done = 0;
	ssize_t n;

	if (lseek(fd, (off_t)at, SEEK_SET) < 0)
		return -errno;
	while (done < size) {
		n = read(fd, bytes + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Is it a record, also one of a version without chain? A line that was cut does not end so. */
static bool is_whole(const char *line, size_t length)
{
	return length > 2 && line[0] == '{' && line[length - 1] == '}';
}

/* Find the last record among whole lines. One without a hash counts if none has one. */
static void find_last(const char *text, size_t size, struct audit_end *end)
{
	const char *line_end = text + size;
	bool is_found = false;

	while (line_end > text && !end->previous[0]) {
		const char *before = memrchr(text, '\n', (size_t)(line_end - 1 - text));
		const char *line = before ? before + 1 : text, *previous;
		size_t length = (size_t)(line_end - 1 - line);

		previous = chain_previous(line, length);
		if (previous) {
			memcpy(end->previous, previous, CHAIN_SIZE - 1);
			end->previous[CHAIN_SIZE - 1] = '\0';
		}
		if (previous || (!is_found && is_whole(line, length))) {
			chain_hash(line, length, end->hash);
			is_found = true;
		}
		line_end = line;
	}
}

int audit_file_read_end(int fd, struct audit_end *endp)
{
	static char text[WINDOW_SIZE];
	struct audit_end end = { .size = 0 };
	uint64_t from;
	struct stat status;
	const char *newline;
	ssize_t n;

	if (fstat(fd, &status))
		return -errno;
	end.size = (uint64_t)status.st_size;
	n = read_at(fd, 0, text, AUDIT_LINE_SIZE);
	if (n < 0)
		return (int)n;
	newline = memchr(text, '\n', (size_t)n);
	end.segment = audit_segment_of(text, newline ? (size_t)(newline - text) : (size_t)n);
	from = end.size > WINDOW_SIZE ? end.size - WINDOW_SIZE : 0;
	n = read_at(fd, from, text, WINDOW_SIZE);
	if (n < 0)
		return (int)n;
	end.is_cut = n && text[n - 1] != '\n';
	newline = memrchr(text, '\n', (size_t)n);
	if (newline)
		find_last(text, (size_t)(newline + 1 - text), &end);
	*endp = end;
	return 0;
}

void audit_file_use(struct audit_file *file, int fd, const struct audit_end *end)
{
	*file = (struct audit_file){ .fd = fd, .end = end->size, .is_cut = end->is_cut };
}

void audit_file_close(struct audit_file *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
	*file = AUDIT_FILE_NULL(*file);
}

int audit_file_look(struct audit_file *file)
{
	struct stat status;
	char last = '\n';

	if (fstat(file->fd, &status))
		return -errno;
	if (!status.st_nlink)
		return AUDIT_FILE_GONE;
	if ((uint64_t)status.st_size == file->end)
		return 0;
	/* Somebody else has appended to it or truncated it. */
	file->end = (uint64_t)status.st_size;
	file->is_cut = file->end && read_at(file->fd, file->end - 1, &last, 1) == 1 && last != '\n';
	return 0;
}

/* With O_APPEND, the position does not matter. What a full disk has taken is removed. */
static int write_all(struct audit_file *file, const char *bytes, size_t length)
{
	ssize_t n;
	int r;

	do
		n = write(file->fd, bytes, length);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)length) {
		file->end += length;
		return 0;
	}
	r = n < 0 ? -errno : -ENOSPC;
	if (n > 0 && ftruncate(file->fd, (off_t)file->end)) {
		file->end += (uint64_t)n;
		file->is_cut = true;
	}
	return r;
}

int audit_file_append(struct audit_file *file, const char *line, size_t length)
{
	int r = file->is_cut ? write_all(file, "\n", 1) : 0;

	if (r)
		return r;
	file->is_cut = false;
	return write_all(file, line, length);
}
