/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/common/directory.h"
#include "userspace/common/log.h"

#define PIN_PATH_MAX (PATH_MAX + NAME_MAX)

static int make_directory(const char *path)
{
	int r = directory_make_own(path, 0700);

	/* A directory of another user could hold anything. */
	if (r == -EPERM)
		log_error("%s: not a directory owned by this user; remove it", path);
	else if (r)
		log_error("%s: cannot create the pin directory: %s", path, strerror(-r));
	return r;
}

int pins_init(struct pins *pins, const char *instance)
{
	char root[] = PINS_ROOT;
	struct statfs fs;
	int r;

	*strrchr(root, '/') = '\0';
	if (statfs(root, &fs) || fs.f_type != BPF_FS_MAGIC) {
		log_error("%s: not a BPF file system; mount one with: mount -t bpf bpf %s", root,
			  root);
		return -ENODEV;
	}
	r = make_directory(PINS_ROOT);
	if (r)
		return r;
	if (snprintf(pins->directory, sizeof(pins->directory), "%s/%s", PINS_ROOT, instance) >=
	    (int)sizeof(pins->directory))
		return -ENAMETOOLONG;
	return make_directory(pins->directory);
}

int pins_put(const struct pins *pins, const char *prefix, const char *name, int fd)
{
	char path[PIN_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s%s", pins->directory, prefix, name);
	if (unlink(path) && errno != ENOENT)
		return -errno;
	r = bpf_obj_pin(fd, path);
	if (r)
		log_error("%s: cannot pin: %s", path, strerror(-r));
	return r;
}

int pins_rename(const struct pins *pins, const char *name, const char *to)
{
	char path[PIN_PATH_MAX], to_path[PIN_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", pins->directory, name);
	(void)snprintf(to_path, sizeof(to_path), "%s/%s", pins->directory, to);
	return rename(path, to_path) ? -errno : 0;
}

static bool begins_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool pins_has_other(const struct pins *pins, const char *prefix, const char *const *names,
		    size_t n_names)
{
	DIR *directory = opendir(pins->directory);
	const size_t length = strlen(prefix);
	const struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		size_t i = 0;

		if (!begins_with(entry->d_name, prefix))
			continue;
		while (i < n_names && strcmp(entry->d_name + length, names[i]) != 0)
			i++;
		found = i == n_names;
	}
	if (directory)
		(void)closedir(directory);
	return found || !directory;
}

int pins_get(const struct pins *pins, const char *name)
{
	char path[PIN_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", pins->directory, name);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

/* The kernel does not report whether a map is frozen, except in /proc. It refuses to change
 * a frozen one before it reads anything; if it is not frozen, there is no key to read, and
 * the flags are wrong: nothing is changed. */
bool pins_is_frozen(int fd)
{
	return bpf_map_update_elem(fd, NULL, NULL, BPF_NOEXIST | BPF_EXIST) == -EPERM;
}

int pins_each(const struct pins *pins, const char *prefix, pins_each_fn call)
{
	DIR *directory = opendir(pins->directory);
	const struct dirent *entry;
	int r = directory || errno == ENOENT ? 0 : -errno;

	if (r)
		log_error("%s: %s", pins->directory, strerror(-r));
	while (directory && !r && (entry = readdir(directory)))
		if (entry->d_name[0] != '.' && begins_with(entry->d_name, prefix))
			r = call(pins, entry->d_name);
	if (directory)
		(void)closedir(directory);
	return r;
}

void pins_remove(const struct pins *pins, const char *name)
{
	char path[PIN_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", pins->directory, name);
	unlink(path);
}

/* `kept` is a prefix, too, or NULL. */
static void remove_all(const struct pins *pins, const char *prefix, const char *kept)
{
	DIR *directory = opendir(pins->directory);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.' && begins_with(entry->d_name, prefix) &&
		    (!kept || !begins_with(entry->d_name, kept)))
			pins_remove(pins, entry->d_name);
	closedir(directory);
}

void pins_remove_all(const struct pins *pins, const char *prefix)
{
	remove_all(pins, prefix, NULL);
}

void pins_deinit(const struct pins *pins)
{
	remove_all(pins, "", PIN_ASIDE_PREFIX);
	rmdir(pins->directory);
}
