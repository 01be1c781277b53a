/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notice that somebody changes a file of ours, by inotify: its directory, for
 * it may be replaced, and the file itself, for it may be a mount point that
 * is written through another path.
 */
#ifndef CALFPEN_PRIV_WATCHER_FILES_H
#define CALFPEN_PRIV_WATCHER_FILES_H

#include <stdbool.h>

struct watcher_files {
	int fd;		  /* for poll(2): POLLIN */
	const char *path; /* links in it are followed; lives as long as this */
	int directory;	  /* watch descriptors, -1: none */
	int target_directory;
	int target;
};

#define WATCHER_FILES_NULL(_x) \
	((struct watcher_files){ .fd = -1, .directory = -1, .target_directory = -1, .target = -1 })

/* Begin to watch; opens a descriptor, so before confine_enter(). 0, or a
 * negative errno. A directory that is missing is looked for at each drain. */
int watcher_files_init(struct watcher_files *files, const char *path);
void watcher_files_deinit(struct watcher_files *files);
/* Take what has come, and follow the file: true if it may have changed. */
bool watcher_files_drain(struct watcher_files *files);

#endif
