/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a container of the pen, and what is left when it is cut short. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/bpf/pen.h"

TestSuite(pen_container, .init = pen_setup, .fini = pen_teardown, .timeout = 30);

static void expect_nothing_left(void)
{
	cr_expect_not(pen_has_cgroup());
	cr_expect_not(pen_has_state());
}

Test(pen_container, life)
{
	int status;
	pid_t pid;

	cr_assert_eq(pen_run(pen_create), 0, "%s", pen_said());
	pid = pen_pid();
	cr_expect_str_eq(pen_status(), "created");
	cr_expect_eq(pen_run(pen_create), -EIO);
	cr_expect_str_eq(pen_said(), "container probe already exists");
	cr_expect_eq(PEN_RUN("delete", "probe"), -EIO);
	cr_expect_str_eq(pen_said(), "container probe: still running; use --force");
	cr_expect_eq(PEN_RUN("start", "probe"), 0, "%s", pen_said());
	while (!strcmp(pen_status(), "created")) {
	}
	cr_expect_str_eq(pen_status(), "running");
	cr_expect_eq(PEN_RUN("start", "probe"), -EIO);
	cr_expect_str_eq(pen_said(),
			 "container probe: cannot start it: it runs already, or has exited");
	cr_expect_eq(PEN_RUN("kill", "probe", "KILL"), 0, "%s", pen_said());
	cr_expect_eq(waitpid(pid, &status, 0), pid, "it is our child");
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	cr_expect_str_eq(pen_status(), "stopped");
	cr_expect_eq(PEN_RUN("kill", "probe"), -EIO);
	cr_expect_str_eq(pen_said(), "container probe: not running");
	cr_expect_eq(PEN_RUN("delete", "probe"), 0, "%s", pen_said());
	expect_nothing_left();
	cr_expect_eq(PEN_RUN("delete", "probe"), -EIO);
	cr_expect_str_eq(pen_said(), "container probe does not exist");
	cr_expect_eq(PEN_RUN("delete", "--force", "probe"), 0, "%s", pen_said());
	cr_expect_eq(PEN_RUN("start", "probe"), -EIO);
	cr_expect_str_eq(pen_said(), "container probe does not exist");
}

Test(pen_container, program_exits)
{
	int status;

	cr_assert_eq(pen_run(pen_create), 0, "%s", pen_said());
	cr_assert_eq(PEN_RUN("start", "probe"), 0, "%s", pen_said());
	close(it.control_fd);
	cr_expect_eq(waitpid(pen_pid(), &status, 0), pen_pid());
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
	cr_expect_eq(PEN_RUN("delete", "probe"), 0, "%s", pen_said());
	expect_nothing_left();
}

/* The number of a process that has exited belongs to another one later. */
Test(pen_container, pid_of_another_process)
{
	char path[256], text[1024] = "", *at;
	pid_t pid, other = fork();
	FILE *file;

	if (!other) {
		pause();
		_exit(0);
	}
	usleep(50000); /* the time of a start is in units of 10 ms */
	cr_assert_eq(pen_run(pen_create), 0, "%s", pen_said());
	pid = pen_pid();
	snprintf(path, sizeof(path), "%s/probe/record", it.state);
	file = fopen(path, "r+e");
	cr_assert_not_null(file);
	cr_assert_gt(fread(text, 1, sizeof(text) - 1, file), 0);
	at = strstr(text, "\"pid\": ");
	cr_assert_not_null(at);
	rewind(file);
	cr_assert_eq(ftruncate(fileno(file), 0), 0);
	fprintf(file, "%.*s\"pid\": %d%s", (int)(at - text), text, other,
		at + strlen("\"pid\": ") + strspn(at + strlen("\"pid\": "), "0123456789"));
	cr_assert_eq(fclose(file), 0);
	cr_expect_str_eq(pen_status(), "stopped");
	cr_expect_eq(PEN_RUN("kill", "probe", "KILL"), -EIO);
	cr_expect_str_eq(pen_said(), "container probe: not running");
	/* What is in the cgroup is the container's nevertheless. */
	cr_expect_eq(PEN_RUN("delete", "probe"), 0, "%s", pen_said());
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	expect_nothing_left();
	cr_expect_eq(waitpid(other, NULL, WNOHANG), 0, "another process was killed");
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}

static void change_config(const char *from, const char *to)
{
	static char text[65536];
	char path[256], *at;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/config.json", it.bundle);
	file = fopen(path, "r+e");
	cr_assert_not_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	at = strstr(text, from);
	cr_assert_not_null(at, "%s", from);
	rewind(file);
	cr_assert_eq(ftruncate(fileno(file), 0), 0);
	fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	cr_assert_eq(fclose(file), 0);
}

static void expect_refused(const char *said)
{
	cr_expect_eq(pen_run(pen_create), -EIO);
	cr_expect_str_eq(pen_said(), said);
	cr_expect_eq(pen_pid(), 0);
	expect_nothing_left();
}

Test(pen_container, unknown_field)
{
	change_config("\"hostname\"", "\"hooks\": {}, \"hostname\"");
	expect_refused("hooks: not supported");
}

Test(pen_container, cgroup_without_parent)
{
	char said[256];
	bool is_hybrid = access("/sys/fs/cgroup/unified", F_OK) == 0;

	change_config(it.cgroup_parent, "calfpen-no-such-cgroup");
	cr_expect_eq(pen_run(pen_create), -EIO);
	snprintf(said, sizeof(said), "calfpen-no-such-cgroup");
	cr_expect_not_null(strstr(pen_said(), said), "%s", pen_said());
	cr_expect(!is_hybrid || strstr(pen_said(), "No such file or directory"), "%s", pen_said());
	expect_nothing_left();
}

/* Move this process, in version 2. */
static void move_to(const char *cgroup)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cgroup.procs", cgroup);
	file = fopen(path, "we");
	cr_assert_not_null(file, "%s", path);
	cr_assert_gt(fprintf(file, "0"), 0);
	cr_assert_eq(fclose(file), 0, "%s", path);
}

static void make_cgroup(const char *cgroup)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", cgroup);
	cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
}

static void remove_cgroup(const char *cgroup)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", cgroup);
	cr_expect_eq(rmdir(path), 0, "%s", path);
}

/* As in a service with Delegate=: the parent is the service's own cgroup, and the supervisor
 * must be in one below it. */
Test(pen_container, cgroup_of_a_service)
{
	char parent[sizeof(it.cgroup_parent)], below[128], said[512];

	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK)) {
		pen_teardown(); /* not called for a test that is skipped */
		cr_skip_test("this host has more than version 2 of cgroups");
	}
	strcpy(parent, it.cgroup_parent);
	snprintf(it.cgroup_parent, sizeof(it.cgroup_parent), "%.40s/service", parent);
	snprintf(below, sizeof(below), "%s/supervisor", it.cgroup_parent);
	cr_assert_eq(bundle_write(&it.parameters), 0);
	pen_write_program(&PEN_CALLS_END);
	make_cgroup(it.cgroup_parent);
	move_to(it.cgroup_parent);
	snprintf(said, sizeof(said),
		 "/sys/fs/cgroup/%s/cgroup.subtree_control: cannot offer memory: Device or "
		 "resource busy; processes are in this cgroup itself (systemd: DelegateSubgroup=)",
		 it.cgroup_parent);
	expect_refused(said);
	make_cgroup(below);
	move_to(below);
	cr_expect_eq(pen_run(pen_create), 0, "%s", pen_said());
	cr_expect(pen_has_cgroup());
	cr_expect_eq(PEN_RUN("delete", "--force", "probe"), 0, "%s", pen_said());
	cr_expect_eq(waitpid(pen_pid(), NULL, 0), pen_pid());
	expect_nothing_left();
	move_to("");
	remove_cgroup(below);
	remove_cgroup(it.cgroup_parent);
	strcpy(it.cgroup_parent, parent);
}

Test(pen_container, programs)
{
	char path[256], said[512];

	snprintf(path, sizeof(path), "%s/rootfs/program", it.bundle);
	cr_assert_eq(unlink(path), 0);
	snprintf(said, sizeof(said), "process.args[0]: %s: no such file or directory", path);
	expect_refused(said);
	cr_assert_eq(symlink("/bin/true", path), 0);
	snprintf(said, sizeof(said), "process.args[0]: %s: Too many levels of symbolic links",
		 path);
	expect_refused(said);
	cr_assert_eq(unlink(path), 0);
	scratch_make();
	scratch_write_text("program", "#!/bin/true\n", 0755);
	cr_assert_eq(rename(scratch_path("program"), path), 0);
	scratch_remove();
	snprintf(said, sizeof(said), "process.args[0]: %s: not a static program for this machine",
		 path);
	expect_refused(said);
}

Test(pen_container, descriptor_that_is_missing)
{
	const char *const command[] = { "create", "--bundle", it.bundle, "--preserve-fds",
					"3",	  "probe",    NULL };

	cr_expect_eq(runtime_exec_end(pen_begin(command, 3), 0, &AWAIT_FOREVER), -EIO);
	cr_expect_str_eq(pen_said(), "--preserve-fds 3: descriptor 4 is not open");
	expect_nothing_left();
}

/* Create the container where the kernel, or a filter above the supervisor, refuses `call`. */
static int create_without(int call, int error)
{
	pid_t creating = fork();
	int status;

	if (!creating) {
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
		int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)error), call, 0);

		_exit(r || seccomp_load(filter) || pen_run(pen_create));
	}
	cr_assert_eq(waitpid(creating, &status, 0), creating);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_one_mount(void)
{
	char path[64], line[512];
	pid_t pid = pen_pid();
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	cr_assert_not_null(fgets(line, sizeof(line), file));
	cr_expect_not_null(strstr(line, " / / ro,nosuid,nodev,noexec"), "%s", line);
	cr_expect_null(fgets(line, sizeof(line), file), "%s", line);
	fclose(file);
	cr_expect_eq(PEN_RUN("delete", "--force", "probe"), 0, "%s", pen_said());
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	expect_nothing_left();
}

/* Without the new calls for mounts */
Test(pen_container, without_fsopen)
{
	cr_assert_eq(create_without(SCMP_SYS(fsopen), ENOSYS), 0, "%s", pen_said());
	expect_one_mount();
}

/* As where the root is an initramfs */
Test(pen_container, without_pivot_root)
{
	cr_assert_eq(create_without(SCMP_SYS(pivot_root), EINVAL), 0, "%s", pen_said());
	expect_one_mount();
}

Test(pen_container, without_clone3)
{
	cr_assert_eq(create_without(SCMP_SYS(clone3), ENOSYS), 1);
	cr_expect_str_eq(pen_said(), "clone3() is missing in this kernel, or denied by what "
				     "started Calfpen; allow it, or use --runtime runc");
	expect_nothing_left();
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return is_written;
}

/* In a user namespace of the test's own, because that is where the limit applies */
Test(pen_container, without_user_namespaces)
{
	pid_t creating = fork();
	char path[64];
	int status;

	if (!creating) {
		if (unshare(CLONE_NEWUSER))
			_exit(2);
		raise(SIGSTOP); /* until it has ids */
		if (!write_text("/proc/sys/user/max_user_namespaces", "0"))
			_exit(3);
		_exit(pen_run(pen_create) ? 1 : 0);
	}
	cr_assert_eq(waitpid(creating, &status, WUNTRACED), creating);
	cr_assert(WIFSTOPPED(status), "status %x", status);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", creating);
	cr_assert(write_text(path, "0 0 1"));
	snprintf(path, sizeof(path), "/proc/%d/gid_map", creating);
	cr_assert(write_text(path, "0 0 1"));
	kill(creating, SIGCONT);
	cr_assert_eq(waitpid(creating, &status, 0), creating);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %x", status);
	cr_expect_str_eq(pen_said(), "no more namespaces of a type are allowed; see sysctl "
				     "user.max_user_namespaces and user.max_*_namespaces");
	expect_nothing_left();
}

Test(pen_container, neither_pivot_root_nor_chroot)
{
	cr_assert_eq(create_without(SCMP_SYS(pivot_root), EPERM), 1);
	cr_expect_str_eq(pen_said(),
			 "cannot take away all files: an empty read-only root without /proc and "
			 "/dev: Operation not permitted");
	expect_nothing_left();
}

_Noreturn static void execute_traced(void)
{
	const int fds[] = { it.fds.log_stdout, it.fds.log_stderr, it.fds.frames, it.fds.control,
			    it.fds.metrics };
	const char *argv[16] = { pen_program, "--root", it.state };
	int moved[5];

	for (size_t i = 0; pen_create[i]; i++)
		argv[i + 3] = pen_create[i];
	for (int i = 0; i < 5; i++)
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
	for (int i = 0; i < 5; i++)
		dup2(moved[i], i + 1);
	close_range(6, ~0u, CLOSE_RANGE_CLOEXEC);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Execute "create", and kill it when it begins its system call number `n`. Returns whether it
 * was still there. */
static bool create_killed_at(unsigned int n)
{
	pid_t tracer = fork(), pid;
	int status;

	if (tracer) {
		cr_assert_eq(waitpid(tracer, &status, 0), tracer);
		return WEXITSTATUS(status) == 1;
	}
	pid = fork();
	if (!pid)
		execute_traced();
	waitpid(pid, &status, 0);
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) ||
	    ptrace(PTRACE_SYSCALL, pid, 0, 0))
		_exit(0);
	for (unsigned int stops = 0; waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);) {
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) && ++stops == n) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			_exit(1);
		}
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0))
			break;
	}
	_exit(0);
}

/* Wait until no process has the container's uid: each is a child of ours. */
static void expect_no_process(unsigned int n)
{
	for (int i = 0; i < 400; i++) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return;
		if (pid == 0)
			usleep(5000);
	}
	cr_assert_fail("a process stays when the pen is killed at stop %u", n);
}

/* Until the process is on its own, it ends with the pen; the rest is found by "delete". */
Test(pen_container, killed_at_each_call, .timeout = 120)
{
	unsigned int n = 1, n_records = 0, n_cgroups = 0;

	while (n < 2000 && create_killed_at(n)) {
		const bool has_committed = pen_pid() && !strcmp(pen_status(), "created");

		n_records += pen_has_state();
		n_cgroups += pen_has_cgroup();
		if (!has_committed)
			expect_no_process(n);
		cr_expect_eq(PEN_RUN("delete", "--force", "probe"), 0, "stop %u: %s", n,
			     pen_said());
		expect_no_process(n);
		cr_expect_not(pen_has_cgroup(), "stop %u", n);
		cr_expect_not(pen_has_state(), "stop %u", n);
		(void)unlink(pen_pid_file);
		n++;
	}
	cr_expect_gt(n, 100, "it was killed only %u times", n);
	cr_expect(n_records > 10 && n_cgroups > 10, "%u, %u", n_records, n_cgroups);
	/* The last one was not killed. */
	cr_expect_eq(PEN_RUN("delete", "--force", "probe"), 0, "%s", pen_said());
	expect_nothing_left();
}
