// SPDX-License-Identifier: Apache-2.0
#include "userspace/priv/handlers/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 16

static int write_all(int fd, const char *text, size_t length)
{
	size_t at = 0;

	while (at < length) {
		ssize_t n = pwrite(fd, text + at, length - at, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			at += (size_t)n;
	}
	return 0;
}

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
	int i;

	if (strlen(path) >= sizeof(now))
		return -ENAMETOOLONG;
	memcpy(now, path, strlen(path) + 1);
	for (i = 0; i < LINKS_MAX; i++) {
		ssize_t n = readlink(now, link, sizeof(link) - 1);
		char *slash = strrchr(now, '/');
		size_t directory = slash ? (size_t)(slash - now) + 1 : 0;

		/* no link, or nothing there yet; what cannot be read is neither */
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

/* "DIRECTORY/.NAME.calfpen" */
static int temporary_name(const char *path, char temporary[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int n = snprintf(temporary, PATH_MAX, "%.*s.%s.calfpen", (int)(name - path), path, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The new name must survive a power cut too. */
static void sync_directory(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	(void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		       slash ? path : ".");
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static int write_beside(const char *path, const char *text, size_t length)
{
	char temporary[PATH_MAX];
	struct stat old = { .st_mode = 0644 };
	int fd, r = temporary_name(path, temporary);

	if (r)
		return r;
	if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
		return -EINVAL;
	(void)unlink(temporary); /* of a former life that was killed */
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, length);
	if (!r && (fchmod(fd, old.st_mode & 0777) < 0 || fsync(fd) < 0))
		r = -errno;
	if (close(fd) < 0 && !r)
		r = -errno;
	if (!r && rename(temporary, path) < 0)
		r = -errno;
	if (r)
		(void)unlink(temporary);
	else
		sync_directory(path);
	return r;
}

static int write_in_place(const char *path, const char *text, size_t length)
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
		r = write_all(fd, text, length);
	if (!r && (ftruncate(fd, (off_t)length) < 0 || fsync(fd) < 0))
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
	int in_place, r = write_beside(path, text, length);

	if (!is_in_place(r))
		return r;
	in_place = write_in_place(path, text, length);
	/* No file there to write to: then the directory's refusal is the reason. */
	return in_place == -ENOENT ? r : in_place;
}

int file_remove(const char *path)
{
	if (unlink(path) == 0)
		return 0;
	if (errno == ENOENT)
		return 0;
	return is_in_place(-errno) ? write_in_place(path, "", 0) : -errno;
}
