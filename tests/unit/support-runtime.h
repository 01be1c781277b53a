/* SPDX-License-Identifier: Apache-2.0 */
/* A runtime that is a script, in a directory of its own */
#ifndef CALFPEN_TESTS_UNIT_SUPPORT_RUNTIME_H
#define CALFPEN_TESTS_UNIT_SUPPORT_RUNTIME_H

#include <criterion/criterion.h>
#include <sys/stat.h>

#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/start-container.h"
#include "userspace/priv/container/runtime.h"

static char state[128], bundle[128];
static struct runtime runtime;

static inline void setup(void)
{
	scratch_make();
	snprintf(state, sizeof(state), "%s/state", scratch);
	snprintf(bundle, sizeof(bundle), "%s/bundle", scratch);
	cr_assert(mkdir(bundle, 0700) == 0);
	scratch_write_text("bundle/config.json",
			   "{\"linux\": {\"cgroupsPath\": \"/calfpen-test/none\"}}", 0600);
	cr_assert(setenv("PATH", scratch, 1) == 0);
	capture_begin();
}

static inline int find(const char *name, int stop_fd)
{
	int r = runtime_find(name, &runtime);

	return r ? r : runtime_prepare(&runtime, state, stop_fd);
}

static inline int start(const char *script, pid_t *pidp)
{
	const struct runtime_fds fds = { -1, -1, -1, -1, -1 };

	scratch_write_text("fake", script, 0755);
	cr_assert(find("fake", -1) == 0, "%s", capture_text());
	return start_container(&runtime, "one", bundle, &fds, RUNTIME_GO, NULL, pidp);
}

#endif
