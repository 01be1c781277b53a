/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "userspace/pen/filter.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define PROGRAM_FD 6

/* Run the filter as the kernel does, with the instructions that libseccomp generates. */
static uint32_t run(const struct pen_filter *filter, const struct seccomp_data *data)
{
	uint32_t accumulator = 0;

	for (size_t at = 0; at < filter->n; at++) {
		const struct sock_filter *i = &filter->instructions[at];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert_leq(i->k + sizeof(accumulator), sizeof(*data));
			memcpy(&accumulator, (const char *)data + i->k, sizeof(accumulator));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			accumulator &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			at += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += accumulator == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			at += accumulator > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += accumulator >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			cr_assert_fail("instruction %x", i->code);
		}
	}
	cr_assert_fail("no verdict");
	return 0;
}

static struct pen_filter filter;

static void setup(void)
{
	cr_assert_eq(pen_filter_build(PROGRAM_FD, &filter), 0);
}

TestSuite(pen_filter, .init = setup);

static bool allows(long call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	const struct seccomp_data data = { .nr = (int)call,
					   .arch = ARCHITECTURE,
					   .args = { a, b, c, d, e } };
	uint32_t verdict = run(&filter, &data);

	cr_expect(verdict == SECCOMP_RET_ALLOW || verdict == (SECCOMP_RET_ERRNO | EPERM),
		  "call %ld: %x", call, verdict);
	return verdict == SECCOMP_RET_ALLOW;
}

static const long kept[] = {
	SYS_read,	SYS_write,	SYS_ppoll,	  SYS_clock_gettime, SYS_getrandom,
	SYS_exit,	SYS_exit_group, SYS_rt_sigreturn, SYS_brk,	     SYS_mmap,
	SYS_mprotect,	SYS_fcntl,	SYS_prctl,	  SYS_seccomp,	     SYS_execveat,
	SYS_fstat,	SYS_newfstatat,
#ifdef SYS_arch_prctl
	SYS_arch_prctl,
#endif
};

static bool is_kept(long call)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i] == call)
			return true;
	return false;
}

Test(pen_filter, at_most_18_calls)
{
	size_t n = 0;

	while (pen_filter_call(n))
		n++;
	cr_expect_leq(n, 18);
	for (long call = 0; call < 600; call++)
		if (!is_kept(call))
			cr_expect_not(allows(call, 0, 0, 0, 0, 0), "call %ld", call);
}

Test(pen_filter, one_exec)
{
	cr_expect(allows(SYS_execveat, PROGRAM_FD, 7, 8, 9, AT_EMPTY_PATH));
	cr_expect_not(allows(SYS_execveat, PROGRAM_FD + 1, 7, 8, 9, AT_EMPTY_PATH));
	cr_expect_not(allows(SYS_execveat, (uint64_t)AT_FDCWD, 7, 8, 9, AT_EMPTY_PATH));
	cr_expect_not(allows(SYS_execveat, PROGRAM_FD, 7, 8, 9, 0));
	cr_expect_not(
		allows(SYS_execveat, PROGRAM_FD, 7, 8, 9, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
	cr_expect_not(allows(SYS_execveat, PROGRAM_FD | 1ull << 32, 7, 8, 9, AT_EMPTY_PATH));
	cr_expect_not(allows(SYS_execve, 7, 8, 9, 0, 0));
}

Test(pen_filter, conditions)
{
	cr_expect(allows(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0));
	cr_expect_not(allows(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0));
	cr_expect(allows(SYS_mprotect, 0, 4096, PROT_READ, 0, 0));
	cr_expect_not(allows(SYS_mprotect, 0, 4096, PROT_EXEC, 0, 0));
	cr_expect(allows(SYS_fcntl, 4, F_GETFD, 0, 0, 0));
	cr_expect(allows(SYS_fcntl, 4, F_GETFL, 0, 0, 0));
	cr_expect(allows(SYS_fcntl, 4, F_SETFL, 0, 0, 0));
	cr_expect_not(allows(SYS_fcntl, 4, F_DUPFD, 6, 0, 0));
	cr_expect_not(allows(SYS_fcntl, 4, F_DUPFD_CLOEXEC, 6, 0, 0));
	cr_expect_not(allows(SYS_fcntl, 4, F_SETOWN, 1, 0, 0));
	cr_expect(allows(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	cr_expect_not(allows(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0));
	cr_expect_not(allows(SYS_prctl, PR_SET_MM, 0, 0, 0, 0));
	cr_expect(allows(SYS_newfstatat, 3, 7, 8, AT_EMPTY_PATH, 0));
	cr_expect_not(allows(SYS_newfstatat, 3, 7, 8, 0, 0));
	cr_expect(allows(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 7, 0, 0));
	cr_expect_not(allows(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			     7, 0, 0));
}

/* i386, x32 */
Test(pen_filter, other_abis_are_killed)
{
	struct seccomp_data data = { .nr = 3, .arch = AUDIT_ARCH_I386 };

	cr_expect_eq(run(&filter, &data), SECCOMP_RET_KILL_PROCESS);
#ifdef __x86_64__
	data = (struct seccomp_data){ .nr = 0x40000000, .arch = ARCHITECTURE };
	cr_expect_eq(run(&filter, &data), SECCOMP_RET_KILL_PROCESS);
#endif
}
