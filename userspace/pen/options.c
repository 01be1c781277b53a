/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/pen/options.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_DEFAULT "/run/calfpen-pen"
/* The process keeps three more, within its limit of descriptors. */
#define PRESERVE_MAX 32

enum option {
	OPTION_ROOT,
	OPTION_LOG,
	OPTION_LOG_FORMAT,
	OPTION_BUNDLE,
	OPTION_PID_FILE,
	OPTION_PRESERVE_FDS,
	OPTION_NO_NEW_KEYRING,
	OPTION_FORCE,
};

#define ANYWHERE (-1) /* before the command */

static const struct {
	const char *name, *letter;
	enum option option;
	bool has_value;
	int command;
} options[] = {
	{ "--root", NULL, OPTION_ROOT, true, ANYWHERE },
	{ "--log", NULL, OPTION_LOG, true, ANYWHERE },
	{ "--log-format", NULL, OPTION_LOG_FORMAT, true, ANYWHERE },
	{ "--bundle", "-b", OPTION_BUNDLE, true, PEN_CREATE },
	{ "--pid-file", NULL, OPTION_PID_FILE, true, PEN_CREATE },
	{ "--preserve-fds", NULL, OPTION_PRESERVE_FDS, true, PEN_CREATE },
	/* The pen never makes one, and keyctl is not among the calf's calls. */
	{ "--no-new-keyring", NULL, OPTION_NO_NEW_KEYRING, false, PEN_CREATE },
	{ "--force", "-f", OPTION_FORCE, false, PEN_DELETE },
};

static const struct {
	const char *name;
	enum pen_command command;
} commands[] = {
	{ "create", PEN_CREATE }, { "start", PEN_START }, { "kill", PEN_KILL },
	{ "delete", PEN_DELETE }, { "state", PEN_STATE },
};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

struct parser {
	struct pen_options *options;
	char *error;
	size_t size;
	int command; /* or ANYWHERE as long as there is none */
	bool has_signal;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct parser *parser, const char *format,
							...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(parser->error, parser->size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Returns the number, or -1. */
static int number(const char *text, int max)
{
	char *end;
	long value = strtol(text, &end, 10);

	return *text >= '0' && *text <= '9' && *end == '\0' && value <= max ? (int)value : -1;
}

static int set_option(struct parser *parser, enum option option, const char *value)
{
	struct pen_options *set = parser->options;

	switch (option) {
	case OPTION_ROOT:
		set->root = value;
		return 0;
	case OPTION_LOG:
		set->log = value;
		return 0;
	case OPTION_LOG_FORMAT:
		set->is_json = !strcmp(value, "json");
		return set->is_json || !strcmp(value, "text") ?
			       0 :
			       refuse(parser, "--log-format: must be json or text: %s", value);
	case OPTION_BUNDLE:
		set->bundle = value;
		return 0;
	case OPTION_PID_FILE:
		set->pid_file = value;
		return 0;
	case OPTION_PRESERVE_FDS:
		set->preserve_fds = number(value, PRESERVE_MAX);
		return set->preserve_fds >= 0 ?
			       0 :
			       refuse(parser, "--preserve-fds: must be 0 to %d: %s", PRESERVE_MAX,
				      value);
	case OPTION_NO_NEW_KEYRING:
		return 0;
	case OPTION_FORCE:
		set->is_forced = true;
		return 0;
	}
	return -EINVAL;
}

/* Take "--name value", "--name=value" or "--name". Returns how many arguments it was. */
static int take_option(struct parser *parser, char *const *argv)
{
	const size_t length = strcspn(argv[0], "=");
	const char *value = argv[0][length] ? argv[0] + length + 1 : NULL;

	for (size_t i = 0; i < N_OF(options); i++) {
		const bool is_letter = options[i].letter && !strcmp(argv[0], options[i].letter);
		int n = 1, r;

		if (options[i].command != parser->command)
			continue;
		if (!is_letter && (strlen(options[i].name) != length ||
				   strncmp(argv[0], options[i].name, length) != 0))
			continue;
		if (value && !options[i].has_value)
			return refuse(parser, "%s takes no value", options[i].name);
		if (!value && options[i].has_value) {
			value = argv[1];
			n = 2;
		}
		if (options[i].has_value && (!value || !value[0]))
			return refuse(parser, "%s needs a value", options[i].name);
		r = set_option(parser, options[i].option, value);
		return r ? r : n;
	}
	return refuse(parser, "option %s is not supported", argv[0]);
}

static int take_command(struct parser *parser, const char *name)
{
	for (size_t i = 0; i < N_OF(commands); i++)
		if (!strcmp(name, commands[i].name)) {
			parser->options->command = commands[i].command;
			parser->command = (int)commands[i].command;
			return 0;
		}
	return refuse(parser, "command %s is not supported", name);
}

/* It becomes the name of a directory. */
static int take_id(struct parser *parser, const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+-.";

	if (strspn(id, allowed) != strlen(id) || id[0] == '.' || strlen(id) > NAME_MAX)
		return refuse(parser, "invalid container id: %s", id);
	parser->options->id = id;
	return 0;
}

/* "9", "KILL" or "SIGKILL" */
static int take_signal(struct parser *parser, const char *text)
{
	const char *name = strncmp(text, "SIG", 3) ? text : text + 3;
	int signal = number(text, SIGRTMAX);

	for (int i = 1; signal < 0 && i < NSIG; i++)
		if (sigabbrev_np(i) && !strcmp(sigabbrev_np(i), name))
			signal = i;
	if (signal <= 0)
		return refuse(parser, "unknown signal: %s", text);
	parser->options->signal = signal;
	parser->has_signal = true;
	return 0;
}

static int take_operand(struct parser *parser, const char *text)
{
	if (parser->command == ANYWHERE)
		return take_command(parser, text);
	if (!parser->options->id)
		return take_id(parser, text);
	if (parser->command == PEN_KILL && !parser->has_signal)
		return take_signal(parser, text);
	return refuse(parser, "superfluous argument: %s", text);
}

static bool is_one_of(const char *text, const char *name, const char *letter)
{
	return !strcmp(text, name) || !strcmp(text, letter);
}

int pen_options_parse(int argc, char *const *argv, struct pen_options *optionsp, char *error,
		      size_t size)
{
	struct parser parser = {
		.options = optionsp, .error = error, .size = size, .command = ANYWHERE
	};

	*optionsp = (struct pen_options){ .root = ROOT_DEFAULT, .bundle = ".", .signal = SIGTERM };
	for (int i = 1; i < argc;) {
		int r;

		if (is_one_of(argv[i], "--help", "-h")) {
			optionsp->command = PEN_HELP;
			return 0;
		}
		if (parser.command == ANYWHERE && is_one_of(argv[i], "--version", "-v")) {
			optionsp->command = PEN_VERSION;
			return 0;
		}
		r = argv[i][0] == '-' ? take_option(&parser, argv + i) :
					take_operand(&parser, argv[i]);
		if (r < 0)
			return r;
		i += r ? r : 1;
	}
	if (parser.command == ANYWHERE)
		return refuse(&parser, "no command");
	return optionsp->id ? 0 : refuse(&parser, "no container id");
}
