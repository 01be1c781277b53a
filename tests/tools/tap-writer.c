/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap-writer PID
 *
 * Duplicate the tap descriptor of calfpen's supervisor PID, then write one frame to
 * it for every line of hex on standard input, as a compromised calf would. Prints
 * "ready", then "written N" or "refused ERRNO" per line.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int find_tap(const char *pid)
{
	char path[64], target[64];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		char link[340];
		ssize_t size;

		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		size = readlink(link, target, sizeof(target) - 1);
		if (size < 0)
			continue;
		target[size] = '\0';
		if (!strcmp(target, "/dev/net/tun"))
			return atoi(entry->d_name);
	}
	return -1;
}

int main(int argc, char **argv)
{
	static char line[8192];
	int pidfd, fd;

	if (argc != 2)
		return 2;
	pidfd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, find_tap(argv[1]), 0);
	if (fd < 0) {
		perror("tap-writer");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		uint8_t frame[sizeof(line) / 2];
		size_t size = 0;
		unsigned int byte;
		ssize_t n;

		while (sscanf(line + 2 * size, "%2x", &byte) == 1)
			frame[size++] = (uint8_t)byte;
		n = write(fd, frame, size);
		if (n < 0)
			printf("refused %d\n", errno);
		else
			printf("written %zd\n", n);
	}
	return 0;
}
