/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/pen/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

#define SEGMENTS_MAX 64

static bool is_static(int fd)
{
	Elf64_Phdr segments[SEGMENTS_MAX];
	Elf64_Ehdr head;
	size_t size;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_machine != MACHINE || head.e_phentsize != sizeof(segments[0]) ||
	    head.e_phnum == 0 || head.e_phnum > SEGMENTS_MAX)
		return false;
	size = head.e_phnum * sizeof(segments[0]);
	if (pread(fd, segments, size, (off_t)head.e_phoff) != (ssize_t)size)
		return false;
	for (size_t i = 0; i < head.e_phnum; i++)
		if (segments[i].p_type == PT_INTERP)
			return false;
	return true;
}

int pen_program_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), r = 0;
	struct stat status;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status))
		r = -errno;
	else if (!S_ISREG(status.st_mode) || !(status.st_mode & S_IXOTH))
		r = -EACCES;
	else if (!is_static(fd))
		r = -ENOEXEC;
	if (!r)
		return fd;
	close(fd);
	return r;
}
