/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/resource.h>

#include "userspace/pen/config-private.h"

static int take_user(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "uid", pen_take_zero, true },
		{ "gid", pen_take_zero, true },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_argument(struct pen_reader *reader, json_t *value)
{
	struct pen_config *config = reader->config;
	const char *text = json_string_value(value);
	size_t n = 0;
	char *at = config->arguments;

	if (!text)
		return pen_refuse(reader, "must be a string");
	for (; n < PEN_ARGUMENTS_MAX && config->argv[n]; n++)
		at = config->argv[n] + strlen(config->argv[n]) + 1;
	if (n == PEN_ARGUMENTS_MAX ||
	    strlen(text) >= (size_t)(config->arguments + sizeof(config->arguments) - at))
		return pen_refuse(reader, "too many arguments");
	memcpy(at, text, strlen(text) + 1);
	config->argv[n] = at;
	return 0;
}

static int take_arguments(struct pen_reader *reader, json_t *value)
{
	const char *name;
	int r = pen_take_array(reader, value, take_argument);

	if (r)
		return r;
	name = reader->config->argv[0];
	if (!name || name[0] != '/' || !name[1] || name[1] == '.' || strchr(name + 1, '/'))
		return pen_refuse(reader, "the first must be a file in the root, \"/NAME\"");
	return 0;
}

static int take_cwd(struct pen_reader *reader, json_t *value)
{
	return pen_take_text(reader, value, "/");
}

static int take_capabilities(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "bounding", pen_take_empty_array, false },
		{ "effective", pen_take_empty_array, false },
		{ "inheritable", pen_take_empty_array, false },
		{ "permitted", pen_take_empty_array, false },
		{ "ambient", pen_take_empty_array, false },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_limit_type(struct pen_reader *reader, json_t *value)
{
	static const struct {
		const char *name;
		enum __rlimit_resource resource;
	} types[] = {
		{ "RLIMIT_AS", RLIMIT_AS },
		{ "RLIMIT_CORE", RLIMIT_CORE },
		{ "RLIMIT_CPU", RLIMIT_CPU },
		{ "RLIMIT_DATA", RLIMIT_DATA },
		{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
		{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
		{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
		{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
		{ "RLIMIT_NPROC", RLIMIT_NPROC },
		{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
		{ "RLIMIT_STACK", RLIMIT_STACK },
	};
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < PEN_N_OF(types); i++)
		if (!strcmp(text, types[i].name)) {
			reader->limit.resource = types[i].resource;
			return 0;
		}
	return pen_refuse(reader, "not supported");
}

static int take_hard(struct pen_reader *reader, json_t *value)
{
	json_int_t number = 0;
	int r = pen_take_number(reader, value, 0, INT64_MAX, &number);

	reader->limit.value.rlim_max = (rlim_t)number;
	return r;
}

static int take_soft(struct pen_reader *reader, json_t *value)
{
	json_int_t number = 0;
	int r = pen_take_number(reader, value, 0, INT64_MAX, &number);

	reader->limit.value.rlim_cur = (rlim_t)number;
	return r;
}

static int take_limit(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "type", take_limit_type, true },
		{ "hard", take_hard, true },
		{ "soft", take_soft, true },
	};
	struct pen_config *config = reader->config;
	int r = pen_take_object(reader, value, fields, PEN_N_OF(fields));

	if (r)
		return r;
	if (reader->limit.value.rlim_cur > reader->limit.value.rlim_max)
		return pen_refuse(reader, "the soft limit is above the hard one");
	for (size_t i = 0; i < config->n_limits; i++)
		if (config->limits[i].resource == reader->limit.resource)
			return pen_refuse(reader, "second limit of this type");
	config->limits[config->n_limits++] = reader->limit;
	return 0;
}

static int take_limits(struct pen_reader *reader, json_t *value)
{
	return pen_take_array(reader, value, take_limit);
}

static int take_oom_score_adj(struct pen_reader *reader, json_t *value)
{
	json_int_t number = 0;
	int r = pen_take_number(reader, value, -1000, 1000, &number);

	reader->config->has_oom_score_adj = true;
	reader->config->oom_score_adj = (int)number;
	return r;
}

int pen_take_process(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "terminal", pen_take_false, false },
		{ "user", take_user, true },
		{ "args", take_arguments, true },
		{ "env", pen_take_empty_array, false },
		{ "cwd", take_cwd, true },
		{ "capabilities", take_capabilities, false },
		{ "rlimits", take_limits, false },
		{ "noNewPrivileges", pen_take_true, true },
		{ "oomScoreAdj", take_oom_score_adj, false },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}
