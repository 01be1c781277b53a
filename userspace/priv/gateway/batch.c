/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/gateway/batch.h"

#include <errno.h>

#include "userspace/priv/gateway/response.h"

/* Bytes of the longest responses: table, root, struct, and text. */
#define ANSWER_HEADER 64
#define ANSWER_READ (ANSWER_HEADER + KV_VALUE_SIZE)
#define ANSWER_CHANGE (ANSWER_HEADER + WIRE_ERROR_MAX + 1)

_Static_assert(ANSWER_READ <= WIRE_RESPONSE_MAX, "the first response has room");

void gateway_batch_begin(struct gateway_batch *batch)
{
	batch_init(&batch->packed);
	batch->answers_size = 0;
}

bool gateway_batch_append(struct gateway_batch *batch, const struct wire_request *request,
			  const struct value_rule *rule, const char *text, size_t length,
			  size_t end, const struct gateway_output *output)
{
	size_t answer_size = request->tag == WIRE_READ ? ANSWER_READ : ANSWER_CHANGE;
	uint32_t n = batch->packed.n_requests, at = batch->packed.size;
	int r;

	if (gateway_output_room(output) - batch->answers_size < answer_size)
		return false;
	if (request->tag == WIRE_READ)
		r = batch_read(&batch->packed, &request->path);
	else if (request->tag == WIRE_WRITE)
		r = batch_write(&batch->packed, &request->path, text, length, request->revision);
	else
		r = batch_delete(&batch->packed, &request->path, request->revision);
	if (r < 0)
		return false;
	batch->requests[n].id = request->id;
	batch->requests[n].tag = request->tag;
	batch->requests[n].rule = rule;
	batch->requests[n].wants_revision = request->revision != 0;
	batch->requests[n].at = at;
	batch->requests[n].end = end;
	batch->answers_size += answer_size;
	return true;
}

/* As wire_request.display: the path of a packed request without its slash. */
static const char *display(const struct gateway_batch *batch, uint32_t i)
{
	return (const char *)batch->packed.bytes + batch->requests[i].at +
	       sizeof(struct kv_batched) + 1;
}

/* If the request has a revision, the response has that of the key. */
static int encode(const struct gateway_batch *batch, uint32_t i, const struct batch_result *result,
		  struct gateway_output *output)
{
	uint64_t revision = batch->requests[i].wants_revision ? result->revision : 0;
	struct gateway_response refused;
	int verdict = result->verdict;

	/* Deleting an absent key succeeds. */
	if (verdict == -ENOENT && batch->requests[i].tag == WIRE_DELETE)
		verdict = 0;
	/* The kernel checks classes only, so that the gateway of another calf that was taken
	 * over could store anything. */
	if (verdict == 0 && batch->requests[i].tag == WIRE_READ &&
	    value_check(batch->requests[i].rule, result->text, result->length) < 0)
		verdict = -EUCLEAN;
	if (verdict == 0)
		return wire_encode_response(batch->requests[i].id, WIRE_OK, WIRE_CODE_NONE,
					    result->text, result->length, revision,
					    gateway_output_end(output),
					    gateway_output_room(output));
	gateway_response_verdict(&refused, verdict, display(batch, i));
	return gateway_response_encode(&refused, batch->requests[i].id, gateway_output_end(output),
				       gateway_output_room(output));
}

int gateway_batch_run(struct gateway_batch *batch, const struct gateway_store *store,
		      void *store_data, size_t *endp, struct gateway_output *output)
{
	int verdict = store->batch(store_data, &batch->packed, &batch->results);
	uint32_t n = verdict < 0 || batch->results.n == 0 ? 1 : batch->results.n, at = 0;

	for (uint32_t i = 0; i < n; i++) {
		/* the verdict of the whole batch is that of the first request */
		struct batch_result result = { .verdict = verdict ? verdict : -EIO };
		int size;

		if (verdict == 0)
			(void)batch_results_next(&batch->results, &at, &result);
		size = encode(batch, i, &result, output);
		if (size > 0)
			output->size += (size_t)size;
	}
	*endp = batch->requests[n - 1].end;
	return (int)n;
}
