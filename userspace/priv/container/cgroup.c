/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/container/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/directory.h"
#include "userspace/common/log.h"
#include "userspace/priv/container/runtime.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define TRIES_MAX 200
#define TRY_NS (10 * NS_PER_MS)
/* Enough for processes that were just killed, even if there is no time left. */
#define TRIES_MIN 5

/* Call `call` for `path` in each hierarchy. Returns 0, or the first error. */
static int for_each_hierarchy(const char *path, const struct await_limit *limit,
			      int (*call)(const char *mount, const char *path,
					  const struct await_limit *limit))
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char buffer[2 * PATH_MAX];
	struct mntent entry;
	int r = 0;

	if (!mounts)
		return -errno;
	while (!r && getmntent_r(mounts, &entry, buffer, sizeof(buffer))) {
		if (strcmp(entry.mnt_type, "cgroup") != 0 && strcmp(entry.mnt_type, "cgroup2") != 0)
			continue;
		if (strncmp(entry.mnt_dir, CGROUP_ROOT, strlen(CGROUP_ROOT)) != 0)
			continue;
		r = call(entry.mnt_dir, path, limit);
	}
	endmntent(mounts);
	return r;
}

static int make_one(const char *mount, const char *path, const struct await_limit *limit)
{
	char directory[PATH_MAX];
	int r = 0;

	(void)limit;
	if (snprintf(directory, sizeof(directory), "%s/%s", mount, path) >= (int)sizeof(directory))
		return -ENAMETOOLONG;
	r = directory_make(directory, 0755);
	if (r)
		log_error("cgroup %s: cannot create it: %s", directory, strerror(-r));
	return r;
}

int runtime_make_cgroup_parent(const char *path)
{
	return for_each_hierarchy(path, NULL, make_one);
}

/* Kill all processes in the cgroup. */
static void kill_all(const char *directory)
{
	char path[PATH_MAX + sizeof("/cgroup.procs")];
	FILE *file;
	int pid;

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fscanf(file, "%d", &pid) == 1)
		if (pid > 0) /* 0: of another pid namespace */
			kill(pid, SIGKILL);
	fclose(file);
}

/* rmdir() removes a cgroup without processes, although it contains files. */
static int remove_one(const char *mount, const char *path, const struct await_limit *limit)
{
	char directory[PATH_MAX];

	if (snprintf(directory, sizeof(directory), "%s%s", mount, path) >= (int)sizeof(directory))
		return -ENAMETOOLONG;
	for (int i = 0; i < TRIES_MAX; i++) {
		if (rmdir(directory) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return -errno;
		kill_all(directory);
		int r = await_pause(i < TRIES_MIN ? &AWAIT_FOREVER : limit, TRY_NS);
		if (r)
			return r;
	}
	return -EBUSY;
}

/* A runtime that was killed while it froze the cgroup leaves it frozen. In version 1
 * the processes then do not die of SIGKILL, in whichever hierarchy it is sent. */
static int thaw_one(const char *mount, const char *path, const struct await_limit *limit)
{
	static const char *const files[][2] = { { "freezer.state", "THAWED" },
						{ "cgroup.freeze", "0" } };
	char file[PATH_MAX];

	(void)limit;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd, n = snprintf(file, sizeof(file), "%s%s/%s", mount, path, files[i][0]);

		fd = n < (int)sizeof(file) ? open(file, O_WRONLY | O_CLOEXEC) : -1;
		if (fd < 0)
			continue;
		if (write(fd, files[i][1], strlen(files[i][1])) < 0)
			log_warning("%s: %s", file, strerror(errno));
		close(fd);
	}
	return 0;
}

int runtime_cgroup_remove(const char *path, const struct await_limit *limit)
{
	int r = for_each_hierarchy(path, NULL, thaw_one);

	return r ? r : for_each_hierarchy(path, limit, remove_one);
}
