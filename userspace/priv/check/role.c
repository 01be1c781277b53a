/* SPDX-License-Identifier: Apache-2.0 */
/* DOC: `calfpen check`: the rules of a start, without a start. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/common/log.h"
#include "userspace/priv/check/check.h"
#include "userspace/priv/description/overlap.h"
#include "userspace/priv/options.h"
#include "userspace/priv/roles.h"

static int ask(const struct options *options, const struct description *descriptions,
	       const struct configuration *configuration)
{
	struct check_question questions[OPTIONS_CALVES_MAX];
	int r = check_begin(questions, descriptions, options->n_calves, configuration);
	int r_end = check_end(questions, descriptions, options->n_calves, configuration,
			      options->configuration, -1);

	return r ? r : r_end;
}

static int load(const struct options *options, struct description *descriptions,
		struct configuration *configuration)
{
	int r = 0;

	for (uint32_t i = 0; i < options->n_calves && !r; i++)
		r = description_load(options->calves[i], &descriptions[i]);
	if (!r)
		r = overlap_check(descriptions, options->n_calves);
	if (!r)
		r = configuration_load(options, descriptions, options->n_calves, configuration);
	return r ? r : ask(options, descriptions, configuration);
}

int check_main(const struct options *options)
{
	static struct configuration configuration;
	struct description *descriptions = calloc(options->n_calves, sizeof(*descriptions));
	int r = descriptions ? load(options, descriptions, &configuration) : -ENOMEM;

	if (r == -ENOMEM)
		log_error("%s", strerror(-r));
	if (!r && options->effective)
		configuration_print(&configuration, descriptions, options->n_calves, stdout);
	else if (!r && options->configuration[0])
		(void)printf("%s: no errors\n", options->configuration);
	else if (!r)
		(void)printf("%s has no configuration file; the defaults apply\n",
			     options->instance);
	free(descriptions);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write: %s", strerror(errno));
		r = -EIO;
	}
	return r ? ROLE_EXIT_FAILURE : ROLE_EXIT_OK;
}
