/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "userspace/cli/cli.h"

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
