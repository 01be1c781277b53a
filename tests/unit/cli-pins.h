/* SPDX-License-Identifier: Apache-2.0 */
/* Run an operator's command with a private bpffs and an instance "x". */
#ifndef CALFPEN_TESTS_CLI_PINS_H
#define CALFPEN_TESTS_CLI_PINS_H

#include <bpf/bpf.h>
#include <sched.h>
#include <sys/mount.h>

#include "tests/unit/cli-capture.h"

/* A skipped test is not torn down, so decide before creating anything. */
static inline void pins_setup(void)
{
	int fd;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		cr_skip_test("needs root");
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "probe", 4, 4, 1, NULL);
	if (fd < 0)
		cr_skip_test("needs the right to make maps");
	close(fd);
	make_roots();
	cr_assert_eq(mkdir(pins_root, 0700), 0);
	cr_assert_eq(mount("bpffs", pins_root, "bpf", 0, "mode=0700"), 0);
	make_directory(pins_root, "x");
}

static inline void pins_teardown(void)
{
	umount(pins_root);
	scratch_remove();
}

#endif
