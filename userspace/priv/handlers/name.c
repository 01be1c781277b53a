/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/instance.h"
#include "userspace/common/value.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/shared.h"

#define NAME_SIZE (NAME_LENGTH_MAX + 1)
#define LINE_SIZE 512
#define NOT_ALLOWED 1 /* this container may not change the name */

static const char *const files[] = { [NAME_HOST] = "hostname", [NAME_DOMAIN] = "domainname" };

/* The name that wins: that of the instance with the lowest metric. */
struct choice {
	char instance[INSTANCE_NAME_MAX + 1]; /* "": no instance wants a name */
	uint32_t metric;
	char name[NAME_SIZE];
};

/* The saved note, three lines: the original name, the one last set, and the one
 * set before that. */
struct saved {
	bool is_there;
	char original[NAME_SIZE], set[NAME_SIZE], previous[NAME_SIZE];
};

static bool choose(const char *instance, const char *text, bool is_over, void *data)
{
	struct choice *choice = data;
	char name[NAME_SIZE];
	uint32_t metric;

	if (is_over ||
	    sscanf(text, "%" SCNu32 " %64s", &metric, name) != 2 || /* NOLINT(cert-err34-c) */
	    !value_is_hostname(name) || strlen(instance) > INSTANCE_NAME_MAX)
		return is_over;
	if (choice->instance[0] &&
	    (metric > choice->metric ||
	     (metric == choice->metric && strcmp(instance, choice->instance) > 0)))
		return false;
	(void)snprintf(choice->instance, sizeof(choice->instance), "%s", instance);
	memcpy(choice->name, name, sizeof(name));
	choice->metric = metric;
	return false;
}

static int saved_read(struct handler_context *context, const char *path, struct saved *saved)
{
	char text[LINE_SIZE];
	int n = file_read(path, text, sizeof(text));

	saved->is_there = false;
	if (n < 0 && n != -ENOENT && n != -EFBIG)
		return handler_fail(context, n, "%s", path);
	saved->is_there = n >= 0 && sscanf(text, "%64[^\n]\n%64[^\n]\n%64[^\n]", saved->original,
					   saved->set, saved->previous) == 3;
	return 0;
}

/* Read the name without its newline. Returns 0, or a negative errno. */
static int kernel_read(const char *path, char name[static NAME_SIZE])
{
	char text[LINE_SIZE];
	int n = file_read(path, text, sizeof(text));

	if (n < 0)
		return n;
	(void)snprintf(name, NAME_SIZE, "%.*s", (int)strcspn(text, "\n"), text);
	return 0;
}

static int kernel_write(struct handler_context *context, const char *path, const char *name)
{
	size_t length = strlen(name);
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = fd < 0 ? -errno : 0;

	if (!r && write(fd, name, length) != (ssize_t)length)
		r = errno ? -errno : -EIO;
	if (fd >= 0)
		(void)close(fd);
	if (r == -EROFS || r == -EACCES || r == -EPERM) {
		handler_note(context, "%s: %s", path, strerror(-r));
		return NOT_ALLOWED;
	}
	return r ? handler_fail(context, r, "%s", path) : 0;
}

/* Write the note first: if the process is killed in between, the kernel has either
 * name, and the note says that calfpen set both. */
static int change(struct handler_context *context, const char *kernel, const char *note,
		  const struct saved *saved, const char *present, const char *name)
{
	char text[LINE_SIZE];
	int n, r;

	if (!strcmp(present, name))
		return 0;
	n = snprintf(text, sizeof(text), "%s\n%s\n%s\n",
		     saved->is_there ? saved->original : present, name, present);
	r = file_write(note, text, (size_t)n);
	if (r)
		return handler_fail(context, r, "%s", note);
	r = kernel_write(context, kernel, name);
	/* Nothing was changed, so there is nothing to restore. */
	if (r && !saved->is_there)
		(void)file_remove(note);
	return r < 0 ? r : 0;
}

static int restore(struct handler_context *context, const char *kernel, const char *note,
		   const struct saved *saved, const char *present)
{
	int r = 0;

	if (saved->is_there && strcmp(present, saved->original) != 0 &&
	    (!strcmp(present, saved->set) || !strcmp(present, saved->previous)))
		r = kernel_write(context, kernel, saved->original);
	if (r)
		return r < 0 ? r : 0;
	r = file_remove(note);
	return r ? handler_fail(context, r, "%s", note) : 0;
}

/* Set the name that the instances together want. Call with the lock held. */
static int set_chosen(struct handler_context *context, enum name which)
{
	struct choice choice = { .metric = 0 };
	char note[PATH_MAX], kernel[64], present[NAME_SIZE];
	struct saved saved;
	int n, r;

	n = snprintf(note, sizeof(note), "%s/%s.saved", context->run_root, files[which]);
	if (n < 0 || n >= PATH_MAX)
		return handler_fail(context, -ENAMETOOLONG, "run directory");
	(void)snprintf(kernel, sizeof(kernel), "/proc/sys/kernel/%s", files[which]);
	r = shared_each(context, files[which], choose, &choice);
	if (r)
		return r;
	r = saved_read(context, note, &saved);
	if (r)
		return r;
	if (!choice.instance[0] && !saved.is_there)
		return 0;
	r = kernel_read(kernel, present);
	if (r)
		return handler_fail(context, r, "%s", kernel);
	return choice.instance[0] ? change(context, kernel, note, &saved, present, choice.name) :
				    restore(context, kernel, note, &saved, present);
}

int name_set(struct handler_context *context, enum name which, const char *name)
{
	char text[LINE_SIZE];
	int lock, n, r;

	if (name && strlen(name) > NAME_LENGTH_MAX) {
		handler_note(context, "%s: %zu bytes are more than the kernel accepts",
			     files[which], strlen(name));
		name = NULL;
	}
	n = snprintf(text, sizeof(text), "%" PRIu32 " %s\n", handler_rank(context),
		     name ? name : "");
	r = shared_lock(context, &lock);
	if (r)
		return r;
	r = shared_say(context, files[which], name ? text : NULL, (size_t)n);
	if (!r)
		r = set_chosen(context, which);
	shared_unlock(lock);
	return r;
}
