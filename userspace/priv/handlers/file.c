/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/common/directory.h"

#define LINKS_MAX 40 /* as the kernel */
#define RUN "/run/"
/* So much is written at once: a process that is killed has written all of it or nothing. */
#define FILE_PAGE 4096

int file_read(const char *path, char *text, size_t size)
{
	size_t at = 0;
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r = 0;

	if (fd < 0)
		return -errno;
	while (n && at < size) {
		n = read(fd, text + at, size - at);
		if (n < 0 && errno != EINTR) {
			r = -errno;
			break;
		}
		if (n > 0)
			at += (size_t)n;
	}
	(void)close(fd);
	if (r)
		return r;
	if (at == size)
		return -EFBIG;
	text[at] = '\0';
	return (int)at;
}

/* The way to a file: `done` has no link and no "." or ".." in it, `rest` is to be looked at. */
struct way {
	char done[PATH_MAX]; /* without a slash at its end, so that "" is the root */
	size_t length;	     /* of `done` */
	char rest[PATH_MAX];
	unsigned int n_links;
	bool is_missing; /* `done` does not exist */
};

static void go_to_parent(struct way *way)
{
	const char *slash = strrchr(way->done, '/');

	way->length = slash ? (size_t)(slash - way->done) : 0;
	way->done[way->length] = '\0';
}

/* Put `length` bytes of a link's text in front of the rest, `at`. */
static int follow(struct way *way, const char *link, size_t length, const char *at)
{
	size_t n_rest = strlen(at) + 1;

	if (++way->n_links > LINKS_MAX)
		return -ELOOP;
	if (length + n_rest > sizeof(way->rest))
		return -ENAMETOOLONG;
	memmove(way->rest + length, at, n_rest);
	memcpy(way->rest, link, length);
	if (link[0] == '/')
		way->done[way->length = 0] = '\0';
	else
		go_to_parent(way);
	return 0;
}

/* Move one name from the rest to what is done. */
static int step(struct way *way)
{
	const char *name = way->rest + strspn(way->rest, "/");
	size_t length = strcspn(name, "/");
	const char *at = name + length;
	char link[PATH_MAX];
	ssize_t n = -1;

	if (length == 2 && !memcmp(name, "..", 2)) {
		if (way->is_missing)
			return -ENOENT;
		go_to_parent(way);
	} else if (length && !(length == 1 && name[0] == '.')) {
		if (way->length + 1 + length >= sizeof(way->done))
			return -ENAMETOOLONG;
		way->done[way->length++] = '/';
		memcpy(way->done + way->length, name, length);
		way->done[way->length += length] = '\0';
		if (!way->is_missing)
			n = readlink(way->done, link, sizeof(link));
		if (n == sizeof(link))
			return -ENAMETOOLONG;
		if (n >= 0)
			return follow(way, link, (size_t)n, at);
		if (!way->is_missing && errno != EINVAL && errno != ENOENT)
			return -errno;
		way->is_missing |= errno == ENOENT;
	}
	memmove(way->rest, at, strlen(at) + 1);
	return 0;
}

int file_resolve(const char *path, char target[static PATH_MAX])
{
	struct way way = { .length = 0 };
	int r = 0;

	if (path[0] != '/')
		return -EINVAL;
	if (strlen(path) >= sizeof(way.rest))
		return -ENAMETOOLONG;
	memcpy(way.rest, path, strlen(path) + 1);
	while (way.rest[0] && !r)
		r = step(&way);
	if (!r)
		memcpy(target, way.done, way.length + 1);
	return r;
}

int file_make_directory(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (strncmp(path, RUN, sizeof(RUN) - 1) != 0 || strlen(path) >= sizeof(directory))
		return -ENOENT;
	memcpy(directory, path, (size_t)(slash - path));
	directory[slash - path] = '\0';
	return directory_make(directory, 0755);
}

int file_write(const char *path, const char *text, size_t length)
{
	const struct directory_text whole = { text, length };
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat old = { .st_mode = 0644 };
	int n = snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1,
			 slash ? path : ".");

	if (n < 0 || n >= (int)sizeof(directory))
		return -ENAMETOOLONG;
	if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
		return -EINVAL;
	return directory_replace_file(directory, slash ? slash + 1 : path, old.st_mode & 0777,
				      directory_fill_text, &whole);
}

/* First the text, then the cut. What the cut will remove is overwritten together with
 * the text, so that nobody reads the end of the old text in between, or after a kill. */
static int fill_and_cut(int fd, off_t old_size, const struct directory_text *text)
{
	char page[FILE_PAGE];
	struct directory_text padded = *text;
	int r;

	if (old_size > (off_t)text->length && old_size <= (off_t)sizeof(page)) {
		memcpy(page, text->bytes, text->length);
		memset(page + text->length, '\n', (size_t)old_size - text->length);
		padded = (struct directory_text){ page, (size_t)old_size };
	}
	r = directory_fill_text(fd, &padded);
	if (!r && (ftruncate(fd, (off_t)text->length) < 0 || fsync(fd) < 0))
		r = -errno;
	return r;
}

static int write_in_place(const char *path, const struct directory_text *text)
{
	struct stat old;
	int r = 0, fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &old) < 0)
		r = -errno;
	else if (!S_ISREG(old.st_mode))
		r = -EINVAL;
	if (!r)
		r = fill_and_cut(fd, old.st_size, text);
	(void)close(fd);
	return r;
}

/* Does the error mean that the name cannot be changed, but perhaps the content? */
static bool is_of_name(int error)
{
	return error == -EBUSY || error == -EXDEV || error == -EROFS || error == -EACCES ||
	       error == -EPERM;
}

int file_overwrite(const char *path, const char *text, size_t length)
{
	const struct directory_text whole = { text, length };
	int replaced, r = write_in_place(path, &whole);

	if (r != -ENOENT && r != -EACCES && r != -EPERM)
		return r;
	replaced = file_write(path, text, length);
	/* If neither is possible, the reason is the file's, unless there is none. */
	return r != -ENOENT && is_of_name(replaced) ? r : replaced;
}

bool file_is_half_overwritten(const char *text, size_t length, const char *present,
			      size_t n_present)
{
	size_t at = length;

	if (n_present <= length || n_present > FILE_PAGE || memcmp(present, text, length) != 0)
		return false;
	while (at < n_present && present[at] == '\n')
		at++;
	return at == n_present;
}

int file_remove(const char *path)
{
	const struct directory_text empty = { "", 0 };

	if (unlink(path) == 0)
		return 0;
	if (errno == ENOENT)
		return 0;
	return is_of_name(-errno) ? write_in_place(path, &empty) : -errno;
}
