/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge-record PINNED-RING SUBJECT REVISION
 *
 * Write a record of a commit by this subject into an instance's change ring that no gate
 * writes: something is behind a deletion.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps/kv.h"
#include "tests/bpf/forge.h"

int main(int argc, char **argv)
{
	int fd, r;

	if (argc != 4)
		return 2;
	fd = bpf_obj_get(argv[1]);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	r = forge_commit(fd, (uint16_t)strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	if (r)
		fprintf(stderr, "forge-record: %s\n", strerror(-r));
	return r ? 1 : 0;
}
