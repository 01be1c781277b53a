/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads, writes and deletes packed for one call of the gate (struct
 * kv_batched), and their results. The gate serves them in order and
 * independently: the refusal of one does not affect the others.
 */
#ifndef CALFPEN_COMMON_BATCH_H
#define CALFPEN_COMMON_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/kv.h"

/* About 32 KiB in the caller's memory: make it static. */
struct batch {
	uint32_t n_requests;
	uint32_t size;
	_Alignas(8) uint8_t bytes[KV_REQUEST_MAX];
};

/* Start an empty batch. */
void batch_init(struct batch *batch);
/*
 * Append a request for a canonical key. `condition` is KV_REVISION_ANY,
 * KV_REVISION_ABSENT (create only), or the revision that the key must have.
 * Returns 0, -EMSGSIZE (value longer than KV_VALUE_MAX), or -E2BIG (the batch
 * is full).
 */
int batch_read(struct batch *batch, const struct kv_key *key);
int batch_write(struct batch *batch, const struct kv_key *key, const char *text, size_t length,
		uint64_t condition);
int batch_delete(struct batch *batch, const struct kv_key *key, uint64_t condition);

/* The results of the first `n` requests of a batch. */
struct batch_results {
	uint32_t n;
	uint32_t length; /* bytes used of `bytes` */
	_Alignas(8) char bytes[KV_ANSWER_SIZE];
};

struct batch_result {
	int verdict;	   /* 0, or a negative errno */
	uint64_t revision; /* of the commit, or of the value read */
	uint32_t length;   /* bytes of the value read */
	const char *text;  /* the value read; lives as long as the results */
};

/* Step to the next result. Returns true with the result in *resultp, or false
 * at the end. *atp is the caller's position and starts at 0. */
bool batch_results_next(const struct batch_results *results, uint32_t *atp,
			struct batch_result *resultp);

#endif
