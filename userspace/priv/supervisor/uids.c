/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/uids.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/await.h"
#include "userspace/common/clock.h"
#include "userspace/common/directory.h"
#include "userspace/common/lock.h"
#include "userspace/common/log.h"
#include "userspace/state/state.h"
#include "userspace/state/uids.h"

#define LOCK_WAIT_NS NS_PER_S
#define LOCK_PAUSE_NS NS_PER_MS

static bool exists_below(const char *root, const char *instance)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", root, instance);

	return n < 0 || n >= (int)sizeof(path) || access(path, F_OK) == 0 || errno != ENOENT;
}

/* Remove the entries of instances that do not exist any more. */
static void remove_stale(struct uids *uids, const struct uids_roots *roots)
{
	size_t n_left = 0;

	for (size_t i = 0; i < uids->n_entries; i++)
		if (exists_below(roots->run, uids->entries[i].instance) ||
		    exists_below(roots->pins, uids->entries[i].instance))
			uids->entries[n_left++] = uids->entries[i];
	uids->n_entries = n_left;
}

/* Add the instance if its state.json says which uids it has. */
static void add_stated(struct uids *uids, const char *run_root, const char *instance)
{
	char path[PATH_MAX], error[STATE_ERROR_SIZE];
	json_int_t first;
	json_t *state;
	int n = snprintf(path, sizeof(path), "%s/%s/" STATE_FILE, run_root, instance);

	if (n < 0 || n >= (int)sizeof(path))
		return;
	state = state_load(path, error);
	first = json_integer_value(json_object_get(state, STATE_UID_BASE));
	if (first > 0 && first <= UINT32_MAX && uids_add(uids, instance, (uint32_t)first))
		log_warning("%s/" UIDS_FILE ": instance %s was missing; added it", run_root,
			    instance);
	json_decref(state);
}

/* Somebody may have removed or damaged the table while instances run. */
static void add_unlisted(struct uids *uids, const char *run_root)
{
	DIR *directory = opendir(run_root);
	const struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (instance_is_name(entry->d_name) && !uids_find(uids, entry->d_name))
			add_stated(uids, run_root, entry->d_name);
	(void)closedir(directory);
}

/* Return an entry of another instance that has some of the uids from `first` on. */
static const struct uids_entry *find_overlap(const struct uids *uids, const char *instance,
					     uint32_t first)
{
	for (size_t i = 0; i < uids->n_entries; i++) {
		const struct uids_entry *entry = &uids->entries[i];

		if (strcmp(entry->instance, instance) != 0 &&
		    entry->first < first + INSTANCE_UIDS && first < entry->first + INSTANCE_UIDS)
			return entry;
	}
	return NULL;
}

/* Return the first uid of the lowest free ones, or 0. */
static uint32_t find_free(const struct uids *uids, const char *instance)
{
	for (uint32_t first = UIDS_FIRST; first <= UIDS_LAST - INSTANCE_UIDS + 1;
	     first += INSTANCE_UIDS)
		if (!find_overlap(uids, instance, first))
			return first;
	return 0;
}

static int refuse_wanted(uint32_t wanted, const struct uids_entry *other)
{
	log_error("--uid-base: uids %u to %u overlap with those of instance %s, %u to %u; choose "
		  "others, or leave the option out",
		  wanted, wanted + INSTANCE_UIDS - 1, other->instance, other->first,
		  other->first + INSTANCE_UIDS - 1);
	return -EADDRINUSE;
}

/* Choose the uids. Returns 0, or a negative errno, logged. */
static int choose(const struct uids *uids, const char *instance, uint32_t wanted, uint32_t *firstp)
{
	const struct uids_entry *own = uids_find(uids, instance), *other;

	if (wanted) {
		other = find_overlap(uids, instance, wanted);
		if (other)
			return refuse_wanted(wanted, other);
		*firstp = wanted;
		return 0;
	}
	/* What an option chose before is not kept without it. */
	if (own && own->first >= UIDS_FIRST && own->first <= UIDS_LAST - INSTANCE_UIDS + 1 &&
	    !find_overlap(uids, instance, own->first)) {
		*firstp = own->first;
		return 0;
	}
	*firstp = find_free(uids, instance);
	return *firstp ? 0 : -EUSERS;
}

/* A directory_fill_fn. */
static int write_table(int fd, const void *data)
{
	static char text[UIDS_SIZE_MAX];
	const struct uids *uids = data;
	size_t length = 0;

	for (size_t i = 0; i < uids->n_entries; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s:%u:%u\n",
					   uids->entries[i].instance, uids->entries[i].first,
					   INSTANCE_UIDS);
	return directory_fill_text(fd, &(const struct directory_text){ text, length });
}

/* Set the uids of `instance` and replace the table. */
static int save(struct uids *uids, const char *run_root, const char *instance, uint32_t first)
{
	for (size_t i = 0; i < uids->n_entries; i++)
		if (!strcmp(uids->entries[i].instance, instance))
			uids->entries[i] = uids->entries[--uids->n_entries];
	if (!uids_add(uids, instance, first))
		return -EUSERS;
	return directory_replace_file(run_root, UIDS_FILE, 0644, write_table, uids);
}

/* Returns a descriptor, or a negative errno. */
static int lock_table(const char *path, int stop_fd)
{
	const struct await_limit forever = { .stop_fd = stop_fd, .until_ns = UINT64_MAX };
	const struct await_limit limit = await_within(&forever, LOCK_WAIT_NS);
	int fd, r = 0;

	while ((fd = lock_take(path, true)) == -EBUSY && !r)
		r = await_pause(&limit, LOCK_PAUSE_NS);
	return fd == -EBUSY && r == -ECANCELED ? r : fd;
}

/* Choose the uids, and replace the table unless nothing has changed: a restart then
 * works also if the file system is full. Returns 0, or a negative errno. */
static int take(const struct uids_roots *roots, const char *path, const char *instance,
		uint32_t wanted, uint32_t *firstp)
{
	static struct uids uids;
	const struct uids_entry *own;
	int n_damaged = uids_load(path, &uids), r;
	uint32_t first = 0;
	size_t n_listed;

	if (n_damaged < 0)
		return n_damaged;
	if (n_damaged > 0)
		log_warning("%s: removed %d damaged lines", path, n_damaged);
	remove_stale(&uids, roots);
	n_listed = uids.n_entries;
	add_unlisted(&uids, roots->run);
	r = choose(&uids, instance, wanted, &first);
	if (r)
		return r;
	*firstp = first;
	own = uids_find(&uids, instance);
	if (own && own->first == first && !n_damaged && uids.n_entries == n_listed)
		return 0;
	return save(&uids, roots->run, instance, first);
}

int uids_take(const struct uids_roots *roots, const char *instance, uint32_t wanted, int stop_fd,
	      uint32_t *firstp)
{
	char path[PATH_MAX];
	uint32_t first = 0;
	int lock, r;

	if (snprintf(path, sizeof(path), "%s/" UIDS_FILE, roots->run) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	lock = lock_table(path, stop_fd);
	r = lock < 0 ? lock : take(roots, path, instance, wanted, &first);
	if (lock >= 0)
		close(lock);
	if (r == -EBUSY)
		log_error("%s: another process keeps it locked; end that process", path);
	else if (r == -EUSERS)
		log_error("%s: too many instances; remove unused ones with `calfpen forget`", path);
	else if (r && r != -EADDRINUSE && r != -ECANCELED)
		log_error("%s: %s", path, strerror(-r));
	if (!r)
		*firstp = first;
	return r;
}
