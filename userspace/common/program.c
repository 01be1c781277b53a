/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/program.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int program_path_of(const char *self, const char *relative, char *path, size_t size)
{
	const char *slash = strrchr(self, '/');
	size_t length = slash ? (size_t)(slash - self) + 1 : 0;
	size_t added = strlen(relative) + 1;

	if (added > size || length > size - added)
		return -ENAMETOOLONG;
	memcpy(path, self, length);
	memcpy(path + length, relative, added);
	return 0;
}

int program_path(const char *relative, char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self));

	if (length < 0)
		return -errno;
	if ((size_t)length == sizeof(self))
		return -ENAMETOOLONG;
	self[length] = '\0';
	return program_path_of(self, relative, path, size);
}
