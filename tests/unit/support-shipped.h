/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped calf dhcp4, in a scratch directory with a program that is not run. */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_SHIPPED_H
#define CALFPEN_TESTS_UNIT_SUPPORT_SHIPPED_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "userspace/priv/description/calves.h"

static struct options options = { .mode = -1, .quarantine_s = -1, .wait_interface_s = -1 };
static struct configuration configuration;
static struct description *descriptions;

static inline void shipped_setup(void)
{
	char *shipped = realpath("userspace/calf/dhcp4/calf.yaml", NULL);

	scratch_make();
	scratch_write("calf-dhcp4", "", 0, 0755);
	cr_assert_not_null(shipped);
	cr_assert_eq(symlink(shipped, scratch_path("calf.yaml")), 0);
	free(shipped);
	options.calves[0] = scratch;
	options.n_calves = 1;
}

static inline void shipped_teardown(void)
{
	configuration_deinit(&configuration);
	free(descriptions);
	descriptions = NULL;
	scratch_remove();
}

/* With this configuration. */
static inline int shipped_load(const char *yaml)
{
	uint32_t n = 0;
	int r;

	scratch_write_text("a.yaml", yaml, 0600);
	(void)snprintf(options.configuration, sizeof(options.configuration), "%s",
		       scratch_path("a.yaml"));
	configuration_deinit(&configuration);
	free(descriptions);
	descriptions = NULL;
	capture_begin();
	r = calves_load(&options, &descriptions, &n, &configuration);
	cr_assert(r || n == 1);
	return r;
}

#endif
