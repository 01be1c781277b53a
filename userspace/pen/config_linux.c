/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "userspace/pen/config-private.h"

#if defined(__x86_64__)
#define ARCHITECTURE "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define ARCHITECTURE "SCMP_ARCH_AARCH64"
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "name this architecture as the OCI runtime specification does"
#endif

/* The last one may be missing: the specification had no name for it at first. The pen makes
 * all of them. */
static const char *const namespace_types[] = { "user",	"pid",	   "ipc",    "uts",
					       "mount", "network", "cgroup", "time" };
#define NAMESPACES_REQUIRED (PEN_N_OF(namespace_types) - 1)

static int take_namespace_type(struct pen_reader *reader, json_t *value)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < PEN_N_OF(namespace_types); i++)
		if (!strcmp(text, namespace_types[i])) {
			if (reader->namespaces & 1u << i)
				return pen_refuse(reader, "second namespace of this type");
			reader->namespaces |= 1u << i;
			return 0;
		}
	return pen_refuse(reader, "not supported");
}

static int take_namespace(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = { { "type", take_namespace_type, true } };

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_namespaces(struct pen_reader *reader, json_t *value)
{
	int r = pen_take_array(reader, value, take_namespace);

	for (size_t i = 0; !r && i < NAMESPACES_REQUIRED; i++)
		if (!(reader->namespaces & 1u << i))
			r = pen_refuse(reader, "no %s namespace", namespace_types[i]);
	return r;
}

static int take_host_id(struct pen_reader *reader, json_t *value, uint32_t *idp)
{
	json_int_t number = 0;
	int r = pen_take_number(reader, value, 1, (json_int_t)UINT32_MAX - 1, &number);

	*idp = (uint32_t)number;
	return r;
}

static int take_host_uid(struct pen_reader *reader, json_t *value)
{
	return take_host_id(reader, value, &reader->config->uid);
}

static int take_host_gid(struct pen_reader *reader, json_t *value)
{
	return take_host_id(reader, value, &reader->config->gid);
}

static int take_uid_map(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "containerID", pen_take_zero, true },
		{ "hostID", take_host_uid, true },
		{ "size", pen_take_one, true },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_gid_map(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "containerID", pen_take_zero, true },
		{ "hostID", take_host_gid, true },
		{ "size", pen_take_one, true },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_uid_maps(struct pen_reader *reader, json_t *value)
{
	return json_array_size(value) == 1 ? pen_take_array(reader, value, take_uid_map) :
					     pen_refuse(reader, "must map exactly one id");
}

static int take_gid_maps(struct pen_reader *reader, json_t *value)
{
	return json_array_size(value) == 1 ? pen_take_array(reader, value, take_gid_map) :
					     pen_refuse(reader, "must map exactly one id");
}

static int take_access(struct pen_reader *reader, json_t *value)
{
	return pen_take_text(reader, value, "rwm");
}

static int take_device(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "allow", pen_take_false, true },
		{ "access", take_access, true },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_devices(struct pen_reader *reader, json_t *value)
{
	return pen_take_array(reader, value, take_device);
}

static int take_memory_limit(struct pen_reader *reader, json_t *value)
{
	return pen_take_positive(reader, value, &reader->config->memory_bytes);
}

static int take_memory(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = { { "limit", take_memory_limit, true } };

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_pids_limit(struct pen_reader *reader, json_t *value)
{
	return pen_take_positive(reader, value, &reader->config->pids);
}

static int take_pids(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = { { "limit", take_pids_limit, true } };

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_period(struct pen_reader *reader, json_t *value)
{
	return pen_take_positive(reader, value, &reader->config->cpu_period_us);
}

static int take_quota(struct pen_reader *reader, json_t *value)
{
	return pen_take_positive(reader, value, &reader->config->cpu_quota_us);
}

static int take_cpu(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "period", take_period, true },
		{ "quota", take_quota, true },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_resources(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "devices", take_devices, false },
		{ "memory", take_memory, true },
		{ "pids", take_pids, true },
		{ "cpu", take_cpu, false },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_cgroup(struct pen_reader *reader, json_t *value)
{
	const char *text = json_string_value(value);
	size_t length = text ? strlen(text) : 0;

	if (length < 2 || length >= PEN_CGROUP_SIZE || text[0] != '/')
		return pen_refuse(reader, "must be a path that begins with /");
	for (const char *name = text; *name; name += 1 + strcspn(name + 1, "/"))
		if (name[1] == '/' || name[1] == '\0' || name[1] == '.')
			return pen_refuse(reader, "invalid path: %s", text);
	memcpy(reader->config->cgroup, text, length + 1);
	return 0;
}

static int take_default_action(struct pen_reader *reader, json_t *value)
{
	const char *text = json_string_value(value);

	return text && (!strcmp(text, "SCMP_ACT_ERRNO") || !strcmp(text, "SCMP_ACT_KILL_PROCESS")) ?
		       0 :
		       pen_refuse(reader, "must be SCMP_ACT_ERRNO or SCMP_ACT_KILL_PROCESS");
}

static int take_architecture(struct pen_reader *reader, json_t *value)
{
	return pen_take_text(reader, value, ARCHITECTURE);
}

static int take_architectures(struct pen_reader *reader, json_t *value)
{
	return pen_take_array(reader, value, take_architecture);
}

static int take_action(struct pen_reader *reader, json_t *value)
{
	return pen_take_text(reader, value, "SCMP_ACT_ALLOW");
}

static int take_call(struct pen_reader *reader, json_t *value)
{
	if (!json_is_string(value))
		return pen_refuse(reader, "must be a string");
	if (reader->n_calls == PEN_NAMES_MAX)
		return pen_refuse(reader, "too many calls");
	reader->calls[reader->n_calls++] = json_string_value(value);
	return 0;
}

static int take_calls(struct pen_reader *reader, json_t *value)
{
	return pen_take_array(reader, value, take_call);
}

/* The pen's own conditions apply, whatever these are. */
static int take_condition(struct pen_reader *reader, json_t *value)
{
	return json_is_object(value) ? 0 : pen_refuse(reader, "must be an object");
}

static int take_conditions(struct pen_reader *reader, json_t *value)
{
	return pen_take_array(reader, value, take_condition);
}

static int take_rule(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "names", take_calls, true },
		{ "action", take_action, true },
		{ "args", take_conditions, false },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_rules(struct pen_reader *reader, json_t *value)
{
	return pen_take_array(reader, value, take_rule);
}

static int take_seccomp(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "defaultAction", take_default_action, true },
		{ "architectures", take_architectures, true },
		{ "syscalls", take_rules, true },
	};

	reader->has_calls = true;
	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}

static int take_hidden_path(struct pen_reader *reader, json_t *value)
{
	const char *text = json_string_value(value);

	return text && !strncmp(text, "/proc/", strlen("/proc/")) ?
		       0 :
		       pen_refuse(reader, "only paths in /proc, which is not mounted");
}

static int take_hidden_paths(struct pen_reader *reader, json_t *value)
{
	return pen_take_array(reader, value, take_hidden_path);
}

int pen_take_linux(struct pen_reader *reader, json_t *value)
{
	static const struct pen_field fields[] = {
		{ "namespaces", take_namespaces, true },
		{ "uidMappings", take_uid_maps, true },
		{ "gidMappings", take_gid_maps, true },
		{ "resources", take_resources, true },
		{ "cgroupsPath", take_cgroup, true },
		{ "seccomp", take_seccomp, false },
		{ "maskedPaths", take_hidden_paths, false },
		{ "readonlyPaths", take_hidden_paths, false },
	};

	return pen_take_object(reader, value, fields, PEN_N_OF(fields));
}
