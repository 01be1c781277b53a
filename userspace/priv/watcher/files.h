/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detects by inotify that another program changes a file that calfpen writes.
 * It watches the directory, because the file may be replaced, and the file
 * itself, because it may be a mount point that is written through another path.
 */
#ifndef CALFPEN_PRIV_WATCHER_FILES_H
#define CALFPEN_PRIV_WATCHER_FILES_H

#include <stdbool.h>

struct watcher_files {
	int fd;		  /* for poll(2): POLLIN */
	bool is_timer;	  /* no inotify instance was left: the file may have changed each time */
	const char *path; /* the caller's; symbolic links in it are followed */
	int directory;	  /* watch descriptors, -1: none */
	int target_directory;
	int target;
};

#define WATCHER_FILES_NULL(_x) \
	((struct watcher_files){ .fd = -1, .directory = -1, .target_directory = -1, .target = -1 })

/* Start watching. Opens a descriptor, so call it before confine_enter(). `path`
 * must outlive `files`. A missing directory is no error; each drain tries again to
 * watch it. Returns 0, or a negative errno. */
int watcher_files_init(struct watcher_files *files, const char *path);
void watcher_files_deinit(struct watcher_files *files);
/* Read the pending events and watch the file that `path` means now. Returns true
 * if the file may have changed. */
bool watcher_files_drain(struct watcher_files *files);

#endif
