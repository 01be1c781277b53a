/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of supervisor and launcher, with a reason on each line. In both of them
 * another call fails with EPERM, because their end would take the host's network with it. A
 * filter is inherited by what a process executes, so the launcher's list has all that its
 * children need, too; with a foreign OCI runtime, whose calls nobody can list, it has a list of
 * calls that are denied instead.
 */
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "userspace/priv/confine/rules.h"

/* These return EPERM in the launcher and in every process it starts. */
static const struct confine_rule foreign_denied[] = {
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
static const struct confine_rule runtime_pretended[] = {
	ANY(chown),
	ANY(lchown),
	ANY(fchownat),
};

static const struct confine_rule supervisor_allowed[] = {
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
static const struct confine_rule launcher_allowed[] = {
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

#define LIST(name) \
	const struct confine_rules confine_##name = { name, sizeof(name) / sizeof((name)[0]) }

LIST(foreign_denied);
LIST(runtime_pretended);
LIST(supervisor_allowed);
LIST(launcher_allowed);
