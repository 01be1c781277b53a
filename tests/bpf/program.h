/* SPDX-License-Identifier: Apache-2.0 */
/* Our installed programs, and the description of the calf that uses them. */
#ifndef CALFPEN_TESTS_BPF_PROGRAM_H
#define CALFPEN_TESTS_BPF_PROGRAM_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A description is this head, keys as lines of a list, and this tail. */
#define DESCRIPTION_HEAD                                                                       \
	"name: dhcp4\n"                                                                        \
	"executable: calf-dhcp4\n"                                                             \
	"limits: {memory: 16777216, pids: 32, requests_per_second: 200, request_burst: 100}\n" \
	"keys:\n"
#define DESCRIPTION_TAIL               \
	"frames:\n"                    \
	"  - check: dhcp4\n"           \
	"    local_port: 68\n"         \
	"    remote_port: 67\n"        \
	"    max_frame: 1514\n"        \
	"    ingress_per_second: 50\n" \
	"    ingress_burst: 20\n"      \
	"    egress_per_second: 30\n"  \
	"    egress_burst: 10\n"

/* Beside this test in the build tree. To be opened before a /tmp of our own
 * may hide it. */
static inline int open_program(const char *name)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *end;
	int fd;

	cr_assert_gt(length, 0);
	path[length] = '\0';
	end = strrchr(path, '/');
	cr_assert_lt(snprintf(end, sizeof(path) - (size_t)(end - path), "/../../lib/calfpen/%s",
			      name),
		     (int)(sizeof(path) - (size_t)(end - path)));
	fd = open(path, O_PATH | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s", path);
	return fd;
}

#endif
