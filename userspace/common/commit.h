/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes packed for one commit, as the gate (struct kv_request) and the codec
 * of the control protocol take them.
 */
#ifndef CALFPEN_COMMON_COMMIT_H
#define CALFPEN_COMMON_COMMIT_H

#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"

/* Caller's memory, about 32 KiB: keep it static. */
struct commit {
	uint64_t condition; /* KV_REVISION_ANY, _ABSENT, or: no key of it is newer */
	uint32_t n_changes;
	uint32_t size;
	_Alignas(8) uint8_t bytes[KV_REQUEST_MAX]; /* packed struct kv_change */
};

/* Start an empty commit without condition. */
void commit_init(struct commit *commit);
/* Append a change. 0, -EILSEQ (path not canonical), -EMSGSIZE (value longer
 * than KV_VALUE_MAX), -E2BIG (more than KV_CHANGES_MAX or KV_REQUEST_MAX); the
 * commit is unchanged then. Not logged. */
int commit_write(struct commit *commit, const char *path, const char *text, size_t length);
int commit_delete(struct commit *commit, const char *path);

#endif
