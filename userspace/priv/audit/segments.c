/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/audit/segments.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "userspace/common/audit_files.h"

static int new_path(const char *log, char path[static PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s.new", log) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int audit_segments_create(const char *log)
{
	char path[PATH_MAX];
	int r = new_path(log, path), fd;

	if (r)
		return r;
	(void)unlink(path); /* of a process that was killed */
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

void audit_segments_discard(const char *log)
{
	char path[PATH_MAX];

	if (!new_path(log, path))
		(void)unlink(path);
}

/* Give segment `i` the next number. */
static int step(const char *log, unsigned int i)
{
	char from[PATH_MAX], to[PATH_MAX];
	int r = audit_segment_path(log, i, from);

	if (!r)
		r = audit_segment_path(log, i + 1, to);
	if (r)
		return r;
	return rename(from, to) ? -errno : 0;
}

static int step_back(const char *log)
{
	char path[PATH_MAX];
	int r = audit_segment_path(log, 1, path);

	return r ? r : rename(path, log) ? -errno : 0;
}

static bool is_free(const char *log, unsigned int i)
{
	char path[PATH_MAX];

	return !audit_segment_path(log, i, path) && access(path, F_OK) && errno == ENOENT;
}

/* Remove what is left of more files, the oldest first, so that no other one is missing if
 * this does not come to its end. */
static void remove_excess(const char *log, unsigned int n_files)
{
	char path[PATH_MAX];

	for (unsigned int i = AUDIT_SEGMENTS_MAX; i-- > n_files;)
		if (!audit_segment_path(log, i, path))
			(void)unlink(path);
}

int audit_segments_rotate(const char *log, unsigned int n_files)
{
	unsigned int last = n_files - 1, i = 1;
	char path[PATH_MAX];
	int r = 0;

	/* Where a number is free, because a rotation has not ended, nothing is replaced. */
	while (i < last && !is_free(log, i))
		i++;
	while (!r && i-- > 0)
		r = step(log, i);
	if (!r)
		r = new_path(log, path);
	if (r)
		return r;
	if (rename(path, log)) {
		r = -errno;
		(void)step_back(log);
		return r;
	}
	remove_excess(log, n_files);
	return 0;
}
