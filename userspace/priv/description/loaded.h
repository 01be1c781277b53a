/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration and the descriptions as the supervisor loaded them. Files are
 * read once for each run of an instance: the supervisor seals the result, and a
 * watcher that is restarted works with the same, whatever the files contain then.
 */
#ifndef CALFPEN_PRIV_DESCRIPTION_LOADED_H
#define CALFPEN_PRIV_DESCRIPTION_LOADED_H

#include <stdint.h>

#include "userspace/priv/description/configuration.h"
#include "userspace/priv/description/description.h"

struct loaded {
	const struct configuration *configuration;
	const struct description *descriptions;
	uint32_t n_descriptions;
};

/* Seal both in a memfd. Returns a close-on-exec descriptor, or a negative errno,
 * not logged. */
int loaded_seal(const struct loaded *loaded);

/*
 * Map a memfd of loaded_seal() for the lifetime of the process. Returns 0; or, not
 * logged and with *loaded unchanged, -EPERM (not sealed), -EPROTO (of another
 * version of this program) or another negative errno.
 */
int loaded_map(int fd, struct loaded *loaded);

#endif
