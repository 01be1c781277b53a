/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int directory_make(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	char *slash;

	if (strlen(path) >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, strlen(path) + 1);
	for (slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(part, mode) < 0 && errno != EEXIST ? -errno : 0;
}

int directory_make_own(const char *path, mode_t mode)
{
	struct stat status;

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return -errno;
	if (lstat(path, &status) < 0)
		return -errno;
	if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid())
		return -EPERM;
	return (status.st_mode & 0777) != mode && chmod(path, mode) < 0 ? -errno : 0;
}

static int remove_entries(DIR *directory, unsigned int depth);

/* `name` of the directory `fd`, a directory itself. */
static int remove_below(int fd, const char *name, unsigned int depth)
{
	int own = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;
	DIR *directory = own < 0 ? NULL : fdopendir(own);

	if (!directory) {
		r = -errno;
		if (own >= 0)
			(void)close(own);
		return r;
	}
	r = depth ? remove_entries(directory, depth - 1) : -ELOOP;
	(void)closedir(directory);
	if (r)
		return r;
	return unlinkat(fd, name, AT_REMOVEDIR) && errno != ENOENT ? -errno : 0;
}

static int remove_entries(DIR *directory, unsigned int depth)
{
	struct dirent *entry;
	int r = 0;

	while (!r && (entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (!unlinkat(dirfd(directory), entry->d_name, 0) || errno == ENOENT)
			continue;
		/* Linux says EISDIR, POSIX says EPERM */
		r = errno == EISDIR || errno == EPERM ?
			    remove_below(dirfd(directory), entry->d_name, depth) :
			    -errno;
	}
	return r;
}

int directory_remove(const char *path)
{
	int r = remove_below(AT_FDCWD, path, DIRECTORY_DEPTH_MAX);

	return r == -ENOENT ? 0 : r;
}

int directory_fill_text(int fd, const void *data)
{
	const struct directory_text *text = data;
	size_t at = 0;

	while (at < text->length) {
		ssize_t n = pwrite(fd, text->bytes + at, text->length - at, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			at += (size_t)n;
	}
	return 0;
}

static int write_new(int directory_fd, const char *name, mode_t mode, directory_fill_fn fill,
		     const void *data)
{
	int fd, r;

	/* left behind by a process that was killed */
	(void)unlinkat(directory_fd, name, 0);
	fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fill(fd, data);
	if (!r && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (close(fd) < 0 && !r)
		r = -errno;
	return r;
}

int directory_replace_file(const char *directory, const char *name, mode_t mode,
			   directory_fill_fn fill, const void *data)
{
	char temporary[NAME_MAX + 1];
	int directory_fd, r;

	if (snprintf(temporary, sizeof(temporary), ".%s.calfpen", name) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0)
		return -errno;
	r = write_new(directory_fd, temporary, mode, fill, data);
	if (!r && renameat(directory_fd, temporary, directory_fd, name) < 0)
		r = -errno;
	if (r)
		(void)unlinkat(directory_fd, temporary, 0);
	else if (fsync(directory_fd) < 0)
		r = -errno;
	(void)close(directory_fd);
	return r;
}
