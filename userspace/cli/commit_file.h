/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of `calfpen commit`, a change on each line:
 *
 *   # a comment; blank lines are left out as well
 *   set /control/renew now
 *   del /hostname
 *
 * The value is everything behind the one blank after PATH, trailing blanks
 * included, so it may be empty: "set /x ".
 */
#ifndef CALFPEN_CLI_COMMIT_FILE_H
#define CALFPEN_CLI_COMMIT_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "userspace/common/gate.h"

struct commit_file {
	struct commit commit;
	struct {
		unsigned int line; /* from 1 */
		bool is_delete;
		struct kv_key key;
	} changes[KV_CHANGES_MAX];
	/* what is wrong, if it is */
	unsigned int bad_line; /* 0: the file as a whole */
	const char *reason;
};

/* Read all of it, caller's memory: 0, or -EINVAL with bad_line and reason. An
 * error of the stream is left for ferror(). */
int commit_file_read(struct commit_file *file, FILE *from);

#endif
