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
#include <time.h>
#include <unistd.h>

#include "userspace/common/directory.h"
#include "userspace/common/log.h"
#include "userspace/priv/container/runtime.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define TRIES_MAX 200
#define TRY_NS 10000000 /* 10 ms */

/* Call `call` for `path` in each hierarchy. Returns 0, or the first error. */
static int for_each_hierarchy(const char *path, int (*call)(const char *mount, const char *path))
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
		r = call(entry.mnt_dir, path);
	}
	endmntent(mounts);
	return r;
}

static int make_one(const char *mount, const char *path)
{
	char directory[PATH_MAX];
	int r = 0;

	if (snprintf(directory, sizeof(directory), "%s/%s", mount, path) >= (int)sizeof(directory))
		return -ENAMETOOLONG;
	r = directory_make(directory, 0755);
	if (r)
		log_error("cgroup %s: cannot create it: %s", directory, strerror(-r));
	return r;
}

int runtime_make_cgroup_parent(const char *path)
{
	return for_each_hierarchy(path, make_one);
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
static int remove_one(const char *mount, const char *path)
{
	const struct timespec pause = { .tv_nsec = TRY_NS };
	char directory[PATH_MAX];

	if (snprintf(directory, sizeof(directory), "%s%s", mount, path) >= (int)sizeof(directory))
		return -ENAMETOOLONG;
	for (int i = 0; i < TRIES_MAX; i++) {
		if (rmdir(directory) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return -errno;
		kill_all(directory);
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

int runtime_cgroup_remove(const char *path)
{
	return for_each_hierarchy(path, remove_one);
}
