/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/supervisor/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "userspace/common/report_page.h"

int report_create(void)
{
	int fd = memfd_create(REPORT_PAGE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING), r;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, REPORT_PAGE_SIZE) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

int report_clear(int fd)
{
	static const uint64_t zeros[REPORT_PAGE_COUNTERS];

	return pwrite(fd, zeros, sizeof(zeros), offsetof(struct report_page, counters)) ==
			       (ssize_t)sizeof(zeros) ?
		       0 :
		       -EIO;
}

void report_set_logged(int fd, bool is_logged)
{
	const uint32_t value = is_logged;

	/* At worst, an error is logged once more. */
	(void)!pwrite(fd, &value, sizeof(value), offsetof(struct report_page, is_logged));
}
