/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <mntent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/supervisor/probe-private.h"

static const struct {
	const char *name;
	const char *missing; /* for the message if it is required, else NULL */
} features[_PROBE_FEATURE_N] = {
	[PROBE_SYSCALL_PROGRAM] = { "syscall_program", "BPF programs of type syscall" },
	[PROBE_MAP_FREEZE] = { "map_freeze", "frozen BPF maps" },
	[PROBE_RINGBUF_DYNPTR] = { "ringbuf_dynptr", "BPF ring buffers with dynamic records" },
	[PROBE_TCX] = { "tcx", NULL },
	[PROBE_CLSACT] = { "clsact", NULL },
	[PROBE_TUN] = { "tun", "tap devices (/dev/net/tun)" },
	[PROBE_USER_NAMESPACES] = { "user_namespaces", "user namespaces" },
	[PROBE_MEMORY_CGROUP] = { "memory_cgroup", "mounted memory cgroups" },
	[PROBE_PIDS_CGROUP] = { "pids_cgroup", "mounted pids cgroups" },
};

const char *probe_feature_name(enum probe_feature feature)
{
	return feature < _PROBE_FEATURE_N ? features[feature].name : NULL;
}

/* Each attempt returns 0 or a positive errno. */

/* `tc qdisc add dev lo clsact` in a new network namespace. */
static int add_clsact(void)
{
	static const char kind[] = "clsact";
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
		struct rtattr attribute;
		char kind[sizeof(kind)];
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_NEWQDISC,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL },
		.tc = { .tcm_family = AF_UNSPEC,
			.tcm_ifindex = 1,
			.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
			.tcm_parent = TC_H_CLSACT },
		.attribute = { .rta_len = RTA_LENGTH(sizeof(kind)), .rta_type = TCA_KIND },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	int fd;

	memcpy(request.kind, kind, sizeof(kind));
	if (unshare(CLONE_NEWNET) < 0)
		return errno;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0)
		return errno;
	if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(answer.error)))
		return EPROTO;
	return answer.header.nlmsg_type == NLMSG_ERROR ? -answer.error.error : EPROTO;
}

static int try_clsact(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(add_clsact());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return EPROTO;
	return WEXITSTATUS(status);
}

static int try_tun(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Any of these limits can disable user namespaces, or those created in one. */
static int try_user_namespaces(void)
{
	static const char *const limits[] = { "/proc/sys/user/max_user_namespaces",
					      "/proc/sys/user/max_pid_namespaces",
					      "/proc/sys/user/max_net_namespaces" };

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		FILE *file = fopen(limits[i], "re");
		int maximum = 0;

		if (!file)
			return errno;
		if (fscanf(file, "%d", &maximum) != 1)
			maximum = 0;
		fclose(file);
		if (maximum <= 0)
			return EUSERS;
	}
	return access("/proc/self/ns/user", F_OK) < 0 ? errno : 0;
}

/* Returns true if the file contains the word `name`. */
static bool has_word(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char word[64];

	if (!file)
		return false;
	while (!found && fscanf(file, "%63s", word) == 1)
		found = strcmp(word, name) == 0;
	fclose(file);
	return found;
}

/* Look for the controller in a version 1 or in the version 2 hierarchy. */
static int try_cgroup(const char *controller)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char buffer[2 * PATH_MAX], path[PATH_MAX + 32];
	struct mntent entry;
	bool found = false;

	if (!mounts)
		return errno;
	while (!found && getmntent_r(mounts, &entry, buffer, sizeof(buffer))) {
		if (strcmp(entry.mnt_type, "cgroup") == 0) {
			found = hasmntopt(&entry, controller);
		} else if (strcmp(entry.mnt_type, "cgroup2") == 0) {
			snprintf(path, sizeof(path), "%s/cgroup.controllers", entry.mnt_dir);
			found = has_word(path, controller);
		}
	}
	endmntent(mounts);
	return found ? 0 : ENOENT;
}

int probe_kernel(struct probe_kernel *kernelp)
{
	int *error = kernelp->error;

	error[PROBE_SYSCALL_PROGRAM] = probe_try_syscall_program();
	error[PROBE_MAP_FREEZE] = probe_try_map_freeze();
	error[PROBE_RINGBUF_DYNPTR] = probe_try_ringbuf_dynptr();
	error[PROBE_TCX] = probe_try_tcx();
	error[PROBE_CLSACT] = error[PROBE_TCX] == 0 ? ENODATA : try_clsact();
	error[PROBE_TUN] = try_tun();
	error[PROBE_USER_NAMESPACES] = try_user_namespaces();
	error[PROBE_MEMORY_CGROUP] = try_cgroup("memory");
	error[PROBE_PIDS_CGROUP] = try_cgroup("pids");
	for (int i = 0; i < _PROBE_FEATURE_N; i++) {
		if (features[i].missing && error[i] != 0) {
			log_error("%s are not available (kernel or permissions): %s",
				  features[i].missing, strerror(error[i]));
			return -EOPNOTSUPP;
		}
	}
	if (error[PROBE_TCX] != 0 && error[PROBE_CLSACT] != 0) {
		log_error("tc programs are not available (kernel or permissions): tcx: %s; "
			  "clsact: %s (module sch_ingress)",
			  strerror(error[PROBE_TCX]), strerror(error[PROBE_CLSACT]));
		return -EOPNOTSUPP;
	}
	return 0;
}
