/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "userspace/priv/handlers/file.h"

/* Has a dot, so it is not the name of an instance. */
#define LOCK "handlers.lock"
#define WAIT_NS 10000000
#define WAITS_MAX 100

/* RUN_ROOT/NAME, or RUN_ROOT/INSTANCE/NAME. */
static int path_of(const struct handler_context *context, const char *instance, const char *name,
		   char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s%s", context->run_root, instance ? instance : "",
			 instance ? "/" : "", name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int shared_lock(struct handler_context *context, int *fdp)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	char path[PATH_MAX];
	int i, fd, r = path_of(context, NULL, LOCK, path);

	if (r)
		return handler_fail(context, r, "run directory");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd < 0)
		return handler_fail(context, -errno, "%s", path);
	/* Do not wait for long: a stopped watcher of another instance may hold the lock. */
	for (i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		r = -errno;
		if ((r != -EWOULDBLOCK && r != -EINTR) || i == WAITS_MAX) {
			(void)close(fd);
			return handler_fail(context, r, "%s", path);
		}
		(void)ppoll(NULL, 0, &wait, NULL);
	}
	*fdp = fd;
	return 0;
}

void shared_unlock(int fd)
{
	(void)close(fd);
}

int shared_say(struct handler_context *context, const char *name, const char *text, size_t length)
{
	char present[SHARED_TEXT_SIZE];
	char path[PATH_MAX];
	int n, r = path_of(context, context->instance, name, path);

	if (r)
		return handler_fail(context, r, "run directory");
	n = file_read(path, present, sizeof(present));
	if (n == -ENOENT && !text)
		return 0;
	if (text && n == (int)length && !memcmp(present, text, length))
		return 0;
	r = text ? file_write(path, text, length) : file_remove(path);
	return r ? handler_fail(context, r, "%s", path) : 0;
}

static int read_one(struct handler_context *context, const char *instance, const char *name,
		    shared_fn call, void *data)
{
	char text[SHARED_TEXT_SIZE];
	char path[PATH_MAX];
	int n = path_of(context, instance, name, path);

	if (!n)
		n = file_read(path, text, sizeof(text));
	if (n < 0 && n != -ENOENT && n != -EFBIG)
		return handler_fail(context, n, "%s", path);
	if (n >= 0)
		call(instance, text, data);
	return 0;
}

/* Not readdir(), which would allocate. */
int shared_each(struct handler_context *context, const char *name, shared_fn call, void *data)
{
	char bytes[4096] __attribute__((aligned(8)));
	unsigned int n_instances = 0;
	ssize_t size, at;
	int fd, r = 0;

	fd = open(context->run_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return handler_fail(context, -errno, "%s", context->run_root);
	while ((size = getdents64(fd, bytes, sizeof(bytes))) > 0) {
		for (at = 0; at < size;) {
			const struct dirent64 *entry = (const void *)(bytes + at);

			at += entry->d_reclen;
			if (strchr(entry->d_name, '.') || n_instances == SHARED_INSTANCES_MAX ||
			    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
				continue;
			n_instances++;
			r = handler_first(r, read_one(context, entry->d_name, name, call, data));
		}
	}
	if (size < 0)
		r = handler_fail(context, -errno, "%s", context->run_root);
	(void)close(fd);
	return r;
}
