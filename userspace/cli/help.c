/* SPDX-License-Identifier: Apache-2.0 */
/* The help of a command: what the help of all says about it, and examples. */
#include <string.h>

#include "userspace/cli/cli.h"

static const struct {
	const char *command, *text;
} examples[] = {
	{ "list", "calfpen list\n"
		  "calfpen list --json" },
	{ "ls", "calfpen ls -l /lease\n"
		"calfpen ls --settable" },
	{ "get", "calfpen get /ip\n"
		 "calfpen get --json /lease/expires" },
	{ "set", "calfpen set /control/renew now\n"
		 "calfpen set --create /control/renew now    # unless a request is pending" },
	{ "del", "calfpen del /control/renew\n"
		 "calfpen del --if-revision 17 /control/renew" },
	{ "commit", "calfpen commit changes.txt\n"
		    "echo 'set /control/renew now' | calfpen commit -" },
	{ "watch", "calfpen watch /lease\n"
		   "calfpen watch --json / | while read -r line; do ...; done" },
	{ "audit", "calfpen audit -f --denied\n"
		   "calfpen audit --subject operator --path /control" },
	{ "frames", "calfpen frames -f --dropped\n"
		    "calfpen frames -f --pcap - | tcpdump -n -r -" },
	{ "status", "calfpen status --all\n"
		    "calfpen status --json" },
	{ "forget", "calfpen forget eth1\n"
		    "calfpen forget    # what leases that are over left in shared files" },
	{ "check", "calfpen check --effective eth1\n"
		   "calfpen check /etc/calfpen/eth1.yaml" },
	{ "help", "calfpen help set\n"
		  "calfpen help run" },
	{ "version", "calfpen version" },
};

/* Print the lines of `text` that begin with "  WORD" or, if `word` ends with '-', with
 * that, each with the lines after it that are indented more. */
static void print_parts(FILE *out, const char *text, const char *word)
{
	size_t length = strlen(word);
	bool is_open = word[length - 1] == '-', is_part = false;

	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		if (strncmp(line, "   ", 3) != 0)
			is_part = strncmp(line, "  ", 2) == 0 &&
				  strncmp(line + 2, word, length) == 0 &&
				  (is_open || line[2 + length] == ' ');
		if (is_part)
			fprintf(out, "%.*s\n", (int)strcspn(line, "\n"), line);
	}
}

static void print_examples(FILE *out, const char *command)
{
	const char *line = "";

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		if (strcmp(command, examples[i].command) == 0)
			line = examples[i].text;
	fputs("\nFor example:\n", out);
	while (*line) {
		size_t length = strcspn(line, "\n");

		fprintf(out, "  %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

void cli_help(const struct cli *cli, const char *text, const char *command)
{
	if (!command) {
		fputs(text, cli->out);
		return;
	}
	fputs("Usage: calfpen [OPTIONS] COMMAND\n\n", cli->out);
	print_parts(cli->out, text, command);
	fputc('\n', cli->out);
	print_parts(cli->out, text, "-");
	print_examples(cli->out, command);
}
