/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of each role, with a reason on each line; those of supervisor and launcher are
 * in rules_root.c. Any other call kills the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "userspace/priv/confine/confine-private.h"
#include "userspace/priv/confine/rules.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct confine_rule watcher_allowed[] = {
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

static const struct confine_rule gateway_allowed[] = {
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

static const struct confine_rule chrony_allowed[] = {
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

static const struct confine_rule migrate_allowed[] = {
	ANY(read),	      /* the files */
	ANY(write),	      /* the result */
	ANY(restart_syscall), /* after a stopped process continues */
	ANY(exit_group),
};

static const struct confine_rule asked_allowed[] = {
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

static int add(scmp_filter_ctx filter, uint32_t action, const struct confine_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct confine_rule *rule = &rules[i];
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
	const struct confine_rule above = { SCMP_SYS(socket), 0, SCMP_CMP_GT, AF_NETLINK, 0 };
	int r;

	for (scmp_datum_t domain = 0; domain < AF_NETLINK; domain++) {
		const struct confine_rule other = ONLY(socket, 0, domain);

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
	int r = add(filter, SCMP_ACT_ERRNO(EPERM), confine_foreign_denied.rules,
		    confine_foreign_denied.n);

	if (!r)
		r = deny_sockets(filter);
	if (!r)
		r = add(filter, SCMP_ACT_ERRNO(0), confine_runtime_pretended.rules,
			confine_runtime_pretended.n);
	return r;
}

static int add_role(scmp_filter_ctx filter, enum role role, bool is_foreign)
{
	switch (role) {
	case ROLE_SUPERVISOR:
		return add(filter, SCMP_ACT_ALLOW, confine_supervisor_allowed.rules,
			   confine_supervisor_allowed.n);
	case ROLE_LAUNCHER:
	case ROLE_STARTER:
		return is_foreign ? add_foreign(filter) :
				    add(filter, SCMP_ACT_ALLOW, confine_launcher_allowed.rules,
					confine_launcher_allowed.n);
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
	static const struct confine_rule rule = ANY(sigaltstack);

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
