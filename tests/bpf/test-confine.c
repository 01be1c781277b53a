/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each role in a child of the test: what it has left is read from
 * /proc/PID/status, what it may do is found out by doing it. Needs root.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <time.h>

#include "tests/bpf/container.h"
#include "tests/unit/capture.h"
#include "userspace/priv/confine.h"
#include "userspace/priv/roles.h"

#define GATEWAY_UID 1900000007u
#define CHRONY_UID 65500u
#define CHRONY_GID 65501u
#define CAP_BIT(capability) (1ull << (capability))
#define SUPERVISOR_CAPS /* NET_ADMIN, SETUID, SETGID, SETPCAP, BPF */ \
	(CAP_BIT(12) | CAP_BIT(7) | CAP_BIT(6) | CAP_BIT(8) | CAP_BIT(39))
#define SYS_ADMIN_CAP CAP_BIT(21)
#define WATCHER_CAPS CAP_BIT(12)

/* 0 or a positive number if done, else a negative errno. */
typedef long (*attempt_fn)(void);

struct child {
	pid_t pid;
	int to, from; /* our ends of its pipes */
};

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	capture_begin();
}

TestSuite(confine, .init = setup, .timeout = 60);

/* Where the role has it, with our pipes out of its way. */
static void take_directory(int *to, int *from)
{
	int directory = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*to = fcntl(*to, F_DUPFD_CLOEXEC, 10);
	*from = fcntl(*from, F_DUPFD_CLOEXEC, 10);
	if (dup2(directory, CHRONY_FD_DIRECTORY) < 0)
		_exit(1);
}

/* Start a confined child that makes the attempt when told to, and tells what
 * came of it. Only calls that every role has: read, write, exit_group. */
static struct child start(enum role role, uint32_t uid, bool needs_sys_admin, attempt_fn attempt)
{
	int to[2], from[2];
	struct child child;

	cr_assert(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
	child = (struct child){ .pid = fork(), .to = to[1], .from = from[0] };
	cr_assert(child.pid >= 0);
	if (child.pid == 0) {
		const uint32_t gid = role == ROLE_CHRONY ? CHRONY_GID : uid;
		long result;
		char go;

		if (role == ROLE_CHRONY)
			take_directory(&to[0], &from[1]);
		result = confine_enter(role, uid, gid, needs_sys_admin);

		if (write(from[1], &result, sizeof(result)) == sizeof(result) && result == 0 &&
		    read(to[0], &go, 1) == 1) {
			result = attempt != NULL ? attempt() : 0;
			if (write(from[1], &result, sizeof(result)) < 0)
				_exit(1);
		}
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	return child;
}

/* What confine_enter() returned. */
static long entered(const struct child *child)
{
	long result = -EPIPE;

	cr_expect(read(child->from, &result, sizeof(result)) == sizeof(result));
	return result;
}

/* Let it make its attempt: true with its result, or false if that killed it. */
static bool go(struct child *child, long *resultp)
{
	int status;
	bool answered;

	cr_assert(write(child->to, "g", 1) == 1);
	answered = read(child->from, resultp, sizeof(*resultp)) == sizeof(*resultp);
	cr_assert(waitpid(child->pid, &status, 0) == child->pid);
	if (!answered)
		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %x", status);
	close(child->to);
	close(child->from);
	return answered;
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

static void expect_rights(pid_t pid, uint64_t capabilities)
{
	cr_expect(status(pid, "CapInh", 16) == 0);
	cr_expect(status(pid, "CapPrm", 16) == capabilities);
	cr_expect(status(pid, "CapEff", 16) == capabilities);
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

static void expect_role(enum role role, uint32_t uid, bool needs_sys_admin, uint64_t capabilities)
{
	struct child child = start(role, uid, needs_sys_admin, NULL);
	long result = -1;

	cr_assert(entered(&child) == 0, "%s", capture_text());
	expect_rights(child.pid, capabilities);
	expect_ids(child.pid, role == ROLE_GATEWAY || role == ROLE_CHRONY ? uid : 0,
		   role == ROLE_GATEWAY ? uid :
		   role == ROLE_CHRONY	? CHRONY_GID :
					  0);
	cr_expect(go(&child, &result) && result == 0);
	cr_expect_str_eq(capture_text(), "");
}

Test(confine, supervisor)
{
	expect_role(ROLE_SUPERVISOR, 0, false, SUPERVISOR_CAPS);
	expect_role(ROLE_SUPERVISOR, 0, true, SUPERVISOR_CAPS | SYS_ADMIN_CAP);
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

/* attempts */

#define ATTEMPT(name, call)                \
	static long name(void)             \
	{                                  \
		long r = (call);           \
		return r < 0 ? -errno : r; \
	}

static union bpf_attr no_attributes;
static struct timex no_change;

ATTEMPT(try_module, syscall(SYS_init_module, NULL, 0, ""))
ATTEMPT(try_kexec, syscall(SYS_kexec_load, 0, 0, NULL, 0))
ATTEMPT(try_reboot, syscall(SYS_reboot, 0, 0, 0, NULL)) /* wrong magic numbers */
ATTEMPT(try_swapoff, syscall(SYS_swapoff, "/nonexistent"))
ATTEMPT(try_clock, syscall(SYS_clock_settime, CLOCK_REALTIME, NULL))
ATTEMPT(try_adjtime, syscall(SYS_clock_adjtime, CLOCK_REALTIME, &no_change))
ATTEMPT(try_ptrace, ptrace(PTRACE_TRACEME, 0, NULL, NULL))
ATTEMPT(try_vm_read, syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0))
ATTEMPT(try_perf, syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0))
ATTEMPT(try_userfaultfd, syscall(SYS_userfaultfd, 0))
ATTEMPT(try_io_uring, syscall(SYS_io_uring_setup, 1, NULL))
ATTEMPT(try_keyctl, syscall(SYS_keyctl, 0, 0, 0, 0, 0))
ATTEMPT(try_inject, ioctl(-1, TIOCSTI, "x"))
ATTEMPT(try_inet, socket(AF_INET, SOCK_DGRAM, 0))
ATTEMPT(try_inet6, socket(AF_INET6, SOCK_DGRAM, 0))
ATTEMPT(try_packet, socket(AF_PACKET, SOCK_RAW, 0))
ATTEMPT(try_vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
ATTEMPT(try_unix, socket(AF_UNIX, SOCK_STREAM, 0))
ATTEMPT(try_netlink, socket(AF_NETLINK, SOCK_RAW, 0))
ATTEMPT(try_bpf_load, syscall(SYS_bpf, BPF_PROG_LOAD, &no_attributes, sizeof(no_attributes)))
ATTEMPT(try_bpf_run, syscall(SYS_bpf, BPF_PROG_TEST_RUN, &no_attributes, sizeof(no_attributes)))
ATTEMPT(try_bpf_lookup,
	syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &no_attributes, sizeof(no_attributes)))
ATTEMPT(try_bpf_pin, syscall(SYS_bpf, BPF_OBJ_PIN, &no_attributes, sizeof(no_attributes)))
ATTEMPT(try_open, open("/dev/null", O_RDONLY | O_CLOEXEC))
ATTEMPT(try_map,
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0)
ATTEMPT(try_map_code,
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
		-1 :
		0)
ATTEMPT(try_exec, execl("/bin/true", "true", NULL))
ATTEMPT(try_fork, syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL))
ATTEMPT(try_kill, kill(getppid(), 0))
ATTEMPT(try_setuid, syscall(SYS_setresuid, 0, 0, 0))
ATTEMPT(try_unshare, unshare(CLONE_NEWNS))
ATTEMPT(try_ppoll, ppoll(NULL, 0, &(struct timespec){ 0 }, NULL))
ATTEMPT(try_ppoll_all, ppoll((struct pollfd[32]){ 0 }, 32, &(struct timespec){ 0 }, NULL))
ATTEMPT(try_yield, sched_yield())
ATTEMPT(try_send, send(-1, "", 0, MSG_NOSIGNAL))
ATTEMPT(try_send_to, sendto(-1, "", 0, 0, (struct sockaddr *)&no_attributes, 2))
ATTEMPT(try_receive_fds, recvmsg(-1, (struct msghdr *)&no_attributes, 0))

ATTEMPT(try_stat, stat("/", &(struct stat){ 0 }))
ATTEMPT(try_unlink, unlink("/nonexistent/file"))
ATTEMPT(try_getdents, syscall(SYS_getdents64, CHRONY_FD_DIRECTORY, NULL, 0))
ATTEMPT(try_send_message, sendmsg(-1, (struct msghdr *)&no_attributes, 0))

/* Landlock: a socket of its own where it belongs, and nowhere else. */
static int free_socket = -1;

static long bind_in(const char *directory)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/calfpen-test-confine.sock",
		 directory);
	r = bind(free_socket, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	if (r == 0 && unlink(address.sun_path) < 0)
		r = -errno;
	return r;
}

static long try_bind_inside(void)
{
	return bind_in("/tmp");
}

static long try_bind_outside(void)
{
	return bind_in("/dev/shm");
}

static long try_unlink_outside(void)
{
	return unlink("/dev/shm/calfpen-test-confine") < 0 ? -errno : 0;
}

/* getpid by the 32-bit entry */
static long try_i386(void)
{
#ifdef __x86_64__
	long r;

	asm volatile("int $0x80" : "=a"(r) : "0"(20) : "memory");
	return r;
#else
	raise(SIGSYS);
	return 0;
#endif
}

struct row {
	attempt_fn attempt;
	const char *what;
	enum { KILLED, REFUSED, DONE, NOT_STOPPED } outcome; /* NOT_STOPPED: any other errno */
};

static void expect_rows(enum role role, uint32_t uid, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct child child = start(role, uid, true, rows[i].attempt);
		long result = 0;
		bool answered;

		cr_assert(entered(&child) == 0);
		answered = go(&child, &result);
		cr_expect(answered == (rows[i].outcome != KILLED), "%s: killed or not",
			  rows[i].what);
		if (!answered)
			continue;
		if (rows[i].outcome == REFUSED)
			cr_expect(result == -EPERM, "%s: %ld", rows[i].what, result);
		if (rows[i].outcome == DONE)
			cr_expect(result >= 0, "%s: %ld", rows[i].what, result);
		if (rows[i].outcome == NOT_STOPPED)
			cr_expect(result != -EPERM, "%s: %ld", rows[i].what, result);
	}
}

#define ROW(attempt, outcome)              \
	{                                  \
		attempt, #attempt, outcome \
	}

Test(confine, supervisor_calls)
{
	static const struct row rows[] = {
		ROW(try_module, REFUSED),   ROW(try_kexec, REFUSED),
		ROW(try_reboot, REFUSED),   ROW(try_swapoff, REFUSED),
		ROW(try_clock, REFUSED),    ROW(try_adjtime, REFUSED),
		ROW(try_ptrace, REFUSED),   ROW(try_vm_read, REFUSED),
		ROW(try_perf, REFUSED),	    ROW(try_userfaultfd, REFUSED),
		ROW(try_io_uring, REFUSED), ROW(try_keyctl, REFUSED),
		ROW(try_inject, REFUSED),   ROW(try_inet, REFUSED),
		ROW(try_inet6, REFUSED),    ROW(try_packet, REFUSED),
		ROW(try_vsock, REFUSED),    ROW(try_unix, DONE),
		ROW(try_netlink, DONE),	    ROW(try_bpf_load, NOT_STOPPED),
		ROW(try_open, DONE),	    ROW(try_unshare, DONE),
	};

	expect_rows(ROLE_SUPERVISOR, 0, rows, sizeof(rows) / sizeof(rows[0]));
}

Test(confine, watcher_calls)
{
	static const struct row rows[] = {
		ROW(try_bpf_run, NOT_STOPPED), ROW(try_bpf_lookup, NOT_STOPPED),
		ROW(try_bpf_load, KILLED),     ROW(try_bpf_pin, KILLED),
		ROW(try_open, DONE),	       ROW(try_map, DONE),
		ROW(try_map_code, KILLED),     ROW(try_exec, KILLED),
		ROW(try_fork, KILLED),	       ROW(try_unix, KILLED),
		ROW(try_netlink, KILLED),      ROW(try_kill, KILLED),
		ROW(try_setuid, KILLED),       ROW(try_unshare, KILLED),
		ROW(try_clock, KILLED),	       ROW(try_ptrace, KILLED),
		ROW(try_ppoll, DONE),	       ROW(try_yield, DONE),
		ROW(try_i386, KILLED),
	};

	expect_rows(ROLE_WATCHER, 0, rows, sizeof(rows) / sizeof(rows[0]));
}

Test(confine, gateway_calls)
{
	static const struct row rows[] = {
		ROW(try_bpf_run, NOT_STOPPED), ROW(try_bpf_lookup, KILLED),
		ROW(try_bpf_load, KILLED),     ROW(try_bpf_pin, KILLED),
		ROW(try_open, KILLED),	       ROW(try_map, DONE),
		ROW(try_map_code, KILLED),     ROW(try_exec, KILLED),
		ROW(try_fork, KILLED),	       ROW(try_unix, KILLED),
		ROW(try_netlink, KILLED),      ROW(try_kill, KILLED),
		ROW(try_setuid, KILLED),       ROW(try_send, NOT_STOPPED),
		ROW(try_send_to, KILLED),      ROW(try_receive_fds, NOT_STOPPED),
		ROW(try_ppoll_all, DONE),      ROW(try_yield, DONE),
		ROW(try_i386, KILLED),
	};

	expect_rows(ROLE_GATEWAY, GATEWAY_UID, rows, sizeof(rows) / sizeof(rows[0]));
}

Test(confine, chrony_calls)
{
	static const struct row rows[] = {
		ROW(try_bpf_run, KILLED), ROW(try_bpf_lookup, KILLED),
		ROW(try_open, KILLED),	  ROW(try_map, KILLED),
		ROW(try_exec, KILLED),	  ROW(try_fork, KILLED),
		ROW(try_unix, KILLED),	  ROW(try_netlink, KILLED),
		ROW(try_kill, KILLED),	  ROW(try_setuid, KILLED),
		ROW(try_ptrace, KILLED),  ROW(try_unshare, KILLED),
		ROW(try_clock, KILLED),	  ROW(try_getdents, KILLED),
		ROW(try_send_to, KILLED), ROW(try_send_message, KILLED),
		ROW(try_yield, KILLED),	  ROW(try_i386, KILLED),
		ROW(try_stat, DONE),	  ROW(try_unlink, NOT_STOPPED),
		ROW(try_send, KILLED),	  ROW(try_ppoll, DONE),
	};

	expect_rows(ROLE_CHRONY, CHRONY_UID, rows, sizeof(rows) / sizeof(rows[0]));
}

static long attempt_with_socket(attempt_fn attempt)
{
	struct child child;
	long result = 0;

	free_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	free_socket = fcntl(free_socket, F_DUPFD_CLOEXEC, 10);
	cr_assert(free_socket >= 0);
	child = start(ROLE_CHRONY, CHRONY_UID, false, attempt);
	cr_assert(entered(&child) == 0);
	cr_expect(go(&child, &result));
	close(free_socket);
	return result;
}

Test(confine, chrony_directory)
{
	int fd = open("/dev/shm/calfpen-test-confine", O_CREAT | O_WRONLY | O_CLOEXEC, 0666);

	cr_assert(fd >= 0);
	cr_assert(fchown(fd, CHRONY_UID, CHRONY_GID) == 0 && close(fd) == 0);
	cr_expect(attempt_with_socket(try_bind_inside) == 0);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0) {
		unlink("/dev/shm/calfpen-test-confine");
		cr_skip_test("no Landlock in this kernel");
	}
	cr_expect(attempt_with_socket(try_bind_outside) == -EACCES);
	cr_expect(attempt_with_socket(try_unlink_outside) == -EACCES);
	cr_expect(unlink("/dev/shm/calfpen-test-confine") == 0);
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

/* A child whose parent dies ends; confine_enter() in one that lost it earlier
 * does not return. */
Test(confine, ends_with_parent)
{
	static const enum role roles[] = { ROLE_WATCHER, ROLE_GATEWAY, ROLE_CHRONY };

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
			 "cannot drop rights: a gateway needs a user id of its own\n");
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

/* The confined supervisor starts and ends a container by a real runtime. */
static struct container container;
static long try_container(void)
{
	static char text[32768];
	pid_t pid = 0;
	int r;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	r = bundle_write(&container.parameters);
	if (r == 0)
		r = container_begin(&container, &pid);
	if (r == 0) {
		container_read(&container, text, sizeof(text));
		r = runtime_delete(&container.runtime, "probe");
	}
	if (r == 0 && waitpid(pid, NULL, 0) != pid)
		r = -ECHILD;
	if (r == 0)
		r = bundle_remove(container.bundle);
	return r;
}

Test(confine, supervisor_runs_a_container)
{
	struct child child;
	long result = -1;

	container_init(&container);
	if (runtime_find("runc", container.state, &container.runtime) < 0)
		cr_skip_test("no runc");
	cr_assert(runtime_make_cgroup_parent(container.cgroup_parent) == 0);
	child = start(ROLE_SUPERVISOR, 0, true, try_container);
	cr_assert(entered(&child) == 0);
	cr_expect(go(&child, &result) && result == 0, "%ld %s", result, capture_text());
	cr_expect_str_eq(capture_text(), "");
	cr_expect(!container_has_cgroup(&container, "pids"));
	container_deinit(&container);
}
