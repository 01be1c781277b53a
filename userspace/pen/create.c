/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: how a container comes to be
 *
 * Everything that can be refused is looked at before anything is created. Then, in this
 * order: the record, which says what to remove; the cgroup with its limits; the process in
 * its namespaces, which ends if the socket to the pen does. The pen gives the process its
 * ids, lets it take away its own rights, writes down its pid, and tells it last that it is
 * on its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/pen/cgroup.h"
#include "userspace/pen/container.h"
#include "userspace/pen/enter.h"
#include "userspace/pen/process.h"
#include "userspace/pen/program.h"
#include "userspace/pen/record.h"
#include "userspace/pen/report.h"

/* A process that takes longer is stuck; it takes 1 ms. */
#define ENTER_MS 10000

struct creation {
	const struct pen_create *wanted;
	struct pen_config config;
	struct pen_filter filter;
	struct pen_record record;
	struct pen_cgroups cgroups;
	int program_fd, directory_fd, start_fd;
	int control_fd; /* our end */
	pid_t pid;
	bool has_record;
};

static const struct {
	uint64_t flag;
	const char *name;
} namespaces[] = {
	{ CLONE_NEWUSER, "user" }, { CLONE_NEWNS, "mnt" },	  { CLONE_NEWPID, "pid" },
	{ CLONE_NEWNET, "net" },   { CLONE_NEWIPC, "ipc" },	  { CLONE_NEWUTS, "uts" },
	{ CLONE_NEWTIME, "time" }, { CLONE_NEWCGROUP, "cgroup" },
};

/* Get the flags of clone3(). A kernel may be built without time namespaces; then the clocks are
 * the host's. */
static int find_namespaces(uint64_t *flagsp)
{
	uint64_t flags = 0;
	char path[64];

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", namespaces[i].name);
		if (!access(path, F_OK))
			flags |= namespaces[i].flag;
		else if (namespaces[i].flag == CLONE_NEWTIME)
			pen_warn("this kernel has no time namespaces; the calf sees the host's");
		else
			return pen_fail(-EOPNOTSUPP, "this kernel has no %s namespaces",
					namespaces[i].name);
	}
	/* The process makes that one itself, when it is in its cgroup (enter.c). */
	*flagsp = flags & ~(uint64_t)CLONE_NEWCGROUP;
	return 0;
}

/* Look at everything that can be refused. */
static int prepare(struct creation *creation)
{
	const struct pen_create *wanted = creation->wanted;
	char error[PEN_ERROR_SIZE];
	int r;

	if (!realpath(wanted->bundle, creation->record.bundle))
		return pen_fail(-errno, "%s: %s", wanted->bundle, strerrordesc_np(errno));
	r = pen_config_read(creation->record.bundle, &creation->config, error);
	if (r)
		return pen_fail(r, "%s", error);
	memcpy(creation->record.cgroup, creation->config.cgroup, sizeof(creation->record.cgroup));
	creation->program_fd = pen_program_open(creation->config.program);
	if (creation->program_fd < 0)
		return pen_fail(
			creation->program_fd, "process.args[0]: %s: %s", creation->config.program,
			creation->program_fd == -ENOEXEC ? "not a static program for this machine" :
			creation->program_fd == -ENOENT	 ? "no such file or directory" :
							   strerrordesc_np(-creation->program_fd));
	r = pen_filter_build(pen_enter_program_fd(2 + wanted->preserve_fds), &creation->filter);
	return r ? pen_fail(r, "cannot build the system call filter: %s", strerrordesc_np(-r)) : 0;
}

/* Create what is not a process. */
static int create_places(struct creation *creation)
{
	const struct pen_create *wanted = creation->wanted;

	creation->directory_fd = pen_record_create(wanted->root, wanted->id, &creation->record);
	if (creation->directory_fd < 0)
		return creation->directory_fd;
	creation->has_record = true;
	/* Open for both, so that it has no end before somebody writes to it */
	creation->start_fd = openat(creation->directory_fd, PEN_START_PIPE, O_RDWR | O_CLOEXEC);
	if (creation->start_fd < 0)
		return pen_fail(-errno, "%s/%s/" PEN_START_PIPE ": %s", wanted->root, wanted->id,
				strerrordesc_np(errno));
	return pen_cgroup_create(&creation->config, &creation->cgroups);
}

/* Say why the process could not be created, and what can be done. */
static int fail_process(int r)
{
	switch (r) {
	case -ENOSYS:
		return pen_fail(r, "clone3() is missing in this kernel, or denied by what started "
				   "Calfpen; allow it, or use --runtime runc");
	case -ENOSPC:
		return pen_fail(r, "no more namespaces of a type are allowed; see sysctl "
				   "user.max_user_namespaces and user.max_*_namespaces");
	case -EPERM:
		return pen_fail(r,
				"cannot create user namespaces: %s; see sysctl "
				"kernel.unprivileged_userns_clone, AppArmor and SELinux",
				strerrordesc_np(-r));
	case -EBUSY:
		return pen_fail(r, "cannot create the process in its cgroup: %s",
				strerrordesc_np(-r));
	default:
		return pen_fail(r, "cannot create the process in new namespaces: %s",
				strerrordesc_np(-r));
	}
}

/* Create the process. It waits until we have given it its ids. */
static int create_process(struct creation *creation, uint64_t flags)
{
	const int born_fd = creation->cgroups.born_fd;
	struct clone_args arguments = {
		.flags = flags,
		.exit_signal = SIGCHLD,
	};
	struct pen_enter enter = {
		.config = &creation->config,
		.filter = &creation->filter,
		.cgroups = &creation->cgroups,
		.last_fd = 2 + creation->wanted->preserve_fds,
		.program_fd = creation->program_fd,
		.start_fd = creation->start_fd,
	};
	int control[2], r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control))
		return pen_fail(-errno, "socketpair: %s", strerrordesc_np(errno));
	if (born_fd >= 0) {
		arguments.flags |= CLONE_INTO_CGROUP;
		arguments.cgroup = (unsigned int)born_fd;
	}
	creation->pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (!creation->pid) {
		close(control[0]); /* so that the pen's end is the only one */
		enter.control_fd = control[1];
		pen_enter(&enter);
	}
	if (creation->pid < 0) {
		r = -errno;
		creation->pid = 0;
	}
	close(control[1]);
	creation->control_fd = control[0];
	return r ? fail_process(r) : 0;
}

__attribute__((format(printf, 3, 4))) static int put(pid_t pid, const char *name,
						     const char *format, ...)
{
	char path[64], text[64];
	va_list arguments;
	int fd, n, r = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		r = pen_fail(-errno, "%s: %s", path, strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

static int map_ids(const struct creation *creation)
{
	const struct pen_config *config = &creation->config;
	int r = put(creation->pid, "uid_map", "0 %u 1", config->uid);

	if (!r)
		r = put(creation->pid, "setgroups", "deny");
	if (!r)
		r = put(creation->pid, "gid_map", "0 %u 1", config->gid);
	if (!r && config->has_oom_score_adj)
		r = put(creation->pid, "oom_score_adj", "%d", config->oom_score_adj);
	return r;
}

static int tell(const struct creation *creation)
{
	return send(creation->control_fd, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* Wait until the process has lost everything, or could not. */
static int wait_entered(const struct creation *creation)
{
	struct pollfd input = { .fd = creation->control_fd, .events = POLLIN };
	struct pen_enter_report report;
	int n;

	do
		n = poll(&input, 1, ENTER_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return pen_fail(-ETIMEDOUT, "the container's process does not answer");
	if (read(creation->control_fd, &report, sizeof(report)) != sizeof(report))
		return pen_fail(-ECHILD, "the container's process ended early");
	if (report.r)
		return pen_fail(report.r, "cannot take away %.*s: %s", (int)sizeof(report.step),
				report.step, strerrordesc_np(-report.r));
	return 0;
}

/* In one step, because whoever waits for the file reads it at once. */
static int write_pid_file(const char *path, pid_t pid)
{
	char new[PATH_MAX], text[16];
	int fd, n = snprintf(text, sizeof(text), "%d", (int)pid), r = 0;

	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new))
		return -ENAMETOOLONG;
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (!r && rename(new, path))
		r = -errno;
	if (r)
		(void)unlink(new);
	return r;
}

/* Write down the process, and leave it on its own. */
static int commit(struct creation *creation)
{
	const struct pen_create *wanted = creation->wanted;
	int r = pen_process_start(creation->pid, &creation->record.start);

	creation->record.pid = creation->pid;
	if (!r)
		r = pen_record_write(creation->directory_fd, &creation->record);
	if (r)
		return pen_fail(r, "%s/%s: %s", wanted->root, wanted->id, strerrordesc_np(-r));
	r = wanted->pid_file ? write_pid_file(wanted->pid_file, creation->pid) : 0;
	if (r)
		return pen_fail(r, "%s: %s", wanted->pid_file, strerrordesc_np(-r));
	r = tell(creation);
	return r ? pen_fail(r, "the container's process ended early") : 0;
}

/* Remove what a failed creation has made. */
static void undo(struct creation *creation)
{
	if (creation->pid > 0) {
		kill(creation->pid, SIGKILL); /* not reaped, so it is still this one */
		(void)waitpid(creation->pid, NULL, 0);
		if (creation->record.pid && creation->wanted->pid_file)
			(void)unlink(creation->wanted->pid_file);
	}
	if (!creation->has_record)
		return;
	if (!pen_cgroup_remove(creation->record.cgroup))
		(void)pen_record_remove(creation->wanted->root, creation->wanted->id);
}

int pen_container_create(const struct pen_create *create)
{
	static struct creation creation;
	uint64_t flags = 0;
	int r;

	creation = (struct creation){ .wanted = create,
				      .cgroups.born_fd = -1,
				      .program_fd = -1,
				      .directory_fd = -1,
				      .start_fd = -1,
				      .control_fd = -1 };
	r = prepare(&creation);
	if (!r)
		r = find_namespaces(&flags);
	/* The process cannot: its user namespace denies it. */
	if (!r && setgroups(0, NULL))
		r = pen_fail(-errno, "cannot drop the supplementary groups: %s",
			     strerrordesc_np(errno));
	if (!r)
		r = create_places(&creation);
	if (!r)
		r = create_process(&creation, flags);
	if (!r)
		r = map_ids(&creation);
	if (!r && tell(&creation))
		r = pen_fail(-ECHILD, "the container's process ended early");
	if (!r)
		r = wait_entered(&creation);
	if (!r)
		r = commit(&creation);
	if (r)
		undo(&creation);
	return r;
}
