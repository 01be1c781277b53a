/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int lock_take(const char *path, bool create)
{
	struct stat locked, present;
	int fd, r;

	for (;;) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | (create ? O_CREAT : 0),
			  0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &locked))
			break;
		/* The owner may have removed the file since it was opened. */
		if (!stat(path, &present) && present.st_dev == locked.st_dev &&
		    present.st_ino == locked.st_ino)
			return fd;
		close(fd);
	}
	r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return r;
}
