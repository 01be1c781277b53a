/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/cli.h"
#include "userspace/common/program.h"
#include "userspace/common/signals.h"

#define PRIV_FROM_BIN "../lib/calfpen/calfpen-priv"

/* Execute calfpen-priv with --instance, if one is chosen, and these arguments. */
static int execute(struct cli *cli, int n_arguments, char **arguments)
{
	char path[PATH_MAX], option[] = "--instance";
	char **argv;
	int n = 0, r;

	r = program_path(PRIV_FROM_BIN, path, sizeof(path));
	if (r)
		return cli_fail(cli, "cannot find calfpen-priv: %s", strerror(-r));
	/* NAME, --instance X, arguments, NULL */
	argv = calloc((size_t)n_arguments + 4, sizeof(*argv));
	if (!argv)
		return cli_fail(cli, "%m");
	argv[n++] = path;
	if (cli->instance[0] != '\0') {
		argv[n++] = option;
		argv[n++] = cli->instance;
	}
	for (int i = 0; i < n_arguments; i++)
		argv[n++] = arguments[i];
	fflush(cli->out);
	signals_block_harmless(); /* as calfpen-priv does, but from its first moment on */
	execv(path, argv);
	cli_fail(cli, "cannot run %s: %m", path);
	free(argv);
	return CLI_FAILURE;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	return execute(cli, argc - 1, argv + 1);
}

int cli_forget(struct cli *cli)
{
	char role[] = "--role", forget[] = "forget";
	char *arguments[] = { role, forget };

	return execute(cli, 2, arguments);
}

static bool is_file(const char *subject)
{
	const char *dot = strrchr(subject, '.');

	return strchr(subject, '/') || (dot && !strcmp(dot, ".yaml"));
}

int cli_check(struct cli *cli, const char *subject, bool describes)
{
	char role[] = "--role", check[] = "check", config[] = "--config", calf[] = "--calf",
	     effective[] = "--effective", describe[] = "--describe";
	char file[PATH_MAX];
	char *arguments[5 + 2 * CLI_CALVES_MAX] = { role, check };
	int n = 2, r;

	if (describes)
		arguments[n++] = describe;
	if (cli->effective)
		arguments[n++] = effective;
	for (int i = 0; i < cli->n_calves; i++) {
		arguments[n++] = calf;
		arguments[n++] = cli->calves[i];
	}
	if (subject && is_file(subject)) {
		if (snprintf(file, sizeof(file), "%s", subject) >= (int)sizeof(file))
			return cli_usage(cli, "file name too long", subject);
		arguments[n++] = config;
		arguments[n++] = file;
	} else if (subject && !instance_is_name(subject)) {
		return cli_usage(cli, "neither a file nor the name of an instance", subject);
	} else if (subject) {
		(void)snprintf(cli->instance, sizeof(cli->instance), "%s", subject);
	} else if (cli->instance[0] == '\0') {
		r = cli_choose_instance(cli);
		if (r != CLI_OK)
			return r;
	}
	return execute(cli, n, arguments);
}
