/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/watcher/files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "userspace/common/file_events.h"
#include "userspace/priv/handlers/file.h"

#define DIRECTORY_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE)
#define FILE_EVENTS (IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
#define EVENTS_SIZE 4096

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Returns the watch descriptor, the same one again for the same inode, or -1 if
 * there is no such directory. */
static int watch_directory(int fd, const char *path)
{
	char directory[PATH_MAX];

	(void)snprintf(directory, sizeof(directory), "%.*s", (int)(name_of(path) - path), path);
	return inotify_add_watch(fd, directory, DIRECTORY_EVENTS);
}

static void follow(struct watcher_files *files)
{
	char target[PATH_MAX];

	files->directory = watch_directory(files->fd, files->path);
	files->target_directory = files->target = -1;
	if (file_resolve(files->path, target))
		return;
	files->target_directory = watch_directory(files->fd, target);
	files->target = inotify_add_watch(files->fd, target, FILE_EVENTS);
}

int watcher_files_init(struct watcher_files *files, const char *path)
{
	*files = WATCHER_FILES_NULL(*files);
	files->path = path;
	files->fd = file_events_open(path, &files->is_timer);
	if (files->fd < 0)
		return files->fd;
	if (!files->is_timer)
		follow(files);
	return 0;
}

void watcher_files_deinit(struct watcher_files *files)
{
	if (files->fd >= 0)
		(void)close(files->fd);
	*files = WATCHER_FILES_NULL(*files);
}

/* Does the event concern the file, or another one in its directory? */
static bool concerns(const struct watcher_files *files, const struct inotify_event *event)
{
	char target[PATH_MAX];

	if (event->mask & IN_Q_OVERFLOW || event->wd == files->target)
		return true;
	if (event->mask & IN_IGNORED) /* a directory was removed */
		return event->wd == files->target_directory || event->wd == files->directory;
	if (!event->len)
		return false;
	if (event->wd == files->directory && !strcmp(event->name, name_of(files->path)))
		return true;
	return event->wd == files->target_directory && !file_resolve(files->path, target) &&
	       !strcmp(event->name, name_of(target));
}

bool watcher_files_drain(struct watcher_files *files)
{
	char bytes[EVENTS_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool has_changed = false;
	ssize_t size, at;

	if (files->is_timer)
		return read(files->fd, bytes, sizeof(bytes)) > 0;
	while ((size = read(files->fd, bytes, sizeof(bytes))) > 0) {
		for (at = 0; at < size;) {
			const struct inotify_event *event = (const void *)(bytes + at);

			at += (ssize_t)(sizeof(*event) + event->len);
			has_changed |= concerns(files, event);
		}
	}
	/* If the file was replaced, watch the new one; and its directory as soon as it is
	 * made, which no event announces. */
	if (has_changed || files->target_directory < 0)
		follow(files);
	return has_changed;
}
