/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of each role, with a reason on each line. Any other call kills the
 * process; in the supervisor and the launcher it fails with EPERM, because their end would
 * take the host's network with it. With a foreign OCI runtime, whose calls nobody can list, the
 * launcher has a list of calls that are denied instead. Each filter is inherited by what a
 * process executes, so the launcher's list has all that its children need, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "userspace/priv/confine/confine-private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A call, with at most one condition on an argument. */
struct rule {
	int call;
	unsigned int argument;
	enum scmp_compare compare; /* _SCMP_CMP_MIN: no condition */
	scmp_datum_t a, b;
};

#define ANY(name)                                      \
	{                                              \
		SCMP_SYS(name), 0, _SCMP_CMP_MIN, 0, 0 \
	}
#define ONLY(name, argument, value)                             \
	{                                                       \
		SCMP_SYS(name), argument, SCMP_CMP_EQ, value, 0 \
	}
#define WITHOUT(name, argument, bits)                                 \
	{                                                             \
		SCMP_SYS(name), argument, SCMP_CMP_MASKED_EQ, bits, 0 \
	}
#define LOW_WORD(name, argument, value)                                         \
	{                                                                       \
		SCMP_SYS(name), argument, SCMP_CMP_MASKED_EQ, 0xffffffff, value \
	}

/* These return EPERM in the launcher and in every process it starts. */
static const struct rule foreign_denied[] = {
	/* other code in the kernel */
	ANY(init_module),
	ANY(finit_module),
	ANY(delete_module),
	ANY(kexec_load),
	ANY(kexec_file_load),
	/* the machine as a whole */
	ANY(reboot),
	ANY(swapon),
	ANY(swapoff),
	ANY(acct),
	ANY(quotactl),
	ANY(quotactl_fd),
	ANY(syslog),
	ANY(vhangup),
	ANY(iopl),
	ANY(ioperm),
	ANY(modify_ldt),
	/* the clock: left to a future handler */
	ANY(clock_settime),
	ANY(clock_adjtime),
	ANY(adjtimex),
	ANY(settimeofday),
	/* other processes */
	ANY(ptrace),
	ANY(process_vm_readv),
	ANY(process_vm_writev),
	ANY(process_madvise),
	ANY(pidfd_getfd),
	ANY(kcmp),
	ANY(perf_event_open),
	/* large, rarely needed, often wrong: attack surface of the kernel */
	ANY(userfaultfd),
	ANY(io_uring_setup),
	ANY(io_uring_enter),
	ANY(io_uring_register),
	ANY(add_key), /* the runtime is run with --no-new-keyring */
	ANY(request_key),
	ANY(keyctl),
	ANY(fanotify_init),
	ANY(name_to_handle_at),
	ANY(open_by_handle_at), /* opens files regardless of mounts */
	ANY(uselib),
	ANY(nfsservctl),
	/* input into the operator's terminal */
	LOW_WORD(ioctl, 1, TIOCSTI),
	LOW_WORD(ioctl, 1, TIOCLINUX),
};

/*
 * These return success without any effect. runc 1.1.5 changes the owner of its start
 * pipe, mode 0622, to the container's root before it opens the pipe itself. Doing
 * that would need CAP_CHOWN, and CAP_DAC_OVERRIDE for the open; without it, root still
 * owns the pipe, and the container can write to it because anyone may. Everything
 * else that runc passes to chown has the right owner already.
 */
static const struct rule runtime_pretended[] = {
	ANY(chown),
	ANY(lchown),
	ANY(fchownat),
};

static const struct rule supervisor_allowed[] = {
	ANY(ppoll), /* event loop, waits */
	ANY(poll),  /* libnl waits for a reply */
	/* BPF: the store; the programs and taps of another uplink */
	ONLY(bpf, 0, BPF_MAP_LOOKUP_ELEM),
	ONLY(bpf, 0, BPF_MAP_GET_NEXT_KEY),
	ONLY(bpf, 0, BPF_MAP_UPDATE_ELEM),
	ONLY(bpf, 0, BPF_MAP_UPDATE_BATCH),
	ONLY(bpf, 0, BPF_MAP_DELETE_ELEM),
	ONLY(bpf, 0, BPF_MAP_CREATE),
	ONLY(bpf, 0, BPF_MAP_FREEZE),
	ONLY(bpf, 0, BPF_PROG_LOAD),
	ONLY(bpf, 0, BPF_PROG_TEST_RUN),
	ONLY(bpf, 0, BPF_PROG_BIND_MAP),
	ONLY(bpf, 0, BPF_BTF_LOAD),
	ONLY(bpf, 0, BPF_OBJ_PIN),
	ONLY(bpf, 0, BPF_OBJ_GET),
	ONLY(bpf, 0, BPF_OBJ_GET_INFO_BY_FD),
	ONLY(bpf, 0, BPF_LINK_CREATE),
	ONLY(bpf, 0, BPF_LINK_UPDATE),
	ONLY(bpf, 0, BPF_LINK_DETACH),
	/* the loop's clock, and short waits for a busy store */
	ANY(clock_gettime), /* if the vDSO cannot */
	ANY(clock_nanosleep),
	ANY(sched_yield),
	/* files: state.json, locks, pins, cgroups, the bundle, /proc/sys of a tap */
	ANY(openat),
	ANY(close),
	ANY(read),  /* signalfd, eventfd, pipe of breaches, files */
	ANY(write), /* log lines, results of the chrony role, files */
	ANY(pwrite64),
	ANY(newfstatat),
	ANY(fstat),
	ANY(access), /* the runtime's state */
	ANY(faccessat2),
	ANY(getdents64),
	ANY(fsync), /* replacing a file */
	ANY(fchmod),
	ANY(rename),
	ANY(renameat),
	ANY(ftruncate), /* the pid in the lock file */
	ANY(flock),
	ANY(unlink),
	ANY(unlinkat),
	ANY(rmdir),    /* cgroups */
	ANY(getxattr), /* which of them are ours */
	ANY(chmod),    /* the root of a hierarchy, to remove one from it */
	ANY(mkdir),    /* directories of pins */
	ANY(fcntl),    /* stdio; is a descriptor open? */
	ANY(dup3),     /* libbpf gives a map another number */
	/* sockets: netlink of libnl and libbpf; AF_UNIX for ioctl() and syslog */
	ONLY(socket, 0, AF_UNIX),
	ONLY(socket, 0, AF_NETLINK),
	ANY(bind),
	ANY(connect), /* a syslog daemon that was restarted */
	ANY(getsockname),
	ANY(setsockopt),
	ANY(sendmsg), /* netlink; a request to the launcher */
	ANY(sendto),
	ANY(recvmsg),
	ANY(recvfrom), /* the launcher's answer */
	LOW_WORD(ioctl, 1, TUNSETIFF),
	LOW_WORD(ioctl, 1, SIOCGIFINDEX),
	LOW_WORD(ioctl, 1, SIOCGIFMTU),
	LOW_WORD(ioctl, 1, SIOCETHTOOL), /* what the device offloads */
	/* children, which the launcher has started */
	ANY(wait4),
	ANY(pidfd_open), /* to wait for one with a limit */
	ANY(kill),	 /* those of uid 0, and calves: their user namespace is root's */
	ANY(getpid),
	/* the C library */
	ANY(uname), /* the host name; libbpf */
	ANY(getrandom),
	ANY(brk),
	WITHOUT(mmap, 2, PROT_EXEC),
	WITHOUT(mprotect, 2, PROT_EXEC),
	ANY(munmap),
	ANY(mremap),
	ANY(futex),
	ANY(restart_syscall), /* after a stopped process continues */
	ANY(rt_sigreturn),
	ANY(exit_group),
};

/*
 * With the pen: what the launcher does itself comes first, then what its children do before
 * their own, shorter lists, and in these lists.
 */
static const struct rule launcher_allowed[] = {
	/* the launcher */
	ANY(recvmsg), /* a request */
	ANY(sendto),  /* the answer, log lines */
	ANY(clone3),  /* children of the supervisor */
	ANY(clone),   /* fork() of the helper that kills; posix_spawn() */
	ANY(wait4),
	ANY(setresuid), /* the helper takes the uid of whom it kills */
	ANY(pidfd_send_signal),
	ANY(socketpair), /* channels of a pair */
	ANY(pipe2),
	ANY(openat),		       /* /dev/null; chronyd's directory */
	ANY(newfstatat),	       /* the owner of that directory */
	LOW_WORD(ioctl, 1, TUNGETIFF), /* is it a tap? */
	ANY(write),		       /* lets a calf start; log lines */
	ANY(ppoll),		       /* may a log line be written? */
	ANY(close),
	ANY(getpid),
	ANY(getppid),
	ANY(exit_group),
	/* a child until it executes a program */
	ANY(prctl), /* PR_SET_PDEATHSIG, capabilities of the bounding set */
	ANY(close_range),
	ANY(dup2),
	ANY(dup3),
	ANY(fcntl),
	ANY(capget),
	ANY(capset),
	ANY(setpgid),
	ANY(rt_sigprocmask),
	ANY(rt_sigaction),
	ANY(pidfd_open), /* waits for a command with a limit */
	ANY(kill),	 /* a command that hangs; processes in a cgroup */
	ANY(waitid),
	ANY(getdents64), /* the runtime's state */
	ANY(access),
	ANY(unlink),
	ANY(unlinkat),
	ANY(rmdir),
	ANY(execve),   /* the pen */
	ANY(execveat), /* our programs by descriptor; the calf */
	/* the start of a program, static or not */
	ANY(arch_prctl),
	ANY(set_tid_address),
	ANY(set_robust_list),
	ANY(rseq),
	ANY(prlimit64), /* also limits of roles and calves */
	ANY(readlink),
	ANY(getrandom),
	ANY(brk),
	ANY(mmap),
	ANY(mprotect),
	ANY(munmap),
	ANY(mremap),
	ANY(futex),
	ANY(read),
	ANY(pread64),
	ANY(lseek),
	ANY(fstat),
	ANY(clock_gettime),
	ANY(restart_syscall),
	ANY(rt_sigreturn),
	ANY(exit),
	/* a role confines itself */
	ANY(geteuid),
	ANY(setgroups),
	ANY(setresgid),
	ANY(seccomp),
	ANY(landlock_create_ruleset),
	ANY(landlock_add_rule),
	ANY(landlock_restrict_self),
	/* the pen: a container (userspace/pen/create.c, enter.c, cgroup.c) */
	ANY(mkdir),
	ANY(mkdirat),
	ANY(mknodat), /* the pipe that a start writes to */
	ANY(rename),
	ANY(renameat),
	ANY(unshare), /* cgroup namespace */
	ANY(setsid),
	ANY(sethostname),
	ANY(setdomainname),
	ANY(fsopen), /* its root */
	ANY(fsconfig),
	ANY(fsmount),
	ANY(move_mount),
	ANY(mount), /* on kernels without these */
	ANY(fchdir),
	ANY(chdir),
	ANY(pivot_root),
	ANY(chroot), /* if the host's root is an initramfs */
	ANY(umount2),
	ANY(umask),
	/* the watcher, before and in its own list */
	ANY(socket),
	ANY(bind),
	ANY(getsockname),
	ANY(setsockopt),
	ANY(sendmsg),
	ANY(poll),
	ANY(bpf), /* its lists allow three commands; without CAP_BPF nothing can be loaded */
	ANY(inotify_init1),
	ANY(inotify_add_watch),
	ANY(timerfd_create), /* if there is no inotify instance left */
	ANY(timerfd_settime),
	ANY(madvise), /* lines for syslog */
	ANY(signalfd4),
	ANY(memfd_create),
	ANY(flock),
	ANY(fsync),
	ANY(fchmod),
	ANY(ftruncate),
	ANY(fallocate),
	ANY(pwrite64),
	ANY(renameat2),
	ANY(readlinkat),
	ANY(faccessat),
	ANY(faccessat2),
	ANY(clock_nanosleep),
	ANY(sched_yield),
	/* the chrony role */
	ANY(connect),
};

static const struct rule watcher_allowed[] = {
	ONLY(bpf, 0, BPF_MAP_LOOKUP_ELEM), /* list of the store */
	ONLY(bpf, 0, BPF_MAP_GET_NEXT_KEY),
	ONLY(bpf, 0, BPF_PROG_TEST_RUN), /* its own gate */
	ANY(ppoll),			 /* event loop */
	ANY(poll),			 /* libnl waits for a reply */
	ANY(clock_gettime),		 /* if the vDSO cannot */
	ANY(clock_nanosleep),		 /* waits for a busy store */
	ANY(sched_yield),
	ANY(read),	    /* signalfd, inotify, files of the handlers */
	ANY(write),	    /* audit log, log lines, /proc/sys, the saved store */
	ANY(sendmsg),	    /* the netlink socket it has */
	ONLY(sendto, 4, 0), /* log lines and audit records, to sockets: descriptor 2, syslog */
	ANY(recvmsg),
	ANY(openat), /* resolv.conf, its saved copy, /proc/sys, audit log, saved store */
	ANY(close),
	ANY(pwrite64),
	ANY(lseek),
	ANY(ftruncate),
	ANY(fallocate), /* the reserve of the audit log, again after its use */
	ANY(fsync),	/* replacing a file */
	ANY(fchmod),
	ANY(rename),
	ANY(renameat),
	ANY(renameat2),
	ANY(unlink),
	ANY(unlinkat),
	ANY(mkdir), /* below /run, where a link of resolv.conf leads */
	ANY(mkdirat),
	ANY(newfstatat),
	ANY(fstat),
	ANY(readlink), /* links of resolv.conf */
	ANY(readlinkat),
	ANY(access),
	ANY(faccessat),
	ANY(faccessat2),
	ANY(flock),		/* lock for what instances share: resolv.conf, host names */
	ANY(getdents64),	/* ... and the list of instances */
	ANY(inotify_add_watch), /* changes of resolv.conf, which may be replaced */
	ANY(fcntl),		/* stdio */
	ANY(brk),		/* malloc */
	WITHOUT(mmap, 2, PROT_EXEC),
	WITHOUT(mprotect, 2, PROT_EXEC),
	ANY(munmap),
	ANY(mremap),
	ANY(futex),	      /* locks of the C library */
	ANY(getpid),	      /* names of temporary files */
	ANY(restart_syscall), /* after a stopped process continues */
	ANY(rt_sigreturn),
	ANY(exit_group),
};

static const struct rule gateway_allowed[] = {
	ONLY(bpf, 0, BPF_PROG_TEST_RUN), /* the gate of its calf, nothing else */
	ANY(ppoll),			 /* event loop, with the ring; it is mapped by now */
	ANY(clock_gettime),		 /* if the vDSO cannot */
	ANY(sched_yield),		 /* between two attempts on a busy gate */
	ANY(read),			 /* log pipes */
	ANY(recvmsg),			 /* control socket; detects a passed descriptor */
	ANY(write),			 /* log lines, the eventfd for syslog */
	ONLY(sendto, 4, 0), /* control socket, log lines, syslog; no other destination */
	ANY(close),
	ANY(brk), /* malloc of the C library */
	WITHOUT(mmap, 2, PROT_EXEC),
	ANY(munmap),
	ANY(restart_syscall), /* after a stopped process continues */
	ANY(rt_sigreturn),
	ANY(exit_group),
};

static const struct rule chrony_allowed[] = {
	ANY(newfstatat), /* is chronyd's socket a socket? */
	ANY(bind),	 /* its own socket, in the directory that Landlock allows */
	ANY(unlink),
	ANY(unlinkat),
	ANY(connect),
	ANY(write),	    /* the request, log lines */
	ONLY(sendto, 4, 0), /* log lines, if descriptor 2 is a socket */
	ANY(ppoll),
	ANY(read),	      /* the reply */
	ANY(clock_gettime),   /* if the vDSO cannot */
	ANY(restart_syscall), /* after a stopped process continues */
	ANY(rt_sigreturn),
	ANY(exit_group),
};

static const struct rule migrate_allowed[] = {
	ANY(read),	      /* the files */
	ANY(write),	      /* the result */
	ANY(restart_syscall), /* after a stopped process continues */
	ANY(exit_group),
};

static const struct rule asked_allowed[] = {
	ANY(execveat), /* the calf */
	/* the start of a static program */
	ANY(arch_prctl),
	ANY(brk),
	ANY(set_tid_address),
	ANY(set_robust_list),
	ANY(rseq),
	ANY(prlimit64),
	ANY(readlink),
	ANY(readlinkat),
	ANY(getrandom),
	WITHOUT(mmap, 2, PROT_EXEC),
	WITHOUT(mprotect, 2, PROT_EXEC),
	ANY(munmap),
	ANY(newfstatat), /* what kind of file descriptor 2 is */
	ANY(fstat),
	ONLY(fcntl, 1, F_GETFL),
	ANY(dup3),	      /* descriptor 2 becomes /dev/null when it can start */
	ANY(read),	      /* the values */
	ANY(write),	      /* the answer */
	ANY(ppoll),	      /* may a log line be written? */
	ANY(restart_syscall), /* after a stopped process continues */
	ANY(exit_group),
};

static int add(scmp_filter_ctx filter, uint32_t action, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct rule *rule = &rules[i];
		const struct scmp_arg_cmp condition = { rule->argument, rule->compare, rule->a,
							rule->b };
		int r;

		if (rule->call < 0)
			continue; /* does not exist on this architecture */
		r = seccomp_rule_add_array(filter, action, rule->call,
					   rule->compare == _SCMP_CMP_MIN ? 0 : 1, &condition);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Deny every domain but AF_UNIX and AF_NETLINK: no packets, no AF_INET, no AF_VSOCK. */
static int deny_sockets(scmp_filter_ctx filter)
{
	const struct rule above = { SCMP_SYS(socket), 0, SCMP_CMP_GT, AF_NETLINK, 0 };
	int r;

	for (scmp_datum_t domain = 0; domain < AF_NETLINK; domain++) {
		const struct rule other = ONLY(socket, 0, domain);

		if (domain == AF_UNIX)
			continue;
		r = add(filter, SCMP_ACT_ERRNO(EPERM), &other, 1);
		if (r < 0)
			return r;
	}
	return add(filter, SCMP_ACT_ERRNO(EPERM), &above, 1);
}

/* A foreign runtime may need any call that is not denied. */
static int add_foreign(scmp_filter_ctx filter)
{
	int r = add(filter, SCMP_ACT_ERRNO(EPERM), foreign_denied, COUNT(foreign_denied));

	if (!r)
		r = deny_sockets(filter);
	if (!r)
		r = add(filter, SCMP_ACT_ERRNO(0), runtime_pretended, COUNT(runtime_pretended));
	return r;
}

static int add_role(scmp_filter_ctx filter, enum role role, bool is_foreign)
{
	switch (role) {
	case ROLE_SUPERVISOR:
		return add(filter, SCMP_ACT_ALLOW, supervisor_allowed, COUNT(supervisor_allowed));
	case ROLE_LAUNCHER:
	case ROLE_STARTER:
		return is_foreign ? add_foreign(filter) :
				    add(filter, SCMP_ACT_ALLOW, launcher_allowed,
					COUNT(launcher_allowed));
	case ROLE_SAVER: /* has the launcher's list */
		return -EINVAL;
	case ROLE_WATCHER:
	case ROLE_FORGET: /* runs the same handlers */
		return add(filter, SCMP_ACT_ALLOW, watcher_allowed, COUNT(watcher_allowed));
	case ROLE_GATEWAY:
		return add(filter, SCMP_ACT_ALLOW, gateway_allowed, COUNT(gateway_allowed));
	case ROLE_CHRONY:
		return add(filter, SCMP_ACT_ALLOW, chrony_allowed, COUNT(chrony_allowed));
	case ROLE_CHECK: /* reads the operator's files with the operator's rights */
		return -EINVAL;
	case ROLE_ASKED:
		return add(filter, SCMP_ACT_ALLOW, asked_allowed, COUNT(asked_allowed));
	case ROLE_MIGRATE:
		return add(filter, SCMP_ACT_ALLOW, migrate_allowed, COUNT(migrate_allowed));
	}
	return -EINVAL;
}

#ifdef __SANITIZE_ADDRESS__
/* Tests run such a build. */
static int add_sanitizer(scmp_filter_ctx filter, uint32_t action)
{
	static const struct rule rule = ANY(sigaltstack);

	return action == SCMP_ACT_ALLOW ? 0 : add(filter, SCMP_ACT_ALLOW, &rule, 1);
}
#endif

/* What happens to a call that the list does not have. */
static uint32_t default_action(enum role role, bool is_foreign)
{
	if (role == ROLE_SUPERVISOR)
		return SCMP_ACT_ERRNO(EPERM);
	if (role == ROLE_LAUNCHER || role == ROLE_STARTER)
		return is_foreign ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
	return SCMP_ACT_KILL_PROCESS;
}

int confine_policy_load(enum role role, bool is_foreign)
{
	scmp_filter_ctx filter = seccomp_init(default_action(role, is_foreign));
	int r;

	if (!filter)
		return -ENOMEM;
	/* Calls of another ABI (i386, x32) would bypass every list. */
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!r)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0); /* is set already */
	if (!r)
		r = add_role(filter, role, is_foreign);
#ifdef __SANITIZE_ADDRESS__
	if (!r)
		r = add_sanitizer(filter, default_action(role, is_foreign));
#endif
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
