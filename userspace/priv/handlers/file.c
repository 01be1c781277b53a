/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/directory.h"

#define LINKS_MAX 16

int file_read(const char *path, char *text, size_t size)
{
	size_t at = 0;
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r = 0;

	if (fd < 0)
		return -errno;
	while (n && at < size) {
		n = read(fd, text + at, size - at);
		if (n < 0 && errno != EINTR) {
			r = -errno;
			break;
		}
		if (n > 0)
			at += (size_t)n;
	}
	(void)close(fd);
	if (r)
		return r;
	if (at == size)
		return -EFBIG;
	text[at] = '\0';
	return (int)at;
}

int file_resolve(const char *path, char target[static PATH_MAX])
{
	char link[PATH_MAX], now[PATH_MAX];

	if (strlen(path) >= sizeof(now))
		return -ENAMETOOLONG;
	memcpy(now, path, strlen(path) + 1);
	for (int i = 0; i < LINKS_MAX; i++) {
		ssize_t n = readlink(now, link, sizeof(link) - 1);
		char *slash = strrchr(now, '/');
		size_t directory = slash ? (size_t)(slash - now) + 1 : 0;

		/* not a link, or not there yet; anything else is an error */
		if (n < 0 && errno != EINVAL && errno != ENOENT)
			return -errno;
		if (n < 0) {
			memcpy(target, now, strlen(now) + 1);
			return 0;
		}
		if (link[0] == '/')
			directory = 0;
		if (directory + (size_t)n >= sizeof(now))
			return -ENAMETOOLONG;
		memcpy(now + directory, link, (size_t)n);
		now[directory + (size_t)n] = '\0';
	}
	return -ELOOP;
}

static int replace(const char *path, const struct directory_text *text)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat old = { .st_mode = 0644 };
	int n = snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1,
			 slash ? path : ".");

	if (n < 0 || n >= (int)sizeof(directory))
		return -ENAMETOOLONG;
	if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
		return -EINVAL;
	return directory_replace_file(directory, slash ? slash + 1 : path, old.st_mode & 0777,
				      directory_fill_text, text);
}

static int write_in_place(const char *path, const struct directory_text *text)
{
	struct stat old;
	int r = 0, fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &old) < 0)
		r = -errno;
	else if (!S_ISREG(old.st_mode))
		r = -EINVAL;
	if (!r)
		r = directory_fill_text(fd, text);
	if (!r && (ftruncate(fd, (off_t)text->length) < 0 || fsync(fd) < 0))
		r = -errno;
	(void)close(fd);
	return r;
}

static bool is_in_place(int error)
{
	return error == -EBUSY || error == -EXDEV || error == -EROFS || error == -EACCES ||
	       error == -EPERM;
}

int file_write(const char *path, const char *text, size_t length)
{
	const struct directory_text whole = { text, length };
	int in_place, r = replace(path, &whole);

	if (!is_in_place(r))
		return r;
	in_place = write_in_place(path, &whole);
	/* If there is no file to write to, the error of the directory is the reason. */
	return in_place == -ENOENT ? r : in_place;
}

int file_remove(const char *path)
{
	const struct directory_text empty = { "", 0 };

	if (unlink(path) == 0)
		return 0;
	if (errno == ENOENT)
		return 0;
	return is_in_place(-errno) ? write_in_place(path, &empty) : -errno;
}
