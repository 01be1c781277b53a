/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each role has left, read from /proc/PID/status. Needs root.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "tests/bpf/container.h"
#include "tests/bpf/support-confine.h"
#include "userspace/common/program.h"

#define CAP_BIT(capability) (1ull << (capability))
#define SUPERVISOR_CAPS (CAP_BIT(12) | CAP_BIT(38) | CAP_BIT(39)) /* NET_ADMIN, PERFMON, BPF */
#define STARTER_CAPS (CAP_BIT(6) | CAP_BIT(7))			  /* SETGID, SETUID */
#define LAUNCHER_CAPS (STARTER_CAPS | CAP_BIT(8))		  /* SETPCAP */
#define SYS_ADMIN_CAP CAP_BIT(21)
#define WATCHER_CAPS CAP_BIT(12)

TestSuite(confine, .init = confine_setup);

/* As the kernel has them when they have been set: the list of calls denies to ask later. */
static long securebits;

int prctl(int option, ...)
{
	unsigned long arguments[4];
	va_list list;
	long r;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		arguments[i] = va_arg(list, unsigned long);
	va_end(list);
	r = syscall(SYS_prctl, option, arguments[0], arguments[1], arguments[2], arguments[3]);
	if (option == PR_SET_SECUREBITS)
		securebits = syscall(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
	return (int)r;
}

static long tell_securebits(void)
{
	return securebits;
}

/* NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE and the locks of all of them and of KEEP_CAPS */
Test(confine, supervisor_securebits)
{
	struct child child = start(ROLE_SUPERVISOR, 0, false, tell_securebits);
	long result = 0;

	cr_assert(entered(&child) == 0);
	cr_expect(go(&child, &result));
	cr_expect(result == 0xef, "%lx", result);
}

/* A number of /proc/PID/status in the given base; (uint64_t)-1: not there. */
static uint64_t status(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	uint64_t value = UINT64_MAX;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	cr_assert(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = strtoull(line + strlen(name) + 1, NULL, base);
	fclose(file);
	return value;
}

/* A whole line: "Uid:\t0\t0\t0\t0". */
static void expect_status_line(pid_t pid, const char *expected)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	cr_assert(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		size_t length = strcspn(line, "\n");

		while (length > 0 && strchr(" \t", line[length - 1]) != NULL)
			length--;
		line[length] = '\0';
		found = found || strcmp(line, expected) == 0;
	}
	fclose(file);
	cr_expect(found, "no \"%s\"", expected);
}

static void expect_rights(pid_t pid, uint64_t capabilities, uint64_t effective)
{
	cr_expect(status(pid, "CapInh", 16) == 0);
	cr_expect(status(pid, "CapPrm", 16) == capabilities);
	cr_expect(status(pid, "CapEff", 16) == effective);
	cr_expect(status(pid, "CapBnd", 16) == capabilities);
	cr_expect(status(pid, "CapAmb", 16) == 0);
	cr_expect(status(pid, "NoNewPrivs", 10) == 1);
	cr_expect(status(pid, "Seccomp", 10) == 2);
	expect_status_line(pid, "Groups:");
}

static void expect_ids(pid_t pid, uint32_t uid, uint32_t gid)
{
	char line[128];

	snprintf(line, sizeof(line), "Uid:\t%u\t%u\t%u\t%u", uid, uid, uid, uid);
	expect_status_line(pid, line);
	snprintf(line, sizeof(line), "Gid:\t%u\t%u\t%u\t%u", gid, gid, gid, gid);
	expect_status_line(pid, line);
}

static void expect_sets(enum role role, uint32_t uid, bool is_foreign, uint64_t capabilities,
			uint64_t effective)
{
	struct child child = start(role, uid, is_foreign, NULL);
	long result = -1;

	cr_assert(entered(&child) == 0, "%s", capture_text());
	expect_rights(child.pid, capabilities, effective);
	expect_ids(child.pid, uid, role == ROLE_CHRONY ? CHRONY_GID : uid);
	cr_expect(go(&child, &result) && result == 0);
	cr_expect_str_eq(capture_text(), "");
}

static void expect_role(enum role role, uint32_t uid, bool is_foreign, uint64_t capabilities)
{
	expect_sets(role, uid, is_foreign, capabilities, capabilities);
}

/* Whatever the runtime is. */
Test(confine, supervisor)
{
	expect_role(ROLE_SUPERVISOR, 0, false, SUPERVISOR_CAPS);
	expect_role(ROLE_SUPERVISOR, 0, true, SUPERVISOR_CAPS);
}

/* The watcher's right, and that of a foreign runtime, are not its own. */
Test(confine, launcher)
{
	expect_sets(ROLE_LAUNCHER, 0, false, LAUNCHER_CAPS | WATCHER_CAPS, LAUNCHER_CAPS);
	expect_sets(ROLE_LAUNCHER, 0, true, LAUNCHER_CAPS | WATCHER_CAPS | SYS_ADMIN_CAP,
		    LAUNCHER_CAPS);
}

Test(confine, starter)
{
	expect_role(ROLE_STARTER, 0, false, STARTER_CAPS);
	expect_role(ROLE_STARTER, 0, true, STARTER_CAPS | SYS_ADMIN_CAP);
}

static long reduce_to_saver(void)
{
	return confine_reduce(ROLE_SAVER, false);
}

static long reduce_to_starter(void)
{
	return confine_reduce(ROLE_STARTER, true);
}

/* In a process of the launcher, after it was forked. */
static void expect_reduced(attempt_fn reduce, uint64_t capabilities)
{
	struct child child = start(ROLE_LAUNCHER, 0, true, reduce);
	long result = -1;
	siginfo_t info;

	cr_assert(entered(&child) == 0, "%s", capture_text());
	cr_assert(write(child.to, "g", 1) == 1);
	cr_expect(read(child.from, &result, sizeof(result)) == sizeof(result) && result == 0);
	/* it has exited, and is not reaped yet */
	cr_assert(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT) == 0);
	cr_expect(status(child.pid, "CapPrm", 16) == capabilities);
	cr_expect(status(child.pid, "CapEff", 16) == capabilities);
	cr_expect(status(child.pid, "CapBnd", 16) == capabilities);
	cr_expect(waitpid(child.pid, NULL, 0) == child.pid);
}

Test(confine, reduced)
{
	expect_reduced(reduce_to_saver, 0);
	expect_reduced(reduce_to_starter, STARTER_CAPS | SYS_ADMIN_CAP);
}

Test(confine, watcher)
{
	expect_role(ROLE_WATCHER, 0, false, WATCHER_CAPS);
}

Test(confine, gateway)
{
	expect_role(ROLE_GATEWAY, GATEWAY_UID, false, 0);
}

/* The user of chronyd's directory, root's too. */
Test(confine, chrony)
{
	expect_role(ROLE_CHRONY, CHRONY_UID, false, 0);
	expect_role(ROLE_CHRONY, 0, false, 0);
}

Test(confine, U33_migrate)
{
	expect_role(ROLE_MIGRATE, GATEWAY_UID, false, 0);
}

/* Not readable for others of its uid: /proc/PID belongs to root. */
Test(confine, gateway_not_dumpable)
{
	struct child child = start(ROLE_GATEWAY, GATEWAY_UID, false, NULL);
	char path[64];
	struct stat st;
	long result;

	cr_assert(entered(&child) == 0);
	snprintf(path, sizeof(path), "/proc/%d/mem", child.pid);
	cr_assert(stat(path, &st) == 0);
	cr_expect(st.st_uid == 0);
	cr_expect(go(&child, &result));
}

/* A child dies with its parent; in a child whose parent died before, confine_enter()
 * does not return. */
Test(confine, ends_with_parent)
{
	static const enum role roles[] = { ROLE_WATCHER, ROLE_GATEWAY, ROLE_CHRONY, ROLE_MIGRATE,
					   ROLE_LAUNCHER };

	cr_assert(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		int pipe_fds[2], wait_status;
		pid_t parent, grandchild = 0;

		cr_assert(pipe2(pipe_fds, O_CLOEXEC) == 0);
		parent = fork();
		if (parent == 0) {
			struct child child = start(roles[i], GATEWAY_UID, false, NULL);

			if (entered(&child) != 0 ||
			    write(pipe_fds[1], &child.pid, sizeof(child.pid)) < 0)
				_exit(1);
			pause();
		}
		cr_assert(read(pipe_fds[0], &grandchild, sizeof(grandchild)) == sizeof(grandchild));
		cr_expect(kill(grandchild, 0) == 0);
		cr_assert(kill(parent, SIGKILL) == 0);
		cr_assert(waitpid(parent, NULL, 0) == parent);
		cr_assert(waitpid(grandchild, &wait_status, 0) == grandchild);
		cr_expect(WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL);
		close(pipe_fds[0]);
		close(pipe_fds[1]);
	}
}

Test(confine, refused)
{
	struct child child = start(ROLE_GATEWAY, 0, false, NULL);

	cr_expect(entered(&child) == -EINVAL);
	cr_expect_str_eq(capture_text(),
			 "cannot drop rights: this role needs a user id of its own\n");
	waitpid(child.pid, NULL, 0);
}

/* A right that this process never had is named. */
Test(confine, missing_capability)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct __user_cap_header_struct {
			uint32_t version;
			int pid;
		} header = { 0x20080522, 0 };
		struct {
			uint32_t effective, permitted, inheritable;
		} data[2] = { { UINT32_MAX, UINT32_MAX, 0 }, { 0, 0, 0 } }; /* no BPF */

		if (syscall(SYS_capset, &header, data) != 0)
			data[0].effective = data[0].permitted = 0xfeffffff; /* no SYS_RESOURCE */
		if (syscall(SYS_capset, &header, data) != 0)
			_exit(2);
		_exit(confine_enter(ROLE_SUPERVISOR, 0, 0, false) == -EPERM ? 0 : 1);
	} else {
		int wait_status;

		cr_assert(waitpid(pid, &wait_status, 0) == pid);
		cr_expect(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0, "%x",
			  wait_status);
		cr_expect_str_eq(capture_text(),
				 "cannot drop rights: cap_bpf: Operation not permitted\n");
	}
}

static struct container container;

/* A confined starter starts and ends a container. */
static long try_container(void)
{
	static char text[32768];
	pid_t pid = 0;
	int r;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	r = container_begin(&container, &pid);
	if (r == 0) {
		container_read(&container, text, sizeof(text));
		r = runtime_delete(&container.runtime, "probe");
	}
	if (r == 0 && waitpid(pid, NULL, 0) != pid)
		r = -ECHILD;
	return r;
}

static void expect_container(const char *runtime, bool is_foreign)
{
	struct child child;
	long result = -1;

	container_init(&container);
	cr_assert(runtime_find(runtime, &container.runtime) == 0);
	cr_assert(runtime_prepare(&container.runtime, container.state, -1) == 0);
	cr_assert(cgroup_parent_hold(container.cgroup_parent, &AWAIT_FOREVER) >= 0);
	cr_assert(bundle_write(&container.parameters) == 0);
	child = start(ROLE_STARTER, 0, is_foreign, try_container);
	cr_assert(entered(&child) == 0);
	cr_expect(go(&child, &result) && result == 0, "%ld %s", result, capture_text());
	cr_expect_str_eq(capture_text(), "");
	cr_expect(!container_has_cgroup(&container, "pids"));
	cr_expect(bundle_remove(container.bundle) == 0);
	container_deinit(&container);
}

Test(confine, starter_runs_a_container)
{
	if (runtime_find("runc", &container.runtime) < 0)
		cr_skip_test("no runc");
	expect_container("runc", true);
}

/* The pen needs less: no SYS_ADMIN, and no chown() that pretends to work. */
Test(confine, starter_runs_the_pen)
{
	char pen[PATH_MAX];

	cr_assert_eq(program_path("../../lib/calfpen/calfpen-pen", pen, sizeof(pen)), 0);
	expect_container(pen, false);
}
