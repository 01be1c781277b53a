/* SPDX-License-Identifier: Apache-2.0 */
/* The help of a command: what the help of all says about it, and examples. */
#include <string.h>

#include "userspace/cli/cli.h"

static const char help_text[] =
	"Usage: calfpen [OPTIONS] [COMMAND]\n"
	"\n"
	"  run --interface NAME [...]   start an instance; see `calfpen run --help` for\n"
	"                               its options\n"
	"  list                         print the instances, one a line: uplink, whether it\n"
	"                               runs, lease, uids; this is also what `calfpen` does\n"
	"  renew [INSTANCE[/CALF]...]   renew the lease now, of the only instance or of these;\n"
	"                               of CALF only, or of all its calves that can\n"
	"  release [INSTANCE[/CALF]...] give the lease back; renew requests one again\n"
	"  ls [-l] [PREFIX]             list the keys of the store with their values\n"
	"      [--settable]             those that `set` may write, also if they do not exist\n"
	"  get [-l] PATH                print the value of a key\n"
	"  set PATH VALUE               write a key and print the new revision\n"
	"      [--if-revision R]        only if the key has revision R\n"
	"      [--create]               only if the key does not exist\n"
	"  del PATH [--if-revision R]   delete a key\n"
	"  commit FILE                  make all the changes in FILE or none of them;\n"
	"                               \"-\": standard input\n"
	"      [--if-revision R]        only if none of the keys is newer than R\n"
	"  watch [PREFIX] [--from REV]  print the keys (those newer than REV), then\n"
	"                               every change\n"
	"  audit [-f]                   print the audit log; -f: follow it\n"
	"      [--subject S] [--path PREFIX] [--denied]\n"
	"      [--verify]               check that no line is missing, altered or moved\n"
	"  frames [-f]                  print the last frames that were dropped, or\n"
	"                               sent or received by the calf; -f: follow them\n"
	"      [--reason R] [--dropped] only those\n"
	"      [--pcap FILE]            write a capture for tcpdump; \"-\": standard output\n"
	"  status [--all]               print the lease, processes, store and counters of\n"
	"                               all instances; --all: also counters that are zero\n"
	"  forget                       undo what instances left in resolv.conf, names and\n"
	"                               time servers if their leases are over; with\n"
	"                               INSTANCE: remove this one, which must not run\n"
	"  check [FILE|INSTANCE]        check a configuration by the rules of a start\n"
	"      [--effective]            and print what it comes to\n"
	"      [--calf DIRECTORY]...    with these calves, too, as `run` has them\n"
	"  describe [FILE|INSTANCE]     print what the calves of a configuration can change\n"
	"      [--calf DIRECTORY]...    and these\n"
	"  help [COMMAND]               print this text, or that of COMMAND with examples\n"
	"  version                      print the version\n"
	"\n"
	"The first word after a command can be an INSTANCE: calfpen get eth0 /ip.\n"
	"Without one, the only instance is meant.\n"
	"\n"
	"  -i, --instance NAME   the same as an option\n"
	"  --json                print JSON\n"
	"  -l                    ls, get: also print revision, time, writer and length\n"
	"  -h, --help            print this text, or that of the command\n"
	"  -V, --version         print the version\n"
	"\n"
	"A line of FILE is `set PATH VALUE`, `del PATH`, or a comment starting with `#`.\n"
	"Arguments after `--` are not options: calfpen set /control/dhcp4/renew -- -1\n"
	"\n"
	"Exit status: 0 success, 1 failure, 2 usage error, 3 no such key, 4 denied,\n"
	"5 conflict (--if-revision, --create), 6 busy or quota exhausted,\n"
	"7 value too long or of the wrong type, 8 nobody runs it, 9 a process fails\n"
	"(status; of several instances: the highest). See calfpen(8) for details.\n";

static const struct {
	const char *command, *text;
} examples[] = {
	{ "list", "calfpen list\n"
		  "calfpen list --json" },
	{ "renew", "calfpen renew\n"
		   "calfpen renew eth0 eth1/dhcp4" },
	{ "release", "calfpen release eth0" },
	{ "ls", "calfpen ls -l /lease\n"
		"calfpen ls --settable" },
	{ "get", "calfpen get /ip\n"
		 "calfpen get --json /lease/expires" },
	{ "set", "calfpen set /control/dhcp4/renew now\n"
		 "calfpen set --create /control/dhcp4/renew now    # unless a request is pending" },
	{ "del", "calfpen del /control/dhcp4/renew\n"
		 "calfpen del --if-revision 17 /control/dhcp4/renew" },
	{ "commit", "calfpen commit changes.txt\n"
		    "echo 'set /control/dhcp4/renew now' | calfpen commit -" },
	{ "watch", "calfpen watch /lease\n"
		   "calfpen watch --json / | while read -r line; do ...; done" },
	{ "audit", "calfpen audit -f --denied\n"
		   "calfpen audit --subject operator --path /control\n"
		   "calfpen audit --verify" },
	{ "frames", "calfpen frames -f --dropped\n"
		    "calfpen frames -f --pcap - | tcpdump -n -r -" },
	{ "status", "calfpen status --all\n"
		    "calfpen status --json" },
	{ "forget", "calfpen forget eth1\n"
		    "calfpen forget    # what leases that are over left in shared files" },
	{ "check", "calfpen check --effective eth1\n"
		   "calfpen check /etc/calfpen/eth1.yaml" },
	{ "describe", "calfpen describe eth1\n"
		      "calfpen describe --calf ./my-calf /etc/calfpen/eth1.yaml" },
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

void cli_help(const struct cli *cli, const char *command)
{
	if (!command) {
		fputs(help_text, cli->out);
		return;
	}
	fputs("Usage: calfpen [OPTIONS] COMMAND\n\n", cli->out);
	print_parts(cli->out, help_text, command);
	fputc('\n', cli->out);
	print_parts(cli->out, help_text, "-");
	print_examples(cli->out, command);
}
