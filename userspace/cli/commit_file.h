/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file format of `calfpen commit`, one change per line:
 *
 *   # a comment; blank lines are ignored, too
 *   set /control/dhcp4/renew now
 *   del /hostname
 *
 * The value is everything after the single blank that follows PATH, including
 * trailing blanks, so it may be empty: "set /x ".
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
	/* the error, if any */
	unsigned int bad_line; /* 0: the file as a whole */
	const char *reason;
};

/* Parse the stream `from` up to its end into `file`, which the caller owns.
 * Returns 0, or -EINVAL with bad_line and reason set. The caller checks ferror()
 * for errors of the stream. */
int commit_file_read(struct commit_file *file, FILE *from);

#endif
