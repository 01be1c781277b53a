/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/common/log.h"
#include "userspace/priv/options.h"

/* Put the working directory before a relative path. */
static int make_absolute(char path[PATH_MAX], const char *relative)
{
	char directory[PATH_MAX], text[PATH_MAX];

	if (!getcwd(directory, sizeof(directory)))
		return -errno;
	if (snprintf(text, sizeof(text), "%s/%s", directory, relative) >= (int)sizeof(text))
		return -ENAMETOOLONG;
	memcpy(path, text, strlen(text) + 1);
	return 0;
}

static int make_calves_absolute(struct options *options)
{
	static char directories[OPTIONS_CALVES_MAX][PATH_MAX];
	int r = 0;

	for (uint32_t i = 0; !r && i < options->n_calves; i++)
		if (options->calves[i][0] != '/') {
			r = make_absolute(directories[i], options->calves[i]);
			if (!r)
				options->calves[i] = directories[i];
		}
	return r;
}

int options_make_absolute(struct options *options)
{
	int r = make_calves_absolute(options);

	if (!r && options->configuration[0] && options->configuration[0] != '/')
		r = make_absolute(options->configuration, options->configuration);
	/* A name without a slash is looked for in $PATH. */
	if (!r && options->runtime[0] != '/' && strchr(options->runtime, '/'))
		r = make_absolute(options->runtime, options->runtime);
	if (r)
		log_error("cannot find the working directory, which relative paths begin in: %s",
			  strerror(-r));
	return r;
}
