/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the test's own. Every test is a process, so there is one. */
#ifndef CALFPEN_TESTS_UNIT_SCRATCH_H
#define CALFPEN_TESTS_UNIT_SCRATCH_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
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

static inline int scratch_remove_one(const char *path, const struct stat *status, int type,
				     struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

/* With all that is in it, if it was made. */
static inline void scratch_remove(void)
{
	if (access(scratch, F_OK) == 0)
		cr_assert_eq(nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
