/* SPDX-License-Identifier: Apache-2.0 */
/* How many system calls the seccomp filters of a process let through, whatever their arguments:
 * the kernel gives out the filters that it runs. */
#ifndef CALFPEN_TESTS_BPF_SECCOMP_COUNT_H
#define CALFPEN_TESTS_BPF_SECCOMP_COUNT_H

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define SECCOMP_COUNT_CALLS 600 /* more than there are */

#ifdef __x86_64__
#define SECCOMP_COUNT_ARCH AUDIT_ARCH_X86_64
#else
#define SECCOMP_COUNT_ARCH AUDIT_ARCH_AARCH64
#endif

struct seccomp_run {
	const struct sock_filter *code;
	size_t n;
	uint32_t call;
};

/* Returns true if the filter can return "allow" from instruction `at` on. Both ways of a
 * comparison are tried if the accumulator depends on an argument. */
static bool seccomp_can_allow(const struct seccomp_run *run, size_t at, uint32_t a, bool is_known)
{
	for (; at < run->n; at++) {
		const struct sock_filter *it = &run->code[at];
		bool is_taken = false;

		switch (it->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			is_known = it->k == offsetof(struct seccomp_data, nr) ||
				   it->k == offsetof(struct seccomp_data, arch);
			a = it->k == offsetof(struct seccomp_data, nr) ? run->call :
									 SECCOMP_COUNT_ARCH;
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= it->k;
			continue;
		case BPF_JMP | BPF_JA:
			at += it->k;
			continue;
		case BPF_RET | BPF_K:
			return it->k == SECCOMP_RET_ALLOW;
		case BPF_JMP | BPF_JEQ | BPF_K:
			is_taken = a == it->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			is_taken = a >= it->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			is_taken = a > it->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			is_taken = a & it->k;
			break;
		default:
			cr_assert_fail("instruction %x of a filter", it->code);
		}
		if (!is_known)
			return seccomp_can_allow(run, at + 1 + it->jt, a, false) ||
			       seccomp_can_allow(run, at + 1 + it->jf, a, false);
		at += is_taken ? it->jt : it->jf;
	}
	return false;
}

/* Returns the number of calls that all filters of the process `pid`, a child of this one, allow;
 * -1 if this kernel does not give them out. */
static int seccomp_count(pid_t pid)
{
	static struct sock_filter code[8][4096];
	size_t lengths[8], n_filters = 0;
	int n = 0, status;
	long r;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		return -1;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	while (n_filters < 8 &&
	       (r = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, n_filters, code[n_filters])) > 0)
		lengths[n_filters++] = (size_t)r;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	if (!n_filters)
		return -1;
	for (uint32_t call = 0; call < SECCOMP_COUNT_CALLS; call++) {
		bool is_allowed = true;

		for (size_t i = 0; is_allowed && i < n_filters; i++)
			is_allowed = seccomp_can_allow(
				&(struct seccomp_run){ code[i], lengths[i], call }, 0, 0, true);
		n += is_allowed;
	}
	return n;
}

#endif
