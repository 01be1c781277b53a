/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attempts what each role may and may not do. Needs root.
 */
#include <linux/bpf.h>
#include <linux/reboot.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <time.h>

#include "tests/bpf/seccomp-count.h"
#include "tests/bpf/support-confine.h"

TestSuite(confine_calls, .init = confine_setup);

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

ATTEMPT(try_write, write(2, "", 0))
ATTEMPT(try_stat, stat("/", &(struct stat){ 0 }))
ATTEMPT(try_unlink, unlink("/nonexistent/file"))
ATTEMPT(try_getdents, syscall(SYS_getdents64, CHRONY_FD_DIRECTORY, NULL, 0))
ATTEMPT(try_send_message, sendmsg(-1, (struct msghdr *)&no_attributes, 0))

/* Landlock: a socket in the allowed directory, and nowhere else. */
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

static bool is_foreign = true;

static void expect_rows(enum role role, uint32_t uid, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct child child = start(role, uid, is_foreign, rows[i].attempt);
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

/* It executes nothing, creates no process and changes no id. */
/* What no process of root's may do, whatever list it has. */
static void expect_machine_is_safe(enum role role)
{
	static const struct row rows[] = {
		ROW(try_module, REFUSED),   ROW(try_kexec, REFUSED),
		ROW(try_reboot, REFUSED),   ROW(try_swapoff, REFUSED),
		ROW(try_clock, REFUSED),    ROW(try_adjtime, REFUSED),
		ROW(try_ptrace, REFUSED),   ROW(try_vm_read, REFUSED),
		ROW(try_perf, REFUSED),	    ROW(try_userfaultfd, REFUSED),
		ROW(try_io_uring, REFUSED), ROW(try_keyctl, REFUSED),
		ROW(try_inject, REFUSED),
	};

	expect_rows(role, 0, rows, sizeof(rows) / sizeof(rows[0]));
}

Test(confine_calls, supervisor_calls)
{
	static const struct row rows[] = {
		ROW(try_inet, REFUSED),
		ROW(try_inet6, REFUSED),
		ROW(try_packet, REFUSED),
		ROW(try_vsock, REFUSED),
		ROW(try_unix, DONE),
		ROW(try_netlink, DONE),
		ROW(try_bpf_load, NOT_STOPPED),
		ROW(try_open, DONE),
		ROW(try_unshare, REFUSED),
		ROW(try_exec, REFUSED),
		ROW(try_fork, REFUSED),
		ROW(try_setuid, REFUSED),
		ROW(try_map, DONE),
		ROW(try_map_code, REFUSED),
		ROW(try_ppoll, DONE),
		ROW(try_bpf_pin, NOT_STOPPED),
		ROW(try_i386, KILLED),
	};

	expect_machine_is_safe(ROLE_SUPERVISOR);
	expect_rows(ROLE_SUPERVISOR, 0, rows, sizeof(rows) / sizeof(rows[0]));
}

/* By the pen. What a foreign runtime may not do: the next one. */
Test(confine_calls, launcher_calls)
{
	static const struct row rows[] = {
		ROW(try_setuid, DONE),
		ROW(try_i386, KILLED),
	};

	is_foreign = false;
	expect_machine_is_safe(ROLE_LAUNCHER);
	expect_rows(ROLE_LAUNCHER, 0, rows, sizeof(rows) / sizeof(rows[0]));
	expect_machine_is_safe(ROLE_STARTER);
	expect_rows(ROLE_STARTER, 0, rows, sizeof(rows) / sizeof(rows[0]));
}

Test(confine_calls, launcher_calls_with_a_foreign_runtime)
{
	static const struct row rows[] = {
		ROW(try_inet, REFUSED),	 ROW(try_inet6, REFUSED), ROW(try_packet, REFUSED),
		ROW(try_vsock, REFUSED), ROW(try_unix, DONE),	  ROW(try_netlink, DONE),
		ROW(try_open, DONE),
	};

	expect_machine_is_safe(ROLE_LAUNCHER);
	expect_rows(ROLE_LAUNCHER, 0, rows, sizeof(rows) / sizeof(rows[0]));
}

/* docs/threat-model.md says these numbers. */
Test(confine_calls, number_of_calls)
{
	static const struct {
		enum role role;
		uint32_t uid;
		const char *name;
		int max;
	} rows[] = {
		{ ROLE_SUPERVISOR, 0, "supervisor", 55 },
		{ ROLE_LAUNCHER, 0, "launcher", 113 },
		{ ROLE_STARTER, 0, "starter", 113 },
		{ ROLE_WATCHER, 0, "watcher", 47 },
		{ ROLE_GATEWAY, GATEWAY_UID, "gateway", 15 },
		{ ROLE_CHRONY, CHRONY_UID, "chrony", 13 },
		{ ROLE_MIGRATE, GATEWAY_UID, "migrate", 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct child child = start(rows[i].role, rows[i].uid, false, NULL);
		long result;
		int n;

		cr_assert(entered(&child) == 0);
		n = seccomp_count(child.pid);
		cr_expect(go(&child, &result));
		if (n < 0)
			cr_skip_test("this kernel does not give out filters");
		cr_expect(n == rows[i].max, "%s: %d", rows[i].name, n);
	}
}

Test(confine_calls, watcher_calls)
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
		ROW(try_send, NOT_STOPPED),    ROW(try_send_to, KILLED),
		ROW(try_i386, KILLED),
	};

	expect_rows(ROLE_WATCHER, 0, rows, sizeof(rows) / sizeof(rows[0]));
}

Test(confine_calls, gateway_calls)
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

Test(confine_calls, chrony_calls)
{
	static const struct row rows[] = {
		ROW(try_bpf_run, KILLED),   ROW(try_bpf_lookup, KILLED),
		ROW(try_open, KILLED),	    ROW(try_map, KILLED),
		ROW(try_exec, KILLED),	    ROW(try_fork, KILLED),
		ROW(try_unix, KILLED),	    ROW(try_netlink, KILLED),
		ROW(try_kill, KILLED),	    ROW(try_setuid, KILLED),
		ROW(try_ptrace, KILLED),    ROW(try_unshare, KILLED),
		ROW(try_clock, KILLED),	    ROW(try_getdents, KILLED),
		ROW(try_send_to, KILLED),   ROW(try_send_message, KILLED),
		ROW(try_yield, KILLED),	    ROW(try_i386, KILLED),
		ROW(try_stat, DONE),	    ROW(try_unlink, NOT_STOPPED),
		ROW(try_send, NOT_STOPPED), ROW(try_ppoll, DONE),
	};

	expect_rows(ROLE_CHRONY, CHRONY_UID, rows, sizeof(rows) / sizeof(rows[0]));
}

/* Its memory cannot grow: brk and mmap are not in the list. */
Test(confine_calls, U33_migrate_calls)
{
	static const struct row rows[] = {
		ROW(try_bpf_run, KILLED), ROW(try_bpf_lookup, KILLED), ROW(try_open, KILLED),
		ROW(try_map, KILLED),	  ROW(try_exec, KILLED),       ROW(try_fork, KILLED),
		ROW(try_unix, KILLED),	  ROW(try_netlink, KILLED),    ROW(try_kill, KILLED),
		ROW(try_setuid, KILLED),  ROW(try_ptrace, KILLED),     ROW(try_unshare, KILLED),
		ROW(try_clock, KILLED),	  ROW(try_getdents, KILLED),   ROW(try_send, KILLED),
		ROW(try_yield, KILLED),	  ROW(try_ppoll, KILLED),      ROW(try_stat, KILLED),
		ROW(try_unlink, KILLED),  ROW(try_i386, KILLED),       ROW(try_write, DONE),
	};

	expect_rows(ROLE_MIGRATE, GATEWAY_UID, rows, sizeof(rows) / sizeof(rows[0]));
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

Test(confine_calls, chrony_directory)
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
