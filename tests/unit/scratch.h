/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the test's own. Every test is a process, so there is one. */
#ifndef CALFPEN_TESTS_UNIT_SCRATCH_H
#define CALFPEN_TESTS_UNIT_SCRATCH_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
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

/* A file of these bytes, with `mode` if it is new. */
static inline void scratch_write(const char *name, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static inline void scratch_write_text(const char *name, const char *text, mode_t mode)
{
	scratch_write(name, text, strlen(text), mode);
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
