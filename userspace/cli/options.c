/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#ifndef CALFPEN_VERSION
#define CALFPEN_VERSION "unknown"
#endif

enum {
	OPTION_INSTANCE = 256,
	OPTION_JSON,
	OPTION_ALL,
	OPTION_IF_REVISION,
	OPTION_CREATE,
	OPTION_FROM,
	OPTION_EFFECTIVE,
	OPTION_SUBJECT,
	OPTION_PATH,
	OPTION_DENIED,
	OPTION_REASON,
	OPTION_DROPPED,
	OPTION_PCAP,
	OPTION_CALF,
	OPTION_SETTABLE,
	OPTION_VERIFY,
	OPTION_VERSION = 'V',
};

static const struct option long_options[] = {
	{ "instance", required_argument, NULL, OPTION_INSTANCE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "all", no_argument, NULL, OPTION_ALL },
	{ "if-revision", required_argument, NULL, OPTION_IF_REVISION },
	{ "create", no_argument, NULL, OPTION_CREATE },
	{ "from", required_argument, NULL, OPTION_FROM },
	{ "effective", no_argument, NULL, OPTION_EFFECTIVE },
	{ "subject", required_argument, NULL, OPTION_SUBJECT },
	{ "path", required_argument, NULL, OPTION_PATH },
	{ "denied", no_argument, NULL, OPTION_DENIED },
	{ "reason", required_argument, NULL, OPTION_REASON },
	{ "dropped", no_argument, NULL, OPTION_DROPPED },
	{ "pcap", required_argument, NULL, OPTION_PCAP },
	{ "calf", required_argument, NULL, OPTION_CALF },
	{ "settable", no_argument, NULL, OPTION_SETTABLE },
	{ "verify", no_argument, NULL, OPTION_VERIFY },
	{ "long", no_argument, NULL, 'l' },
	{ "follow", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* Parse a revision that a key can have. */
static bool parse_revision(const char *text, uint64_t *revisionp)
{
	char *end;
	unsigned long long number;

	if (text[0] < '1' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (*end != '\0' || errno != 0 || number >= INT64_MAX)
		return false;
	*revisionp = number;
	return true;
}

/* Store the argument of an option. Returns 0 or CLI_USAGE. */
static int set_argument(struct cli *cli, int option, char *argument)
{
	switch (option) {
	case OPTION_INSTANCE:
		if (!instance_is_name(argument))
			return cli_usage(cli, "invalid instance name", argument);
		snprintf(cli->instance, sizeof(cli->instance), "%s", argument);
		return 0;
	case OPTION_SUBJECT:
		cli->subject = argument;
		return 0;
	case OPTION_PATH:
		cli->path = argument;
		return 0;
	case OPTION_REASON:
		cli->reason = argument;
		return 0;
	case OPTION_PCAP:
		cli->pcap = argument;
		return 0;
	case OPTION_CALF:
		if (cli->n_calves == CLI_CALVES_MAX)
			return cli_usage(cli, "too many calves", argument);
		cli->calves[cli->n_calves++] = argument;
		return 0;
	case OPTION_FROM:
		if (strcmp(argument, "0") != 0 && !parse_revision(argument, &cli->from))
			return cli_usage(cli, "invalid revision", argument);
		return 0;
	default:
		if (!parse_revision(argument, &cli->condition))
			return cli_usage(cli, "invalid revision", argument);
		return 0;
	}
}

static const struct {
	int option;
	unsigned int bit;
} bits[] = {
	{ OPTION_ALL, FOR_ALL },
	{ OPTION_IF_REVISION, FOR_IF_REVISION },
	{ OPTION_CREATE, FOR_CREATE },
	{ OPTION_FROM, FOR_FROM },
	{ OPTION_SUBJECT, FOR_SUBJECT },
	{ OPTION_PATH, FOR_PATH },
	{ OPTION_DENIED, FOR_DENIED },
	{ OPTION_REASON, FOR_REASON },
	{ OPTION_DROPPED, FOR_DROPPED },
	{ OPTION_PCAP, FOR_PCAP },
	{ OPTION_CALF, FOR_CALF },
	{ OPTION_EFFECTIVE, FOR_EFFECTIVE },
	{ OPTION_SETTABLE, FOR_SETTABLE },
	{ OPTION_VERIFY, FOR_VERIFY },
	{ OPTION_INSTANCE, FOR_INSTANCE },
	{ OPTION_JSON, FOR_JSON },
	{ 'l', FOR_LONG },
	{ 'f', FOR_FOLLOW },
};

/* Refuse an option that getopt_long() returned as '?' or ':'. */
static int refuse_option(const struct cli *cli, int result, char *const *argv)
{
	const char *names[sizeof(long_options) / sizeof(long_options[0])], *word = argv[optind - 1];
	char letter[] = { '-', (char)optopt, '\0' };
	size_t n_names = 0;

	if (result == ':')
		return cli_usage(cli, "missing argument", word);
	/* A letter may be in the middle of a word, which is then not argv[optind - 1]. */
	if (optopt != 0 && strncmp(word, "--", 2) != 0)
		return cli_usage(cli, "unknown option", letter);
	if (optopt != 0)
		return cli_usage(cli, "option without an argument", word);
	for (; long_options[n_names].name; n_names++)
		names[n_names] = long_options[n_names].name;
	return cli_unknown(cli, "option", word, names, n_names);
}

int cli_options_refuse(const struct cli *cli, const char *command, unsigned int seen)
{
	const char *name = "";
	char letter[] = "-?", text[64];
	int option = 0;

	for (size_t i = 0; !option && i < sizeof(bits) / sizeof(bits[0]); i++)
		if (seen & bits[i].bit)
			option = bits[i].option;
	for (const struct option *o = long_options; o->name; o++)
		if (o->val == option)
			name = o->name;
	letter[1] = (char)option;
	snprintf(text, sizeof(text), "%s has no option %s%s", command, option < 256 ? "" : "--",
		 option < 256 ? letter : name);
	return cli_usage(cli, text, NULL);
}

int cli_version(const struct cli *cli)
{
	fputs("calfpen " CALFPEN_VERSION "\n", cli->out);
	return CLI_OK;
}

int cli_options_parse(struct cli *cli, const char *command, int argc, char **argv,
		      unsigned int *seenp)
{
	int option;

	opterr = 0;
	optind = 0; /* reset getopt_long() */
	while ((option = getopt_long(argc, argv, "+:hVlfi:", long_options, NULL)) != -1) {
		if (option == 'i')
			option = OPTION_INSTANCE;
		for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
			if (bits[i].option == option)
				*seenp |= bits[i].bit;
		switch (option) {
		case OPTION_INSTANCE:
		case OPTION_SUBJECT:
		case OPTION_PATH:
		case OPTION_FROM:
		case OPTION_REASON:
		case OPTION_PCAP:
		case OPTION_CALF:
		case OPTION_IF_REVISION:
			if (set_argument(cli, option, optarg) != 0)
				return CLI_USAGE;
			break;
		case OPTION_JSON:
			cli->json = true;
			break;
		case OPTION_ALL:
			cli->all = true;
			break;
		case OPTION_CREATE:
			cli->create = true;
			break;
		case OPTION_EFFECTIVE:
			cli->effective = true;
			break;
		case OPTION_DENIED:
			cli->denied = true;
			break;
		case OPTION_DROPPED:
			cli->dropped = true;
			break;
		case OPTION_SETTABLE:
			cli->settable = true;
			break;
		case OPTION_VERIFY:
			cli->verify = true;
			break;
		case 'l':
			cli->long_lines = true;
			break;
		case 'f':
			cli->follow = true;
			break;
		case 'h':
			cli_help(cli, command);
			return CLI_OK;
		case OPTION_VERSION:
			return cli_version(cli);
		default:
			return refuse_option(cli, option, argv);
		}
	}
	return CLI_OPTIONS_END;
}
