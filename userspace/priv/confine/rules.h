/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of system calls. */
#ifndef CALFPEN_PRIV_CONFINE_RULES_H
#define CALFPEN_PRIV_CONFINE_RULES_H

#include <seccomp.h>
#include <stddef.h>

/* A call, with at most one condition on an argument. */
struct confine_rule {
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

struct confine_rules {
	const struct confine_rule *rules;
	size_t n;
};

/* Denied to the launcher, and what it executes, if the runtime is not the pen: EPERM. */
extern const struct confine_rules confine_foreign_denied;
/* Then these return 0 and do nothing. */
extern const struct confine_rules confine_runtime_pretended;
/* Allowed to the supervisor, and to the launcher and what it executes. */
extern const struct confine_rules confine_supervisor_allowed, confine_launcher_allowed;

#endif
