/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: resolv.conf of the host, and the kernel's domain name. The settings of this
 * instance are in RUN_ROOT/INSTANCE/resolv.conf; the host's file is composed from
 * the files of all instances that use it. Its original content is saved in
 * RUN_ROOT before the first write (.saved; .absent if there was no file), and
 * restored when no instance wants anything, unless another program has written
 * the file since. It is written in place, because containers have it bound. Equal
 * content is not written again. A file that is managed by
 * resolvconf or systemd-resolved is not touched.
 */
#include "userspace/priv/handlers/dns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/hash.h"
#include "userspace/common/value.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/name.h"
#include "userspace/priv/handlers/shared.h"
#include "userspace/priv/handlers/state.h"

struct paths {
	char target[PATH_MAX]; /* symbolic links followed */
	char saved[PATH_MAX];
	char absent[PATH_MAX];
};

static const struct handler_family dns_families[] = {
	{ "/nameserver", FAMILY_TYPE(VALUE_IPV4) | FAMILY_TYPE(VALUE_IPV6) | FAMILY_TYPE(VALUE_IP),
	  FAMILY_LIST | FAMILY_PROVIDERS },
	{ "/search", FAMILY_TYPE(VALUE_DOMAIN_LIST), FAMILY_PROVIDERS },
	{ "/domain", FAMILY_TYPE(VALUE_HOSTNAME), FAMILY_PROVIDERS },
};

/* There is one saved copy per file, whatever path the instances use for it. */
static int find_paths(struct handler_context *context, struct paths *paths)
{
	const char *path = context->options->resolv_conf;
	int r = file_resolve(path, paths->target);
	uint64_t hash = r ? 0 : hash_text(HASH_START, paths->target);
	int saved = snprintf(paths->saved, PATH_MAX, "%s/resolv.conf.%016" PRIx64 ".saved",
			     context->run_root, hash);
	int absent = snprintf(paths->absent, PATH_MAX, "%s/resolv.conf.%016" PRIx64 ".absent",
			      context->run_root, hash);

	if (!r && (saved < 0 || saved >= PATH_MAX || absent < 0 || absent >= PATH_MAX))
		r = -ENAMETOOLONG;
	return r ? handler_fail(context, r, "%s", path) : 0;
}

/* Returns 1, 0, or a negative errno: an unreadable note is an error, not a missing
 * note. */
static int is_saved(struct handler_context *context, const struct paths *paths)
{
	if (access(paths->saved, F_OK) == 0)
		return 1;
	if (errno != ENOENT)
		return handler_fail(context, -errno, "%s", paths->saved);
	if (access(paths->absent, F_OK) == 0)
		return 1;
	return errno == ENOENT ? 0 : handler_fail(context, -errno, "%s", paths->absent);
}

/* Save the original content. If it is lost, because the present text is ours, save what
 * was kept of it. */
static int save(struct handler_context *context, const struct paths *paths)
{
	const struct dns_view *seen = &context->state->dns.seen;
	const struct dns_kept *kept = &context->state->dns.list.kept;
	char lines[sizeof(*kept)];
	int length, r = is_saved(context, paths);

	if (r)
		return r < 0 ? r : 0;
	length = snprintf(lines, sizeof(lines), "%s%s", kept->options, kept->sortlist);
	if (seen->n_present < 0 || (dns_is_ours(seen->present) && !length))
		r = file_write(paths->absent, "", 0);
	else if (dns_is_ours(seen->present))
		r = file_write(paths->saved, lines, (size_t)length);
	else
		r = file_write(paths->saved, seen->present, (size_t)seen->n_present);
	return r ? handler_fail(context, r, "%s", paths->saved) : 0;
}

/* The directory that a link leads into may not exist: nothing else makes it after a
 * boot. */
static int write_target(const char *target, const char *text, size_t length)
{
	int r = file_overwrite(target, text, length);

	if (r != -ENOENT)
		return r;
	r = file_make_directory(target);
	return r ? r : file_overwrite(target, text, length);
}

/* There was no file. Others may have bound the one that we made, and would never see
 * the next one. An empty file means the same to a resolver as none: so it stays, with
 * the note that it is ours, until the instance ends. */
static int restore_absence(struct handler_context *context, const struct paths *paths)
{
	const struct dns_view *seen = &context->state->dns.seen;

	if (!context->is_running)
		return file_remove(paths->target);
	return seen->n_present ? file_overwrite(paths->target, "", 0) : 0;
}

static int restore(struct handler_context *context, const struct paths *paths)
{
	const struct dns_view *seen = &context->state->dns.seen;
	char *saved = context->state->dns.saved;
	bool is_absent, was_ours;
	int n, r = is_saved(context, paths);

	if (r <= 0)
		return r; /* never written, or restored already */
	r = 0;
	n = file_read(paths->saved, saved, sizeof(context->state->dns.saved));
	is_absent = n == -ENOENT;
	was_ours = seen->n_present >= 0 && dns_is_ours(seen->present);
	if (is_absent)
		was_ours |= seen->n_present == 0 && !seen->owner;
	else if (n >= 0 && seen->n_present > 0)
		was_ours |= file_is_half_overwritten(saved, (size_t)n, seen->present,
						     (size_t)seen->n_present);
	if (was_ours && is_absent)
		r = restore_absence(context, paths);
	else if (was_ours)
		r = n < 0 ? n : write_target(paths->target, saved, (size_t)n);
	if (r)
		return handler_fail(context, r, "cannot restore %s", paths->target);
	if (was_ours && is_absent && context->is_running)
		return 0;
	r = handler_first(file_remove(paths->saved), file_remove(paths->absent));
	return r ? handler_fail(context, r, "%s", paths->saved) : 0;
}

struct collection {
	const struct paths *paths;
	struct dns_list *list;
};

/* Add the settings of an instance that uses the same file, by whatever path. */
static bool collect(const char *instance, const char *text, bool is_over, void *data)
{
	struct dns_settings settings;
	struct collection *collection = data;
	char target[PATH_MAX];

	if (dns_settings_parse(&settings, instance, text) || file_resolve(settings.path, target) ||
	    strcmp(target, collection->paths->target) != 0)
		return false;
	if (!is_over)
		dns_list_add(collection->list, &settings);
	return is_over;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Find the lines of the operator's file that are kept: in its saved copy, otherwise in
 * the present file. */
static int find_kept(struct handler_context *context, const struct paths *paths)
{
	struct dns_state *dns = &context->state->dns;
	const char *text = dns->seen.n_present < 0 ? "" : dns->seen.present;
	int n, r = is_saved(context, paths);

	if (r < 0)
		return r;
	if (r) {
		n = file_read(paths->saved, dns->saved, sizeof(dns->saved));
		if (n < 0 && n != -ENOENT)
			return handler_fail(context, n, "%s", paths->saved);
		text = n < 0 ? "" : dns->saved;
	}
	dns_kept_init(&dns->list.kept, text);
	return 0;
}

/* Read the present file and compose the wanted one. Call with the lock held. */
static int read_resolv_conf(struct handler_context *context, const struct paths *paths,
			    struct dns_view *view)
{
	struct dns_list *list = &context->state->dns.list;
	struct collection collection = { paths, list };
	int r;

	list->n_entries = 0;
	r = shared_each(context, SHARED_RESOLV_CONF, collect, &collection);
	if (r)
		return r;
	r = file_read(paths->target, view->present, sizeof(view->present));
	if (r < 0 && r != -ENOENT)
		return handler_fail(context, r, "%s", paths->target);
	view->n_present = r;
	r = find_kept(context, paths);
	if (r)
		return r;
	view->length = dns_list_format(list, view->text);
	view->owner = dns_owner(paths->target, view->n_present < 0 ? "" : view->present,
				exists("/run/systemd/resolve"),
				exists("/sbin/resolvconf") || exists("/usr/sbin/resolvconf"));
	return 0;
}

static bool is_as_wanted(const struct dns_view *view)
{
	return view->n_present == (int)view->length &&
	       !memcmp(view->present, view->text, view->length);
}

/* Call with the lock held. */
static int set_file(struct handler_context *context, const struct paths *paths)
{
	struct dns_view *seen = &context->state->dns.seen;
	int r = read_resolv_conf(context, paths, seen);

	if (r)
		return r;
	if (seen->length && seen->owner)
		handler_note(context, "%s is managed by %s and left unchanged", paths->target,
			     seen->owner);
	if (!seen->length || seen->owner)
		return restore(context, paths);
	/* Also if it is as wanted already: after a boot there is no saved copy. */
	r = save(context, paths);
	if (r || is_as_wanted(seen))
		return r;
	r = write_target(paths->target, seen->text, seen->length);
	return r ? handler_fail(context, r, "%s", paths->target) : 0;
}

static int set_dns(struct handler_context *context, const struct wanted *wanted, bool is_leased)
{
	struct shared_text text = { .text = NULL };
	struct dns_settings settings;
	char bytes[DNS_TEXT_SIZE];
	struct paths paths;
	int error, lock, r;

	error = dns_settings_init(&settings, context, wanted, is_leased, &text.ends);
	r = find_paths(context, &paths);
	if (!r)
		r = shared_lock(context, &lock);
	if (r)
		return handler_first(error, r);
	if (!dns_settings_is_empty(&settings)) {
		text.text = bytes;
		text.length = dns_settings_format(&settings, bytes);
	}
	r = shared_say(context, SHARED_RESOLV_CONF, &text);
	if (!r)
		r = set_file(context, &paths);
	shared_unlock(lock);
	return handler_first(error, r);
}

static int dns_apply(struct handler_context *context, const struct wanted *wanted)
{
	bool is_leased = shared_begin(context, wanted);
	const char *domain = context->options->use_domain ? "/domain" : NULL;
	int r = set_dns(context, wanted, is_leased);

	return handler_first(r, name_set(context, NAME_DOMAIN, wanted, domain, is_leased));
}

/* A file that another instance has just composed is as wanted, too. */
static int dns_check(struct handler_context *context, const struct wanted *wanted)
{
	struct dns_view *seen = &context->state->dns.seen;
	uint64_t end_ns = context->state->shared.next_end_ns;
	struct paths paths;
	int lock, r = find_paths(context, &paths);

	(void)wanted;
	if (end_ns && end_ns <= context->now_ns)
		return HANDLER_APPLY; /* something has ceased; that is not drift */
	if (!r)
		r = shared_lock(context, &lock);
	if (r)
		return r;
	r = read_resolv_conf(context, &paths, seen);
	shared_unlock(lock);
	if (r || !seen->length || is_as_wanted(seen))
		return r;
	if (seen->owner) /* since now: apply puts it into the status */
		return HANDLER_APPLY;
	return handler_drift(context, "%s was %s", paths.target,
			     seen->n_present < 0 ? "removed" : "changed");
}

const struct handler handler_dns = {
	.name = "dns",
	.effect = "resolv.conf and the domain name",
	.families = dns_families,
	.n_families = sizeof(dns_families) / sizeof(dns_families[0]),
	.apply = dns_apply,
	.check = dns_check,
};
