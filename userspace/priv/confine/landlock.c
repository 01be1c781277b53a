/* SPDX-License-Identifier: Apache-2.0 */
/* Restricts the part of the file system that a role may change. */
#include <errno.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "userspace/priv/confine/confine-private.h"

/* All rights of a version; those after version 3 do not concern the content of files. */
#define ACCESS_1 0x1fffull
#define ACCESS_2 (ACCESS_1 | LANDLOCK_ACCESS_FS_REFER)
#define ACCESS_3 (ACCESS_2 | 1ull << 14) /* truncate, not in every header */

int confine_landlock(int directory_fd)
{
	struct landlock_ruleset_attr rules = { .handled_access_fs = ACCESS_1 };
	const struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE,
		.parent_fd = directory_fd,
	};
	long version, fd;
	int error = 0;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	if (version >= 2)
		rules.handled_access_fs = version == 2 ? ACCESS_2 : ACCESS_3;
	fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) ||
	    syscall(SYS_landlock_restrict_self, fd, 0))
		error = errno;
	(void)close((int)fd);
	return -error;
}
