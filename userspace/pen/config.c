/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/pen/config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/pen/filter.h"

/* Ours have 11 KiB. */
#define CONFIG_MAX (256 * 1024)
#define NAMES_MAX 256

#if defined(__x86_64__)
#define ARCHITECTURE "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define ARCHITECTURE "SCMP_ARCH_AARCH64"
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "name this architecture as the OCI runtime specification does"
#endif

struct reader {
	struct pen_config *config;
	const char *bundle;
	char *error;
	char where[256]; /* path of the field that is read */
	/* Checked when everything has been read, because fields have no order */
	const char *root;
	const char *bind_source, *bind_destination;
	const char *calls[NAMES_MAX]; /* that linux.seccomp allows */
	size_t n_calls;
	bool has_calls;
	unsigned int namespaces; /* bits, in the order of `namespace_types` */
	struct pen_limit limit;	 /* the one that is read */
};

typedef int (*take_fn)(struct reader *reader, json_t *value);

struct field {
	const char *name;
	take_fn take;
	bool is_required;
};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

__attribute__((format(printf, 2, 3))) static int refuse(struct reader *reader, const char *format,
							...)
{
	char reason[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	snprintf(reader->error, PEN_ERROR_SIZE, "%s: %s",
		 reader->where[0] ? reader->where : "config.json", reason);
	return -EINVAL;
}

/* Append the name of a member to the path. Returns the length to cut it back to. */
static size_t enter(struct reader *reader, const char *name)
{
	size_t length = strlen(reader->where);

	snprintf(reader->where + length, sizeof(reader->where) - length, "%s%s", length ? "." : "",
		 name);
	return length;
}

static size_t enter_element(struct reader *reader, size_t i)
{
	size_t length = strlen(reader->where);

	snprintf(reader->where + length, sizeof(reader->where) - length, "[%zu]", i);
	return length;
}

static void leave(struct reader *reader, size_t length)
{
	reader->where[length] = '\0';
}

/* Hand each member to its function. Unknown ones are refused, and so are missing ones. */
static int take_object(struct reader *reader, json_t *object, const struct field *fields, size_t n)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return refuse(reader, "must be an object");
	json_object_foreach(object, name, value)
	{
		size_t i = 0, length = enter(reader, name);
		int r;

		while (i < n && strcmp(fields[i].name, name) != 0)
			i++;
		r = i < n ? fields[i].take(reader, value) : refuse(reader, "not supported");
		if (r)
			return r;
		leave(reader, length);
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].is_required && !json_object_get(object, fields[i].name)) {
			enter(reader, fields[i].name);
			return refuse(reader, "missing");
		}
	return 0;
}

static int take_array(struct reader *reader, json_t *array, take_fn take)
{
	json_t *value;
	size_t i;

	if (!json_is_array(array))
		return refuse(reader, "must be an array");
	json_array_foreach(array, i, value)
	{
		size_t length = enter_element(reader, i);
		int r = take(reader, value);

		if (r)
			return r;
		leave(reader, length);
	}
	return 0;
}

static int take_empty_array(struct reader *reader, json_t *value)
{
	return json_is_array(value) && json_array_size(value) == 0 ?
		       0 :
		       refuse(reader, "must be an empty array");
}

static int take_true(struct reader *reader, json_t *value)
{
	return json_is_true(value) ? 0 : refuse(reader, "must be true");
}

static int take_false(struct reader *reader, json_t *value)
{
	return json_is_false(value) ? 0 : refuse(reader, "must be false");
}

static int take_text(struct reader *reader, json_t *value, const char *wanted)
{
	const char *text = json_string_value(value);

	return text && !strcmp(text, wanted) ? 0 : refuse(reader, "must be \"%s\"", wanted);
}

static int take_number(struct reader *reader, json_t *value, json_int_t min, json_int_t max,
		       json_int_t *numberp)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < min || number > max)
		return refuse(reader, "must be an integer from %lld to %lld", (long long)min,
			      (long long)max);
	*numberp = number;
	return 0;
}

static int take_zero(struct reader *reader, json_t *value)
{
	json_int_t number;

	return take_number(reader, value, 0, 0, &number);
}

static int take_one(struct reader *reader, json_t *value)
{
	json_int_t number;

	return take_number(reader, value, 1, 1, &number);
}

static int take_positive(struct reader *reader, json_t *value, uint64_t *numberp)
{
	json_int_t number = 0;
	int r = take_number(reader, value, 1, INT64_MAX, &number);

	if (!r)
		*numberp = (uint64_t)number;
	return r;
}

/* the top level */

static int take_version(struct reader *reader, json_t *value)
{
	const char *text = json_string_value(value);

	return text && !strncmp(text, "1.", 2) ? 0 : refuse(reader, "must be version 1");
}

static int take_hostname(struct reader *reader, json_t *value)
{
	const char *text = json_string_value(value);
	size_t length = text ? strlen(text) : 0;

	if (length == 0 || length >= PEN_HOSTNAME_SIZE)
		return refuse(reader, "must be a string of 1 to %d bytes", PEN_HOSTNAME_SIZE - 1);
	memcpy(reader->config->hostname, text, length + 1);
	return 0;
}

static int take_root_path(struct reader *reader, json_t *value)
{
	reader->root = json_string_value(value);
	return reader->root && reader->root[0] ? 0 : refuse(reader, "must be a path");
}

static int take_root(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "path", take_root_path, true },
		{ "readonly", take_true, true },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

/* process */

static int take_user(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "uid", take_zero, true },
		{ "gid", take_zero, true },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_argument(struct reader *reader, json_t *value)
{
	struct pen_config *config = reader->config;
	const char *text = json_string_value(value);
	size_t n = 0;
	char *at = config->arguments;

	if (!text)
		return refuse(reader, "must be a string");
	for (; n < PEN_ARGUMENTS_MAX && config->argv[n]; n++)
		at = config->argv[n] + strlen(config->argv[n]) + 1;
	if (n == PEN_ARGUMENTS_MAX ||
	    strlen(text) >= (size_t)(config->arguments + sizeof(config->arguments) - at))
		return refuse(reader, "too many arguments");
	memcpy(at, text, strlen(text) + 1);
	config->argv[n] = at;
	return 0;
}

static int take_arguments(struct reader *reader, json_t *value)
{
	const char *name;
	int r = take_array(reader, value, take_argument);

	if (r)
		return r;
	name = reader->config->argv[0];
	if (!name || name[0] != '/' || !name[1] || name[1] == '.' || strchr(name + 1, '/'))
		return refuse(reader, "the first must be a file in the root, \"/NAME\"");
	return 0;
}

static int take_cwd(struct reader *reader, json_t *value)
{
	return take_text(reader, value, "/");
}

static int take_capabilities(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "bounding", take_empty_array, false },
		{ "effective", take_empty_array, false },
		{ "inheritable", take_empty_array, false },
		{ "permitted", take_empty_array, false },
		{ "ambient", take_empty_array, false },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_limit_type(struct reader *reader, json_t *value)
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

	for (size_t i = 0; text && i < N_OF(types); i++)
		if (!strcmp(text, types[i].name)) {
			reader->limit.resource = types[i].resource;
			return 0;
		}
	return refuse(reader, "not supported");
}

static int take_hard(struct reader *reader, json_t *value)
{
	json_int_t number = 0;
	int r = take_number(reader, value, 0, INT64_MAX, &number);

	reader->limit.value.rlim_max = (rlim_t)number;
	return r;
}

static int take_soft(struct reader *reader, json_t *value)
{
	json_int_t number = 0;
	int r = take_number(reader, value, 0, INT64_MAX, &number);

	reader->limit.value.rlim_cur = (rlim_t)number;
	return r;
}

static int take_limit(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "type", take_limit_type, true },
		{ "hard", take_hard, true },
		{ "soft", take_soft, true },
	};
	struct pen_config *config = reader->config;
	int r = take_object(reader, value, fields, N_OF(fields));

	if (r)
		return r;
	if (reader->limit.value.rlim_cur > reader->limit.value.rlim_max)
		return refuse(reader, "the soft limit is above the hard one");
	for (size_t i = 0; i < config->n_limits; i++)
		if (config->limits[i].resource == reader->limit.resource)
			return refuse(reader, "second limit of this type");
	config->limits[config->n_limits++] = reader->limit;
	return 0;
}

static int take_limits(struct reader *reader, json_t *value)
{
	return take_array(reader, value, take_limit);
}

static int take_oom_score_adj(struct reader *reader, json_t *value)
{
	json_int_t number = 0;
	int r = take_number(reader, value, -1000, 1000, &number);

	reader->config->has_oom_score_adj = true;
	reader->config->oom_score_adj = (int)number;
	return r;
}

static int take_process(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "terminal", take_false, false },
		{ "user", take_user, true },
		{ "args", take_arguments, true },
		{ "env", take_empty_array, false },
		{ "cwd", take_cwd, true },
		{ "capabilities", take_capabilities, false },
		{ "rlimits", take_limits, false },
		{ "noNewPrivileges", take_true, true },
		{ "oomScoreAdj", take_oom_score_adj, false },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

/* mounts: the pen makes none, so they are only checked */

static int take_any_text(struct reader *reader, json_t *value)
{
	return json_is_string(value) ? 0 : refuse(reader, "must be a string");
}

static int take_any_texts(struct reader *reader, json_t *value)
{
	return take_array(reader, value, take_any_text);
}

static bool has_text(json_t *array, const char *wanted)
{
	json_t *value;
	size_t i;

	json_array_foreach(array, i,
			   value) if (json_is_string(value) &&
				      !strcmp(json_string_value(value), wanted)) return true;
	return false;
}

static int take_mount(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "destination", take_any_text, true },
		{ "type", take_any_text, true },
		{ "source", take_any_text, true },
		{ "options", take_any_texts, true },
	};
	const char *destination, *type;
	int r = take_object(reader, value, fields, N_OF(fields));

	if (r)
		return r;
	destination = json_string_value(json_object_get(value, "destination"));
	type = json_string_value(json_object_get(value, "type"));
	if ((!strcmp(destination, "/proc") && !strcmp(type, "proc")) ||
	    (!strcmp(destination, "/dev") && !strcmp(type, "tmpfs")))
		return 0;
	if (strcmp(type, "bind") != 0 || reader->bind_source)
		return refuse(reader, "mount on %s: not supported", destination);
	if (!has_text(json_object_get(value, "options"), "ro"))
		return refuse(reader, "mount on %s: must have the option ro", destination);
	reader->bind_source = json_string_value(json_object_get(value, "source"));
	reader->bind_destination = destination;
	return 0;
}

static int take_mounts(struct reader *reader, json_t *value)
{
	return take_array(reader, value, take_mount);
}

/* linux */

/* The last one may be missing: the specification had no name for it at first. The pen makes
 * all of them. */
static const char *const namespace_types[] = { "user",	"pid",	   "ipc",    "uts",
					       "mount", "network", "cgroup", "time" };
#define NAMESPACES_REQUIRED (N_OF(namespace_types) - 1)

static int take_namespace_type(struct reader *reader, json_t *value)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < N_OF(namespace_types); i++)
		if (!strcmp(text, namespace_types[i])) {
			if (reader->namespaces & 1u << i)
				return refuse(reader, "second namespace of this type");
			reader->namespaces |= 1u << i;
			return 0;
		}
	return refuse(reader, "not supported");
}

static int take_namespace(struct reader *reader, json_t *value)
{
	static const struct field fields[] = { { "type", take_namespace_type, true } };

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_namespaces(struct reader *reader, json_t *value)
{
	int r = take_array(reader, value, take_namespace);

	for (size_t i = 0; !r && i < NAMESPACES_REQUIRED; i++)
		if (!(reader->namespaces & 1u << i))
			r = refuse(reader, "no %s namespace", namespace_types[i]);
	return r;
}

static int take_host_id(struct reader *reader, json_t *value, uint32_t *idp)
{
	json_int_t number = 0;
	int r = take_number(reader, value, 1, (json_int_t)UINT32_MAX - 1, &number);

	*idp = (uint32_t)number;
	return r;
}

static int take_host_uid(struct reader *reader, json_t *value)
{
	return take_host_id(reader, value, &reader->config->uid);
}

static int take_host_gid(struct reader *reader, json_t *value)
{
	return take_host_id(reader, value, &reader->config->gid);
}

static int take_uid_map(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "containerID", take_zero, true },
		{ "hostID", take_host_uid, true },
		{ "size", take_one, true },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_gid_map(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "containerID", take_zero, true },
		{ "hostID", take_host_gid, true },
		{ "size", take_one, true },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_uid_maps(struct reader *reader, json_t *value)
{
	return json_array_size(value) == 1 ? take_array(reader, value, take_uid_map) :
					     refuse(reader, "must map exactly one id");
}

static int take_gid_maps(struct reader *reader, json_t *value)
{
	return json_array_size(value) == 1 ? take_array(reader, value, take_gid_map) :
					     refuse(reader, "must map exactly one id");
}

static int take_access(struct reader *reader, json_t *value)
{
	return take_text(reader, value, "rwm");
}

static int take_device(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "allow", take_false, true },
		{ "access", take_access, true },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_devices(struct reader *reader, json_t *value)
{
	return take_array(reader, value, take_device);
}

static int take_memory_limit(struct reader *reader, json_t *value)
{
	return take_positive(reader, value, &reader->config->memory_bytes);
}

static int take_memory(struct reader *reader, json_t *value)
{
	static const struct field fields[] = { { "limit", take_memory_limit, true } };

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_pids_limit(struct reader *reader, json_t *value)
{
	return take_positive(reader, value, &reader->config->pids);
}

static int take_pids(struct reader *reader, json_t *value)
{
	static const struct field fields[] = { { "limit", take_pids_limit, true } };

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_period(struct reader *reader, json_t *value)
{
	return take_positive(reader, value, &reader->config->cpu_period_us);
}

static int take_quota(struct reader *reader, json_t *value)
{
	return take_positive(reader, value, &reader->config->cpu_quota_us);
}

static int take_cpu(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "period", take_period, true },
		{ "quota", take_quota, true },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_resources(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "devices", take_devices, false },
		{ "memory", take_memory, true },
		{ "pids", take_pids, true },
		{ "cpu", take_cpu, false },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_cgroup(struct reader *reader, json_t *value)
{
	const char *text = json_string_value(value);
	size_t length = text ? strlen(text) : 0;

	if (length < 2 || length >= PEN_CGROUP_SIZE || text[0] != '/')
		return refuse(reader, "must be a path that begins with /");
	for (const char *name = text; *name; name += 1 + strcspn(name + 1, "/"))
		if (name[1] == '/' || name[1] == '\0' || name[1] == '.')
			return refuse(reader, "invalid path: %s", text);
	memcpy(reader->config->cgroup, text, length + 1);
	return 0;
}

static int take_default_action(struct reader *reader, json_t *value)
{
	const char *text = json_string_value(value);

	return text && (!strcmp(text, "SCMP_ACT_ERRNO") || !strcmp(text, "SCMP_ACT_KILL_PROCESS")) ?
		       0 :
		       refuse(reader, "must be SCMP_ACT_ERRNO or SCMP_ACT_KILL_PROCESS");
}

static int take_architecture(struct reader *reader, json_t *value)
{
	return take_text(reader, value, ARCHITECTURE);
}

static int take_architectures(struct reader *reader, json_t *value)
{
	return take_array(reader, value, take_architecture);
}

static int take_action(struct reader *reader, json_t *value)
{
	return take_text(reader, value, "SCMP_ACT_ALLOW");
}

static int take_call(struct reader *reader, json_t *value)
{
	if (!json_is_string(value))
		return refuse(reader, "must be a string");
	if (reader->n_calls == NAMES_MAX)
		return refuse(reader, "too many calls");
	reader->calls[reader->n_calls++] = json_string_value(value);
	return 0;
}

static int take_calls(struct reader *reader, json_t *value)
{
	return take_array(reader, value, take_call);
}

/* The pen's own conditions apply, whatever these are. */
static int take_condition(struct reader *reader, json_t *value)
{
	return json_is_object(value) ? 0 : refuse(reader, "must be an object");
}

static int take_conditions(struct reader *reader, json_t *value)
{
	return take_array(reader, value, take_condition);
}

static int take_rule(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "names", take_calls, true },
		{ "action", take_action, true },
		{ "args", take_conditions, false },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

static int take_rules(struct reader *reader, json_t *value)
{
	return take_array(reader, value, take_rule);
}

static int take_seccomp(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "defaultAction", take_default_action, true },
		{ "architectures", take_architectures, true },
		{ "syscalls", take_rules, true },
	};

	reader->has_calls = true;
	return take_object(reader, value, fields, N_OF(fields));
}

static int take_hidden_path(struct reader *reader, json_t *value)
{
	const char *text = json_string_value(value);

	return text && !strncmp(text, "/proc/", strlen("/proc/")) ?
		       0 :
		       refuse(reader, "only paths in /proc, which is not mounted");
}

static int take_hidden_paths(struct reader *reader, json_t *value)
{
	return take_array(reader, value, take_hidden_path);
}

static int take_linux(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "namespaces", take_namespaces, true },
		{ "uidMappings", take_uid_maps, true },
		{ "gidMappings", take_gid_maps, true },
		{ "resources", take_resources, true },
		{ "cgroupsPath", take_cgroup, true },
		{ "seccomp", take_seccomp, false },
		{ "maskedPaths", take_hidden_paths, false },
		{ "readonlyPaths", take_hidden_paths, false },
	};

	return take_object(reader, value, fields, N_OF(fields));
}

/* what several fields say together */

static int set_program(struct reader *reader)
{
	struct pen_config *config = reader->config;
	const char *directory = reader->root[0] == '/' ? "" : reader->bundle;
	int n;

	if (reader->bind_source && strcmp(reader->bind_destination, config->argv[0]) != 0) {
		enter(reader, "mounts");
		return refuse(reader, "mount on %s: not supported", reader->bind_destination);
	}
	n = reader->bind_source ?
		    snprintf(config->program, sizeof(config->program), "%s", reader->bind_source) :
		    snprintf(config->program, sizeof(config->program), "%s%s%s%s", directory,
			     directory[0] ? "/" : "", reader->root, config->argv[0]);
	if (n < (int)sizeof(config->program))
		return 0;
	enter(reader, "process.args[0]");
	return refuse(reader, "the path is too long");
}

static bool allows(const struct reader *reader, const char *call)
{
	/* The same right: a bundle names the call that other runtimes make. */
	if (!strcmp(call, "execveat"))
		call = "execve";
	for (size_t i = 0; i < reader->n_calls; i++)
		if (!strcmp(reader->calls[i], call))
			return true;
	return false;
}

static int check_calls(struct reader *reader)
{
	const char *call;

	for (size_t i = 0; reader->has_calls && (call = pen_filter_call(i)); i++)
		if (!allows(reader, call)) {
			enter(reader, "linux.seccomp.syscalls");
			return refuse(reader, "does not allow %s, without which no program starts",
				      call);
		}
	return 0;
}

static int take_bundle(struct reader *reader, json_t *value)
{
	static const struct field fields[] = {
		{ "ociVersion", take_version, true }, { "hostname", take_hostname, true },
		{ "root", take_root, true },	      { "process", take_process, true },
		{ "mounts", take_mounts, false },     { "linux", take_linux, true },
	};
	int r = take_object(reader, value, fields, N_OF(fields));

	if (!r)
		r = set_program(reader);
	return r ? r : check_calls(reader);
}

int pen_config_parse(const char *text, size_t length, const char *bundle,
		     struct pen_config *configp, char error[PEN_ERROR_SIZE])
{
	struct reader reader = { .config = configp, .bundle = bundle, .error = error };
	json_error_t where;
	json_t *root;
	int r;

	memset(configp, 0, sizeof(*configp));
	root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
	if (!root)
		return refuse(&reader, "line %d: %s", where.line, where.text);
	r = take_bundle(&reader, root);
	json_decref(root);
	return r;
}

int pen_config_read(const char *bundle, struct pen_config *configp, char error[PEN_ERROR_SIZE])
{
	static char text[CONFIG_MAX];
	char path[PATH_MAX];
	size_t length = 0;
	ssize_t n = 0;
	int fd, r = 0;

	if (snprintf(path, sizeof(path), "%s/config.json", bundle) >= (int)sizeof(path))
		r = -ENAMETOOLONG;
	fd = r ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (!r && fd < 0)
		r = -errno;
	while (!r && length < sizeof(text)) {
		n = read(fd, text + length, sizeof(text) - length);
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	if (!r && length == sizeof(text))
		r = -EFBIG;
	if (r) {
		snprintf(error, PEN_ERROR_SIZE, "%.300s: %s", path, strerrordesc_np(-r));
		return r;
	}
	return pen_config_parse(text, length, bundle, configp, error);
}
