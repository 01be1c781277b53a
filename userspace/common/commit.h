/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes packed for one commit, in the format of the gate (struct kv_request)
 * and of the control protocol's encoder.
 */
#ifndef CALFPEN_COMMON_COMMIT_H
#define CALFPEN_COMMON_COMMIT_H

#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"

/* About 32 KiB in the caller's memory: make it static. */
struct commit {
	uint64_t condition; /* KV_REVISION_ANY, _ABSENT, or the newest revision that its keys may
			     * have */
	uint32_t n_changes;
	uint32_t size;
	_Alignas(8) uint8_t bytes[KV_REQUEST_MAX]; /* packed struct kv_change */
};

/* Start an empty commit without condition. */
void commit_init(struct commit *commit);
/* Append a change. Returns 0, -EILSEQ (path not canonical), -EMSGSIZE (value
 * longer than KV_VALUE_MAX), or -E2BIG (more than KV_CHANGES_MAX or
 * KV_REQUEST_MAX). On error the commit is unchanged. Not logged. */
int commit_write(struct commit *commit, const char *path, const char *text, size_t length);
int commit_delete(struct commit *commit, const char *path);

#endif
