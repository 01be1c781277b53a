/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/container/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "userspace/common/clock.h"
#include "userspace/common/log.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define TRIES_MAX 200
#define TRY_NS (10 * NS_PER_MS)
/* Enough for processes that were just killed, even if there is no time left. */
#define TRIES_MIN 5

/* The mark of the directories that were made here. It goes with them, and is the same for
 * all instances. Only their owner, root, can set it; to see one of "trusted." would take
 * CAP_SYS_ADMIN at the end of the supervisor. */
#define MADE_MARK "user.calfpen"

/* A negative result ends for_each_hierarchy(), as does a positive one. */
typedef int (*hierarchy_fn)(const char *mount, const char *path, void *data);

/* Call `call` for `path` in each hierarchy. Returns 0, or the first other result. */
static int for_each_hierarchy(const char *path, hierarchy_fn call, void *data)
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
		r = call(entry.mnt_dir, path, data);
	}
	endmntent(mounts);
	return r;
}

/* Create the directory and those above it, and mark what is new. Returns 0, or a negative
 * errno; -ENOENT if another instance removes one at the same time. */
static int make_directories(const char *mount, const char *path, char directory[PATH_MAX])
{
	size_t at = strlen(mount);

	if (snprintf(directory, PATH_MAX, "%s/%s", mount, path) >= PATH_MAX)
		return -ENAMETOOLONG;
	while (directory[at] == '/') {
		char end;
		int r;

		at += 1 + strcspn(directory + at + 1, "/");
		end = directory[at];
		directory[at] = '\0';
		r = mkdir(directory, 0755) ? -errno : 0;
		if (!r)
			(void)setxattr(directory, MADE_MARK, "", 0, 0);
		directory[at] = end;
		if (r && r != -EEXIST)
			return r;
	}
	return 0;
}

static int make_one(const char *mount, const char *path, void *data)
{
	char directory[PATH_MAX];
	int r = make_directories(mount, path, directory);

	(void)data;
	if (r && r != -ENOENT)
		log_error("cgroup %s: cannot create it: %s", directory, strerror(-r));
	return r;
}

/* Make the cgroup in the first hierarchy, and lock it. Returns 1 with the descriptor in
 * data; -EAGAIN if another instance is removing it; or another negative errno. */
static int hold_one(const char *mount, const char *path, void *data)
{
	int *fdp = data, fd, r = make_one(mount, path, NULL);
	struct stat held, present;
	char directory[PATH_MAX];

	if (r)
		return r == -ENOENT ? -EAGAIN : r;
	snprintf(directory, sizeof(directory), "%s/%s", mount, path);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (flock(fd, LOCK_SH | LOCK_NB) || fstat(fd, &held) || stat(directory, &present) ||
	    held.st_ino != present.st_ino) {
		close(fd);
		return -EAGAIN;
	}
	*fdp = fd;
	return 1;
}

int cgroup_parent_hold(const char *path, const struct await_limit *limit)
{
	int fd = -1, r = 0;

	for (int i = 0; i < TRIES_MAX; i++) {
		r = for_each_hierarchy(path, hold_one, &fd);
		if (r == 1) {
			r = for_each_hierarchy(path, make_one, NULL);
			if (!r)
				return fd;
			close(fd);
		} else if (!r) {
			log_error(CGROUP_ROOT ": no cgroup hierarchy is mounted there");
			return -ENODEV;
		}
		if (r != -EAGAIN && r != -ENOENT)
			return r;
		r = await_pause(limit, TRY_NS);
		if (r)
			return r;
	}
	log_error("cgroup %s: another instance is removing it", path);
	return -EBUSY;
}

/*
 * Remove a directory from the root of a hierarchy, which has mode 0555. Without
 * CAP_DAC_OVERRIDE, its owner has to make it writable for that moment. Whoever is killed
 * in between leaves it so; only root can write then, and could anyway.
 */
static int remove_from_root(const char *directory, const char *root)
{
	int r = -EACCES;

	for (int i = 0; r == -EACCES && i < TRIES_MIN; i++) {
		struct stat status;

		if (stat(root, &status))
			return -errno;
		if (status.st_mode & S_IWUSR) { /* by another instance */
			(void)await_pause(&AWAIT_FOREVER, NS_PER_MS);
		} else if (chmod(root, (status.st_mode | S_IWUSR) & ALLPERMS)) {
			return -errno;
		}
		r = rmdir(directory) ? -errno : 0;
		if (!(status.st_mode & S_IWUSR))
			(void)chmod(root, status.st_mode & ALLPERMS);
	}
	return r;
}

static int remove_made(const char *directory)
{
	char above[PATH_MAX];
	int r;

	if (getxattr(directory, MADE_MARK, NULL, 0) < 0)
		return -errno;
	r = rmdir(directory) ? -errno : 0;
	if (r != -EACCES)
		return r;
	memcpy(above, directory, strlen(directory) + 1);
	*strrchr(above, '/') = '\0';
	return remove_from_root(directory, above);
}

struct release {
	struct stat held;
	bool is_held; /* this pass is for the locked directory, or for the others */
};

static int release_one(const char *mount, const char *path, void *data)
{
	const struct release *release = data;
	char directory[PATH_MAX];
	struct stat status;

	if (snprintf(directory, sizeof(directory), "%s/%s", mount, path) >= (int)sizeof(directory))
		return 0;
	if (stat(directory, &status))
		return 0;
	if (release->is_held !=
	    (status.st_dev == release->held.st_dev && status.st_ino == release->held.st_ino))
		return 0;
	/* Until one is not empty, or was there before */
	while (strlen(directory) > strlen(mount) && !remove_made(directory))
		*strrchr(directory, '/') = '\0';
	return 0;
}

void cgroup_parent_release(const char *path, int fd)
{
	struct release release = { 0 };

	if (fd < 0)
		return;
	/* The locked one last: until then nobody else begins to use any of them. */
	if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &release.held)) {
		(void)for_each_hierarchy(path, release_one, &release);
		release.is_held = true;
		(void)for_each_hierarchy(path, release_one, &release);
	}
	close(fd);
}

/* Have version 2 offer the controller to the cgroups in this one. A kernel with real-time
 * group scheduling refuses to, as long as there are real-time processes. Returns whether
 * it is offered. */
static bool offer_cpu(const char *directory)
{
	char file[PATH_MAX + sizeof("/cgroup.subtree_control")], text[256] = " ";
	int fd;

	snprintf(file, sizeof(file), "%s/cgroup.subtree_control", directory);
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (write(fd, "+cpu", 4) == 4 && pread(fd, text + 1, sizeof(text) - 2, 0) > 0)
		text[strcspn(text, "\n")] = ' ';
	close(fd);
	return strstr(text, " cpu ") != NULL;
}

/* Returns 1 if this hierarchy is the one that limits CPU time. */
static int has_cpu(const char *mount, const char *path, void *data)
{
	char directory[PATH_MAX], file[PATH_MAX + sizeof("/cpu.cfs_quota_us")];
	size_t at = strlen(mount);

	(void)data;
	if (snprintf(directory, sizeof(directory), "%s/%s", mount, path) >= (int)sizeof(directory))
		return 0;
	snprintf(file, sizeof(file), "%s/cpu.cfs_quota_us", directory);
	if (access(file, F_OK) == 0)
		return 1; /* version 1 */
	for (;;) {
		char end = directory[at];

		directory[at] = '\0';
		if (!offer_cpu(directory))
			return 0;
		directory[at] = end;
		if (end == '\0')
			return 1;
		at += 1 + strcspn(directory + at + 1, "/");
	}
}

bool cgroup_limits_cpu(const char *path)
{
	return for_each_hierarchy(path, has_cpu, NULL) == 1;
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
static int remove_one(const char *mount, const char *path, void *data)
{
	const struct await_limit *limit = data;
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
static int thaw_one(const char *mount, const char *path, void *data)
{
	static const char *const files[][2] = { { "freezer.state", "THAWED" },
						{ "cgroup.freeze", "0" } };
	char file[PATH_MAX];

	(void)data;
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
	struct await_limit own = *limit;
	int r = for_each_hierarchy(path, thaw_one, NULL);

	return r ? r : for_each_hierarchy(path, remove_one, &own);
}
