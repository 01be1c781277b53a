/* SPDX-License-Identifier: Apache-2.0 */
/* The options of all commands, and which of them a command has. */
#ifndef CALFPEN_CLI_OPTIONS_H
#define CALFPEN_CLI_OPTIONS_H

#include "userspace/cli/cli.h"

/* Bits of the options that not all commands have. */
enum {
	FOR_ALL = 1 << 0,
	FOR_IF_REVISION = 1 << 1,
	FOR_CREATE = 1 << 2,
	FOR_FROM = 1 << 3,
	FOR_SUBJECT = 1 << 4,
	FOR_PATH = 1 << 5,
	FOR_DENIED = 1 << 6,
	FOR_LONG = 1 << 7,
	FOR_FOLLOW = 1 << 8,
	FOR_REASON = 1 << 9,
	FOR_DROPPED = 1 << 10,
	FOR_PCAP = 1 << 11,
	FOR_EFFECTIVE = 1 << 12,
	FOR_SETTABLE = 1 << 13,
	FOR_INSTANCE = 1 << 14,
	FOR_JSON = 1 << 15,
	FOR_VERIFY = 1 << 16,
	FOR_CALF = 1 << 17,
};

/* These are the other way round in struct command: those that it does not have. */
#define FOR_MOST ((unsigned int)(FOR_INSTANCE | FOR_JSON))

enum { CLI_OPTIONS_END = -1 };

/* Parse the options at the front of argv, up to the first word, which is then at
 * optind; `command` is NULL in front of a command. Adds to *seenp the bits of those
 * that not all commands have. Returns CLI_OPTIONS_END, or an exit code. */
int cli_options_parse(struct cli *cli, const char *command, int argc, char **argv,
		      unsigned int *seenp);
/* Refuse the options of `seen`, of which there is at least one. Returns CLI_USAGE. */
int cli_options_refuse(const struct cli *cli, const char *command, unsigned int seen);

/* Print the version. Returns CLI_OK. */
int cli_version(const struct cli *cli);

#endif
