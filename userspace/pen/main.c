/* SPDX-License-Identifier: Apache-2.0 */
/* calfpen-pen: the OCI runtime for calves. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/pen/container.h"
#include "userspace/pen/options.h"
#include "userspace/pen/report.h"

static const char help[] =
	"Usage: calfpen-pen [--root DIRECTORY] [--log FILE [--log-format json|text]] COMMAND\n"
	"\n"
	"  create [--bundle DIRECTORY] [--pid-file FILE] [--preserve-fds N]\n"
	"         [--no-new-keyring] ID     create the container and its process\n"
	"  start ID                         have the process execute the calf\n"
	"  kill ID [SIGNAL]                 send the process a signal (default: TERM)\n"
	"  delete [--force] ID              remove the container, with its process\n"
	"  state ID                         print its state as JSON\n"
	"\n"
	"The part of runc's command line that calfpen uses. The container has no files, no\n"
	"capabilities, new namespaces of every type, and 18 system calls. A field of the\n"
	"bundle or an option that is not supported is refused.\n";

static int run(const struct pen_options *options)
{
	const struct pen_create create = {
		.root = options->root,
		.id = options->id,
		.bundle = options->bundle,
		.pid_file = options->pid_file,
		.preserve_fds = options->preserve_fds,
	};

	switch (options->command) {
	case PEN_CREATE:
		return pen_container_create(&create);
	case PEN_START:
		return pen_container_start(options->root, options->id);
	case PEN_KILL:
		return pen_container_kill(options->root, options->id, options->signal);
	case PEN_DELETE:
		return pen_container_delete(options->root, options->id, options->is_forced);
	case PEN_STATE:
		return pen_container_state(options->root, options->id);
	case PEN_VERSION:
		return puts("calfpen-pen " CALFPEN_VERSION "\nspec: 1.0.0") < 0 ? -1 : 0;
	case PEN_HELP:
		return fputs(help, stdout) < 0 ? -1 : 0;
	}
	return -1;
}

/* Find the first descriptor of the calf that is not open: one of ours would get its number.
 * Returns -1 if there is none. */
static int find_missing(int n)
{
	for (int fd = 0; fd < n; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return fd;
	return -1;
}

int main(int argc, char **argv)
{
	struct pen_options options;
	char error[256];
	int r = pen_options_parse(argc, argv, &options, error, sizeof(error));
	const int missing = find_missing(STDERR_FILENO + 1 + options.preserve_fds);

	(void)signal(SIGPIPE, SIG_IGN);
	if (!r && options.log) {
		r = pen_report_to(options.log, options.is_json);
		if (r)
			return pen_fail(1, "%s: %s", options.log, strerrordesc_np(-r));
	}
	if (r) {
		(void)pen_fail(r, "%s; see --help", error);
		return 2;
	}
	if (missing >= 0)
		return pen_fail(1, "--preserve-fds %d: descriptor %d is not open",
				options.preserve_fds, missing);
	return run(&options) ? 1 : 0;
}
