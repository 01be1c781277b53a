/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/cli.h"
#include "userspace/common/program.h"

#define PRIV_FROM_BIN "../lib/calfpen/calfpen-priv"

int cli_run(struct cli *cli, int argc, char **argv)
{
	char path[PATH_MAX];
	char **arguments;
	int n = 0, r;

	r = program_path(PRIV_FROM_BIN, path, sizeof(path));
	if (r)
		return cli_fail(cli, "cannot find calfpen-priv: %s", strerror(-r));
	/* NAME, --instance X, arguments, NULL */
	arguments = calloc((size_t)argc + 3, sizeof(*arguments));
	if (!arguments)
		return cli_fail(cli, "%m");
	arguments[n++] = path;
	if (cli->instance[0] != '\0') {
		arguments[n++] = (char[]){ "--instance" };
		arguments[n++] = cli->instance;
	}
	for (int i = 1; i < argc; i++)
		arguments[n++] = argv[i];
	fflush(cli->out);
	execv(path, arguments);
	cli_fail(cli, "cannot run %s: %m", path);
	free(arguments);
	return CLI_FAILURE;
}
