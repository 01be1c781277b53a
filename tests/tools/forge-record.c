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
	struct {
		struct kv_event event;
		struct kv_change change;
		char behind[8];
	} record = {
		.event = { .type = KV_RECORD_COMMIT,
			   .size = KV_CHANGE_SIZE(0),
			   .verb = KV_VERB_COMMIT,
			   .n_changes = 1 },
		.change = { "/mtu", KV_CHANGE_DELETE, 0, KV_NOTE(1, 4) },
		.behind = "HIDDEN!",
	};
	int fd, r;

	if (argc != 4)
		return 2;
	fd = bpf_obj_get(argv[1]);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	record.event.subject = (uint16_t)strtoul(argv[2], NULL, 10);
	record.event.revision = strtoull(argv[3], NULL, 10);
	r = forge_record(fd, &record, sizeof(record));
	if (r)
		fprintf(stderr, "forge-record: %s\n", strerror(-r));
	return r ? 1 : 0;
}
