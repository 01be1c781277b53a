// SPDX-License-Identifier: Apache-2.0
/*
 * DOC: resolv.conf of the host. Its content before our first write is kept in
 * RUN_DIRECTORY/resolv.conf.saved (resolv.conf.absent if there was no file),
 * and put back when the last key is gone, unless somebody else has written
 * the file since. Equal content is not written again.
 */
#include "userspace/priv/handlers/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/priv/handlers/file.h"

struct paths {
	char target[PATH_MAX]; /* links followed */
	char saved[PATH_MAX];
	char absent[PATH_MAX];
};

static bool dns_concerns(const char *path)
{
	return !strcmp(path, "/domain") || !strcmp(path, "/search") ||
	       !strncmp(path, "/nameserver/", 12);
}

static int find_paths(struct handler_context *context, struct paths *paths)
{
	const char *path = context->configuration->resolv_conf;
	int r = file_resolve(path, paths->target);
	int saved =
		snprintf(paths->saved, PATH_MAX, "%s/resolv.conf.saved", context->run_directory);
	int absent =
		snprintf(paths->absent, PATH_MAX, "%s/resolv.conf.absent", context->run_directory);

	if (!r && (saved < 0 || saved >= PATH_MAX || absent < 0 || absent >= PATH_MAX))
		r = -ENAMETOOLONG;
	return r ? handler_fail(context, r, "%s", path) : 0;
}

static bool is_ours(const char *text)
{
	return !strncmp(text, DNS_HEADER, sizeof(DNS_HEADER) - 1);
}

/* Keep what was there; `length` negative: nothing was, or a text of our own
 * of which the former content is lost. */
static int save(struct handler_context *context, const struct paths *paths, const char *text,
		int length)
{
	int r;

	if (access(paths->saved, F_OK) == 0 || access(paths->absent, F_OK) == 0)
		return 0;
	if (length < 0 || is_ours(text))
		r = file_write(paths->absent, "", 0);
	else
		r = file_write(paths->saved, text, (size_t)length);
	return r ? handler_fail(context, r, "%s", paths->saved) : 0;
}

static int restore(struct handler_context *context, const struct paths *paths, const char *present,
		   int length)
{
	static char saved[FILE_SIZE_MAX];
	int n, r = 0;

	n = file_read(paths->saved, saved, sizeof(saved));
	if (n == -ENOENT && access(paths->absent, F_OK) < 0)
		return 0; /* never written, or restored already */
	if (length >= 0 && is_ours(present)) {
		if (n >= 0)
			r = file_write(paths->target, saved, (size_t)n);
		else
			r = n == -ENOENT ? file_remove(paths->target) : n;
	}
	if (r)
		return handler_fail(context, r, "%s, former content", paths->target);
	r = handler_first(file_remove(paths->saved), file_remove(paths->absent));
	return r ? handler_fail(context, r, "%s", paths->saved) : 0;
}

static int dns_apply(struct handler_context *context, const struct wanted *wanted)
{
	static char present[FILE_SIZE_MAX];
	char text[DNS_TEXT_SIZE];
	struct paths paths;
	size_t length;
	int error, n, r;

	error = dns_compose(context, wanted, text, &length);
	r = find_paths(context, &paths);
	if (r)
		return handler_first(error, r);
	n = file_read(paths.target, present, sizeof(present));
	if (n < 0 && n != -ENOENT)
		return handler_first(error, handler_fail(context, n, "%s", paths.target));
	if (!length)
		return handler_first(error, restore(context, &paths, present, n));
	if (n == (int)length && !memcmp(present, text, length))
		return error;
	r = save(context, &paths, present, n);
	if (!r) {
		r = file_write(paths.target, text, length);
		if (r)
			r = handler_fail(context, r, "%s", paths.target);
	}
	return handler_first(error, r);
}

const struct handler handler_dns = {
	.name = "dns",
	.concerns = dns_concerns,
	.apply = dns_apply,
};
