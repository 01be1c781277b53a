/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Sets errno. */
static bool is_filled(int fd, const struct sealed_part *parts, int n)
{
	for (int i = 0; i < n; i++) {
		ssize_t written = write(fd, parts[i].data, parts[i].size);

		if (written >= 0 && (size_t)written != parts[i].size)
			errno = ENOSPC;
		if (written < 0 || (size_t)written != parts[i].size)
			return false;
	}
	return fcntl(fd, F_ADD_SEALS, SEALS) == 0;
}

int sealed_create(const char *name, const struct sealed_part *parts, int n)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), r;

	if (fd >= 0 && is_filled(fd, parts, n))
		return fd;
	r = -errno;
	if (fd >= 0)
		(void)close(fd);
	return r;
}

int sealed_map(int fd, void **memoryp, size_t *sizep)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat status;
	void *memory;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size == 0)
		return -EPROTO;
	memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*memoryp = memory;
	*sizep = (size_t)status.st_size;
	return 0;
}
