/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/batch.h"

#include <errno.h>
#include <string.h>

void batch_init(struct batch *batch)
{
	batch->n_requests = 0;
	batch->size = 0;
}

static int batch_append(struct batch *batch, uint32_t verb, const struct kv_key *key,
			uint16_t operation, const char *text, size_t length, uint64_t condition)
{
	const struct kv_batched header = { .revision = condition, .verb = verb };
	struct kv_change change = { .operation = operation, .length = (uint16_t)length };
	uint8_t *at;

	if (length > KV_VALUE_MAX)
		return -EMSGSIZE;
	if (batch->n_requests == KV_BATCH_MAX ||
	    sizeof(header) + KV_CHANGE_SIZE(length) > KV_REQUEST_MAX - batch->size)
		return -E2BIG;
	memcpy(change.path, key->path, sizeof(change.path));
	at = batch->bytes + batch->size;
	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), &change, sizeof(change));
	at += sizeof(header) + sizeof(change);
	/* the last word contains the padding, too */
	memset(at + (length & ~(size_t)7), 0, 8);
	if (length)
		memcpy(at, text, length);
	batch->size += (uint32_t)sizeof(header) + KV_CHANGE_SIZE(length);
	batch->n_requests++;
	return 0;
}

int batch_read(struct batch *batch, const struct kv_key *key)
{
	return batch_append(batch, KV_VERB_READ, key, 0, NULL, 0, KV_REVISION_ANY);
}

int batch_write(struct batch *batch, const struct kv_key *key, const char *text, size_t length,
		uint64_t condition)
{
	return batch_append(batch, KV_VERB_WRITE, key, KV_CHANGE_WRITE, text, length, condition);
}

int batch_delete(struct batch *batch, const struct kv_key *key, uint64_t condition)
{
	return batch_append(batch, KV_VERB_DELETE, key, KV_CHANGE_DELETE, NULL, 0, condition);
}

bool batch_results_next(const struct batch_results *results, uint32_t *atp,
			struct batch_result *resultp)
{
	uint32_t at = *atp, left = results->length - at;
	struct kv_result result;

	if (at > results->length || left < sizeof(result))
		return false;
	memcpy(&result, results->bytes + at, sizeof(result));
	if (result.length > KV_VALUE_MAX || KV_RESULT_SIZE(result.length) > left)
		return false;
	*resultp = (struct batch_result){
		.verdict = result.verdict,
		.revision = result.revision,
		.length = result.length,
		.text = results->bytes + at + sizeof(result),
	};
	*atp = at + KV_RESULT_SIZE(result.length);
	return true;
}
