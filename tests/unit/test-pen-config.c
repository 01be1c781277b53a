/* SPDX-License-Identifier: Apache-2.0 */
/* The pen reads the bundles that priv writes, and refuses everything that it does not know. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/scratch.h"
#include "userspace/pen/config.h"
#include "userspace/pen/filter.h"
#include "userspace/priv/container/bundle-private.h"

static struct description description = {
	.name = "probe",
	.executable = "program",
	.memory_bytes = 5000000000,
	.pids = 33,
	.cpu_percent = 7,
};
static const struct bundle_parameters parameters = {
	.description = &description,
	.directory = "/bundle",
	.cgroup_parent = "a/b",
	.instance = "up",
	.limits_cpu = true,
	.uid = 4000000000,
};

static struct pen_config config;
static char error[PEN_ERROR_SIZE];

static int parse(json_t *json)
{
	char *text = json_dumps(json, 0);
	int r;

	cr_assert_not_null(text);
	error[0] = '\0';
	r = pen_config_parse(text, strlen(text), "/bundle", &config, error);
	free(text);
	return r;
}

Test(pen_config, bundle_of_priv)
{
	static const struct pen_limit limits[] = {
		{ RLIMIT_NOFILE, { 64, 64 } }, { RLIMIT_CORE, { 0, 0 } },
		{ RLIMIT_FSIZE, { 0, 0 } },    { RLIMIT_MEMLOCK, { 0, 0 } },
		{ RLIMIT_MSGQUEUE, { 0, 0 } },
	};
	json_t *json = bundle_config(&parameters, NULL);

	cr_assert_eq(parse(json), 0, "%s", error);
	cr_expect_str_eq(config.program, "/bundle/rootfs/program");
	cr_expect_str_eq(config.hostname, "probe");
	cr_expect_str_eq(config.argv[0], "/program");
	cr_expect_null(config.argv[1]);
	cr_expect_eq(config.uid, 4000000000);
	cr_expect_eq(config.gid, 4000000000);
	cr_expect(config.has_oom_score_adj && config.oom_score_adj >= 200);
	cr_expect_str_eq(config.cgroup, "/a/b/up-probe");
	cr_expect_eq(config.memory_bytes, 5000000000);
	cr_expect_eq(config.pids, 33);
	cr_expect_eq(config.cpu_period_us, 1000000);
	cr_expect_eq(config.cpu_quota_us, 70000);
	cr_assert_eq(config.n_limits, sizeof(limits) / sizeof(limits[0]));
	for (size_t i = 0; i < config.n_limits; i++) {
		cr_expect_eq(config.limits[i].resource, limits[i].resource);
		cr_expect_eq(config.limits[i].value.rlim_cur, limits[i].value.rlim_cur);
		cr_expect_eq(config.limits[i].value.rlim_max, limits[i].value.rlim_max);
	}
	json_decref(json);
}

/* As on hosts where /run is mounted noexec */
Test(pen_config, program_that_is_mounted)
{
	json_t *json = bundle_config(&parameters, "/lib/program");

	cr_assert_eq(parse(json), 0, "%s", error);
	cr_expect_str_eq(config.program, "/lib/program");
	cr_expect_str_eq(config.argv[0], "/program");
	json_decref(json);
}

Test(pen_config, without_cpu_limit)
{
	struct bundle_parameters without = parameters;
	json_t *json;

	without.limits_cpu = false;
	json = bundle_config(&without, NULL);
	cr_assert_eq(parse(json), 0, "%s", error);
	cr_expect_eq(config.cpu_quota_us, 0);
	json_decref(json);
}

/* Find the parent of the member or element that a path of names and indices leads to. */
static json_t *parent_of(json_t *value, const char *path, char *last, size_t size)
{
	for (;;) {
		size_t length = strcspn(path, "/");

		snprintf(last, size, "%.*s", (int)length, path);
		if (!path[length])
			return value;
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(last)) :
					       json_object_get(value, last);
		cr_assert_not_null(value, "%s", path);
		path += length + 1;
	}
}

/* Set or add what `path` leads to; NULL removes it. */
static void set(json_t *root, const char *path, const char *text)
{
	json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL, *parent;
	char last[64];

	cr_assert(!text || value, "%s", text);
	parent = parent_of(root, path, last, sizeof(last));
	if (!text)
		cr_assert_eq(json_is_array(parent) ? json_array_remove(parent, (size_t)atoi(last)) :
						     json_object_del(parent, last),
			     0);
	else if (!json_is_array(parent))
		cr_assert_eq(json_object_set_new(parent, last, value), 0);
	else if ((size_t)atoi(last) < json_array_size(parent))
		cr_assert_eq(json_array_set_new(parent, (size_t)atoi(last), value), 0);
	else
		cr_assert_eq(json_array_append_new(parent, value), 0);
}

static const struct {
	const char *path, *value, *error;
} refused[] = {
	{ "hooks", "{}", "hooks: not supported" },
	{ "annotations", "{}", "annotations: not supported" },
	{ "ociVersion", "\"2.0.0\"", "ociVersion: must be version 1" },
	{ "ociVersion", NULL, "ociVersion: missing" },
	{ "hostname", "7", "hostname: must be a string of 1 to 64 bytes" },
	{ "hostname", NULL, "hostname: missing" },
	{ "root/readonly", "false", "root.readonly: must be true" },
	{ "root/readonly", NULL, "root.readonly: missing" },
	{ "process/terminal", "true", "process.terminal: must be false" },
	{ "process/user/uid", "1", "process.user.uid: must be an integer from 0 to 0" },
	{ "process/user/additionalGids", "[5]", "process.user.additionalGids: not supported" },
	{ "process/args", "[]", "process.args: the first must be a file in the root, \"/NAME\"" },
	{ "process/args/0", "\"/a/b\"",
	  "process.args: the first must be a file in the root, \"/NAME\"" },
	{ "process/args/0", "\"/..\"",
	  "process.args: the first must be a file in the root, \"/NAME\"" },
	{ "process/args/1", "7", "process.args[1]: must be a string" },
	{ "process/env", "[\"A=b\"]", "process.env: must be an empty array" },
	{ "process/cwd", "\"/tmp\"", "process.cwd: must be \"/\"" },
	{ "process/capabilities/ambient", "[\"CAP_NET_RAW\"]",
	  "process.capabilities.ambient: must be an empty array" },
	{ "process/rlimits/0/type", "\"RLIMIT_OTHER\"", "process.rlimits[0].type: not supported" },
	{ "process/rlimits/0/soft", "65",
	  "process.rlimits[0]: the soft limit is above the hard one" },
	{ "process/rlimits/0/type", "\"RLIMIT_CORE\"",
	  "process.rlimits[1]: second limit of this type" },
	{ "process/noNewPrivileges", "false", "process.noNewPrivileges: must be true" },
	{ "process/noNewPrivileges", NULL, "process.noNewPrivileges: missing" },
	{ "process/apparmorProfile", "\"x\"", "process.apparmorProfile: not supported" },
	{ "process/oomScoreAdj", "1001",
	  "process.oomScoreAdj: must be an integer from -1000 to 1000" },
	{ "mounts/2",
	  "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"s\",\"options\":[]}",
	  "mounts[2]: mount on /sys: not supported" },
	{ "mounts/2",
	  "{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"s\",\"options\":[\"ro\"]}",
	  "mounts: mount on /x: not supported" },
	{ "mounts/2",
	  "{\"destination\":\"/program\",\"type\":\"bind\",\"source\":\"s\",\"options\":[]}",
	  "mounts[2]: mount on /program: must have the option ro" },
	{ "mounts/0/type", "\"bind\"", "mounts: mount on /proc: not supported" },
	{ "mounts/0/uidMappings", "[]", "mounts[0].uidMappings: not supported" },
	{ "linux/namespaces/0/path", "\"/proc/1/ns/user\"",
	  "linux.namespaces[0].path: not supported" },
	{ "linux/namespaces/5", NULL, "linux.namespaces: no network namespace" },
	{ "linux/namespaces/0/type", "\"pid\"",
	  "linux.namespaces[1].type: second namespace of this type" },
	{ "linux/uidMappings/0/hostID", "0",
	  "linux.uidMappings[0].hostID: must be an integer from 1 to 4294967294" },
	{ "linux/uidMappings/0/size", "2",
	  "linux.uidMappings[0].size: must be an integer from 1 to 1" },
	{ "linux/uidMappings/1", "{}", "linux.uidMappings: must map exactly one id" },
	{ "linux/gidMappings/0/containerID", "1",
	  "linux.gidMappings[0].containerID: must be an integer from 0 to 0" },
	{ "linux/resources/devices/0/allow", "true",
	  "linux.resources.devices[0].allow: must be false" },
	{ "linux/resources/memory/limit", "-1",
	  "linux.resources.memory.limit: must be an integer from 1 to 9223372036854775807" },
	{ "linux/resources/memory/swap", "0", "linux.resources.memory.swap: not supported" },
	{ "linux/resources/memory", NULL, "linux.resources.memory: missing" },
	{ "linux/resources/pids", NULL, "linux.resources.pids: missing" },
	{ "linux/resources/cpu/shares", "2", "linux.resources.cpu.shares: not supported" },
	{ "linux/resources/cpu/quota", NULL, "linux.resources.cpu.quota: missing" },
	{ "linux/resources/hugepageLimits", "[]", "linux.resources.hugepageLimits: not supported" },
	{ "linux/cgroupsPath", "\"a:b:c\"",
	  "linux.cgroupsPath: must be a path that begins with /" },
	{ "linux/cgroupsPath", "\"/a/../b\"", "linux.cgroupsPath: invalid path: /a/../b" },
	{ "linux/cgroupsPath", "\"/a/\"", "linux.cgroupsPath: invalid path: /a/" },
	{ "linux/cgroupsPath", "\"//a\"", "linux.cgroupsPath: invalid path: //a" },
	{ "linux/seccomp/defaultAction", "\"SCMP_ACT_ALLOW\"",
	  "linux.seccomp.defaultAction: must be SCMP_ACT_ERRNO or SCMP_ACT_KILL_PROCESS" },
	{ "linux/seccomp/syscalls/0/action", "\"SCMP_ACT_NOTIFY\"",
	  "linux.seccomp.syscalls[0].action: must be \"SCMP_ACT_ALLOW\"" },
	{ "linux/seccomp/flags", "[]", "linux.seccomp.flags: not supported" },
	{ "linux/seccomp/syscalls", "[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]",
	  "linux.seccomp.syscalls: does not allow write, without which no program starts" },
	{ "linux/maskedPaths/0", "\"/sys/firmware\"",
	  "linux.maskedPaths[0]: only paths in /proc, which is not mounted" },
	{ "linux/rootfsPropagation", "\"shared\"", "linux.rootfsPropagation: not supported" },
	{ "linux/sysctl", "{}", "linux.sysctl: not supported" },
};

Test(pen_config, every_other_field_is_refused_by_name)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		json_t *json = bundle_config(&parameters, NULL);

		set(json, refused[i].path, refused[i].value);
		cr_expect_eq(parse(json), -EINVAL, "%s: %s", refused[i].path, refused[i].value);
		cr_expect_str_eq(error, refused[i].error);
		json_decref(json);
	}
}

/* Each field of a bundle is either required or refused when it has another type. */
static void expect_types_matter(json_t *root, const char *path, json_t *value)
{
	char below[256];
	const char *name;
	json_t *member;
	size_t i;

	if (*path) {
		json_t *copy = json_deep_copy(root);

		set(copy, path, json_is_object(value) ? "[]" : "{}");
		cr_expect_eq(parse(copy), -EINVAL, "%s as another type", path);
		json_decref(copy);
	}
	json_object_foreach(value, name, member)
	{
		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", name);
		expect_types_matter(root, below, member);
	}
	json_array_foreach(value, i, member)
	{
		snprintf(below, sizeof(below), "%s/%zu", path, i);
		expect_types_matter(root, below, member);
	}
}

Test(pen_config, other_types_are_refused)
{
	json_t *json = bundle_config(&parameters, "/lib/program");

	/* What the pen does not look into, because its own conditions apply */
	for (size_t i = 0;
	     i < json_array_size(json_object_get(
			 json_object_get(json_object_get(json, "linux"), "seccomp"), "syscalls"));
	     i++) {
		json_t *rule = json_array_get(
			json_object_get(json_object_get(json_object_get(json, "linux"), "seccomp"),
					"syscalls"),
			i);

		json_object_del(rule, "args");
	}
	cr_assert_eq(parse(json), 0, "%s", error);
	expect_types_matter(json, "", json);
	json_decref(json);
}

Test(pen_config, not_json)
{
	cr_expect_eq(pen_config_parse("{", 1, "/", &config, error), -EINVAL);
	cr_expect_str_eq(error, "config.json: line 1: string or '}' expected near end of file");
	cr_expect_eq(pen_config_parse("{\"a\":1,\"a\":1}", 13, "/", &config, error), -EINVAL);
	cr_expect_not_null(strstr(error, "duplicate object key"));
	cr_expect_eq(pen_config_parse("[]", 2, "/", &config, error), -EINVAL);
	cr_expect_str_eq(error, "config.json: must be an object");
}

Test(pen_config, file)
{
	char expected[PEN_ERROR_SIZE];
	json_t *json = bundle_config(&parameters, NULL);

	scratch_make();
	cr_expect_eq(pen_config_read(scratch, &config, error), -ENOENT);
	snprintf(expected, sizeof(expected), "%s/config.json: No such file or directory", scratch);
	cr_expect_str_eq(error, expected);
	cr_assert_eq(json_dump_file(json, scratch_path("config.json"), JSON_INDENT(1)), 0);
	cr_expect_eq(pen_config_read(scratch, &config, error), 0, "%s", error);
	snprintf(expected, sizeof(expected), "%s/rootfs/program", scratch);
	cr_expect_str_eq(config.program, expected);
	cr_assert_eq(truncate(scratch_path("config.json"), 1 << 20), 0);
	cr_expect_eq(pen_config_read(scratch, &config, error), -EFBIG);
	json_decref(json);
	scratch_remove();
}
