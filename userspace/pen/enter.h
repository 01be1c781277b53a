/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a container, from its creation to the exec of the calf. */
#ifndef CALFPEN_PEN_ENTER_H
#define CALFPEN_PEN_ENTER_H

#include "userspace/pen/cgroup.h"
#include "userspace/pen/config.h"
#include "userspace/pen/filter.h"

/* What the process finds. Descriptors 0 to last_fd are the calf's. */
struct pen_enter {
	const struct pen_config *config;
	const struct pen_cgroups *cgroups; /* that it must join */
	const struct pen_filter *filter;   /* pen_filter_build(pen_enter_program_fd()) */
	int last_fd;
	int program_fd;
	int start_fd;	/* pipe: an octet, and the calf is executed */
	int control_fd; /* socket to the pen, whose end ends this process until it is committed */
};

/* What it writes to control_fd, once. */
struct pen_enter_report {
	int r;	       /* 0, or a negative errno */
	char step[60]; /* that failed */
};

/* Return the number that the program's descriptor has when it is executed. */
static inline int pen_enter_program_fd(int last_fd)
{
	return last_fd + 1;
}

/*
 * Wait for an octet from the pen, which has set the id maps; take away everything from this process; report; wait for another octet, after
 * which the pen is no longer needed; wait for "start"; and execute the program. Never returns.
 */
_Noreturn void pen_enter(struct pen_enter *enter);

#endif
