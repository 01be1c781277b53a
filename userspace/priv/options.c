/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the command line
 *
 * Converts argv to struct options and validates everything that later code
 * relies on: names that become path components, ids, modes. It reads only
 * argv and /proc/self/exe, checks whether the default configuration file
 * exists, and does not touch any interface.
 */
#include "userspace/priv/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/common/value.h"
#include "userspace/priv/frames/mode.h"

#ifndef CALFPEN_VERSION
#define CALFPEN_VERSION "unknown"
#endif

#define AUDIT_NONE "none" /* --audit */

enum {
	OPTION_INTERFACE = 'i',
	OPTION_HELP = 'h',
	OPTION_INSTANCE = 256,
	OPTION_CONFIG,
	OPTION_CALF,
	OPTION_RUNTIME,
	OPTION_CGROUP_PARENT,
	OPTION_RESOLV_CONF,
	OPTION_AUDIT,
	OPTION_SYSLOG,
	OPTION_STATE,
	OPTION_UID_BASE,
	OPTION_MODE,
	OPTION_TAKEOVER,
	OPTION_QUARANTINE,
	OPTION_QUARANTINE_FORCE,
	OPTION_WAIT_INTERFACE,
	OPTION_EFFECTIVE,
	OPTION_DESCRIBE,
	OPTION_VERBOSE,
	OPTION_VERSION = 'V',
	OPTION_ROLE = 512,
	OPTION_UPLINK_INDEX,
};

static const struct option long_options[] = {
	{ "interface", required_argument, NULL, OPTION_INTERFACE },
	{ "instance", required_argument, NULL, OPTION_INSTANCE },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "calf", required_argument, NULL, OPTION_CALF },
	{ "runtime", required_argument, NULL, OPTION_RUNTIME },
	{ "cgroup-parent", required_argument, NULL, OPTION_CGROUP_PARENT },
	{ "resolv-conf", required_argument, NULL, OPTION_RESOLV_CONF },
	{ "audit", required_argument, NULL, OPTION_AUDIT },
	{ "syslog", no_argument, NULL, OPTION_SYSLOG },
	{ "state", required_argument, NULL, OPTION_STATE },
	{ "uid-base", required_argument, NULL, OPTION_UID_BASE },
	{ "mode", required_argument, NULL, OPTION_MODE },
	{ "takeover", no_argument, NULL, OPTION_TAKEOVER },
	{ "quarantine", optional_argument, NULL, OPTION_QUARANTINE },
	{ "quarantine-force", no_argument, NULL, OPTION_QUARANTINE_FORCE },
	{ "wait-interface", optional_argument, NULL, OPTION_WAIT_INTERFACE },
	{ "effective", no_argument, NULL, OPTION_EFFECTIVE },
	{ "describe", no_argument, NULL, OPTION_DESCRIBE },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "role", required_argument, NULL, OPTION_ROLE },
	{ "uplink-index", required_argument, NULL, OPTION_UPLINK_INDEX },
	{ NULL, 0, NULL, 0 },
};

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The kernel's rules for names and alternative names of interfaces, restricted to
 * printable characters. Only the latter may have a ':'. */
static bool is_interface_name(const char *name)
{
	size_t length = strlen(name);

	if (length < 1 || length >= OPTIONS_UPLINK_SIZE)
		return false;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] <= 0x20 || name[i] >= 0x7f || name[i] == '/')
			return false;
	return true;
}

/* Segments of A-Z a-z 0-9 . _ - separated by '/', none of them "." or "..",
 * no slash at either end. */
static bool is_cgroup_path(const char *path)
{
	const char *segment = path;

	for (const char *c = path;; c++) {
		if (*c == '/' || *c == '\0') {
			size_t length = (size_t)(c - segment);

			if (length == 0 || (length == 1 && segment[0] == '.') ||
			    (length == 2 && segment[0] == '.' && segment[1] == '.'))
				return false;
			if (*c == '\0')
				return true;
			segment = c + 1;
		} else if (!is_lower_or_digit(*c) && !(*c >= 'A' && *c <= 'Z') && *c != '.' &&
			   *c != '_' && *c != '-') {
			return false;
		}
	}
}

/* Copy a path or a part of one: it must be non-empty, printable and fit. */
static int copy_text(const char *option, const char *text, char *to, size_t size)
{
	if (text[0] == '\0') {
		log_error("--%s: value is empty", option);
		return -EINVAL;
	}
	for (const char *c = text; *c != '\0'; c++) {
		if (*c < 0x20 || *c == 0x7f) {
			log_error("--%s: \"%s\" contains a byte that is not printable ASCII",
				  option, text);
			return -EINVAL;
		}
	}
	if (strlen(text) >= size) {
		log_error("--%s: value is longer than %zu bytes", option, size - 1);
		return -EINVAL;
	}
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

/* The same for an absolute path: it must not depend on the working directory. */
static int copy_absolute(const char *option, const char *text, char *to, size_t size)
{
	if (text[0] != '/') {
		log_error("--%s: \"%s\" is not an absolute path", option, text);
		return -EINVAL;
	}
	return copy_text(option, text, to, size);
}

/* "-" and the names by which Linux refers to a descriptor of the process itself. Returns
 * the descriptor, or 0: it is none, and 0 cannot be written to. */
static int descriptor_of(const char *text)
{
	static const struct {
		const char *name;
		int fd;
	} names[] = { { "-", 1 }, { "/dev/stdout", 1 }, { "/dev/stderr", 2 } };
	static const char *const directories[] = { "/dev/fd/", "/proc/self/fd/" };
	uint32_t fd;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i].name))
			return names[i].fd;
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		size_t length = strlen(directories[i]);

		if (!strncmp(text, directories[i], length) &&
		    !value_parse_uint(text + length, 1, INT_MAX, &fd))
			return (int)fd;
	}
	return 0;
}

static int parse_audit(struct options *options, const char *text)
{
	options->audit_fd = descriptor_of(text);
	if (text[0] == '/' || text[0] == '\0' || options->audit_fd || !strcmp(text, AUDIT_NONE))
		return copy_text("audit", text, options->audit, sizeof(options->audit));
	log_error(
		"--audit: \"%s\" is neither an absolute path nor - (standard output) nor " AUDIT_NONE,
		text);
	return -EINVAL;
}

bool options_has_audit_file(const struct options *options)
{
	return !options->audit_fd && strcmp(options->audit, AUDIT_NONE) != 0;
}

static int parse_number(const char *option, const char *text, uint32_t min, uint32_t max,
			uint32_t *numberp)
{
	if (value_parse_uint(text, min, max, numberp) < 0) {
		log_error("--%s: \"%s\" is not a number from %u to %u", option, text, min, max);
		return -EINVAL;
	}
	return 0;
}

static int parse_quarantine(struct options *options, const char *text)
{
	uint32_t seconds = OPTIONS_QUARANTINE_DEFAULT_S;
	int r = 0;

	if (text)
		r = parse_number("quarantine", text, 0, OPTIONS_QUARANTINE_MAX_S, &seconds);
	if (!r)
		options->quarantine_s = (int)seconds;
	return r;
}

int options_parse_wait(const char *text, int *secondsp)
{
	uint32_t seconds;

	if (!strcmp(text, "forever")) {
		*secondsp = OPTIONS_WAIT_FOREVER;
		return 0;
	}
	if (value_parse_uint(text, 0, OPTIONS_WAIT_MAX_S, &seconds) < 0)
		return -EINVAL;
	*secondsp = (int)seconds;
	return 0;
}

static int parse_wait_interface(struct options *options, const char *text)
{
	if (!options_parse_wait(text ? text : "forever", &options->wait_interface_s))
		return 0;
	log_error("--wait-interface: \"%s\" is not a number from 0 to %d, nor \"forever\"", text,
		  OPTIONS_WAIT_MAX_S);
	return -EINVAL;
}

static int parse_instance(struct options *options, const char *name)
{
	if (strcmp(name, INSTANCE_UIDS_FILE) == 0) {
		log_error("--instance: \"%s\" is a file in the directory of all instances; choose "
			  "another name",
			  name);
		return -EINVAL;
	}
	if (!instance_is_name(name)) {
		log_error(
			"--instance: \"%s\" is not a valid name; use 1 to %d characters a-z 0-9 _ -",
			name, INSTANCE_NAME_MAX);
		return -EINVAL;
	}
	memcpy(options->instance, name, strlen(name) + 1);
	return 0;
}

static int parse_interface(struct options *options, const char *name)
{
	if (!is_interface_name(name)) {
		log_error(
			"--interface: \"%s\" is not a valid interface name; use 1 to %d printable "
			"ASCII characters, no blanks or '/'",
			name, OPTIONS_UPLINK_SIZE - 1);
		return -EINVAL;
	}
	memcpy(options->uplink, name, strlen(name) + 1);
	return 0;
}

static int parse_mode(struct options *options, const char *name)
{
	static const char *const names[] = FRAME_MODE_NAMES;

	for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++) {
		if (strcmp(name, names[i]) == 0) {
			options->mode = i;
			return 0;
		}
	}
	log_error("--mode: unknown mode \"%s\"; use auto, native, tc or generic", name);
	return -EINVAL;
}

static int parse_role(struct options *options, const char *name)
{
	if (strcmp(name, "watcher") == 0) {
		options->role = ROLE_WATCHER;
	} else if (strcmp(name, "chrony") == 0) {
		options->role = ROLE_CHRONY;
	} else if (strcmp(name, "forget") == 0) {
		options->role = ROLE_FORGET;
	} else if (strcmp(name, "check") == 0) {
		options->role = ROLE_CHECK;
	} else if (strcmp(name, "migrate") == 0) {
		options->role = ROLE_MIGRATE;
	} else {
		log_error(
			"--role: unknown role \"%s\"; use watcher, chrony, forget, check or migrate",
			name);
		return -EINVAL;
	}
	return 0;
}

static int parse_calf(struct options *options, const char *directory)
{
	char checked[PATH_MAX];
	int r;

	if (options->n_calves == OPTIONS_CALVES_MAX) {
		log_error("--calf: too many calves; at most %d are allowed", OPTIONS_CALVES_MAX);
		return -EINVAL;
	}
	r = copy_text("calf", directory, checked, sizeof(checked));
	if (r < 0)
		return r;
	options->calves[options->n_calves++] = directory; /* argv's memory */
	return 0;
}

static int parse_cgroup_parent(struct options *options, const char *path)
{
	if (strlen(path) >= sizeof(options->cgroup_parent) || !is_cgroup_path(path)) {
		log_error("--cgroup-parent: \"%s\" is not a valid cgroup; use a relative path of "
			  "names with A-Z a-z 0-9 . _ -",
			  path);
		return -EINVAL;
	}
	memcpy(options->cgroup_parent, path, strlen(path) + 1);
	return 0;
}

/* Parse one option. Returns 1 if it was answered here. */
static int parse_one(struct options *options, int c, const char *text)
{
	switch (c) {
	case OPTION_INTERFACE:
		return parse_interface(options, text);
	case OPTION_INSTANCE:
		return parse_instance(options, text);
	case OPTION_CONFIG:
		return copy_text("config", text, options->configuration,
				 sizeof(options->configuration));
	case OPTION_CALF:
		return parse_calf(options, text);
	case OPTION_RUNTIME:
		return copy_text("runtime", text, options->runtime, sizeof(options->runtime));
	case OPTION_CGROUP_PARENT:
		return parse_cgroup_parent(options, text);
	case OPTION_RESOLV_CONF:
		return copy_absolute("resolv-conf", text, options->resolv_conf,
				     sizeof(options->resolv_conf));
	case OPTION_AUDIT:
		return parse_audit(options, text);
	case OPTION_SYSLOG:
		options->syslog = true;
		return 0;
	case OPTION_STATE:
		return copy_absolute("state", text, options->state, sizeof(options->state));
	case OPTION_UID_BASE:
		return parse_number("uid-base", text, INSTANCE_UID_MIN,
				    INSTANCE_UID_MAX - INSTANCE_UIDS + 1,
				    &options->wanted_uid_base);
	case OPTION_MODE:
		return parse_mode(options, text);
	case OPTION_TAKEOVER:
		options->takeover = true;
		return 0;
	case OPTION_QUARANTINE:
		return parse_quarantine(options, text);
	case OPTION_QUARANTINE_FORCE:
		options->quarantine_force = true;
		return 0;
	case OPTION_WAIT_INTERFACE:
		return parse_wait_interface(options, text);
	case OPTION_EFFECTIVE:
		options->effective = true;
		return 0;
	case OPTION_DESCRIBE:
		options->describe = true;
		return 0;
	case OPTION_VERBOSE:
		options->verbose = true;
		return 0;
	case OPTION_HELP:
		options_print_help();
		return 1;
	case OPTION_VERSION:
		puts("calfpen " CALFPEN_VERSION);
		return 1;
	case OPTION_ROLE:
		return parse_role(options, text);
	case OPTION_UPLINK_INDEX:
		return parse_number("uplink-index", text, 0, INT_MAX, &options->uplink_ifindex);
	default:
		return -EINVAL;
	}
}

static int fill_defaults(struct options *options)
{
	if (options->role == ROLE_FORGET) /* needs no uplink, and perhaps no instance */
		return 0;
	if (options->uplink[0] == '\0' && options->role != ROLE_CHECK) {
		log_error("no uplink given; name the interface with --interface NAME");
		return -EINVAL;
	}
	if (options->instance[0] == '\0' && options->uplink[0])
		instance_name_of(options->uplink, options->instance);
	if (options->configuration[0] == '\0') {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "/etc/calfpen/%s.yaml", options->instance);
		if (access(path, F_OK) == 0)
			memcpy(options->configuration, path, strlen(path) + 1);
	}
	if (options->audit[0] == '\0')
		snprintf(options->audit, sizeof(options->audit), "/var/log/calfpen/%s.audit.jsonl",
			 options->instance);
	if (options->state[0] == '\0')
		snprintf(options->state, sizeof(options->state), OPTIONS_STATE_ROOT "/%s",
			 options->instance);
	return 0;
}

/* Log one line for an option that getopt_long() refused. */
static int refuse(int c, char **argv, int i_argument)
{
	const char *argument = i_argument > 0 ? argv[i_argument] : "";

	if (c == ':')
		log_error("%s: needs a value; see --help", argument);
	else if (optopt != 0 && strncmp(argument, "--", 2) != 0)
		log_error("-%c: unknown option; see --help", optopt); /* in the middle of a word */
	else
		log_error("%s: unknown option or unexpected value; see --help", argument);
	return -EINVAL;
}

int options_parse(struct options *options, int argc, char **argv)
{
	struct options parsed = {
		.cgroup_parent = "calfpen",
		.mode = -1,
		.quarantine_s = -1,
		.wait_interface_s = -1,
		.argv = argv,
		.argc = argc,
	};
	int c, r;

	optind = 0; /* GNU: reset, because this may not be the first call */
	while ((c = getopt_long(argc, argv, "+:i:hV", long_options, NULL)) != -1) {
		if (c == ':' || c == '?')
			return refuse(c, argv, optind - 1);
		r = parse_one(&parsed, c, optarg);
		if (r)
			return r;
	}
	if (optind < argc) {
		log_error("\"%s\": unexpected argument; see --help", argv[optind]);
		return -EINVAL;
	}
	r = fill_defaults(&parsed);
	if (r < 0)
		return r;
	*options = parsed;
	return 0;
}
