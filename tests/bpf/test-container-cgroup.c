/* SPDX-License-Identifier: Apache-2.0 */
/* Real cgroups, of version 1 or 2. Needs root. */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#include "userspace/priv/container/cgroup.h"

/* Does a cgroup in one of the hierarchies have this file? */
static bool has_file(const char *cgroup, const char *name)
{
	char pattern[256];
	glob_t found;
	int r;

	snprintf(pattern, sizeof(pattern), "/sys/fs/cgroup/%s/%s", cgroup, name);
	if (access(pattern, F_OK) == 0)
		return true;
	snprintf(pattern, sizeof(pattern), "/sys/fs/cgroup/*/%s/%s", cgroup, name);
	r = glob(pattern, 0, NULL, &found);
	if (!r)
		globfree(&found);
	return !r;
}

/* The container's cgroup, which the runtime makes, has a quota if it is said to. */
Test(container_cgroup, F10_cpu_time_can_be_limited)
{
	char parent[64], child[80];
	int fds[2];
	bool is_limited;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	snprintf(parent, sizeof(parent), "calfpen-test-%d/deep", getpid());
	snprintf(child, sizeof(child), "%s/child", parent);
	fds[0] = cgroup_parent_hold(parent, &AWAIT_FOREVER);
	cr_assert_geq(fds[0], 0);
	is_limited = cgroup_limits_cpu(parent);
	cr_expect_eq(cgroup_limits_cpu(parent), is_limited, "again");
	fds[1] = cgroup_parent_hold(child, &AWAIT_FOREVER);
	cr_assert_geq(fds[1], 0);
	cr_expect(is_limited, "neither kernel that is tested is without");
	cr_expect_eq(has_file(child, "cpu.cfs_quota_us") || has_file(child, "cpu.max"), is_limited);
	cr_expect_not(cgroup_limits_cpu("calfpen-no-such-cgroup"));
	cgroup_parent_release(child, fds[1]);
	cgroup_parent_release(parent, fds[0]);
}
