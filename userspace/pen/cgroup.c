/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/pen/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/pen/report.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define TRIES_MAX 400
#define TRY_US 5000

enum { MEMORY = 1, PIDS = 2, CPU = 4, ALL = 7 };
static const char *const controllers[] = { "memory", "pids", "cpu" };
#define N_CONTROLLERS (sizeof(controllers) / sizeof(controllers[0]))

struct hierarchy {
	char mount[PATH_MAX];
	dev_t device;
	bool is_v2;
	unsigned int has; /* bits of the controllers that are here */
};

struct hierarchies {
	struct hierarchy at[PEN_CGROUPS_MAX];
	size_t n;
};

/* Read a small file. Returns its length or a negative errno. */
static int read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = fd < 0 ? -errno : 0;
	ssize_t n = r ? 0 : read(fd, text, size - 1);

	if (n < 0)
		r = -errno;
	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return r ? r : (int)n;
}

/* Is `word` in a list with blanks? */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || at[-1] == ' ') && strchr(" \n", at[length]))
			return true;
	return false;
}

static unsigned int controllers_of(const struct mntent *entry, bool is_v2)
{
	char file[PATH_MAX + 32], text[512] = "";
	unsigned int has = 0;

	snprintf(file, sizeof(file), "%s/cgroup.controllers", entry->mnt_dir);
	if (is_v2)
		(void)read_file(file, text, sizeof(text));
	for (size_t i = 0; i < N_CONTROLLERS; i++)
		if (is_v2 ? has_word(text, controllers[i]) :
			    hasmntopt(entry, controllers[i]) != NULL)
			has |= 1u << i;
	return has;
}

static bool is_known(const struct hierarchies *all, dev_t device)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].device == device)
			return true;
	return false;
}

/* Find the hierarchies that matter here: of version 1 those with one of the controllers. */
static int find_hierarchies(struct hierarchies *all)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char buffer[2 * PATH_MAX];
	struct mntent entry;

	all->n = 0;
	if (!mounts)
		return -errno;
	while (all->n < PEN_CGROUPS_MAX && getmntent_r(mounts, &entry, buffer, sizeof(buffer))) {
		const bool is_v2 = !strcmp(entry.mnt_type, "cgroup2");
		struct hierarchy *new = &all->at[all->n];
		struct stat status;

		if (!is_v2 && strcmp(entry.mnt_type, "cgroup") != 0)
			continue;
		if (strncmp(entry.mnt_dir, CGROUP_ROOT, strlen(CGROUP_ROOT)) != 0 ||
		    strlen(entry.mnt_dir) >= sizeof(new->mount) || stat(entry.mnt_dir, &status))
			continue;
		memcpy(new->mount, entry.mnt_dir, strlen(entry.mnt_dir) + 1);
		new->device = status.st_dev;
		new->is_v2 = is_v2;
		new->has = controllers_of(&entry, is_v2);
		if ((is_v2 || new->has) && !is_known(all, status.st_dev))
			all->n++;
	}
	endmntent(mounts);
	return 0;
}

static int directory_of(const struct hierarchy *hierarchy, const char *path, char *directory)
{
	return snprintf(directory, PATH_MAX, "%s%s", hierarchy->mount, path) < PATH_MAX ?
		       0 :
		       -ENAMETOOLONG;
}

__attribute__((format(printf, 3, 4))) static int put(const char *directory, const char *name,
						     const char *format, ...)
{
	char file[PATH_MAX + 64], text[64];
	int fd, n, r = 0;
	va_list arguments;

	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(file, sizeof(file), "%s/%s", directory, name);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

static int put_limit(const char *directory, const char *name, uint64_t value)
{
	int r = put(directory, name, "%llu", (unsigned long long)value);

	return r ? pen_fail(r, "%s/%s: %s", directory, name, strerrordesc_np(-r)) : 0;
}

/* The same, but not every kernel has the file. */
static int put_if_there(const char *directory, const char *name, uint64_t value)
{
	int r = put(directory, name, "%llu", (unsigned long long)value);

	return r && r != -ENOENT ? pen_fail(r, "%s/%s: %s", directory, name, strerrordesc_np(-r)) :
				   r;
}

static int limit_memory(const char *directory, bool is_v2, uint64_t bytes)
{
	int r = put_limit(directory, is_v2 ? "memory.max" : "memory.limit_in_bytes", bytes);

	if (r)
		return r;
	if (is_v2) /* without the file, there is no swap */
		r = put_if_there(directory, "memory.swap.max", 0);
	else
		r = put_if_there(directory, "memory.memsw.limit_in_bytes", bytes);
	if (r == -ENOENT && !is_v2) /* swap is not accounted for */
		r = put_if_there(directory, "memory.swappiness", 0);
	return r == -ENOENT ? 0 : r;
}

static int limit_cpu(const char *directory, bool is_v2, const struct pen_config *config)
{
	int r;

	if (is_v2) {
		r = put(directory, "cpu.max", "%llu %llu", (unsigned long long)config->cpu_quota_us,
			(unsigned long long)config->cpu_period_us);
		return r ? pen_fail(r, "%s/cpu.max: %s", directory, strerrordesc_np(-r)) : 0;
	}
	r = put_limit(directory, "cpu.cfs_period_us", config->cpu_period_us);
	return r ? r : put_limit(directory, "cpu.cfs_quota_us", config->cpu_quota_us);
}

/* Version 2: have each cgroup above this one offer the controllers to those below it. */
static int offer(const struct hierarchy *hierarchy, const char *path, unsigned int wanted)
{
	char directory[PATH_MAX], file[PATH_MAX + 32], text[512];
	size_t at = strlen(hierarchy->mount);
	const size_t end = at + (size_t)(strrchr(path, '/') - path);

	if (directory_of(hierarchy, path, directory))
		return -ENAMETOOLONG;
	for (;;) {
		const char saved = directory[at];

		directory[at] = '\0';
		snprintf(file, sizeof(file), "%s/cgroup.subtree_control", directory);
		(void)read_file(file, text, sizeof(text));
		for (size_t i = 0; i < N_CONTROLLERS; i++) {
			int r = 0;

			if ((wanted & 1u << i) && !has_word(text, controllers[i]))
				r = put(directory, "cgroup.subtree_control", "+%s", controllers[i]);
			if (r)
				return pen_fail(r, "%s: cannot offer %s: %s%s", file,
						controllers[i], strerrordesc_np(-r),
						r == -EBUSY || r == -EOPNOTSUPP ?
							"; processes are in this cgroup itself"
							" (systemd: DelegateSubgroup=)" :
							"");
		}
		directory[at] = saved;
		if (at >= end)
			return 0;
		at += 1 + strcspn(directory + at + 1, "/");
	}
}

static int open_cgroup(const char *directory, bool is_v2, struct pen_cgroups *cgroups)
{
	char file[PATH_MAX + sizeof("/tasks")];
	int fd;

	snprintf(file, sizeof(file), "%s%s", directory, is_v2 ? "" : "/tasks");
	fd = open(file, is_v2 ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return pen_fail(-errno, "%s: %s", file, strerrordesc_np(errno));
	if (is_v2)
		cgroups->born_fd = fd;
	else
		cgroups->join_fds[cgroups->n_join++] = fd;
	return 0;
}

static int create_in(const struct hierarchy *hierarchy, const struct pen_config *config,
		     unsigned int wanted, struct pen_cgroups *cgroups)
{
	const bool is_v2 = hierarchy->is_v2;
	char directory[PATH_MAX];
	int r = directory_of(hierarchy, config->cgroup, directory);

	if (r)
		return pen_fail(r, "cgroup %s: %s", config->cgroup, strerrordesc_np(-r));
	if (is_v2 && wanted)
		r = offer(hierarchy, config->cgroup, wanted);
	if (r)
		return r;
	if ((rmdir(directory) && errno != ENOENT) || mkdir(directory, 0755))
		return pen_fail(-errno, "cgroup %s: %s", directory, strerrordesc_np(errno));
	if (wanted & MEMORY)
		r = limit_memory(directory, is_v2, config->memory_bytes);
	if (!r && (wanted & PIDS))
		r = put_limit(directory, "pids.max", config->pids);
	if (!r && (wanted & CPU))
		r = limit_cpu(directory, is_v2, config);
	if (r)
		return r;
	return open_cgroup(directory, is_v2, cgroups);
}

/* Distribute the controllers: each to the first hierarchy that has it. Version 1 first, because
 * on a hybrid host it has those that are in use. */
static int choose(const struct hierarchies *all, unsigned int wanted,
		  unsigned int chosen[PEN_CGROUPS_MAX])
{
	unsigned int left = wanted;

	for (int is_v2 = 0; is_v2 < 2; is_v2++)
		for (size_t i = 0; i < all->n; i++)
			if (all->at[i].is_v2 == (bool)is_v2) {
				chosen[i] = left & all->at[i].has;
				left &= ~all->at[i].has;
			}
	for (size_t i = 0; i < N_CONTROLLERS; i++)
		if (left & 1u << i)
			return pen_fail(-EOPNOTSUPP,
					"linux.resources.%s: no cgroup hierarchy in " CGROUP_ROOT
					" has this controller",
					controllers[i]);
	return 0;
}

int pen_cgroup_create(const struct pen_config *config, struct pen_cgroups *cgroupsp)
{
	unsigned int wanted = MEMORY | PIDS | (config->cpu_quota_us ? CPU : 0);
	unsigned int chosen[PEN_CGROUPS_MAX] = { 0 };
	struct hierarchies all;
	int r = find_hierarchies(&all);

	cgroupsp->n_join = 0;
	cgroupsp->born_fd = -1;
	if (r)
		return pen_fail(r, "cannot read the mounts: %s", strerrordesc_np(-r));
	r = choose(&all, wanted, chosen);
	for (size_t i = 0; !r && i < all.n; i++)
		if (chosen[i] || all.at[i].is_v2)
			r = create_in(&all.at[i], config, chosen[i], cgroupsp);
	return r;
}

/* Kill one process, provided that it is still in the cgroup when we have a descriptor for it. */
static void kill_member(pid_t pid, const char *path)
{
	char file[64], text[8192], line[PEN_CGROUP_SIZE + 2];
	int fd = pidfd_open(pid, 0);

	if (fd < 0)
		return;
	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	snprintf(line, sizeof(line), ":%s\n", path);
	if (read_file(file, text, sizeof(text)) > 0 && strstr(text, line))
		(void)pidfd_send_signal(fd, SIGKILL, NULL, 0);
	close(fd);
}

static void kill_all(const char *directory, const char *path)
{
	char file[PATH_MAX + 32];
	FILE *procs;
	int pid;

	if (!put(directory, "cgroup.kill", "1"))
		return;
	snprintf(file, sizeof(file), "%s/cgroup.procs", directory);
	procs = fopen(file, "re");
	while (procs && fscanf(procs, "%d", &pid) == 1)
		if (pid > 0) /* 0: of another pid namespace */
			kill_member(pid, path);
	if (procs)
		fclose(procs);
}

static int remove_from(const struct hierarchy *hierarchy, const char *path)
{
	char directory[PATH_MAX];
	int r = directory_of(hierarchy, path, directory);

	for (int i = 0; !r && i < TRIES_MAX; i++) {
		if (!rmdir(directory) || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			break;
		kill_all(directory, path);
		usleep(TRY_US);
	}
	r = r ? r : -errno;
	return pen_fail(r, "cgroup %s: cannot remove it: %s", directory, strerrordesc_np(-r));
}

int pen_cgroup_remove(const char *path)
{
	struct hierarchies all;
	int r;

	if (path[0] != '/')
		return 0;
	r = find_hierarchies(&all);
	if (r)
		return pen_fail(r, "cannot read the mounts: %s", strerrordesc_np(-r));
	for (size_t i = 0; i < all.n; i++) {
		int r_one = remove_from(&all.at[i], path);

		r = r ? r : r_one;
	}
	return r;
}
