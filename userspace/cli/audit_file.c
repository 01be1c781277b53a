/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/audit.h"

#define MAX_REPLACED 2

static int open_to_read(const char *path)
{
	/* O_NONBLOCK, because the path might be a pipe */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int audit_file_use(struct audit_file *file, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	file->fd = fd;
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->offset = 0;
	file->n_replaced = 0;
	return 0;
}

static void end_line(struct audit_file *file, audit_file_fn call, void *data)
{
	call(data, file->line, file->used);
	file->used = 0;
}

static void split_lines(struct audit_file *file, const char *bytes, size_t size, audit_file_fn call,
			void *data)
{
	while (size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		size_t length = newline ? (size_t)(newline - bytes) : size;
		size_t room = sizeof(file->line) - file->used, n = length < room ? length : room;

		/* of a line that is too long, keep only the start */
		memcpy(file->line + file->used, bytes, n);
		file->used += n;
		if (newline)
			end_line(file, call, data);
		length += newline != NULL;
		bytes += length;
		size -= length;
	}
}

int audit_file_read(struct audit_file *file, audit_file_fn call, void *data)
{
	char bytes[16384];

	for (;;) {
		ssize_t n = pread(file->fd, bytes, sizeof(bytes), file->offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		file->offset += n;
		split_lines(file, bytes, (size_t)n, call, data);
	}
}

void audit_file_end(struct audit_file *file, audit_file_fn call, void *data)
{
	if (file->used > 0)
		end_line(file, call, data);
}

/* Open the file that was begun after this one: it has the number before, if the writer has
 * rotated them. Returns 0, or a negative errno with this one still open. */
static int open_next(struct audit_file *file)
{
	const dev_t device = file->device;
	const ino_t inode = file->inode;
	const int n_replaced = file->n_replaced;
	char path[PATH_MAX];
	struct stat st;
	unsigned int i = 1;
	int fd, r;

	while (i < AUDIT_SEGMENTS_MAX &&
	       (audit_segment_path(file->path, i, path) || stat(path, &st) < 0 ||
		st.st_dev != device || st.st_ino != inode))
		i++;
	r = audit_segment_path(file->path, i < AUDIT_SEGMENTS_MAX ? i - 1 : 0, path);
	fd = r ? r : open_to_read(path);
	if (fd < 0)
		return fd;
	/* rotated once more in between */
	if (fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode) {
		close(fd);
		file->n_replaced = n_replaced - 1;
		return -EAGAIN;
	}
	r = audit_file_use(file, fd);
	if (r)
		close(fd);
	return r;
}

int audit_file_follow(struct audit_file *file, audit_file_fn call, void *data)
{
	struct stat st;
	int old = file->fd, r;

	if (fstat(file->fd, &st) == 0 && st.st_size < file->offset) {
		audit_file_end(file, call, data);
		file->offset = 0;
		return 0;
	}
	/* renamed and not yet recreated: the old file may still grow */
	if (stat(file->path, &st) < 0 || (st.st_dev == file->device && st.st_ino == file->inode) ||
	    st.st_size == 0) {
		file->n_replaced = 0;
		return 0;
	}
	if (++file->n_replaced < MAX_REPLACED)
		return 0;
	r = open_next(file);
	if (r < 0) /* removed again, or not a regular file: the old one is still open */
		return r == -ENOENT || r == -EAGAIN ? 0 : r;
	close(old);
	audit_file_end(file, call, data);
	return 0;
}

void audit_file_close(struct audit_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	file->used = 0;
}

static bool is_in_set(const struct audit_set *set, int fd)
{
	struct stat this, st;

	for (unsigned int i = 0; i < set->n; i++)
		if (fstat(fd, &this) == 0 && fstat(set->files[i].fd, &st) == 0 &&
		    this.st_dev == st.st_dev && this.st_ino == st.st_ino)
			return true;
	return false;
}

/* Returns 0, or a negative errno, -EINVAL if it is not a regular file. */
static int add(struct audit_set *set, struct audit_set_file *files, unsigned int *np,
	       const char *path, unsigned int number)
{
	int fd = open_to_read(path), r = 0;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r || is_in_set(set, fd)) {
		close(fd);
		return r;
	}
	files[*np].fd = fd;
	files[*np].number = number;
	memcpy(files[*np].path, path, strlen(path) + 1);
	(*np)++;
	return 0;
}

void audit_set_close(struct audit_set *set)
{
	for (unsigned int i = 0; i < set->n; i++)
		close(set->files[i].fd);
	for (unsigned int i = 0; i < set->n_reserves; i++)
		close(set->reserves[i].fd);
	set->n = set->n_reserves = 0;
}

/* Newest first, so that a rotation meanwhile gives one file twice, but leaves out none. */
int audit_set_open(struct audit_set *set, const struct cli *cli, const char *path)
{
	char name[PATH_MAX];
	int r = -ENOENT;

	set->n = set->n_reserves = 0;
	for (unsigned int i = 0; i < AUDIT_SEGMENTS_MAX; i++) {
		int r_one = audit_segment_path(path, i, name);

		if (!r_one)
			r_one = add(set, set->files, &set->n, name, i);
		if (!i)
			r = r_one;
	}
	if (!audit_reserve_path(path, name))
		(void)add(set, set->reserves, &set->n_reserves, name, 0);
	if (snprintf(name, sizeof(name), "%s/%s/%s", cli->run_root, cli->instance,
		     AUDIT_RESERVE_NAME) < PATH_MAX)
		(void)add(set, set->reserves, &set->n_reserves, name, 1);
	if (r != -EINVAL && (set->n || set->n_reserves))
		return 0;
	audit_set_close(set);
	return r;
}

bool audit_read_head(const struct cli *cli, const char *path, struct audit_head *headp)
{
	char name[PATH_MAX];

	return snprintf(name, sizeof(name), "%s/%s/%s", cli->run_root, cli->instance,
			AUDIT_HEAD_NAME) < PATH_MAX &&
	       !audit_head_read(name, headp) && headp->log == audit_head_log(path);
}
