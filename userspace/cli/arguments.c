/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "maps/pins.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/options.h"

#define ANY_NUMBER INT_MAX
#define MIN_WORDS 3 /* that every command may look at, NULL included */

struct command {
	const char *name;
	int (*run)(struct cli *cli, const char *const *words); /* up to NULL */
	int min_words, max_words;
	const char *missing; /* message if there are too few words */
	unsigned int options;
	bool no_instance; /* its first word is not an instance */
};

static int run_ls(struct cli *cli, const char *const *words)
{
	return cli_ls(cli, words[0] ? words[0] : "/");
}

static int run_get(struct cli *cli, const char *const *words)
{
	return cli_get(cli, words[0]);
}

static int run_set(struct cli *cli, const char *const *words)
{
	return cli_set(cli, words[0], words[1]);
}

static int run_del(struct cli *cli, const char *const *words)
{
	return cli_del(cli, words[0]);
}

static int run_renew(struct cli *cli, const char *const *words)
{
	return cli_request(cli, "renew", words);
}

static int run_release(struct cli *cli, const char *const *words)
{
	return cli_request(cli, "release", words);
}

static int run_commit(struct cli *cli, const char *const *words)
{
	return cli_commit(cli, words[0]);
}

static int run_watch(struct cli *cli, const char *const *words)
{
	return cli_watch(cli, words[0] ? words[0] : "/");
}

static int run_list(struct cli *cli, const char *const *words)
{
	(void)words;
	return cli_overview(cli);
}

static int run_audit(struct cli *cli, const char *const *words)
{
	(void)words;
	return cli_audit(cli);
}

static int run_status(struct cli *cli, const char *const *words)
{
	(void)words;
	return cli_status(cli);
}

static int run_frames(struct cli *cli, const char *const *words)
{
	(void)words;
	return cli_frames(cli);
}

static int run_forget(struct cli *cli, const char *const *words)
{
	(void)words;
	return cli_forget(cli);
}

static int run_check(struct cli *cli, const char *const *words)
{
	return cli_check(cli, words[0], false);
}

static int run_describe(struct cli *cli, const char *const *words)
{
	return cli_check(cli, words[0], true);
}

static int run_help(struct cli *cli, const char *const *words);

static int run_version(struct cli *cli, const char *const *words)
{
	(void)words;
	return cli_version(cli);
}

static const struct command commands[] = {
	{ "list", run_list, 0, 0, NULL, 0, false },
	{ "renew", run_renew, 0, ANY_NUMBER, NULL, 0, true },
	{ "release", run_release, 0, ANY_NUMBER, NULL, 0, true },
	{ "ls", run_ls, 0, 1, NULL, FOR_LONG | FOR_SETTABLE, false },
	{ "get", run_get, 1, 1, "get: missing PATH", FOR_LONG, false },
	{ "set", run_set, 2, 2, "set: missing PATH or VALUE", FOR_IF_REVISION | FOR_CREATE, false },
	{ "del", run_del, 1, 1, "del: missing PATH", FOR_IF_REVISION, false },
	{ "commit", run_commit, 1, 1, "commit: missing FILE", FOR_IF_REVISION, false },
	{ "watch", run_watch, 0, 1, NULL, FOR_FROM, false },
	{ "audit", run_audit, 0, 0, NULL,
	  FOR_FOLLOW | FOR_SUBJECT | FOR_PATH | FOR_DENIED | FOR_VERIFY, false },
	{ "frames", run_frames, 0, 0, NULL, FOR_FOLLOW | FOR_REASON | FOR_DROPPED | FOR_PCAP,
	  false },
	{ "status", run_status, 0, 0, NULL, FOR_ALL, false },
	{ "forget", run_forget, 0, 0, NULL, FOR_JSON, false },
	{ "check", run_check, 0, 1, NULL, FOR_EFFECTIVE | FOR_CALF | FOR_JSON, true },
	{ "describe", run_describe, 0, 1, NULL, FOR_CALF, true },
	{ "help", run_help, 0, 1, NULL, FOR_MOST, true },
	{ "version", run_version, 0, 0, NULL, FOR_MOST, true },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static int unknown_command(const struct cli *cli, const char *word)
{
	const char *names[N_COMMANDS + 1] = { "run" };

	for (size_t i = 0; i < N_COMMANDS; i++)
		names[i + 1] = commands[i].name;
	return cli_unknown(cli, "command", word, names, N_COMMANDS + 1);
}

static int run_help(struct cli *cli, const char *const *words)
{
	char name[] = "run", option[] = "--help";
	char *argv[] = { name, option, NULL };

	if (words[0] && strcmp(words[0], name) == 0)
		return cli_run(cli, 2, argv);
	if (words[0] && !find_command(words[0]))
		return unknown_command(cli, words[0]);
	cli_help(cli, words[0]);
	return CLI_OK;
}

/* Take the first word as the instance if it is one: there are more words than the command
 * needs, and a path, which begins with '/', is none. Returns 1 if it was taken, 0 if not, or
 * -CLI_USAGE after printing one line. */
static int take_instance(struct cli *cli, const struct command *command, const char *word,
			 int n_words)
{
	if (command->no_instance || n_words <= command->min_words || word[0] == '/')
		return 0;
	if (!instance_is_name(word))
		return -cli_usage(cli, "invalid instance name", word);
	if (cli->instance[0] != '\0' && strcmp(cli->instance, word) != 0)
		return -cli_usage(cli, "another instance than --instance", word);
	(void)snprintf(cli->instance, sizeof(cli->instance), "%s", word);
	cli->may_be_path = n_words == 1 && command->max_words > 0;
	return 1;
}

/* Collect the words of a command, and parse the options before, between and after them.
 * `words` has room for all of argv. Returns CLI_OPTIONS_END, or an exit code. */
static int collect_words(struct cli *cli, const struct command *command, int argc, char **argv,
			 const char **words, int *n_wordsp, unsigned int *seenp)
{
	bool only_words = false;
	int n_words = 0;

	while (argc > 1) {
		int skip = 1;

		if (!only_words) {
			int r = cli_options_parse(cli, command->name, argc, argv, seenp);

			if (r != CLI_OPTIONS_END)
				return r;
			skip = optind;
			only_words = optind > 1 && strcmp(argv[optind - 1], "--") == 0;
		}
		argc -= skip;
		argv += skip;
		if (argc == 0)
			break;
		if (n_words > command->max_words)
			return cli_usage(cli, "unexpected argument", argv[0]);
		words[n_words++] = argv[0];
	}
	*n_wordsp = n_words;
	return CLI_OPTIONS_END;
}

/* Check the words, up to NULL, and run the command. */
static int run_command(struct cli *cli, const struct command *command, const char *const *words,
		       int n_words, unsigned int seen)
{
	int n_instances = n_words > 0 ? take_instance(cli, command, words[0], n_words) : 0;

	if (n_instances < 0)
		return -n_instances;
	n_words -= n_instances;
	if (n_words > command->max_words)
		return cli_usage(cli, "unexpected argument", words[command->max_words]);
	seen &= ~(command->options ^ FOR_MOST);
	if (seen)
		return cli_options_refuse(cli, command->name, seen);
	if (n_words < command->min_words)
		return cli_usage(cli, command->missing, NULL);
	if (cli->create && cli->condition != 0)
		return cli_usage(cli, "--create and --if-revision are mutually exclusive", NULL);
	return command->run(cli, words + n_instances);
}

static int parse_command(struct cli *cli, const struct command *command, int argc, char **argv,
			 unsigned int seen)
{
	const char **words = calloc((size_t)argc + MIN_WORDS, sizeof(*words));
	int n_words = 0, r;

	if (!words)
		return cli_fail(cli, "%m");
	r = collect_words(cli, command, argc, argv, words, &n_words, &seen);
	if (r == CLI_OPTIONS_END)
		r = run_command(cli, command, words, n_words, seen);
	free(words);
	return r;
}

int cli_dispatch(struct cli *cli, int argc, char **argv)
{
	const struct command *command;
	char list[] = "list", *without_command[] = { list, NULL };
	unsigned int seen = 0;
	int r;

	r = cli_options_parse(cli, NULL, argc, argv, &seen);
	if (r != CLI_OPTIONS_END)
		return r;
	argc -= optind;
	argv += optind;
	if (argc < 1) {
		argc = 1;
		argv = without_command;
	}
	if (strcmp(argv[0], "run") == 0) {
		seen &= ~(unsigned int)FOR_INSTANCE;
		return seen ? cli_options_refuse(cli, "run", seen) : cli_run(cli, argc, argv);
	}
	command = find_command(argv[0]);
	return command ? parse_command(cli, command, argc, argv, seen) :
			 unknown_command(cli, argv[0]);
}

int cli_main(int argc, char **argv)
{
	struct cli cli = {
		.pins_root = PINS_ROOT,
		.run_root = RUN_ROOT,
		.audit_root = CLI_AUDIT_ROOT,
		.saved_root = CLI_SAVED_ROOT,
		.in = stdin,
		.out = stdout,
		.err = stderr,
	};
	int r = cli_dispatch(&cli, argc, argv);

	if (fflush(stdout) != 0 && r == CLI_OK)
		return cli_fail(&cli, "cannot write the output: %m");
	return r;
}
