/* SPDX-License-Identifier: Apache-2.0 */
/* What is left to a program in the pen that does nothing to confine itself. Needs root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/bpf/pen.h"

TestSuite(pen_rights, .init = pen_setup, .fini = pen_teardown, .timeout = 30);

static void expect_status(pid_t pid, const char *name, const char *expected)
{
	char path[64], line[256], value[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	cr_assert_not_null(file, "no process %d", pid);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			snprintf(value, sizeof(value), "%.*s",
				 (int)strcspn(line + strlen(name) + 2, "\n"),
				 line + strlen(name) + 2);
	fclose(file);
	cr_expect_str_eq(value, expected, "%s: %s", name, value);
}

static void expect_no_capabilities(pid_t pid)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		expect_status(pid, sets[i], "0000000000000000");
	expect_status(pid, "NoNewPrivs", "1");
	expect_status(pid, "Seccomp", "2");
	expect_status(pid, "Groups", " ");
	expect_status(pid, "Uid", "1900000000\t1900000000\t1900000000\t1900000000");
	expect_status(pid, "Gid", "1900000000\t1900000000\t1900000000\t1900000000");
}

static void expect_own_namespaces(pid_t pid)
{
	static const char *const names[] = { "user", "mnt",  "pid",    "net", "ipc",
					     "uts",  "time", "cgroup", NULL };
	char path[64], own[64], host[64];

	for (size_t i = 0; names[i]; i++) {
		memset(own, 0, sizeof(own));
		memset(host, 0, sizeof(host));
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, names[i]);
		cr_assert_gt(readlink(path, own, sizeof(own) - 1), 0);
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		cr_assert_gt(readlink(path, host, sizeof(host) - 1), 0);
		cr_expect_str_neq(own, host);
	}
}

static void expect_empty_root(pid_t pid)
{
	char path[64], text[4096], *end;
	struct dirent *entry;
	DIR *directory;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	end = strchr(text, '\n');
	cr_assert(end && end[1] == '\0', "more than one mount: %s", text);
	cr_expect_not_null(strstr(text, " / / ro,nosuid,nodev,noexec"), "%s", text);
	cr_expect_not_null(strstr(text, " - tmpfs pen ro,"), "%s", text);
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	directory = opendir(path);
	cr_assert_not_null(directory);
	while ((entry = readdir(directory)))
		cr_expect(!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."), "%s",
			  entry->d_name);
	closedir(directory);
}

/* Of the test's process, before the fork that reads them */
static void expect_descriptors(pid_t pid, int n)
{
	char path[64];
	struct dirent *entry;
	DIR *directory;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	cr_assert_not_null(directory);
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.') {
			cr_expect_lt(atoi(entry->d_name), n, "descriptor %s", entry->d_name);
			found++;
		}
	closedir(directory);
	cr_expect_eq(found, n);
}

static void expect_limits(pid_t pid)
{
	static const struct {
		enum __rlimit_resource resource;
		rlim_t value;
	} limits[] = { { RLIMIT_NOFILE, 64 },
		       { RLIMIT_CORE, 0 },
		       { RLIMIT_FSIZE, 0 },
		       { RLIMIT_MEMLOCK, 0 },
		       { RLIMIT_MSGQUEUE, 0 } };

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit;

		cr_assert_eq(prlimit(pid, limits[i].resource, NULL, &limit), 0);
		cr_expect_eq(limit.rlim_cur, limits[i].value);
		cr_expect_eq(limit.rlim_max, limits[i].value);
	}
}

/* Compare the text of a cgroup's file in the first hierarchy of these that has it. */
static void expect_cgroup(const char *const (*files)[2], size_t n, const char *what)
{
	char path[256], text[64] = "";

	for (size_t i = 0; i < n; i++) {
		const char *hierarchies[] = { "memory", "pids", "cpu", "unified", "." };

		for (size_t j = 0; j < 5; j++) {
			FILE *file;

			snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s/test-probe/%s",
				 hierarchies[j], it.cgroup_parent, files[i][0]);
			file = fopen(path, "re");
			if (!file)
				continue;
			cr_assert_not_null(fgets(text, sizeof(text), file));
			fclose(file);
			text[strcspn(text, "\n")] = '\0';
			cr_expect_str_eq(text, files[i][1], "%s: %s", path, text);
			return;
		}
	}
	cr_expect_fail("no limit of %s", what);
}

static void expect_cgroup_limits(void)
{
	static const char *const memory[][2] = { { "memory.limit_in_bytes", "16777216" },
						 { "memory.max", "16777216" } };
	static const char *const swap[][2] = { { "memory.memsw.limit_in_bytes", "16777216" },
					       { "memory.swap.max", "0" },
					       { "memory.swappiness", "0" } };
	static const char *const pids[][2] = { { "pids.max", "32" } };
	static const char *const cpu[][2] = { { "cpu.cfs_quota_us", "100000" },
					      { "cpu.max", "100000 1000000" } };

	expect_cgroup(memory, 2, "memory");
	expect_cgroup(swap, 3, "swap");
	expect_cgroup(pids, 1, "pids");
	if (it.parameters.limits_cpu)
		expect_cgroup(cpu, 2, "CPU time");
}

static void expect_oom_score_adj(pid_t pid)
{
	char path[64];
	FILE *file;
	int score = 0;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	cr_expect_eq(fscanf(file, "%d", &score), 1);
	cr_expect_geq(score, 200);
	fclose(file);
}

static pid_t create_and_start(const struct pen_call *calls)
{
	pen_write_program(calls);
	cr_assert_eq(pen_run(pen_create), 0, "%s", pen_said());
	cr_assert_eq(PEN_RUN("start", "probe"), 0, "%s", pen_said());
	return pen_pid();
}

static void delete (pid_t pid)
{
	cr_expect_eq(PEN_RUN("delete", "--force", "probe"), 0, "%s", pen_said());
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	cr_expect_not(pen_has_cgroup());
	cr_expect_not(pen_has_state());
}

/* Before the calf runs, it has lost everything already, and nothing comes back by exec. */
Test(pen_rights, before_and_after_exec)
{
	static const struct pen_call calls[] = { { SYS_fcntl, { 0, F_GETFD } }, { .number = -1 } };
	int64_t result;
	pid_t pid;

	pen_write_program(calls);
	cr_assert_eq(pen_run(pen_create), 0, "%s", pen_said());
	pid = pen_pid();
	cr_assert_gt(pid, 1);
	for (int after = 0; after < 2; after++) {
		expect_no_capabilities(pid);
		expect_own_namespaces(pid);
		expect_empty_root(pid);
		expect_limits(pid);
		expect_cgroup_limits();
		expect_oom_score_adj(pid);
		expect_descriptors(pid, after ? 6 : 9);
		if (after)
			break;
		cr_assert_eq(PEN_RUN("start", "probe"), 0, "%s", pen_said());
		pen_results(&result, 1);
		cr_expect_eq(result, 0);
	}
	delete (pid);
}

/* Each is refused by the list; most would get another error, or succeed, without it. */
static const struct pen_call forbidden[] = {
	{ SYS_open, { 0, O_RDONLY } },
	{ SYS_openat, { AT_FDCWD, 0, O_RDONLY } },
	{ SYS_openat2, { AT_FDCWD } },
	{ SYS_creat, { 0 } },
	{ SYS_socket, { 1, 1 } },
	{ SYS_socketpair, { 1, 1 } },
	{ SYS_connect, { 4 } },
	{ SYS_bind, { 4 } },
	{ SYS_sendmsg, { 4 } },
	{ SYS_recvmsg, { 4 } },
	{ SYS_sendto, { 4 } },
	{ SYS_setsockopt, { 4, 1, 7 } },
	{ SYS_ioctl, { 3, 0x5401 } },
	{ SYS_bpf, { 10 } },
	{ SYS_clone, { SIGCHLD } },
	{ SYS_clone3, { 0 } },
	{ SYS_fork, { 0 } },
	{ SYS_vfork, { 0 } },
	{ SYS_execve, { 0 } },
	{ SYS_execveat, { AT_FDCWD, 0, 0, 0, AT_EMPTY_PATH } },
	{ SYS_unshare, { CLONE_NEWUSER } },
	{ SYS_setns, { 3 } },
	{ SYS_mount, { 0 } },
	{ SYS_fsopen, { 0 } },
	{ SYS_open_tree, { AT_FDCWD } },
	{ SYS_pivot_root, { 0 } },
	{ SYS_chdir, { 0 } },
	{ SYS_chroot, { 0 } },
	{ SYS_dup, { 4 } },
	{ SYS_dup2, { 4, 6 } },
	{ SYS_dup3, { 4, 6, O_CLOEXEC } },
	{ SYS_fcntl, { 4, F_DUPFD, 6 } },
	{ SYS_memfd_create, { 0 } },
	{ SYS_ptrace, { 0 } },
	{ SYS_kill, { 1, 0 } },
	{ SYS_tgkill, { 1, 1, 0 } },
	{ SYS_pidfd_open, { 1 } },
	{ SYS_pidfd_getfd, { 4 } },
	{ SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
	{ SYS_mprotect, { 0x400000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC } },
	{ SYS_io_uring_setup, { 1 } },
	{ SYS_userfaultfd, { 0 } },
	{ SYS_perf_event_open, { 0 } },
	{ SYS_keyctl, { 0 } },
	{ SYS_add_key, { 0 } },
	{ SYS_capset, { 0 } },
	{ SYS_setuid, { 0 } },
	{ SYS_prctl, { PR_SET_DUMPABLE, 1 } },
	{ SYS_prctl, { PR_SET_SECCOMP, SECCOMP_MODE_STRICT } },
	{ SYS_seccomp, { SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER } },
	{ SYS_personality, { 0x0040000 } },
	{ SYS_setrlimit, { RLIMIT_NOFILE } },
	{ SYS_prlimit64, { 0, RLIMIT_NOFILE } },
	{ SYS_getpid, { 0 } },
	{ SYS_rt_sigaction, { SIGTERM } },
	{ SYS_readlink, { 0 } },
	{ SYS_newfstatat, { AT_FDCWD, 0, 0, 0 } },
	{ SYS_sched_setaffinity, { 0 } },
	{ SYS_reboot, { 0 } },
	{ .number = -1 },
};
#define N_FORBIDDEN (sizeof(forbidden) / sizeof(forbidden[0]) - 1)

Test(pen_rights, forbidden_calls)
{
	int64_t results[N_FORBIDDEN];
	pid_t pid = create_and_start(forbidden);

	cr_assert_geq(N_FORBIDDEN, 40);
	pen_results(results, N_FORBIDDEN);
	for (size_t i = 0; i < N_FORBIDDEN; i++)
		cr_expect_eq(results[i], -EPERM, "call %lld: %lld", (long long)forbidden[i].number,
			     (long long)results[i]);
	delete (pid);
}

/* The exec that the list allows was the last: its descriptor is closed, and none can be made. */
Test(pen_rights, no_second_exec)
{
	static const struct pen_call calls[] = {
		{ SYS_execveat, { 6, 0, 0, 0, AT_EMPTY_PATH } },
		{ SYS_fcntl, { 5, F_GETFD } },
		{ SYS_fcntl, { 6, F_GETFD } },
		{ SYS_fcntl, { 7, F_GETFD } },
		{ SYS_fcntl, { 8, F_GETFD } },
		{ SYS_fcntl, { 4, F_GETFL } },
		{ .number = -1 },
	};
	int64_t results[6];
	pid_t pid;

	cr_assert_eq(fcntl(it.fds.control, F_SETFL, O_NONBLOCK), 0);
	pid = create_and_start(calls);
	pen_results(results, 6);
	cr_expect_eq(results[5] & O_NONBLOCK, 0, "as by runc");
	cr_expect(results[0] == -EFAULT || results[0] == -EBADF, "%lld", (long long)results[0]);
	cr_expect_eq(results[1], 0);
	for (int i = 2; i < 5; i++)
		cr_expect_eq(results[i], -EBADF);
	delete (pid);
}

/* A call of another ABI kills: x32 */
Test(pen_rights, other_abi)
{
	static const struct pen_call calls[] = { { 0x40000000 + SYS_getpid, { 0 } },
						 { .number = -1 } };
	pid_t pid = create_and_start(calls);
	int status;

	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %x", status);
	cr_expect_eq(PEN_RUN("delete", "probe"), 0, "%s", pen_said());
}
