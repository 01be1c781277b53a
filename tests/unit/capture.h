/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the code under test logged, for comparison:
 *
 *	capture_begin();
 *	... a call that refuses something ...
 *	cr_assert_str_eq(capture_text(), "FILE:3: reason\n");
 */
#ifndef CALFPEN_TESTS_CAPTURE_H
#define CALFPEN_TESTS_CAPTURE_H

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "userspace/common/log.h"

static int capture_fd = -1;

static inline void capture_begin(void)
{
	if (capture_fd < 0)
		capture_fd = memfd_create("log", MFD_CLOEXEC);
	cr_assert(capture_fd >= 0);
	cr_assert(ftruncate(capture_fd, 0) == 0);
	cr_assert(lseek(capture_fd, 0, SEEK_SET) == 0);
	log_init("t", capture_fd, LOG_LEVEL_DEBUG);
}

/* All since capture_begin(), "<error> t: " before each line left out. */
static inline const char *capture_text(void)
{
	static char text[8192], lines[8192];
	ssize_t n = pread(capture_fd, text, sizeof(text) - 1, 0);
	size_t used = 0;

	cr_assert(n >= 0);
	text[n] = '\0';
	for (char *line = text; *line != '\0';) {
		char *end = strchr(line, '\n');
		char *start = strstr(line, " t: ");
		size_t length;

		cr_assert(end != NULL && start != NULL && start < end);
		start += 4;
		length = (size_t)(end + 1 - start);
		memcpy(lines + used, start, length);
		used += length;
		line = end + 1;
	}
	lines[used] = '\0';
	return lines;
}

#endif
