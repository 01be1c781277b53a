/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

int descriptors_keep(const int *fds, size_t n)
{
	unsigned int first = STDERR_FILENO + 1, last;

	do {
		last = UINT_MAX;
		for (size_t i = 0; i < n; i++)
			if (fds[i] >= (int)first && (unsigned int)fds[i] < last)
				last = (unsigned int)fds[i];
		if (last > first && close_range(first, last == UINT_MAX ? last : last - 1, 0))
			return -errno;
		first = last + 1;
	} while (last != UINT_MAX);
	return 0;
}

int descriptors_copy(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	return copy < 0 ? -errno : copy;
}
