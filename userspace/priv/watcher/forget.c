/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: `calfpen forget`: what a running watcher does when a lease is over, for a host
 * on which none runs. The handlers run once for the stopped instance, with nothing
 * wanted: its files are removed, or only those that are over, and resolv.conf and the
 * names are composed from what is left, or restored. Addresses and routes are not touched,
 * because the kernel removes them when the lease ends.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maps/pins.h"
#include "userspace/common/audit_files.h"
#include "userspace/common/directory.h"
#include "userspace/common/lock.h"
#include "userspace/common/log.h"
#include "userspace/common/loop.h"
#include "userspace/priv/confine/confine.h"
#include "userspace/priv/description/configuration.h"
#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/file.h"
#include "userspace/priv/handlers/shared.h"
#include "userspace/priv/handlers/state.h"
#include "userspace/priv/options.h"
#include "userspace/priv/roles.h"
#include "userspace/priv/watcher/watcher-private.h"

static const struct handler *const shared_handlers[] = { &handler_dns, &handler_host,
							 &handler_timeservers, &handler_portal };

/* Take the instance's lock, so that it cannot start meanwhile; `create` the file if
 * it does not exist. Returns as lock_take(). */
static int lock_instance(const char *directory, bool create)
{
	char path[PATH_MAX + sizeof("/lock")];

	(void)snprintf(path, sizeof(path), "%s/lock", directory);
	return lock_take(path, create);
}

/* Find the resolv.conf that the instance used, which only its own file tells. */
static void find_resolv_conf(const char *directory, const char *instance,
			     struct handler_options *options)
{
	static char text[SHARED_TEXT_SIZE];
	char path[PATH_MAX + sizeof("/resolv.conf")];
	struct dns_settings settings;

	(void)snprintf(path, sizeof(path), "%s/resolv.conf", directory);
	if (file_read(path, text, sizeof(text)) > 0 &&
	    !dns_settings_parse(&settings, instance, text))
		memcpy(options->resolv_conf, settings.path, sizeof(settings.path));
}

static int run_handlers(struct handler_context *context, const char *instance)
{
	static const struct wanted none;
	int r = 0;

	for (size_t i = 0; i < sizeof(shared_handlers) / sizeof(shared_handlers[0]); i++) {
		int error;

		context->error[0] = context->note[0] = '\0';
		error = shared_handlers[i]->apply(context, &none);
		if (error)
			log_error("%s: %s: %s", instance, shared_handlers[i]->name,
				  context->error[0] ? context->error : strerror(-error));
		r = handler_first(r, error);
	}
	context->error[0] = '\0';
	return r;
}

/* What an instance leaves besides its share of the host's files. */
static const char *const roots[] = { PINS_ROOT, OPTIONS_STATE_ROOT, RUN_ROOT };
#define N_ROOTS (sizeof(roots) / sizeof(roots[0]))

/* Is there anything of it, after a reboot perhaps only its saved store? */
static bool exists(const char *instance)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < N_ROOTS; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", roots[i], instance);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* For the lock of an instance that has only its saved store, after a reboot. */
static void make_run_directory(const char *instance)
{
	char path[PATH_MAX];

	if (!instance[0] || !exists(instance))
		return;
	(void)snprintf(path, sizeof(path), RUN_ROOT "/%s", instance);
	/* If this fails, so does locking. */
	if (!directory_make_own(RUN_ROOT, 0711))
		(void)directory_make_own(path, 0711);
}

/* Those that wait for an audit log that could not be written go with the run directory. */
static void warn_of_records(const char *run_directory)
{
	char path[PATH_MAX + sizeof("/" AUDIT_RESERVE_NAME)];
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s/" AUDIT_RESERVE_NAME, run_directory);
	if (!stat(path, &status) && status.st_size)
		log_warning("%s: removing audit records that could not be written to the log",
			    path);
}

/* The run directory comes last, with the lock in it. */
static int remove_directories(const char *instance)
{
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < N_ROOTS && !r; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", roots[i], instance);
		r = directory_remove(path);
		if (r)
			log_error("%s: cannot remove: %s", path, strerror(-r));
	}
	return r;
}

/* Handlers of an instance of this name, which none can have, have no files of their own, and
 * remove those that are over. */
#define NOBODY "."

/* Forget one instance, and remove all that it keeps except for its audit log; with
 * `only_over` only what is over of its share of the host's files, and nothing if it is
 * running. Returns 0, or a negative errno, logged. */
static int forget(struct handler_context *context, struct handler_options *options,
		  const char *instance, bool only_over)
{
	int lock, r;

	context->instance = instance;
	(void)snprintf(context->run_directory, PATH_MAX, "%s/%s", context->run_root, instance);
	lock = lock_instance(context->run_directory, !only_over);
	if (lock < 0 && only_over)
		return 0;
	if (lock < 0) {
		log_error("%s: cannot forget this instance: %s", instance,
			  lock == -EBUSY  ? "it is running; stop it first" :
			  lock == -ENOENT ? "there is no such instance" :
					    strerror(-lock));
		return lock;
	}
	if (only_over && !shared_is_over(context, instance)) {
		(void)close(lock);
		return 0;
	}
	find_resolv_conf(context->run_directory, instance, options);
	if (only_over)
		context->instance = NOBODY;
	r = run_handlers(context, instance);
	if (!r && !only_over) {
		warn_of_records(context->run_directory);
		r = remove_directories(instance);
	}
	if (!r)
		log_info("forgot what instance %s has set%s", instance,
			 only_over ? "; its lease is over" : " and saved");
	(void)close(lock);
	return r;
}

/* Collect the names first: forgetting changes the directory. */
static int forget_all(struct handler_context *context, struct handler_options *options)
{
	static char names[SHARED_INSTANCES_MAX][INSTANCE_NAME_MAX + 1];
	char bytes[4096] __attribute__((aligned(8)));
	size_t n_names = 0;
	ssize_t size;
	int fd, r = 0;

	fd = open(context->run_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0) {
		r = -errno;
		log_error("%s: %s", context->run_root, strerror(-r));
		return r;
	}
	while ((size = getdents64(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0; at < size;) {
			const struct dirent64 *entry = (const void *)(bytes + at);

			at += entry->d_reclen;
			if (instance_is_name(entry->d_name) && n_names < SHARED_INSTANCES_MAX)
				memcpy(names[n_names++], entry->d_name, strlen(entry->d_name) + 1);
		}
	}
	(void)close(fd);
	for (size_t i = 0; i < n_names; i++)
		r = handler_first(r, forget(context, options, names[i], true));
	return r;
}

int forget_main(const struct options *options)
{
	static struct configuration configuration;
	static struct handlers_state state;
	static struct handler_context context;
	struct options defaults = *options;
	int r;

	(void)umask(022); /* as the watcher */
	/* no file: that of an instance may be gone or changed since */
	defaults.configuration[0] = '\0';
	r = configuration_load(&defaults, NULL, 0, &configuration);
	if (r)
		return ROLE_EXIT_FAILURE;
	context = (struct handler_context){
		.state = &state,
		.options = &configuration.handlers,
		.run_root = RUN_ROOT,
		.chrony_directory = WATCHER_CHRONY_DIRECTORY,
		.now_ns = loop_now_ns(),
	};
	make_run_directory(options->instance);
	if (confine_enter(ROLE_FORGET, 0, 0, false))
		return ROLE_EXIT_CONFINE;
	r = options->instance[0] ?
		    forget(&context, &configuration.handlers, options->instance, false) :
		    forget_all(&context, &configuration.handlers);
	return r ? ROLE_EXIT_FAILURE : ROLE_EXIT_OK;
}
