/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/container/bundle.h"

static char directory[128];
static struct description description = {
	.name = "probe",
	.executable = "program",
	.memory_bytes = 5000000000,
	.pids = 33,
	.cpu_percent = 7,
};
static struct bundle_parameters parameters = {
	.description = &description,
	.directory = directory,
	.cgroup_parent = "a/b",
	.instance = "up",
	.limits_cpu = true,
	.uid = 4000000000,
};

static void setup(void)
{
	scratch_make();
	cr_assert(chmod(scratch, 0711) == 0);
	snprintf(directory, sizeof(directory), "%s", scratch_path("bundle"));
	snprintf(description.directory, sizeof(description.directory), "%s", scratch);
	scratch_write_text("program", "#!/bin/true\n", 0700);
	capture_begin();
}

static void teardown(void)
{
	chmod(scratch, 0711);
	bundle_remove(directory);
	unlink(scratch_path("program"));
	cr_expect(rmdir(scratch) == 0, "left something in %s", scratch);
}

TestSuite(bundle, .init = setup, .fini = teardown);

static void expect_mode(const char *name, mode_t mode)
{
	struct stat st;

	cr_assert(lstat(scratch_path(name), &st) == 0, "%s", name);
	cr_expect((st.st_mode & 07777) == mode, "%s has mode %o", name, st.st_mode & 07777);
}

/* Text of a member found by a path of names and indices, or "". */
static const char *get(json_t *value, const char *path)
{
	static char text[64];
	char name[64];

	while (*path != '\0') {
		size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name)) :
					       json_object_get(value, name);
		path += length + (path[length] == '.');
	}
	text[0] = '\0';
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	if (json_is_array(value) && json_array_size(value) == 0)
		return "[]";
	return text;
}

Test(bundle, config)
{
	static const struct {
		const char *path, *value;
	} rows[] = {
		{ "ociVersion", "1.0.0" },
		{ "root.path", "rootfs" },
		{ "root.readonly", "true" },
		{ "process.terminal", "false" },
		{ "process.user.uid", "0" },
		{ "process.args.0", "/program" },
		{ "process.env", "[]" },
		{ "process.cwd", "/" },
		{ "process.noNewPrivileges", "true" },
		{ "process.capabilities.bounding", "[]" },
		{ "process.capabilities.effective", "[]" },
		{ "process.capabilities.inheritable", "[]" },
		{ "process.capabilities.permitted", "[]" },
		{ "process.capabilities.ambient", "[]" },
		{ "mounts.2.type", "" }, /* two, no more */
		{ "linux.uidMappings.0.containerID", "0" },
		{ "linux.uidMappings.0.hostID", "4000000000" },
		{ "linux.uidMappings.0.size", "1" },
		{ "linux.uidMappings.1.size", "" },
		{ "linux.gidMappings.0.hostID", "4000000000" },
		{ "linux.gidMappings.0.size", "1" },
		{ "linux.namespaces.6.type", "cgroup" },
		{ "linux.namespaces.0.path", "" }, /* new ones, not joined */
		{ "linux.cgroupsPath", "/a/b/up-probe" },
		{ "linux.resources.memory.limit", "5000000000" },
		{ "linux.resources.pids.limit", "33" },
		{ "linux.resources.cpu.quota", "70000" },
		{ "linux.resources.cpu.period", "1000000" },
		{ "linux.resources.devices.0.allow", "false" },
		{ "linux.seccomp.defaultAction", "SCMP_ACT_ERRNO" },
	};
	json_t *config;

	cr_assert(bundle_write(&parameters) == 0, "%s", capture_text());
	config = json_load_file(scratch_path("bundle/config.json"), JSON_REJECT_DUPLICATES, NULL);
	cr_assert(config != NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(get(config, rows[i].path), rows[i].value, "%s is %s", rows[i].path,
				 get(config, rows[i].path));
	json_decref(config);
}

/* A kernel without quotas would not take one. */
Test(bundle, F10_without_a_cpu_quota)
{
	json_t *config;

	parameters.limits_cpu = false;
	cr_assert(bundle_write(&parameters) == 0, "%s", capture_text());
	config = json_load_file(scratch_path("bundle/config.json"), JSON_REJECT_DUPLICATES, NULL);
	cr_assert(config != NULL);
	cr_expect_str_eq(get(config, "linux.resources.cpu.quota"), "");
	cr_expect_str_eq(get(config, "linux.resources.pids.limit"), "33");
	json_decref(config);
}

/* Calls that must never be allowed, and those only with a condition. */
Test(bundle, seccomp)
{
	static const char *const never[] = {
		"ioctl",	  "socket",	 "setsockopt",	"bpf",	  "connect",
		"sendmsg",	  "sendto",	 "clone",	"clone3", "fork",
		"ptrace",	  "mount",	 "unshare",	"setns",  "chmod",
		"io_uring_setup", "userfaultfd", "memfd_create"
	};
	static const char *const conditional[] = { "mmap", "mprotect", "prctl", "fcntl" };
	json_t *config, *rules, *rule, *name;
	size_t i_rule, i_name;

	cr_assert(bundle_write(&parameters) == 0, "%s", capture_text());
	config = json_load_file(scratch_path("bundle/config.json"), 0, NULL);
	rules = json_object_get(json_object_get(json_object_get(config, "linux"), "seccomp"),
				"syscalls");
	cr_assert(json_array_size(rules) > 4);
	json_array_foreach(rules, i_rule, rule)
	{
		cr_expect_str_eq(get(rule, "action"), "SCMP_ACT_ALLOW");
		json_array_foreach(json_object_get(rule, "names"), i_name, name)
		{
			const char *call = json_string_value(name);

			for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
				cr_expect_str_neq(call, never[i]);
			for (size_t i = 0; i < sizeof(conditional) / sizeof(conditional[0]); i++)
				cr_expect(strcmp(call, conditional[i]) != 0 ||
						  json_array_size(json_object_get(rule, "args")) ==
							  1,
					  "%s without a condition", call);
		}
	}
	json_decref(config);
}

Test(bundle, files)
{
	char text[64] = "";
	int fd;

	cr_assert(bundle_write(&parameters) == 0, "%s", capture_text());
	expect_mode("bundle", 0711);
	expect_mode("bundle/config.json", 0600);
	expect_mode("bundle/rootfs", 0755);
	expect_mode("bundle/rootfs/proc", 0555);
	expect_mode("bundle/rootfs/dev", 0555);
	expect_mode("bundle/rootfs/program", 0755);
	fd = open(scratch_path("bundle/rootfs/program"), O_RDONLY | O_CLOEXEC);
	cr_assert(fd >= 0);
	cr_assert(read(fd, text, sizeof(text) - 1) == 12);
	close(fd);
	cr_expect_str_eq(text, "#!/bin/true\n");
	cr_expect_str_eq(capture_text(), "");
}

/* A second one replaces the first, files of an older calf included. */
Test(bundle, replaced)
{
	cr_assert(bundle_write(&parameters) == 0);
	scratch_write_text("bundle/rootfs/older", "x", 0755);
	scratch_write_text("bundle/other", "x", 0644);
	cr_assert(bundle_write(&parameters) == 0, "%s", capture_text());
	cr_expect(access(scratch_path("bundle/rootfs/older"), F_OK) < 0);
	cr_expect(access(scratch_path("bundle/other"), F_OK) < 0);
	cr_expect(access(scratch_path("bundle/rootfs/program"), F_OK) == 0);
}

Test(bundle, removed)
{
	cr_assert(bundle_write(&parameters) == 0);
	cr_expect(bundle_remove(directory) == 0);
	cr_expect(access(directory, F_OK) < 0);
	cr_expect(bundle_remove(directory) == 0);
	cr_expect_str_eq(capture_text(), "");
}

/* The container's root could not be reached: said at once, nothing stays. */
Test(bundle, not_searchable)
{
	char expected[256];

	cr_assert(chmod(scratch, 0700) == 0);
	cr_expect(bundle_write(&parameters) == -EACCES);
	snprintf(
		expected, sizeof(expected),
		"%s: parent of the calf's root directory, must be searchable by others (chmod o+x)\n",
		scratch);
	cr_expect_str_eq(capture_text(), expected);
	cr_expect(access(directory, F_OK) < 0);
}

/* No way out through a link, and no link into the root. */
Test(bundle, links)
{
	char expected[256];

	cr_assert(symlink("/", directory) == 0);
	cr_expect(bundle_write(&parameters) == -ENOTDIR);
	cr_expect(unlink(directory) == 0);
	cr_assert(unlink(scratch_path("program")) == 0);
	cr_assert(symlink("/bin/true", scratch_path("program")) == 0);
	capture_begin();
	cr_expect(bundle_write(&parameters) == -ELOOP);
	snprintf(expected, sizeof(expected), "%s: Too many levels of symbolic links\n",
		 scratch_path("program"));
	cr_expect_str_eq(capture_text(), expected);
	cr_expect(access(directory, F_OK) < 0);
}

Test(bundle, no_place)
{
	parameters.directory = "/nonexistent/bundle";
	cr_expect(bundle_write(&parameters) == -ENOENT);
	cr_expect_str_eq(capture_text(), "/nonexistent/bundle: No such file or directory\n");
}

/* The pen executes the shipped file, so that there is no copy, and needs no path that the
 * calf's id can search. */
Test(bundle, for_the_pen)
{
	char expected[256];
	json_t *config;

	parameters.is_for_pen = true;
	cr_assert_eq(chmod(scratch, 0700), 0);
	cr_assert_eq(bundle_write(&parameters), 0, "%s", capture_text());
	cr_expect_lt(access(scratch_path("bundle/rootfs/program"), F_OK), 0);
	config = json_load_file(scratch_path("bundle/config.json"), JSON_REJECT_DUPLICATES, NULL);
	cr_expect_str_eq(get(config, "mounts.2.type"), "bind");
	cr_expect_str_eq(get(config, "mounts.2.source"), scratch_path("program"));
	cr_expect_str_eq(get(config, "mounts.2.destination"), "/program");
	json_decref(config);
	cr_assert_eq(unlink(scratch_path("program")), 0);
	cr_expect_eq(bundle_write(&parameters), -ENOENT);
	snprintf(expected, sizeof(expected), "%s: No such file or directory\n",
		 scratch_path("program"));
	cr_expect_str_eq(capture_text(), expected);
	cr_expect_lt(access(directory, F_OK), 0);
	cr_assert_eq(chmod(scratch, 0711), 0);
}
