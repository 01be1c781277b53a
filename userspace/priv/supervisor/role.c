/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/priv/supervisor/child.h"
#include "userspace/priv/supervisor/supervisor-private.h"

/* A role gets the command line of the supervisor, with its name appended. */
pid_t supervisor_execute_role(const struct supervisor *s, const char *role, const int *fds,
			      uint32_t n_fds)
{
	char role_option[] = "--role", index_option[] = "--uplink-index", name[16];
	const struct options *options = s->options;
	char **argv = calloc((size_t)options->argc + 5, sizeof(*argv));
	char index[16];
	pid_t pid;

	if (!argv)
		return -ENOMEM;
	snprintf(index, sizeof(index), "%d", s->uplink.ifindex);
	snprintf(name, sizeof(name), "%s", role);
	memcpy(argv, options->argv, (size_t)options->argc * sizeof(*argv));
	argv[options->argc] = role_option;
	argv[options->argc + 1] = name;
	argv[options->argc + 2] = index_option;
	argv[options->argc + 3] = index;
	pid = child_start(s->self_program, argv, fds, n_fds);
	free(argv);
	return pid;
}
