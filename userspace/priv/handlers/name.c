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
#include "userspace/priv/handlers/provider.h"
#include "userspace/priv/handlers/shared.h"

#define NAME_SIZE (NAME_LENGTH_MAX + 1)
#define LINE_SIZE 512
#define NOT_ALLOWED 1 /* this container may not change the name */

static const char *const files[] = { [NAME_HOST] = "hostname", [NAME_DOMAIN] = "domainname" };
static const enum shared_file shares[] = {
	[NAME_HOST] = SHARED_HOST_NAME, [NAME_DOMAIN] = SHARED_DOMAIN_NAME
};

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
	r = shared_each(context, shares[which], choose, &choice);
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

/* Find the name of the first provider that has one. Returns 0, with name[0] NUL if there is
 * none, or -EBADMSG as handler_fail() if a provider was passed over. */
static int find_name(struct handler_context *context, const struct wanted *wanted,
		     const char *family, bool is_leased, char name[static KV_VALUE_SIZE],
		     bool *endsp)
{
	struct provider_value values[PROVIDER_VALUES_MAX];
	uint32_t n = provider_find_values(context, wanted, family, NULL, is_leased, values);
	int r = 0;

	for (uint32_t i = 0; i < n; i++) {
		const char *text = values[i].value->text;

		if (value_is_hostname(text)) {
			(void)snprintf(name, KV_VALUE_SIZE, "%s", text);
			*endsp = values[i].is_own;
			return r;
		}
		r = handler_fail(context, -EBADMSG, "%.63s is \"%s\"", values[i].path, text);
	}
	return r;
}

int name_set(struct handler_context *context, enum name which, const struct wanted *wanted,
	     const char *family, bool is_leased)
{
	struct shared_text text = { .text = NULL };
	char name[KV_VALUE_SIZE] = "", line[LINE_SIZE];
	int error = 0, lock, r;

	if (family)
		error = find_name(context, wanted, family, is_leased, name, &text.ends);
	if (error && !name[0])
		return error; /* the present name stays */
	if (which == NAME_HOST && strlen(name) > NAME_LENGTH_MAX)
		name[strcspn(name, ".")] = '\0';
	if (strlen(name) > NAME_LENGTH_MAX) {
		handler_note(context, "%s: %zu bytes are more than the kernel accepts",
			     files[which], strlen(name));
		name[0] = '\0';
	}
	if (name[0]) {
		text.text = line;
		text.length = (size_t)snprintf(line, sizeof(line), "%" PRIu32 " %s\n",
					       handler_rank(context), name);
	}
	r = shared_lock(context, &lock);
	if (r)
		return handler_first(error, r);
	r = shared_say(context, shares[which], &text);
	if (!r)
		r = set_chosen(context, which);
	shared_unlock(lock);
	return handler_first(error, r);
}
