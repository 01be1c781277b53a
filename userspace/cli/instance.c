/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "userspace/cli/cli.h"
#include "userspace/common/sanitise.h"

static int is_directory(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
	       strlen(entry->d_name) <= INSTANCE_NAME_MAX;
}

/* Join the names into "a b c", made printable. */
static void join_names(struct dirent *const *entries, int n_entries, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (int i = 0; i < n_entries && at + 2 < size; i++) {
		if (i > 0)
			text[at++] = ' ';
		at += sanitise(text + at, size - at, entries[i]->d_name,
			       strlen(entries[i]->d_name));
	}
}

/* Nothing is pinned. If an instance runs nevertheless, its bpffs was unmounted. */
static int explain_no_pins(struct cli *cli)
{
	struct dirent **entries = NULL;
	int n_entries = scandir(cli->run_root, &entries, is_directory, alphasort);
	struct cli other = *cli;
	int pid = 0;

	for (int i = 0; i < n_entries; i++) {
		if (!pid) {
			snprintf(other.instance, sizeof(other.instance), "%.*s", INSTANCE_NAME_MAX,
				 entries[i]->d_name);
			pid = cli_running_pid(&other);
		}
		free(entries[i]);
	}
	free(entries);
	if (pid)
		return cli_fail(cli,
				"instance %s is running (pid %d), but nothing is pinned in "
				"%s: its bpffs was unmounted or emptied; restart the instance",
				other.instance, pid, cli->pins_root);
	return cli_fail(cli, "no instance: nothing is pinned in %s; start one with `calfpen run`",
			cli->pins_root);
}

int cli_choose_instance(struct cli *cli)
{
	struct dirent **entries = NULL;
	char names[512];
	bool found = false;
	int n_entries, r = CLI_OK;

	n_entries = scandir(cli->pins_root, &entries, is_directory, alphasort);
	if (n_entries < 0 && errno == ENOENT)
		n_entries = 0;
	if (n_entries < 0 && (errno == EACCES || errno == EPERM))
		return cli_fail(cli, "%s: not readable; this command needs root", cli->pins_root);
	if (n_entries < 0)
		return cli_fail(cli, "%s: %m", cli->pins_root);
	join_names(entries, n_entries, names, sizeof(names));
	for (int i = 0; i < n_entries; i++)
		found |= strcmp(entries[i]->d_name, cli->instance) == 0;
	if (n_entries == 0)
		r = explain_no_pins(cli);
	else if (cli->instance[0] != '\0' && !found)
		r = cli_fail(cli, "no such instance: %s; existing instances: %s", cli->instance,
			     names);
	else if (cli->instance[0] == '\0' && n_entries > 1)
		r = cli_fail(cli, "several instances exist; choose one with --instance: %s", names);
	else if (cli->instance[0] == '\0')
		snprintf(cli->instance, sizeof(cli->instance), "%.*s", INSTANCE_NAME_MAX,
			 entries[0]->d_name);
	for (int i = 0; i < n_entries; i++)
		free(entries[i]);
	free(entries);
	return r;
}

/*
 * The supervisor holds a lock on this file while it runs, and has written its
 * process id there. Try the lock only if that process exists, so that we do not
 * take it from a supervisor that is just starting.
 */
int cli_running_pid(const struct cli *cli)
{
	char path[PATH_MAX], text[16] = "";
	ssize_t size;
	long pid;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s/lock", cli->run_root, cli->instance) >=
	    sizeof(path))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	size = read(fd, text, sizeof(text) - 1);
	pid = size > 0 ? strtol(text, NULL, 10) : 0;
	if (pid <= 0 || pid > INT_MAX || (kill((pid_t)pid, 0) != 0 && errno == ESRCH) ||
	    flock(fd, LOCK_SH | LOCK_NB) == 0)
		pid = 0;
	close(fd);
	return (int)pid;
}

int cli_check_running(const struct cli *cli)
{
	if (cli_running_pid(cli) > 0)
		return CLI_OK;
	cli_fail(cli,
		 "instance %s is not running, so nobody would act on a change; start it with "
		 "`calfpen run`",
		 cli->instance);
	return CLI_DEAD;
}

int cli_note_dead(const struct cli *cli, int r)
{
	if (cli_running_pid(cli) > 0)
		return r;
	cli_fail(cli, "instance %s is not running; this is what it left", cli->instance);
	return r == CLI_OK ? CLI_DEAD : r;
}
