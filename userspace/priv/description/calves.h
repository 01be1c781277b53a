/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which calves an instance has: those of the field `calves` of its configuration (default:
 * dhcp4), which are installed beside this program, and those that the command line adds by
 * directory. Used by the supervisor and by `calfpen check`.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_CALVES_H
#define CALFPEN_PRIV_DESCRIPTION_CALVES_H

#include <stdint.h>

#include "userspace/priv/description/configuration.h"
#include "userspace/priv/description/description.h"
#include "userspace/priv/options.h"

/*
 * Load the descriptions of the calves, in the order of the configuration and then of the
 * command line, check them beside each other, and load the configuration, as
 * configuration_load() does. A calf of the command line takes the place of the installed one
 * that has its name. Returns 0, or a negative errno after one line on stderr,
 * "FILE:LINE: reason". *descriptionsp, to be freed by the caller, *np and *configurationp,
 * to be freed by configuration_deinit(), are written on success only.
 */
int calves_load(const struct options *options, struct description **descriptionsp, uint32_t *np,
		struct configuration *configurationp);

#endif
