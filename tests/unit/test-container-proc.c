/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "userspace/priv/container/proc.h"

#define PROC "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"

static bool is_covered(const char *text)
{
	char copy[512];
	FILE *mounts;
	bool result;

	cr_assert(strlen(text) < sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	mounts = fmemopen(copy, strlen(copy), "r");

	cr_assert(mounts);
	result = runtime_proc_is_covered(mounts);
	fclose(mounts);
	return result;
}

Test(container_proc, U21_read_only_proc_sys)
{
	cr_expect(is_covered(PROC "proc /proc/sys proc ro,relatime 0 0\n"));
	cr_expect(is_covered(PROC "proc /proc/sys proc ro,relatime 0 0\n"
				  "sysfs /sys sysfs rw 0 0\n"));
}

/* As Docker does it. */
Test(container_proc, U21_masked_files)
{
	cr_expect(is_covered(PROC "tmpfs /proc/kcore tmpfs rw,nosuid 0 0\n"));
	cr_expect(is_covered(PROC "tmpfs /proc/acpi tmpfs ro 0 0\n"));
}

Test(container_proc, U21_nothing_is_covered)
{
	cr_expect(!is_covered(PROC));
	cr_expect(!is_covered(PROC "systemd-1 /proc/sys/fs/binfmt_misc autofs rw 0 0\n"
				   "nfsd /proc/fs/nfsd nfsd rw 0 0\n"
				   "/dev/vda /process/sys ext4 rw 0 0\n"
				   "proc /mnt/proc/sys proc ro 0 0\n"));
}
