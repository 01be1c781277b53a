/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: what a calf loses before it runs
 *
 * The process has been created in new user, mount, pid, network, ipc, uts and time
 * namespaces. `steps` takes everything else away, in this order; each line says what. After
 * the last one, the process can only read, write, and execute the calf.
 */
#include "userspace/pen/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A handler of the pen is gone after exec, but a signal that is ignored stays ignored. The C
 * library keeps two signals to itself, which only the bare call can reset. */
static int take_signals(struct pen_enter *enter)
{
	static const uint64_t action[8]; /* of the kernel: SIG_DFL, no flags, no signals */
	sigset_t none;

	(void)enter;
	for (int i = 1; i < NSIG; i++)
		(void)syscall(SYS_rt_sigaction, i, action, NULL,
			      NSIG / 8); /* not SIGKILL, SIGSTOP */
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) ? -errno : 0;
}

static int take_session(struct pen_enter *enter)
{
	(void)enter;
	return setsid() < 0 ? -errno : 0;
}

/* The pen has dropped the supplementary groups. */
static int take_ids(struct pen_enter *enter)
{
	(void)enter;
	return setresgid(0, 0, 0) || setresuid(0, 0, 0) ? -errno : 0;
}

/* Create an empty tmpfs that is not mounted anywhere yet. */
static int make_detached(void)
{
	static const char *const options[][2] = {
		{ "source", "pen" }, { "size", "4k" }, { "nr_inodes", "1" }, { "mode", "555" }
	};
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), root, r = 0;

	if (fs < 0)
		return -errno;
	for (size_t i = 0; !r && i < sizeof(options) / sizeof(options[0]); i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0))
			r = -errno;
	if (!r && (fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) ||
		   fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)))
		r = -errno;
	root = r ? r :
		   fsmount(fs, FSMOUNT_CLOEXEC,
			   MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				   MOUNT_ATTR_NOEXEC);
	if (!r && root < 0)
		root = -errno;
	close(fs);
	return root;
}

/* Mount it over the root, which needs no path that this id may search, and go there. */
static int mount_root(void)
{
	int root = make_detached(), r = 0;

	if (root == -ENOSYS) { /* before Linux 5.2, or filtered by what runs the supervisor */
		if (mount("pen", "/", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			  "size=4k,nr_inodes=1,mode=555") ||
		    chdir("/.."))
			return -errno;
		return 0;
	}
	if (root < 0)
		return root;
	if (move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) || fchdir(root))
		r = -errno;
	close(root);
	return r;
}

static int take_files(struct pen_enter *enter)
{
	int r = mount_root();

	(void)enter;
	if (r)
		return r;
	/* The old root is stacked on the new one, so that "." is the old one for umount2() */
	if (!syscall(SYS_pivot_root, ".", "."))
		return umount2(".", MNT_DETACH) || chdir("/") ? -errno : 0;
	/* An initramfs is the root of all mounts, and cannot be exchanged. It stays below the
	 * new root, out of reach: without chroot(2), a descriptor of a directory, or /proc,
	 * there is no way out. */
	return errno != EINVAL || chroot(".") || chdir("/") ? -errno : 0;
}

/* Version 1 of cgroups. A thread that moves itself does not wait for a grace period of RCU, as it
 * would if the pen moved the process: 10 ms. */
static int take_resources_of_caller(struct pen_enter *enter)
{
	for (size_t i = 0; i < enter->cgroups->n_join; i++)
		if (write(enter->cgroups->join_fds[i], "0", 1) != 1)
			return -errno;
	return 0;
}

/* Not with clone3(), which would make the pen's own cgroup the root. */
static int take_cgroups(struct pen_enter *enter)
{
	(void)enter;
	return unshare(CLONE_NEWCGROUP) ? -errno : 0;
}

static int take_host_name(struct pen_enter *enter)
{
	const char *name = enter->config->hostname;

	return sethostname(name, strlen(name)) || setdomainname("", 0) ? -errno : 0;
}

/* Those of the calf are blocking, as after runc, so that a calf that is not built on our library
 * finds the same. */
static int set_blocking(int last_fd)
{
	for (int fd = STDIN_FILENO; fd <= last_fd; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags < 0 || ((flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK)))
			return -errno;
	}
	return 0;
}

/* Give our three the numbers above those of the calf, and
 * close all others. */
static int take_descriptors(struct pen_enter *enter)
{
	const int own[] = { enter->program_fd, enter->start_fd, enter->control_fd };
	const int first = enter->last_fd + 1, n = (int)(sizeof(own) / sizeof(own[0]));
	int moved[sizeof(own) / sizeof(own[0])];

	/* First move them out of the way, so that no copy overwrites a source. */
	for (int i = 0; i < n; i++) {
		moved[i] = fcntl(own[i], F_DUPFD_CLOEXEC, first + n);
		if (moved[i] < 0)
			return -errno;
	}
	for (int i = 0; i < n; i++)
		if (dup3(moved[i], first + i, O_CLOEXEC) < 0)
			return -errno;
	enter->program_fd = pen_enter_program_fd(enter->last_fd);
	enter->start_fd = first + 1;
	enter->control_fd = first + 2;
	if (close_range((unsigned int)(first + n), ~0u, 0))
		return -errno;
	return set_blocking(enter->last_fd);
}

static int take_resources(struct pen_enter *enter)
{
	const struct pen_config *config = enter->config;

	for (size_t i = 0; i < config->n_limits; i++)
		if (setrlimit(config->limits[i].resource, &config->limits[i].value))
			return -errno;
	return 0;
}

static int take_bounding_set(struct pen_enter *enter)
{
	(void)enter;
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++)
		if (prctl(PR_CAPBSET_DROP, i))
			return -errno;
	return 0;
}

/* All are set and locked but KEEP_CAPS, which is locked while it is off. */
static int take_meaning_of_uid_0(struct pen_enter *enter)
{
	const unsigned long bits = (SECURE_ALL_BITS | SECURE_ALL_LOCKS) &
				   ~(unsigned long)issecure_mask(SECURE_KEEP_CAPS);

	(void)enter;
	return prctl(PR_SET_SECUREBITS, bits) ? -errno : 0;
}

/* With them, those of the ambient set */
static int take_capabilities(struct pen_enter *enter)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	(void)enter;
	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

static int take_new_privileges(struct pen_enter *enter)
{
	(void)enter;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

static int take_system_calls(struct pen_enter *enter)
{
	return pen_filter_load(enter->filter);
}

static const struct {
	const char *what;
	int (*take)(struct pen_enter *enter);
} steps[] = {
	{ "memory and time of the caller's cgroups", take_resources_of_caller },
	{ "all descriptors but the calf's", take_descriptors },
	{ "ignored and blocked signals of the caller", take_signals },
	{ "the caller's session and terminal", take_session },
	{ "the host's user and group ids", take_ids },
	{ "all files: an empty read-only root without /proc and /dev", take_files },
	{ "the names of the host's cgroups", take_cgroups },
	{ "the host's name", take_host_name },
	{ "resources beyond the limits", take_resources },
	{ "capabilities by exec: the bounding set", take_bounding_set },
	{ "capabilities by uid 0: the secure bits", take_meaning_of_uid_0 },
	{ "all capabilities", take_capabilities },
	{ "privileges by set-uid files", take_new_privileges },
	{ "all system calls but those of filter.c", take_system_calls },
};

static int take_everything(struct pen_enter *enter, const char **whatp)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(steps) / sizeof(steps[0]); i++) {
		*whatp = steps[i].what;
		r = steps[i].take(enter);
	}
	return r;
}

static bool wait_octet(int fd)
{
	char octet;
	ssize_t n;

	do
		n = read(fd, &octet, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Returns whether the pen has it. */
static bool report(int fd, int r, const char *step)
{
	struct pen_enter_report report = { .r = r };

	snprintf(report.step, sizeof(report.step), "%s", r ? step : "");
	return write(fd, &report, sizeof(report)) == sizeof(report);
}

_Noreturn void pen_enter(struct pen_enter *enter)
{
	static const char failed[] = "the calf cannot be executed\n";
	char *environment[] = { NULL };
	const char *step = "";
	int r;

	if (!wait_octet(enter->control_fd))
		_exit(1);
	r = take_everything(enter, &step);
	if (!report(enter->control_fd, r, step) || r || !wait_octet(enter->control_fd) ||
	    !wait_octet(enter->start_fd))
		_exit(1);
	(void)syscall(SYS_execveat, enter->program_fd, "", enter->config->argv, environment,
		      AT_EMPTY_PATH);
	if (write(STDERR_FILENO, failed, sizeof(failed) - 1) < 0)
		_exit(126);
	_exit(127);
}
