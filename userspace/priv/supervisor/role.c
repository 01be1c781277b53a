/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/priv/launcher/program.h"
#include "userspace/priv/supervisor/supervisor-private.h"

char **supervisor_role_argv(const struct supervisor *s, const char *role, const char *index)
{
	static char role_option[] = "--role", index_option[] = "--uplink-index";
	const struct options *options = s->options;
	char **argv = calloc((size_t)options->argc + 5, sizeof(*argv));

	if (!argv)
		return NULL;
	memcpy(argv, options->argv, (size_t)options->argc * sizeof(*argv));
	argv[options->argc] = role_option;
	argv[options->argc + 1] = (char *)(uintptr_t)role; /* execve(2) does not change it */
	argv[options->argc + 2] = index_option;
	argv[options->argc + 3] = (char *)(uintptr_t)index;
	return argv;
}

pid_t supervisor_execute_role(const struct supervisor *s, const char *role, const int *fds,
			      uint32_t n_fds)
{
	char index[SUPERVISOR_INDEX_SIZE];
	struct launcher_program program = { .fd = s->self_program, .n_fds = n_fds };
	char **argv;
	pid_t pid;

	(void)snprintf(index, sizeof(index), "%d", s->uplink.ifindex);
	argv = supervisor_role_argv(s, role, index);

	if (!argv)
		return -ENOMEM;
	program.argv = argv;
	memcpy(program.fds, fds, n_fds * sizeof(*fds));
	pid = launcher_execute(&program, false, NULL);
	free(argv);
	return pid;
}
