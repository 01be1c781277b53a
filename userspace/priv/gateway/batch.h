/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads, writes and deletes that arrived together and are passed to the store
 * together: one call of the store, one response for each, in order.
 */
#ifndef CALFPEN_PRIV_GATEWAY_BATCH_H
#define CALFPEN_PRIV_GATEWAY_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/common/value.h"
#include "userspace/common/wire.h"
#include "userspace/priv/gateway/output.h"
#include "userspace/priv/gateway/store.h"

struct gateway_batch {
	struct batch packed;
	struct batch_results results;
	size_t answers_size; /* upper limit of the responses, bytes */
	struct {
		int32_t id;
		uint16_t tag; /* enum wire_request_tag */
		bool wants_revision;
		const struct value_rule *rule; /* of the key */
		uint32_t at;		       /* offset of the packed request */
		size_t end; /* offset of the end of its frame in the bytes received */
	} requests[KV_BATCH_MAX];
};

/* Begin an empty batch. */
void gateway_batch_begin(struct gateway_batch *batch);
/*
 * Append a request that the calf is allowed to make; `rule` is the type of its key and
 * must outlive the batch, `text` is what a write stores, `end` where its frame ends. Returns false if there is no room for it here, or for
 * its response in `output`: then it belongs to the next batch. There is always room
 * for the first request if `output` has room for WIRE_RESPONSE_MAX bytes.
 */
bool gateway_batch_append(struct gateway_batch *batch, const struct wire_request *request,
			  const struct value_rule *rule, const char *text, size_t length,
			  size_t end, const struct gateway_output *output);
/* Run a batch, which must not be empty, and write the responses of the requests that
 * were served. *endp is set to the end of their frames. Returns their number, at
 * least one. */
int gateway_batch_run(struct gateway_batch *batch, const struct gateway_store *store,
		      void *store_data, size_t *endp, struct gateway_output *output);

#endif
