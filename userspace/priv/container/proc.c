/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/container/proc.h"

#include <errno.h>
#include <mntent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "userspace/common/log.h"

/* Mount points in proc(5) that hide nothing: the kernel keeps them empty. */
static bool is_empty(const char *directory)
{
	static const char *const empty[] = { "/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd" };

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		if (!strcmp(directory, empty[i]))
			return true;
	return false;
}

bool runtime_proc_is_covered(FILE *mounts)
{
	struct mntent entry;
	char buffer[8192];

	while (getmntent_r(mounts, &entry, buffer, sizeof(buffer)))
		if (!strncmp(entry.mnt_dir, "/proc/", strlen("/proc/")) && !is_empty(entry.mnt_dir))
			return true;
	return false;
}

void runtime_uncover_proc(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	bool is_covered = mounts && runtime_proc_is_covered(mounts);

	if (mounts)
		endmntent(mounts);
	if (!is_covered)
		return;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		log_warning("cannot mount a proc that nothing is mounted on: %s; the runtime may "
			    "not be able to create containers",
			    strerror(errno));
}
