/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/launcher/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/sibling.h"
#include "userspace/common/signals.h"

/* Above every descriptor number that a program is given. */
#define FD_FREE 64

/* Returns the new number of the program's descriptor, or a negative number. */
static int place_descriptors(const struct launcher_program *it)
{
	int moved[LAUNCHER_FDS_MAX + 1], program = (int)(3 + it->n_fds);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || it->n_fds > LAUNCHER_FDS_MAX)
		return -1;
	/* First move them out of the way, so that no dup2() overwrites a source. */
	for (uint32_t i = 0; i <= it->n_fds; i++) {
		moved[i] = fcntl(i < it->n_fds ? it->fds[i] : it->fd, F_DUPFD, FD_FREE);
		if (moved[i] < 0)
			return -1;
	}
	if (dup2(null, 0) < 0 || dup2(2, 1) < 0)
		return -1;
	for (uint32_t i = 0; i < it->n_fds; i++)
		if (dup2(moved[i], (int)(3 + i)) < 0)
			return -1;
	if (dup3(moved[it->n_fds], program, O_CLOEXEC) < 0 ||
	    close_range((unsigned int)program + 1, ~0U, 0) < 0)
		return -1;
	return program;
}

static void execute(const struct launcher_program *it, pid_t parent)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char journal[64], *environment[] = { NULL, NULL };
	int program;

	/* Confinement sets this again, because a change of ids clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		return;
	program = place_descriptors(it);
	if (program < 0)
		return;
	if (stream &&
	    snprintf(journal, sizeof(journal), "JOURNAL_STREAM=%s", stream) < (int)sizeof(journal))
		environment[0] = journal;
	signals_block_harmless();
	execveat(program, "", it->argv, environment, AT_EMPTY_PATH);
}

pid_t launcher_execute(const struct launcher_program *program, bool is_sibling, int *pidfdp)
{
	pid_t parent = is_sibling ? getppid() : getpid();
	pid_t pid = sibling_fork(is_sibling, pidfdp);

	if (pid < 0)
		log_error("cannot fork: %s", strerror(-pid));
	if (pid == 0) {
		/* The socket's number will be that of another descriptor. */
		log_also(NULL, NULL);
		execute(program, parent);
		log_error("%s: cannot start it: %s", program->argv[0], strerror(errno));
		_exit(1);
	}
	return pid;
}
