/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: the system calls of a calf, seen from outside
 *
 * Eight calls are those that a calf keeps when it confines itself; the others are what a
 * static program needs from exec until it does. Other calls fail with EPERM, and the C
 * library goes on without them at the start: set_tid_address, set_robust_list, rseq,
 * prlimit64, readlink, munmap. rt_sigaction is not needed, because a signal that a process
 * sends to itself does not end process 1 of a pid namespace. A call of another ABI (i386,
 * x32) kills the process.
 */
#include "userspace/pen/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARCH_SET_FS 0x1002

enum condition {
	ANY,	     /* whatever the arguments are */
	EQUAL,	     /* argument == value */
	WITHOUT,     /* none of the bits `value` are set in the argument */
	PROGRAM_EXEC /* of one descriptor, without a path */
};

/* One call and its reason per line; fcntl has one line per command. */
static const struct {
	const char *name;
	enum condition condition;
	unsigned int argument;
	scmp_datum_t value;
} rules[] = {
	/* what a calf keeps */
	{ "read", ANY, 0, 0 },		/* frames, responses of the store */
	{ "write", ANY, 0, 0 },		/* frames, requests, log lines */
	{ "ppoll", ANY, 0, 0 },		/* the event loop */
	{ "clock_gettime", ANY, 0, 0 }, /* if the clock source has no vDSO */
	{ "getrandom", ANY, 0, 0 },	/* transaction ids; malloc() at its first use */
	{ "rt_sigreturn", ANY, 0, 0 },	/* return from a restarted call */
	{ "exit", ANY, 0, 0 },		/* exit of the only thread */
	{ "exit_group", ANY, 0, 0 },	/* exit of the process */
	/* once: the descriptor closes at exec, and no call here can open another */
	{ "execveat", PROGRAM_EXEC, 0, 0 },
	/* from exec until the calf confines itself */
	{ "arch_prctl", EQUAL, 0, ARCH_SET_FS },    /* thread-local storage (x86-64) */
	{ "brk", ANY, 0, 0 },			    /* thread-local storage, heap */
	{ "mmap", WITHOUT, 2, PROT_EXEC },	    /* page of metrics, heap */
	{ "mprotect", WITHOUT, 2, PROT_EXEC },	    /* relocated data read-only */
	{ "fstat", ANY, 0, 0 },			    /* is there a tap, or /dev/null? */
	{ "newfstatat", EQUAL, 3, AT_EMPTY_PATH },  /* the same in glibc 2.33 to 2.38 */
	{ "fcntl", EQUAL, 1, F_GETFD },		    /* is the descriptor open? */
	{ "fcntl", EQUAL, 1, F_GETFL },		    /* set descriptors non-blocking */
	{ "fcntl", EQUAL, 1, F_SETFL },		    /* the same */
	{ "prctl", EQUAL, 0, PR_SET_NO_NEW_PRIVS }, /* the calf confines itself */
	/* the same; can only take away, if it does not return a new descriptor */
	{ "seccomp", WITHOUT, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER },
};

const char *pen_filter_call(size_t i)
{
	size_t n = 0;

	for (size_t j = 0; j < sizeof(rules) / sizeof(rules[0]); j++) {
		if (j > 0 && !strcmp(rules[j].name, rules[j - 1].name))
			continue;
		if (n++ == i)
			return rules[j].name;
	}
	return NULL;
}

static int add_rule(scmp_filter_ctx context, size_t i, int program_fd)
{
	const int call = seccomp_syscall_resolve_name(rules[i].name);
	struct scmp_arg_cmp conditions[2];
	unsigned int n = 0;

	switch (rules[i].condition) {
	case ANY:
		break;
	case EQUAL:
		conditions[n++] = SCMP_CMP64(rules[i].argument, SCMP_CMP_EQ, rules[i].value, 0);
		break;
	case WITHOUT:
		conditions[n++] =
			SCMP_CMP64(rules[i].argument, SCMP_CMP_MASKED_EQ, rules[i].value, 0);
		break;
	case PROGRAM_EXEC:
		conditions[n++] = SCMP_CMP64(0, SCMP_CMP_EQ, (scmp_datum_t)program_fd, 0);
		conditions[n++] = SCMP_CMP64(4, SCMP_CMP_EQ, AT_EMPTY_PATH, 0);
		break;
	}
	return seccomp_rule_add_array(context, SCMP_ACT_ALLOW, call, n, conditions);
}

/* The library writes its instructions only to a descriptor. */
static int export_filter(scmp_filter_ctx context, struct pen_filter *filter)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t size;
	int r;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(context, fd);
	if (!r) {
		size = pread(fd, filter->instructions, sizeof(filter->instructions), 0);
		if (size < 0)
			r = -errno;
		else if (lseek(fd, 0, SEEK_END) != size)
			r = -E2BIG;
		else
			filter->n = (unsigned short)((size_t)size / sizeof(struct sock_filter));
	}
	close(fd);
	return r;
}

int pen_filter_build(int program_fd, struct pen_filter *filterp)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!context)
		return -ENOMEM;
	r = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; !r && i < sizeof(rules) / sizeof(rules[0]); i++)
		r = add_rule(context, i, program_fd);
	if (!r)
		r = export_filter(context, filterp);
	seccomp_release(context);
	return r;
}

int pen_filter_load(const struct pen_filter *filter)
{
	struct sock_filter instructions[PEN_FILTER_MAX];
	const struct sock_fprog program = { .len = filter->n, .filter = instructions };

	memcpy(instructions, filter->instructions, sizeof(instructions));
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? -errno : 0;
}
