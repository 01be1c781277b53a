/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's command. It reads what an instance has pinned and written;
 * only `run` starts anything. Commands return an exit code and say on `err`
 * what is wrong, in one line.
 */
#ifndef CALFPEN_CLI_CLI_H
#define CALFPEN_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "userspace/priv/options.h"

/* Exit codes, as `calfpen help` states them. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILURE = 1,
	CLI_USAGE = 2,
	CLI_ABSENT = 3, /* get: there is no such key */
};

struct cli {
	const char *pins_root;			 /* PINS_ROOT, or a test's */
	const char *run_root;			 /* RUN_ROOT, or a test's */
	char instance[OPTIONS_INSTANCE_MAX + 1]; /* --instance, or the only one */
	bool json;
	bool all; /* status: counters that are zero as well */
	FILE *out;
	FILE *err;
};

/* arguments.c: run the command that argv names; an enum cli_exit. */
int cli_main(int argc, char **argv);
/* The same with roots and streams set by the caller. */
int cli_dispatch(struct cli *cli, int argc, char **argv);
/* One line "calfpen: ..." on cli->err; returns CLI_FAILURE. */
__attribute__((format(printf, 2, 3))) int cli_fail(const struct cli *cli, const char *format, ...);

/* instance.c: choose the instance if none was named. CLI_OK, or an exit code
 * after one line. */
int cli_choose_instance(struct cli *cli);
/* The process id of the instance's supervisor, or 0 if none runs. */
int cli_running_pid(const struct cli *cli);

/* keys.c */
int cli_ls(struct cli *cli, const char *prefix);
int cli_get(struct cli *cli, const char *path);

/* status.c */
int cli_status(struct cli *cli);

/* run.c: execute calfpen-priv with these arguments; returns on failure only. */
int cli_run(struct cli *cli, int argc, char **argv);
/* The path of calfpen-priv for the executable at `self`: false if too long. */
bool cli_priv_path(const char *self, char *path, size_t size);

#endif
