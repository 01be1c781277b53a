/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/pen/record.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/directory.h"
#include "userspace/pen/report.h"

#define RECORD "record"
#define RECORD_NEW "record.new"

static int path_of(const char *root, const char *id, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", root, id) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int pen_record_write(int directory_fd, const struct pen_record *record)
{
	json_t *json = json_pack("{s:s, s:s, s:i, s:I}", "bundle", record->bundle, "cgroup",
				 record->cgroup, "pid", (int)record->pid, "start",
				 (json_int_t)record->start);
	int fd, r = json ? 0 : -ENOMEM;

	fd = r ? -1 :
		 openat(directory_fd, RECORD_NEW,
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (!r && fd < 0)
		r = -errno;
	if (!r && json_dumpfd(json, fd, 0))
		r = -EIO;
	if (fd >= 0 && close(fd) && !r)
		r = -errno;
	if (!r && renameat(directory_fd, RECORD_NEW, directory_fd, RECORD))
		r = -errno;
	json_decref(json);
	return r;
}

static int fill(const char *path, const struct pen_record *record)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = mkfifoat(fd, PEN_START_PIPE, 0600) ? -errno : pen_record_write(fd, record);
	if (!r)
		return fd;
	close(fd);
	return r;
}

int pen_record_create(const char *root, const char *id, const struct pen_record *record)
{
	char path[PATH_MAX];
	int r = directory_make(root, 0700), fd;

	if (r && r != -EEXIST)
		return pen_fail(r, "%s: %s", root, strerrordesc_np(-r));
	r = path_of(root, id, path);
	if (!r && mkdir(path, 0700))
		r = -errno;
	if (r == -EEXIST)
		return pen_fail(r, "container %s already exists", id);
	fd = r ? r : fill(path, record);
	if (fd >= 0)
		return fd;
	if (!r)
		(void)directory_remove(path);
	return pen_fail(fd, "%s: %s", path, strerrordesc_np(-fd));
}

static int read_record(int directory_fd, struct pen_record *record)
{
	int fd = openat(directory_fd, RECORD, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const char *bundle, *cgroup;
	json_int_t start;
	json_t *json;
	int pid, r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	json = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
	close(fd);
	r = json_unpack(json, "{s:s, s:s, s:i, s:I}", "bundle", &bundle, "cgroup", &cgroup, "pid",
			&pid, "start", &start) ?
		    -EBADMSG :
		    0;
	if (!r &&
	    (strlen(bundle) >= sizeof(record->bundle) || strlen(cgroup) >= sizeof(record->cgroup)))
		r = -EBADMSG;
	if (!r) {
		memcpy(record->bundle, bundle, strlen(bundle) + 1);
		memcpy(record->cgroup, cgroup, strlen(cgroup) + 1);
		record->pid = pid;
		record->start = (uint64_t)start;
	}
	json_decref(json);
	return r;
}

int pen_record_open(const char *root, const char *id, struct pen_record *recordp)
{
	char path[PATH_MAX];
	int r = path_of(root, id, path), fd;

	memset(recordp, 0, sizeof(*recordp));
	fd = r ? r : open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!r && fd < 0)
		r = -errno;
	if (!r)
		r = read_record(fd, recordp);
	if (!r)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

int pen_record_remove(const char *root, const char *id)
{
	char path[PATH_MAX];
	int r = path_of(root, id, path);

	return r ? r : directory_remove(path);
}
