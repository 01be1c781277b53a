/* SPDX-License-Identifier: Apache-2.0 */
/* Start one of our own programs. */
#ifndef CALFPEN_PRIV_LAUNCHER_PROGRAM_H
#define CALFPEN_PRIV_LAUNCHER_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LAUNCHER_FDS_MAX 16

struct launcher_program {
	int fd; /* of the file to execute */
	char *const *argv;
	int fds[LAUNCHER_FDS_MAX]; /* that it gets as 3, 4, ... */
	uint32_t n_fds;
};

/*
 * Start the program with 0 as /dev/null, 1 and 2 as our descriptor 2, and fds[i] as 3 + i; it
 * is killed when its parent exits. Its only environment variable is $JOURNAL_STREAM, if that is
 * set: it says whether journald reads descriptor 2. If `is_sibling`, it is a child of this
 * process's parent (sibling.h). Stores a pidfd in *pidfdp, unless that is NULL. Returns the
 * pid, or a negative errno, logged.
 */
pid_t launcher_execute(const struct launcher_program *program, bool is_sibling, int *pidfdp);

#endif
