/* SPDX-License-Identifier: Apache-2.0 */
/* A message means the same in whatever segments it comes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/wire-split.h"
#include "tests/unit/wire-vectors.h"

static bool same(const struct wire_data *a, const struct wire_data *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

static bool inside(const struct wire_data *data, const uint8_t *frame, size_t size)
{
	return !data->bytes || (data->bytes >= frame && data->size <= size &&
				(size_t)(data->bytes - frame) <= size - data->size);
}

static void expect_same_request(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
	struct wire_request first, second;

	cr_assert_eq(wire_decode_request(a, a_size, &first), 0);
	cr_assert_eq(wire_decode_request(b, b_size, &second), 0);
	cr_assert_eq(first.id, second.id);
	cr_assert_eq(first.tag, second.tag);
	cr_assert_eq(first.revision, second.revision);
	cr_assert_eq(first.path_status, second.path_status);
	cr_assert_str_eq(first.path.path, second.path.path);
	cr_assert_str_eq(first.display, second.display);
	cr_assert(same(&first.value, &second.value));
	cr_assert(inside(&second.value, b, b_size));
	cr_assert_eq(first.n_changes, second.n_changes);
	for (uint32_t i = 0; i < first.n_changes; i++) {
		struct wire_change change, again;

		cr_assert_eq(wire_request_change(a, a_size, &first, i, &change), 0);
		cr_assert_eq(wire_request_change(b, b_size, &second, i, &again), 0);
		cr_assert_eq(change.tag, again.tag);
		cr_assert_str_eq(change.path.path, again.path.path);
		cr_assert(same(&change.value, &again.value));
		cr_assert(inside(&again.value, b, b_size));
	}
	cr_assert_eq(wire_request_change(b, b_size, &second, second.n_changes,
					 &(struct wire_change){ 0 }),
		     -EBADMSG);
}

static void expect_same_response(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
	struct wire_response first, second;

	cr_assert_eq(wire_decode_response(a, a_size, &first), 0);
	cr_assert_eq(wire_decode_response(b, b_size, &second), 0);
	cr_assert_eq(first.id, second.id);
	cr_assert_eq(first.tag, second.tag);
	cr_assert_eq(first.revision, second.revision);
	cr_assert_eq(first.more, second.more);
	cr_assert_eq(first.code, second.code);
	cr_assert(same(&first.value, &second.value));
	cr_assert_eq(first.n_entries, second.n_entries);
	for (uint32_t i = 0; i < first.n_entries; i++) {
		struct wire_entry entry, again;

		cr_assert_eq(wire_response_entry(a, a_size, &first, i, &entry), 0);
		cr_assert_eq(wire_response_entry(b, b_size, &second, i, &again), 0);
		cr_assert_eq(entry.tag, again.tag);
		cr_assert_eq(entry.revision, again.revision);
		cr_assert_str_eq(entry.path.path, again.path.path);
		cr_assert(same(&entry.value, &again.value));
		cr_assert(inside(&again.value, b, b_size));
	}
}

static struct split split;
static uint8_t frame[WIRE_FRAME_MAX], apart[WIRE_FRAME_MAX];

enum { SPLITS = 3000 };

/* This frame in as many segments as there may be, over and over. */
static void split_over_and_over(size_t size,
				void (*expect)(const uint8_t *, size_t, const uint8_t *, size_t))
{
	size_t n_fars = 0, n_doubles = 0;

	for (uint32_t i = 0; i < SPLITS; i++) {
		uint32_t n_segments = i % 16 == 0 ? 64 : 1 + i % 7;
		size_t n = split_frame(&split, frame, size, n_segments, i, apart, sizeof(apart));
		uint8_t *bytes = malloc(n);

		cr_assert_gt(n, 0);
		memcpy(bytes, apart, n);
		expect(frame, size, bytes, n);
		free(bytes);
		n_fars += split.n_fars;
		n_doubles += split.n_doubles;
	}
	cr_assert_gt(n_fars, SPLITS);
	cr_assert_gt(n_doubles, SPLITS / 4);
}

Test(wire_split, split_requests_mean_the_same)
{
	for (size_t i = 0; i < VECTORS_N(request_vectors); i++)
		split_over_and_over(from_hex(request_vectors[i].hex, frame, sizeof(frame)),
				    expect_same_request);
}

Test(wire_split, split_commits_mean_the_same)
{
	static uint8_t packed[KV_REQUEST_MAX];
	size_t n = 0;
	int size;

	n = pack_change(packed, n, "/ip", "10.0.2.15/24");
	n = pack_change(packed, n, "/a/b/c/d/e/f/g/h", "");
	n = pack_change(packed, n, "/gateway", NULL);
	n = pack_change(packed, n, "/domain", "a text of more than one word, to fill some");
	size = wire_encode_commit(7, packed, n, 4, 99, frame, sizeof(frame));
	cr_assert_gt(size, 0);
	split_over_and_over((size_t)size, expect_same_request);
}

Test(wire_split, split_responses_mean_the_same)
{
	struct wire_entry entries[] = {
		{ { "/ip" }, 5, WIRE_ENTRY_VALUE, { (const uint8_t *)"10.0.2.15/24", 12 } },
		{ { "/lease/state" }, 6, WIRE_ENTRY_VALUE, { NULL, 0 } },
		{ { "/gateway" }, 7, WIRE_ENTRY_DELETED, { NULL, 0 } },
		{ { "/mac" }, 8, WIRE_ENTRY_LISTED, { NULL, 0 } },
		{ { "" }, 9, WIRE_ENTRY_SYNCED, { NULL, 0 } },
	};
	int size =
		wire_encode_entries(-3, entries, VECTORS_N(entries), 9, true, frame, sizeof(frame));

	cr_assert_gt(size, 0);
	split_over_and_over((size_t)size, expect_same_response);
	size = wire_encode_response(8, WIRE_ERROR, WIRE_CODE_CONFLICT, "conflict", 8, 5, frame,
				    sizeof(frame));
	cr_assert_gt(size, 0);
	split_over_and_over((size_t)size, expect_same_response);
	for (size_t i = 0; i < VECTORS_N(response_vectors); i++)
		split_over_and_over(from_hex(response_vectors[i].hex, frame, sizeof(frame)),
				    expect_same_response);
}

/* A split message, and each of its segments one word shorter. */
Test(wire_split, split_messages_shortened)
{
	size_t size = from_hex(request_vectors[4].hex, frame, sizeof(frame));

	for (uint32_t i = 0; i < SPLITS; i++) {
		uint32_t n_segments = 2 + i % 5;
		size_t table = (4 + 4 * (size_t)n_segments + 7) & ~(size_t)7;
		size_t n = split_frame(&split, frame, size, n_segments, i, apart, sizeof(apart));
		size_t end = table;

		for (uint32_t j = 0; j < n_segments; j++) {
			uint8_t shorter[1024];
			struct wire_request request;

			end += split.n[j] * 8;
			if (split.n[j] == 0)
				continue;
			memcpy(shorter, apart, n);
			memmove(shorter + end - 8, shorter + end, n - end);
			shorter[4 + 4 * j]--;
			cr_assert_lt(decode_exact(shorter, n - 8, &request), 0);
		}
	}
}
