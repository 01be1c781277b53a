/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of a calf, OCI runtime specification 1.0. json_pack() returns
 * NULL if any part of it is NULL, so that no part can be left out silently.
 */
#include <limits.h>
#include <stdio.h>

#include "userspace/priv/container/bundle-private.h"

/* Prefer to kill the calf when the host runs out of memory: it is restarted. */
#define OOM_SCORE_ADJ 200
/* The runtime's init uses a dozen. */
#define DESCRIPTORS_MAX 64
#define CPU_PERIOD_US 1000000

/* Lowering the value needs a capability, so do not go below our own. */
static int oom_score_adj(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "re");
	int score = 0;

	if (!file)
		return OOM_SCORE_ADJ;
	if (fscanf(file, "%d", &score) != 1)
		score = 0;
	fclose(file);
	return score > OOM_SCORE_ADJ ? score : OOM_SCORE_ADJ;
}

/* One field per line. */
/* clang-format off */

static json_t *no_capabilities(void)
{
	return json_pack("{s:[], s:[], s:[], s:[], s:[]}",
			 "bounding",
			 "effective",
			 "inheritable",
			 "permitted",
			 "ambient");
}

static json_t *rlimit(const char *type, int value)
{
	return json_pack("{s:s, s:i, s:i}",
			 "type", type,
			 "hard", value,
			 "soft", value);
}

static json_t *rlimits(void)
{
	return json_pack("[o, o, o, o, o]",
			 rlimit("RLIMIT_NOFILE", DESCRIPTORS_MAX),
			 rlimit("RLIMIT_CORE", 0),
			 rlimit("RLIMIT_FSIZE", 0),
			 rlimit("RLIMIT_MEMLOCK", 0),
			 rlimit("RLIMIT_MSGQUEUE", 0));
}

static json_t *process(const struct bundle_parameters *parameters)
{
	char path[NAME_MAX + 2];

	snprintf(path, sizeof(path), "/%s", parameters->description->executable);
	return json_pack("{s:b, s:{s:i, s:i}, s:[s], s:[], s:s, s:o, s:o, s:b, s:i}",
			 "terminal", 0,
			 "user", "uid", 0, "gid", 0,
			 "args", path,
			 "env",
			 "cwd", "/",
			 "capabilities", no_capabilities(),
			 "rlimits", rlimits(),
			 "noNewPrivileges", 1,
			 "oomScoreAdj", oom_score_adj());
}

/* Only the mounts that runtimes require; nothing in them can be written or run. */
static json_t *kernel_mounts(void)
{
	return json_pack("[{s:s, s:s, s:s, s:[s, s, s, s]}, {s:s, s:s, s:s, s:[s, s, s, s, s, s]}]",
			 "destination", "/proc",
			 "type", "proc",
			 "source", "proc",
			 "options", "nosuid", "nodev", "noexec", "ro",
			 "destination", "/dev",
			 "type", "tmpfs",
			 "source", "tmpfs",
			 "options", "nosuid", "nodev", "noexec", "ro", "mode=755", "size=64k");
}

static json_t *executable_mount(const struct bundle_parameters *parameters, const char *source)
{
	char path[NAME_MAX + 2];

	snprintf(path, sizeof(path), "/%s", parameters->description->executable);
	return json_pack("{s:s, s:s, s:s, s:[s, s, s, s]}",
			 "destination", path,
			 "type", "bind",
			 "source", source,
			 "options", "bind", "ro", "nosuid", "nodev");
}

static json_t *mounts(const struct bundle_parameters *parameters, const char *executable)
{
	json_t *array = kernel_mounts();

	if (executable &&
	    json_array_append_new(array, executable_mount(parameters, executable)) < 0) {
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *namespaces(void)
{
	return json_pack("[{s:s}, {s:s}, {s:s}, {s:s}, {s:s}, {s:s}, {s:s}]",
			 "type", "user",
			 "type", "pid",
			 "type", "ipc",
			 "type", "uts",
			 "type", "mount",
			 "type", "network",
			 "type", "cgroup");
}

/* Map one id: as any other one the calf would have no rights outside. */
static json_t *id_mapping(uint32_t uid)
{
	return json_pack("[{s:i, s:I, s:i}]",
			 "containerID", 0,
			 "hostID", (json_int_t)uid,
			 "size", 1);
}

/* The share of one CPU in each period. The longest period that the kernel has, because the
 * runtime's own init is in the container, too: it takes tens of milliseconds at once, and
 * a start must not wait for the next period. */
static json_t *cpu(const struct description *description)
{
	return json_pack("{s:I, s:I}",
			 "period", (json_int_t)CPU_PERIOD_US,
			 "quota", (json_int_t)description->cpu_percent * CPU_PERIOD_US / 100);
}

static json_t *resources(const struct bundle_parameters *parameters)
{
	const struct description *description = parameters->description;
	json_t *limits = json_pack("{s:[{s:b, s:s}], s:{s:I}, s:{s:i}}",
			 "devices", "allow", 0, "access", "rwm",
			 "memory", "limit", (json_int_t)description->memory_bytes,
			 "pids", "limit", (int)description->pids);

	if (parameters->limits_cpu && json_object_set_new(limits, "cpu", cpu(description)) < 0) {
		json_decref(limits);
		return NULL;
	}
	return limits;
}

/* The usual lists of container managers. */
static json_t *masked_paths(void)
{
	return json_pack("[s, s, s, s, s, s, s, s, s]", "/proc/acpi", "/proc/asound", "/proc/kcore",
			 "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
			 "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi");
}

static json_t *readonly_paths(void)
{
	return json_pack("[s, s, s, s, s]", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
			 "/proc/sysrq-trigger");
}

static json_t *linux_part(const struct bundle_parameters *parameters)
{
	char cgroup[PATH_MAX];

	snprintf(cgroup, sizeof(cgroup), "/%s/%s-%s", parameters->cgroup_parent,
		 parameters->instance, parameters->description->name);
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}",
			 "namespaces", namespaces(),
			 "uidMappings", id_mapping(parameters->uid),
			 "gidMappings", id_mapping(parameters->uid),
			 "resources", resources(parameters),
			 "cgroupsPath", cgroup,
			 "seccomp", bundle_seccomp(),
			 "maskedPaths", masked_paths(),
			 "readonlyPaths", readonly_paths());
}

json_t *bundle_config(const struct bundle_parameters *parameters, const char *executable)
{
	return json_pack("{s:s, s:s, s:{s:s, s:b}, s:o, s:o, s:o}",
			 "ociVersion", "1.0.0",
			 "hostname", parameters->description->name,
			 "root", "path", BUNDLE_ROOTFS, "readonly", 1,
			 "process", process(parameters),
			 "mounts", mounts(parameters, executable),
			 "linux", linux_part(parameters));
}
