/* SPDX-License-Identifier: Apache-2.0 */
/* DOC: `calfpen check` and `calfpen describe`: the rules of a start, without a start. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/priv/check/check.h"
#include "userspace/priv/description/calves.h"
#include "userspace/priv/options.h"
#include "userspace/priv/roles.h"

static int ask(const struct options *options, const struct description *descriptions,
	       uint32_t n_descriptions, const struct configuration *configuration)
{
	struct check_question questions[OPTIONS_CALVES_MAX];
	int r = check_begin(questions, descriptions, n_descriptions, configuration);
	int r_end = check_end(questions, descriptions, n_descriptions, configuration,
			      options->configuration, -1);

	return r ? r : r_end;
}

static void describe(const struct description *descriptions, uint32_t n_descriptions)
{
	for (uint32_t i = 0; i < n_descriptions; i++)
		description_print_effects(&descriptions[i], stdout);
}

int check_main(const struct options *options)
{
	static struct configuration configuration;
	struct description *descriptions = NULL;
	uint32_t n_descriptions = 0;
	int r = calves_load(options, &descriptions, &n_descriptions, &configuration);

	if (!r && !options->describe)
		r = ask(options, descriptions, n_descriptions, &configuration);
	if (!r && options->describe)
		describe(descriptions, n_descriptions);
	else if (!r && options->effective)
		configuration_print(&configuration, descriptions, n_descriptions, stdout);
	else if (!r && options->configuration[0])
		(void)printf("%s: no errors\n", options->configuration);
	else if (!r)
		(void)printf("%s has no configuration file; the defaults apply\n",
			     options->instance);
	configuration_deinit(&configuration);
	free(descriptions);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write: %s", strerror(errno));
		r = -EIO;
	}
	return r ? ROLE_EXIT_FAILURE : ROLE_EXIT_OK;
}
