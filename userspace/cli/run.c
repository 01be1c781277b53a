/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/cli.h"

#define PRIV_FROM_BIN "../lib/calfpen/calfpen-priv"

bool cli_priv_path(const char *self, char *path, size_t size)
{
	const char *slash = strrchr(self, '/');
	size_t length = slash ? (size_t)(slash - self) + 1 : 0;

	if (length + sizeof(PRIV_FROM_BIN) > size)
		return false;
	memcpy(path, self, length);
	memcpy(path + length, PRIV_FROM_BIN, sizeof(PRIV_FROM_BIN));
	return true;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	char self[PATH_MAX] = "", path[PATH_MAX];
	char **arguments;
	int n = 0;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    !cli_priv_path(self, path, sizeof(path)))
		return cli_fail(cli, "cannot find calfpen-priv: %m");
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
