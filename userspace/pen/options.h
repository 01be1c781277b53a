/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: the subset of runc's that Calfpen uses. */
#ifndef CALFPEN_PEN_OPTIONS_H
#define CALFPEN_PEN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum pen_command {
	PEN_HELP,
	PEN_VERSION,
	PEN_CREATE,
	PEN_START,
	PEN_KILL,
	PEN_DELETE,
	PEN_STATE,
};

struct pen_options {
	enum pen_command command;
	const char *root;
	const char *log; /* NULL: stderr */
	bool is_json;	 /* the log */
	const char *bundle;
	const char *pid_file; /* NULL: none */
	int preserve_fds;
	bool is_forced;
	int signal;
	const char *id;
};

/* Read the arguments of main(). Returns 0, or -EINVAL with the reason in `error`; nothing that
 * is not understood is skipped. */
int pen_options_parse(int argc, char *const *argv, struct pen_options *optionsp, char *error,
		      size_t size);

#endif
