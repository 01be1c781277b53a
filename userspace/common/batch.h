/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads, writes and deletes packed for one call of the gate (struct
 * kv_batched), and what came of them. They are served in their order, each for
 * itself: what is refused bears on no other.
 */
#ifndef CALFPEN_COMMON_BATCH_H
#define CALFPEN_COMMON_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"

/* Caller's memory, about 32 KiB: keep it static. */
struct batch {
	uint32_t n_requests;
	uint32_t size;
	_Alignas(8) uint8_t bytes[KV_REQUEST_MAX];
};

void batch_init(struct batch *batch);
/* Append a request for a canonical key; `condition` is KV_REVISION_ANY, KV_REVISION_ABSENT
 * (create-only), or the revision that the key must have. 0, -EMSGSIZE (value longer
 * than KV_VALUE_MAX), -E2BIG (the batch is full). */
int batch_read(struct batch *batch, const struct kv_key *key);
int batch_write(struct batch *batch, const struct kv_key *key, const char *text, size_t length,
		uint64_t condition);
int batch_delete(struct batch *batch, const struct kv_key *key, uint64_t condition);

/* What became of the first `n` requests of a batch. */
struct batch_results {
	uint32_t n;
	uint32_t length; /* bytes used of `bytes` */
	_Alignas(8) char bytes[KV_ANSWER_SIZE];
};

struct batch_result {
	int verdict;	   /* 0, or a negative errno */
	uint64_t revision; /* of the commit, or of the value read */
	uint32_t length;   /* bytes of the value read */
	const char *text;  /* of it; lives as long as the results */
};

/* Walk the results: true with the next, *atp counts from 0. */
bool batch_results_next(const struct batch_results *results, uint32_t *atp,
			struct batch_result *resultp);

#endif
