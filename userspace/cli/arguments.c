/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "maps/pins.h"
#include "userspace/cli/cli.h"

#ifndef CALFPEN_VERSION
#define CALFPEN_VERSION "unknown"
#endif

static const char help_text[] =
	"Usage: calfpen [OPTIONS] COMMAND\n"
	"\n"
	"  run --interface NAME [...]   start an instance; `calfpen run --help` lists\n"
	"                               its options\n"
	"  ls [PREFIX]                  the keys of the store, with their values\n"
	"  get PATH                     the value of one key\n"
	"  status                       processes, store and frame counters\n"
	"  help                         this text\n"
	"\n"
	"  --instance NAME   which instance; default: the only one\n"
	"  --json            ls, get and status: print JSON\n"
	"  --all             status: print counters that are zero as well\n"
	"  --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage, 3 no such key.\n";

enum { OPTION_INSTANCE = 256, OPTION_JSON, OPTION_ALL, OPTION_VERSION };

static const struct option long_options[] = {
	{ "instance", required_argument, NULL, OPTION_INSTANCE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "all", no_argument, NULL, OPTION_ALL },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

int cli_fail(const struct cli *cli, const char *format, ...)
{
	va_list arguments;

	fputs("calfpen: ", cli->err);
	va_start(arguments, format);
	vfprintf(cli->err, format, arguments);
	va_end(arguments);
	fputc('\n', cli->err);
	return CLI_FAILURE;
}

static int usage(const struct cli *cli, const char *what, const char *argument)
{
	cli_fail(cli, "%s%s%s; see `calfpen help`", what, argument ? ": " : "",
		 argument ? argument : "");
	return CLI_USAGE;
}

/* It becomes a part of paths. */
static bool is_instance_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return length > 0 && length <= OPTIONS_INSTANCE_MAX && name[length] == '\0';
}

enum { PARSE_GO_ON = -1 };

/* Options at the front of argv, up to the first word. PARSE_GO_ON, or an exit
 * code: done or wrong. optind is where they ended. */
static int parse_options(struct cli *cli, int argc, char **argv)
{
	int option;

	opterr = 0;
	optind = 0; /* start anew */
	while ((option = getopt_long(argc, argv, "+:h", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_INSTANCE:
			if (!is_instance_name(optarg))
				return usage(cli, "not the name of an instance", optarg);
			snprintf(cli->instance, sizeof(cli->instance), "%s", optarg);
			break;
		case OPTION_JSON:
			cli->json = true;
			break;
		case OPTION_ALL:
			cli->all = true;
			break;
		case 'h':
			fputs(help_text, cli->out);
			return CLI_OK;
		case OPTION_VERSION:
			fputs("calfpen " CALFPEN_VERSION "\n", cli->out);
			return CLI_OK;
		case ':':
			return usage(cli, "missing argument", argv[optind - 1]);
		default:
			return usage(cli, "unknown option", argv[optind - 1]);
		}
	}
	return PARSE_GO_ON;
}

/* The command that reads an instance, with options before or after its word. */
static int dispatch_reader(struct cli *cli, const char *command, int argc, char **argv)
{
	const char *words[2] = { NULL };
	int n_words = 0, r;

	while (argc > 1) {
		r = parse_options(cli, argc, argv);
		if (r != PARSE_GO_ON)
			return r;
		argc -= optind;
		argv += optind;
		if (argc == 0)
			break;
		if (n_words == 2)
			return usage(cli, "one argument too many", argv[0]);
		words[n_words++] = argv[0];
	}
	if (strcmp(command, "ls") == 0) {
		if (n_words > 1)
			return usage(cli, "one argument too many", words[1]);
		return cli_ls(cli, words[0] ? words[0] : "/");
	}
	if (strcmp(command, "get") == 0) {
		if (n_words != 1)
			return usage(cli, n_words ? "one argument too many" : "get which PATH?",
				     words[1]);
		return cli_get(cli, words[0]);
	}
	if (n_words > 0)
		return usage(cli, "one argument too many", words[0]);
	return cli_status(cli);
}

int cli_dispatch(struct cli *cli, int argc, char **argv)
{
	const char *command;
	int r;

	r = parse_options(cli, argc, argv);
	if (r != PARSE_GO_ON)
		return r;
	argc -= optind;
	argv += optind;
	if (argc < 1)
		return usage(cli, "which command?", NULL);
	command = argv[0];
	if (strcmp(command, "help") == 0) {
		fputs(help_text, cli->out);
		return CLI_OK;
	}
	if (strcmp(command, "run") == 0)
		return cli_run(cli, argc, argv);
	if (strcmp(command, "ls") == 0 || strcmp(command, "get") == 0 ||
	    strcmp(command, "status") == 0)
		return dispatch_reader(cli, command, argc, argv);
	return usage(cli, "unknown command", command);
}

int cli_main(int argc, char **argv)
{
	struct cli cli = {
		.pins_root = PINS_ROOT,
		.run_root = RUN_ROOT,
		.out = stdout,
		.err = stderr,
	};
	int r = cli_dispatch(&cli, argc, argv);

	if (fflush(stdout) != 0 && r == CLI_OK)
		return cli_fail(&cli, "cannot write: %m");
	return r;
}
