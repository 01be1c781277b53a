/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "userspace/common/batch.h"

static struct batch batch;

static void begin(void)
{
	memset(&batch, 0xff, sizeof(batch)); /* nothing old may show */
	batch_init(&batch);
}

TestSuite(batch, .init = begin);

Test(batch, requests_are_packed)
{
	struct kv_batched header;
	struct kv_change change;

	cr_assert_eq(batch_write(&batch, &(struct kv_key){ "/a" }, "12345678", 8, 7), 0);
	cr_assert_eq(batch_read(&batch, &(struct kv_key){ "/b/c" }), 0);
	cr_assert_eq(batch_delete(&batch, &(struct kv_key){ "/a" }, KV_REVISION_ABSENT), 0);
	cr_assert_eq(batch.n_requests, 3);
	cr_assert_eq(batch.size, 3 * sizeof(header) + KV_CHANGE_SIZE(8) + 2 * KV_CHANGE_SIZE(0));

	memcpy(&header, batch.bytes, sizeof(header));
	memcpy(&change, batch.bytes + sizeof(header), sizeof(change));
	cr_assert_eq(header.verb, KV_VERB_WRITE);
	cr_assert_eq(header.revision, 7);
	cr_assert_eq(header.reserved, 0);
	cr_assert_str_eq(change.path, "/a");
	cr_assert_eq(change.path[63], 0);
	cr_assert_eq(change.operation, KV_CHANGE_WRITE);
	cr_assert_eq(change.length, 8);
	cr_assert_eq(change.noted, 0);
	cr_assert_arr_eq(batch.bytes + sizeof(header) + sizeof(change), "12345678\0\0\0\0\0\0\0",
			 16);

	memcpy(&header, batch.bytes + sizeof(header) + KV_CHANGE_SIZE(8), sizeof(header));
	memcpy(&change, batch.bytes + 2 * sizeof(header) + KV_CHANGE_SIZE(8), sizeof(change));
	cr_assert_eq(header.verb, KV_VERB_READ);
	cr_assert_eq(header.revision, KV_REVISION_ANY);
	cr_assert_str_eq(change.path, "/b/c");
	cr_assert_eq(change.operation, 0);
}

Test(batch, what_it_refuses)
{
	static const char text[KV_VALUE_SIZE];

	cr_assert_eq(batch_write(&batch, &(struct kv_key){ "/a" }, text, KV_VALUE_SIZE, 0),
		     -EMSGSIZE);
	cr_assert_eq(batch.n_requests, 0);
	cr_assert_eq(batch.size, 0);
}

Test(batch, full_of_requests)
{
	for (int i = 0; i < KV_BATCH_MAX; i++)
		cr_assert_eq(batch_read(&batch, &(struct kv_key){ "/a" }), 0);
	cr_assert_eq(batch_read(&batch, &(struct kv_key){ "/a" }), -E2BIG);
	cr_assert_eq(batch.n_requests, KV_BATCH_MAX);
}

Test(batch, full_of_bytes)
{
	static const char text[KV_VALUE_SIZE];
	const uint32_t one = sizeof(struct kv_batched) + KV_CHANGE_SIZE(KV_VALUE_MAX);
	uint32_t n = 0;

	while (batch_write(&batch, &(struct kv_key){ "/a" }, text, KV_VALUE_MAX, 0) == 0)
		n++;
	cr_assert_eq(n, KV_REQUEST_MAX / one);
	cr_assert_leq(batch.size, KV_REQUEST_MAX);
	cr_assert_eq(batch_read(&batch, &(struct kv_key){ "/a" }), 0, "a small one has room");
}

static void append(struct batch_results *results, int verdict, const char *text, uint32_t length)
{
	struct kv_result result = { .revision = 9, .verdict = verdict, .length = length };

	memcpy(results->bytes + results->length, &result, sizeof(result));
	memcpy(results->bytes + results->length + sizeof(result), text, length);
	results->length += KV_RESULT_SIZE(length);
	results->n++;
}

Test(batch, results_in_order)
{
	static struct batch_results results;
	struct batch_result result;
	uint32_t at = 0;

	append(&results, 0, "value", 5);
	append(&results, -EACCES, "", 0);
	append(&results, 0, "12345678", 8);
	cr_assert(batch_results_next(&results, &at, &result));
	cr_assert_eq(result.verdict, 0);
	cr_assert_eq(result.revision, 9);
	cr_assert_eq(result.length, 5);
	cr_assert_arr_eq(result.text, "value", 5);
	cr_assert(batch_results_next(&results, &at, &result));
	cr_assert_eq(result.verdict, -EACCES);
	cr_assert(batch_results_next(&results, &at, &result));
	cr_assert_arr_eq(result.text, "12345678", 8);
	cr_assert_not(batch_results_next(&results, &at, &result));
}

/* They come from the kernel, but are read as if they did not. */
Test(batch, results_out_of_bounds)
{
	static struct batch_results results;
	struct batch_result result;
	uint32_t at = 0;

	append(&results, 0, "value", 5);
	results.length -= 8;
	cr_assert_not(batch_results_next(&results, &at, &result));
	results.length = sizeof(struct kv_result) - 1;
	cr_assert_not(batch_results_next(&results, &at, &result));
	at = results.length + 1;
	cr_assert_not(batch_results_next(&results, &at, &result));
}
