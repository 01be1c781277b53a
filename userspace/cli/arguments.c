/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "maps/pins.h"
#include "userspace/cli/cli.h"

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
	return cli_check(cli, words[0]);
}

static int run_help(struct cli *cli, const char *const *words);

static int run_version(struct cli *cli, const char *const *words)
{
	(void)words;
	fputs("calfpen " CALFPEN_VERSION "\n", cli->out);
	return CLI_OK;
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

enum { PARSE_CONTINUE = -1 };

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

/* Refuse the options of `seen`, of which there is at least one. */
static int refuse_seen(const struct cli *cli, const char *command, unsigned int seen)
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

/* Parse the options at the front of argv, up to the first word, which is then at
 * optind; `command` is NULL in front of a command. Adds to *seenp the bits of those
 * that not all commands have. Returns PARSE_CONTINUE, or an exit code. */
static int parse_options(struct cli *cli, const char *command, int argc, char **argv,
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
			fputs("calfpen " CALFPEN_VERSION "\n", cli->out);
			return CLI_OK;
		default:
			return refuse_option(cli, option, argv);
		}
	}
	return PARSE_CONTINUE;
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
 * `words` has room for all of argv. Returns PARSE_CONTINUE, or an exit code. */
static int collect_words(struct cli *cli, const struct command *command, int argc, char **argv,
			 const char **words, int *n_wordsp, unsigned int *seenp)
{
	bool only_words = false;
	int n_words = 0;

	while (argc > 1) {
		int skip = 1;

		if (!only_words) {
			int r = parse_options(cli, command->name, argc, argv, seenp);

			if (r != PARSE_CONTINUE)
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
	return PARSE_CONTINUE;
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
		return refuse_seen(cli, command->name, seen);
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
	if (r == PARSE_CONTINUE)
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

	r = parse_options(cli, NULL, argc, argv, &seen);
	if (r != PARSE_CONTINUE)
		return r;
	argc -= optind;
	argv += optind;
	if (argc < 1) {
		argc = 1;
		argv = without_command;
	}
	if (strcmp(argv[0], "run") == 0) {
		seen &= ~(unsigned int)FOR_INSTANCE;
		return seen ? refuse_seen(cli, "run", seen) : cli_run(cli, argc, argv);
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
