/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads, writes and deletes that came together and go to the store together:
 * one call of the store, an answer for each, in their order.
 */
#ifndef CALFPEN_PRIV_GATEWAY_BATCH_H
#define CALFPEN_PRIV_GATEWAY_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/wire.h"
#include "userspace/priv/gateway/output.h"
#include "userspace/priv/gateway/store.h"

struct gateway_batch {
	struct batch packed;
	struct batch_results results;
	size_t answers_size; /* at most, bytes */
	struct {
		int32_t id;
		uint16_t tag; /* enum wire_request_tag */
		bool wants_revision;
		uint32_t at; /* of the packed request */
		size_t end;  /* of its frame among those received */
	} requests[KV_BATCH_MAX];
};

void gateway_batch_begin(struct gateway_batch *batch);
/*
 * Append a request that the calf may make; `text` is what a write stores, `end`
 * where its frame ends. False: it has no room here, or its answer none in
 * `output`, and goes with the next batch. There is always room for the first,
 * if `output` has some for WIRE_RESPONSE_MAX bytes.
 */
bool gateway_batch_append(struct gateway_batch *batch, const struct wire_request *request,
			  const char *text, size_t length, size_t end,
			  const struct gateway_output *output);
/* Run it, which is not empty, and write the answers of those that were served:
 * how many, one at least. *endp: where their frames end. */
int gateway_batch_run(struct gateway_batch *batch, const struct gateway_store *store,
		      void *store_data, size_t *endp, struct gateway_output *output);

#endif
