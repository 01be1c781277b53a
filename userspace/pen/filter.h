/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of system calls that everything in a container is held to, whether or not the
 * calf confines itself further. It is loaded before the calf is executed.
 */
#ifndef CALFPEN_PEN_FILTER_H
#define CALFPEN_PEN_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#define PEN_FILTER_MAX 256 /* instructions */

struct pen_filter {
	unsigned short n;
	struct sock_filter instructions[PEN_FILTER_MAX];
};

/* Return the name of call `i` of the list (each once), or NULL after the last one. */
const char *pen_filter_call(size_t i);

/* Build the filter. The only exec that it allows is execveat() of descriptor `program_fd`
 * with AT_EMPTY_PATH. Returns 0 or a negative errno. */
int pen_filter_build(int program_fd, struct pen_filter *filterp);

/* Load it for this process. Returns 0 or a negative errno. */
int pen_filter_load(const struct pen_filter *filter);

#endif
