/* SPDX-License-Identifier: Apache-2.0 */
/* Which instances there are, running or not. */
#ifndef CALFPEN_CLI_INSTANCES_H
#define CALFPEN_CLI_INSTANCES_H

#include "userspace/cli/cli.h"
#include "userspace/state/uids.h"

struct cli_instance {
	char name[INSTANCE_NAME_MAX + 1];
	bool is_pinned;
	int pid; /* 0: not running */
};

/*
 * Find all instances that run, are pinned, have a saved store, or have left a share in
 * the host's files. The run directory of a start that was refused is none of these.
 * Returns their number and an array sorted by name, which the caller frees; or a negated
 * exit code after printing one line.
 */
int cli_instances(const struct cli *cli, struct cli_instance **instancesp);

/* Do the same, but if an instance is named, cli->instance, only this one; if there is none
 * of its name, print which there are. */
int cli_chosen_instances(const struct cli *cli, struct cli_instance **instancesp);

/* Print that there is none. Returns CLI_FAILURE. */
int cli_explain_no_instance(const struct cli *cli);
/* Print that there is none of the name cli->instance, and which there are. Returns
 * CLI_FAILURE. */
int cli_explain_unknown(const struct cli *cli, const struct cli_instance *instances, int n);
/* Print why nothing of the instance `cli->instance` is pinned. Returns CLI_DEAD if it
 * does not run, else CLI_FAILURE. */
int cli_explain_unpinned(const struct cli *cli, const struct cli_instance *instance);

/* Read the table of uids; if that fails, after printing one line, it is empty. */
void cli_uids(const struct cli *cli, struct uids *uids);

#endif
