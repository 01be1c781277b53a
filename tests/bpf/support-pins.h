/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CALFPEN_TESTS_BPF_SUPPORT_PINS_H
#define CALFPEN_TESTS_BPF_SUPPORT_PINS_H

#include <stdbool.h>
#include <unistd.h>

#include "userspace/priv/pins.h"

static inline bool is_pinned(const struct pins *pins, const char *name)
{
	int fd = pins_get(pins, name);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

#endif
