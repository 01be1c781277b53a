/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate PINNED-PROGRAM read PATH | write PATH VALUE | delete PATH
 *
 * Act as a subject through its pinned gate, as root can, for system tests.
 * Prints the value or the revision; if refused, the exit code is the errno.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/gate.h"

int main(int argc, char **argv)
{
	struct kv_value value;
	uint64_t revision = 0;
	int fd, r = -EINVAL;

	if (argc < 4)
		return 2;
	fd = bpf_obj_get(argv[1]);
	if (fd < 0) {
		perror(argv[1]);
		return 2;
	}
	if (!strcmp(argv[2], "read")) {
		r = gate_read(fd, argv[3], &value);
		if (!r)
			puts(value.text);
	} else {
		if (!strcmp(argv[2], "write") && argc == 5)
			r = gate_write(fd, argv[3], argv[4], strlen(argv[4]), &revision);
		else if (!strcmp(argv[2], "delete"))
			r = gate_delete(fd, argv[3], &revision);
		if (!r)
			printf("%lu\n", (unsigned long)revision);
	}
	if (r)
		fprintf(stderr, "gate: %s\n", strerror(-r));
	return -r;
}
