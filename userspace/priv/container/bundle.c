/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the OCI bundle of a calf
 *
 * config.json, and a root file system with one static binary and the mount
 * points of /proc and /dev. Everything the calf may have is listed explicitly,
 * so that nothing depends on the runtime's defaults. Writes only below one
 * directory.
 */
#include "userspace/priv/container/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/container/bundle-private.h"

#define CONFIG "config.json"
#define ROOTFS BUNDLE_ROOTFS

static int refuse(const char *path, int error)
{
	log_error("%s: %s", path, strerror(error));
	return -error;
}

static int write_config(int directory_fd, const struct bundle_parameters *parameters,
			const char *executable)
{
	json_t *root = bundle_config(parameters, executable);
	FILE *file;
	int fd, r = 0;

	if (!root)
		return refuse(CONFIG, ENOMEM);
	fd = openat(directory_fd, CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	/* Buffered, because jansson writes about two thousand single tokens. */
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		r = refuse(CONFIG, errno);
		if (fd >= 0)
			close(fd);
	} else {
		if (json_dumpf(root, file, JSON_INDENT(1)) < 0)
			r = refuse(CONFIG, EIO);
		if (fclose(file) != 0 && !r)
			r = refuse(CONFIG, errno);
	}
	json_decref(root);
	return r;
}

static int copy_bytes(int to, int from)
{
	for (;;) {
		ssize_t n = sendfile(to, from, NULL, 1 << 20);

		if (n == 0)
			return 0;
		if (n < 0)
			return -errno;
	}
}

/* Open the shipped binary, a regular file. Returns a descriptor or a negative errno, logged. */
static int open_executable(const struct description *description)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct stat st;
	int fd, r = 0;

	snprintf(path, sizeof(path), "%s/%s", description->directory, description->executable);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return refuse(path, errno);
	if (fstat(fd, &st) < 0)
		r = refuse(path, errno);
	else if (!S_ISREG(st.st_mode))
		r = refuse(path, EINVAL);
	if (!r)
		return fd;
	close(fd);
	return r;
}

/* Copy the binary so that the container's id can read and execute it and only
 * root of the host can write to it. */
static int copy_executable(int rootfs_fd, const struct description *description)
{
	int from = open_executable(description), to, r = 0;

	if (from < 0)
		return from;
	to = openat(rootfs_fd, description->executable,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700);
	if (to < 0)
		r = -errno;
	if (!r)
		r = copy_bytes(to, from);
	if (!r && fchmod(to, 0755) < 0)
		r = -errno;
	if (to >= 0 && close(to) < 0 && !r)
		r = -errno;
	close(from);
	return r < 0 ? refuse(description->executable, -r) : 0;
}

static int make_directory(int at, const char *name, mode_t mode)
{
	if (mkdirat(at, name, 0700) < 0 || fchmodat(at, name, mode, 0) < 0)
		return refuse(name, errno);
	return 0;
}

static int write_rootfs(int directory_fd, const struct bundle_parameters *parameters)
{
	int fd, r;

	/* runc opens the directory as the mapped id */
	r = make_directory(directory_fd, ROOTFS, 0755);
	if (r < 0)
		return r;
	fd = openat(directory_fd, ROOTFS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return refuse(ROOTFS, errno);
	r = make_directory(fd, "proc", 0555);
	if (!r)
		r = make_directory(fd, "dev", 0555);
	if (!r && !parameters->is_for_pen)
		r = copy_executable(fd, parameters->description);
	close(fd);
	return r;
}

/* Check that the mapped id can reach the file or directory. */
static int check_searchable(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (!realpath(name, path))
		return refuse(name, errno);
	for (char *slash = strrchr(path, '/'); slash && slash != path; slash = strrchr(path, '/')) {
		*slash = '\0';
		if (stat(path, &st) < 0)
			return refuse(path, errno);
		if ((st.st_mode & S_IXOTH) == 0) {
			log_error("%s: parent of the calf's root directory, must be searchable by "
				  "others (chmod o+x)",
				  path);
			return -EACCES;
		}
	}
	return 0;
}

/* Store the path of the shipped binary, whatever the runtime's working directory is. */
static int find_executable(const struct description *description, char *path, size_t size)
{
	char directory[PATH_MAX];

	if (!realpath(description->directory, directory))
		return refuse(description->directory, errno);
	snprintf(path, size, "%s/%s", directory, description->executable);
	return 0;
}

/*
 * The pen opens the shipped binary as root, and executes it by this descriptor. For another
 * runtime: if /run is mounted noexec, as on Debian, no file in the root can be executed;
 * then have the shipped binary mounted over the copy.
 */
static int choose_executable(const struct bundle_parameters *parameters, char *path, size_t size,
			     const char **executablep)
{
	struct statvfs fs;
	int fd, r = find_executable(parameters->description, path, size);

	if (r < 0)
		return r;
	*executablep = path;
	if (parameters->is_for_pen) {
		fd = open_executable(parameters->description);
		if (fd < 0)
			return fd;
		close(fd);
		return 0;
	}
	r = check_searchable(parameters->directory);
	if (r < 0)
		return r;
	if (statvfs(parameters->directory, &fs) < 0)
		return refuse(parameters->directory, errno);
	if (fs.f_flag & ST_NOEXEC)
		return check_searchable(path);
	*executablep = NULL;
	return 0;
}

/* Remove all files in a directory, in its directories, and in a rootfs in it. */
static int empty_directory(int fd, bool is_rootfs)
{
	struct dirent *entry;
	DIR *directory;
	int r = 0;

	directory = fdopendir(fd);
	if (!directory) {
		r = -errno;
		close(fd);
		return r;
	}
	while (!r && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(directory), entry->d_name, 0) == 0)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			r = -errno;
			break;
		}
		if (!is_rootfs) {
			int below = openat(dirfd(directory), entry->d_name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			r = below < 0 ? -errno : empty_directory(below, true);
		}
		if (!r && unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR) < 0)
			r = -errno;
	}
	closedir(directory);
	return r;
}

int bundle_remove(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : refuse(directory, errno);
	r = empty_directory(fd, false);
	if (!r && rmdir(directory) < 0)
		r = -errno;
	return r < 0 ? refuse(directory, -r) : 0;
}

int bundle_write(const struct bundle_parameters *parameters)
{
	char path[PATH_MAX + NAME_MAX + 2];
	const char *executable = NULL;
	int fd, r;

	r = bundle_remove(parameters->directory);
	if (r < 0)
		return r;
	r = make_directory(AT_FDCWD, parameters->directory, 0711);
	if (r < 0)
		return r;
	r = choose_executable(parameters, path, sizeof(path), &executable);
	if (r < 0)
		goto cleanup;
	fd = open(parameters->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		r = refuse(parameters->directory, errno);
		goto cleanup;
	}
	r = write_rootfs(fd, parameters);
	if (!r)
		r = write_config(fd, parameters, executable);
	close(fd);
cleanup:
	if (r < 0)
		bundle_remove(parameters->directory);
	return r;
}
