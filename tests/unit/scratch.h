/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the test's own. Every test is a process, so there is one. */
#ifndef CALFPEN_TESTS_UNIT_SCRATCH_H
#define CALFPEN_TESTS_UNIT_SCRATCH_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[] = "/tmp/calfpen-test-XXXXXX";

static inline void scratch_make(void)
{
	cr_assert_not_null(mkdtemp(scratch));
}

/* Good for three more calls. */
static inline const char *scratch_path(const char *name)
{
	static char paths[4][256];
	static unsigned int i;

	i = (i + 1) % 4;
	cr_assert_lt((size_t)snprintf(paths[i], sizeof(paths[i]), "%s/%s", scratch, name),
		     sizeof(paths[i]));
	return paths[i];
}

/* With all that is in it; nothing if it was never made. */
static inline void scratch_remove(void)
{
	char command[sizeof(scratch) + 16];

	if (strstr(scratch, "XXXXXX"))
		return;
	(void)snprintf(command, sizeof(command), "rm -rf %s", scratch);
	cr_assert_eq(system(command), 0);
}

#endif
