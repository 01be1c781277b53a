/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/instances.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/state.h"

#define NAMES_SIZE 1024

struct found {
	struct cli_instance *instances;
	int n, n_room;
};

static int is_instance(const struct dirent *entry)
{
	return (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
	       instance_is_name(entry->d_name);
}

static bool has_file(const char *root, const char *instance, const char *file)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s/%s", root, instance, file);

	return n > 0 && n < (int)sizeof(path) && access(path, F_OK) == 0;
}

/* Returns true if it has a file with a note of its end: a share of what the host has. */
static bool has_share(const char *root, const char *instance)
{
	static const char suffix[] = ".until";
	const struct dirent *entry;
	char path[PATH_MAX];
	bool has = false;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "%s/%s", root, instance);
	directory = opendir(path);
	if (!directory)
		return false;
	while (!has && (entry = readdir(directory)) != NULL) {
		size_t length = strlen(entry->d_name);

		has = length >= sizeof(suffix) &&
		      !strcmp(entry->d_name + length - (sizeof(suffix) - 1), suffix);
	}
	(void)closedir(directory);
	return has;
}

/* Returns the instance of this name, which is added if it is new; or NULL without
 * memory. */
static struct cli_instance *find_or_add(struct found *found, const char *name)
{
	struct cli_instance *instance;

	for (int i = 0; i < found->n; i++)
		if (!strcmp(found->instances[i].name, name))
			return &found->instances[i];
	if (found->n == found->n_room) {
		instance = realloc(found->instances,
				   (size_t)(2 * found->n_room + 8) * sizeof(*instance));
		if (!instance)
			return NULL;
		found->instances = instance;
		found->n_room = 2 * found->n_room + 8;
	}
	instance = &found->instances[found->n++];
	*instance = (struct cli_instance){ .pid = 0 };
	(void)snprintf(instance->name, sizeof(instance->name), "%.*s", INSTANCE_NAME_MAX, name);
	return instance;
}

/* Note what a directory below `root` tells of the instance `name`. Returns 0 or
 * -ENOMEM. */
static int note(const struct cli *cli, const char *root, const char *name, struct found *found)
{
	struct cli one = *cli;
	struct cli_instance *instance;

	(void)snprintf(one.instance, sizeof(one.instance), "%.*s", INSTANCE_NAME_MAX, name);
	if (root == cli->run_root && !has_share(root, name) && !has_file(root, name, STATE_FILE) &&
	    !cli_running_pid(&one))
		return 0;
	if (root == cli->saved_root && !has_file(root, name, "store"))
		return 0;
	instance = find_or_add(found, name);
	if (!instance)
		return -ENOMEM;
	if (root == cli->pins_root)
		instance->is_pinned = true;
	instance->pid = cli_running_pid(&one);
	return 0;
}

/* Returns 0, or -CLI_FAILURE after printing one line. */
static int search(const struct cli *cli, const char *root, struct found *found)
{
	struct dirent **entries = NULL;
	int n_entries = scandir(root, &entries, is_instance, NULL), r = 0;

	if (n_entries < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n_entries < 0) {
		if (errno == EACCES || errno == EPERM)
			cli_fail(cli, "%s: not readable; this command needs root", root);
		else
			cli_fail(cli, "%s: %m", root);
		return -CLI_FAILURE;
	}
	for (int i = 0; i < n_entries; i++) {
		if (!r)
			r = note(cli, root, entries[i]->d_name, found);
		free(entries[i]);
	}
	free(entries);
	if (!r)
		return 0;
	cli_fail(cli, "%s", strerror(-r));
	return -CLI_FAILURE;
}

static int compare(const void *a, const void *b)
{
	const struct cli_instance *one = a, *other = b;

	return strcmp(one->name, other->name);
}

int cli_instances(const struct cli *cli, struct cli_instance **instancesp)
{
	struct found found = { .n = 0 };
	int r = search(cli, cli->pins_root, &found);

	if (!r)
		r = search(cli, cli->run_root, &found);
	if (!r)
		r = search(cli, cli->saved_root, &found);
	if (r) {
		free(found.instances);
		return -CLI_FAILURE;
	}
	*instancesp = found.instances;
	if (!found.instances)
		return 0;
	qsort(found.instances, (size_t)found.n, sizeof(*found.instances), compare);
	return found.n;
}

int cli_explain_no_instance(const struct cli *cli)
{
	return cli_fail(cli, "no instance: nothing is pinned in %s; start one with `calfpen run`",
			cli->pins_root);
}

/* Print `before`, then the names. Returns CLI_FAILURE. */
static int fail_with_names(const struct cli *cli, const char *before,
			   const struct cli_instance *instances, int n)
{
	char names[NAMES_SIZE] = "";
	size_t at = 0;

	for (int i = 0; i < n && at < sizeof(names); i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, " %s", instances[i].name);
	return cli_fail(cli, "%s:%s", before, names);
}

int cli_explain_unknown(const struct cli *cli, const struct cli_instance *instances, int n)
{
	char before[128];

	if (n == 0)
		return cli_explain_no_instance(cli);
	(void)snprintf(before, sizeof(before), "no such instance: %s%s; existing instances",
		       cli->instance, cli->may_be_path ? " (a path begins with \"/\")" : "");
	return fail_with_names(cli, before, instances, n);
}

int cli_explain_unpinned(const struct cli *cli, const struct cli_instance *instance)
{
	if (!instance->pid) {
		cli_fail(cli,
			 "instance %s is not running, and nothing of it is pinned; start it with "
			 "`calfpen run`",
			 instance->name);
		return CLI_DEAD;
	}
	/* which is written when all is pinned */
	if (!has_file(cli->run_root, instance->name, STATE_FILE))
		return cli_fail(cli,
				"instance %s is starting (pid %d), and nothing is pinned yet; "
				"its log says what it waits for",
				instance->name, instance->pid);
	return cli_fail(cli,
			"instance %s is running (pid %d), but nothing is pinned in %s: its "
			"bpffs was unmounted or emptied; restart the instance",
			instance->name, instance->pid, cli->pins_root);
}

/* Check that the instance cli->instance can be used. */
static int check_named(const struct cli *cli, const struct cli_instance *instances, int n)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(instances[i].name, cli->instance))
			return instances[i].is_pinned ? CLI_OK :
							cli_explain_unpinned(cli, &instances[i]);
	return cli_explain_unknown(cli, instances, n);
}

/* Choose the only one that is pinned; if none is, the only one. */
static int choose_only(struct cli *cli, const struct cli_instance *instances, int n)
{
	int n_pinned = 0, i_only = 0;

	for (int i = 0; i < n; i++)
		if (instances[i].is_pinned) {
			n_pinned++;
			i_only = i;
		}
	if (n == 0)
		return cli_explain_no_instance(cli);
	if (n_pinned > 1 || (n_pinned == 0 && n > 1))
		return fail_with_names(cli, "several instances exist; name one of them", instances,
				       n);
	(void)snprintf(cli->instance, sizeof(cli->instance), "%s", instances[i_only].name);
	return check_named(cli, instances, n);
}

int cli_choose_instance(struct cli *cli)
{
	struct cli_instance *instances = NULL;
	int n = cli_instances(cli, &instances), r;

	if (n < 0)
		return -n;
	r = cli->instance[0] != '\0' ? check_named(cli, instances, n) :
				       choose_only(cli, instances, n);
	free(instances);
	return r;
}

int cli_chosen_instances(const struct cli *cli, struct cli_instance **instancesp)
{
	struct cli_instance *instances = NULL;
	int n = cli_instances(cli, &instances), i = 0, r;

	if (n < 0)
		return n;
	*instancesp = instances;
	if (cli->instance[0] == '\0')
		return n;
	while (i < n && strcmp(instances[i].name, cli->instance) != 0)
		i++;
	if (i < n) {
		instances[0] = instances[i];
		return 1;
	}
	r = cli_explain_unknown(cli, instances, n);
	free(instances);
	return -r;
}

void cli_uids(const struct cli *cli, struct uids *uids)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/" UIDS_FILE, cli->run_root), r = -ENAMETOOLONG;

	uids->n_entries = 0;
	if (n > 0 && n < (int)sizeof(path))
		r = uids_load(path, uids);
	if (r < 0)
		cli_fail(cli, "%s: %s", path, strerror(-r));
}
