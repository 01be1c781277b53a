/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/wire-vectors.h"

Test(wire, requests_encode_to_the_vectors)
{
	for (size_t i = 0; i < VECTORS_N(request_vectors); i++) {
		const struct request_vector *vector = &request_vectors[i];
		uint8_t want[256], got[256];
		size_t size = from_hex(vector->hex, want, sizeof(want));
		int r = wire_encode_request(vector->id, vector->tag, vector->path, vector->value,
					    strlen(vector->value), 0, got, sizeof(got));

		cr_assert_eq(r, (int)size, "vector %zu: %d", i, r);
		cr_assert_arr_eq(got, want, size, "vector %zu", i);
	}
}

Test(wire, requests_decode_from_the_vectors)
{
	for (size_t i = 0; i < VECTORS_N(request_vectors); i++) {
		const struct request_vector *vector = &request_vectors[i];
		struct wire_request request;

		cr_assert_eq(decode_hex(vector->hex, &request), 0);
		cr_assert_eq(request.id, vector->id);
		cr_assert_eq(request.tag, vector->tag);
		cr_assert_eq(request.path_status, 0);
		cr_assert_eq(request.revision, 0);
		cr_assert_str_eq(request.path.path, vector->path);
		cr_assert_str_eq(request.display, vector->path + (vector->path[0] == '/'));
		cr_assert(data_is(&request.value, vector->value));
	}
}

Test(wire, responses_encode_to_the_vectors_and_back)
{
	for (size_t i = 0; i < VECTORS_N(response_vectors); i++) {
		const struct response_vector *vector = &response_vectors[i];
		struct wire_response response;
		uint8_t want[256], got[256];
		size_t size = from_hex(vector->hex, want, sizeof(want));
		int r = wire_encode_response(vector->id, vector->tag, vector->value,
					     strlen(vector->value), 0, got, sizeof(got));

		cr_assert_eq(r, (int)size);
		cr_assert_arr_eq(got, want, size);
		cr_assert_eq(wire_decode_response(got, size, &response), 0);
		cr_assert_eq(response.id, vector->id);
		cr_assert_eq(response.tag, vector->tag);
		cr_assert(data_is(&response.value, vector->value));
	}
}

Test(wire, frame_size_waits_for_the_table_only)
{
	uint8_t bytes[256];
	size_t size = from_hex(request_vectors[0].hex, bytes, sizeof(bytes));

	for (size_t n = 0; n < 8; n++)
		cr_assert_eq(wire_frame_size(bytes, n), 0);
	for (size_t n = 8; n <= sizeof(bytes); n++)
		cr_assert_eq(wire_frame_size(bytes, n), (int)size);
}

Test(wire, truncated_messages_are_refused_at_every_byte)
{
	for (size_t i = 0; i < VECTORS_N(request_vectors); i++) {
		uint8_t bytes[256];
		size_t size = from_hex(request_vectors[i].hex, bytes, sizeof(bytes));

		for (size_t n = 0; n < size; n++) {
			uint8_t *exact = malloc(n > 0 ? n : 1);
			struct wire_request request = { .id = 77 };

			memcpy(exact, bytes, n);
			cr_assert_eq(wire_decode_request(exact, n, &request), -EBADMSG);
			cr_assert_eq(request.id, 77, "output written on failure");
			free(exact);
		}
		cr_assert_eq(wire_decode_request(bytes, size + 8, &(struct wire_request){ 0 }),
			     -EBADMSG);
	}
}

/* Fewer words in the table than the objects need: bounds, not luck. */
Test(wire, every_shorter_segment_is_refused)
{
	for (size_t i = 0; i < VECTORS_N(request_vectors); i++) {
		uint8_t bytes[256];
		size_t size = from_hex(request_vectors[i].hex, bytes, sizeof(bytes));

		for (size_t n_words = 1; n_words < size / 8 - 1; n_words++) {
			struct wire_request request;

			bytes[4] = (uint8_t)n_words;
			cr_assert_eq(wire_decode_request(bytes, 8 + n_words * 8, &request),
				     -EBADMSG);
		}
	}
}

Test(wire, small_buffers_are_refused_by_the_encoder)
{
	for (size_t i = 0; i < VECTORS_N(request_vectors); i++) {
		const struct request_vector *vector = &request_vectors[i];
		uint8_t bytes[256];
		size_t size = from_hex(vector->hex, bytes, sizeof(bytes));

		for (size_t n = 0; n < size; n++) {
			uint8_t *exact = malloc(n > 0 ? n : 1);

			cr_assert_eq(wire_encode_request(vector->id, vector->tag, vector->path,
							 vector->value, strlen(vector->value), 0,
							 exact, n),
				     -EMSGSIZE);
			free(exact);
		}
	}
	cr_assert_eq(wire_encode_request(1, WIRE_READ, "not/canonical", NULL, 0, 0,
					 (uint8_t[64]){ 0 }, 64),
		     -EILSEQ);
}

Test(wire, largest_frame)
{
	static uint8_t frame[WIRE_FRAME_MAX + 8], value[WIRE_FRAME_MAX];
	size_t room = WIRE_FRAME_MAX - 8 - 8 * 6;
	struct wire_request request;
	int size;

	memset(value, 'v', sizeof(value));
	size = wire_encode_request(1, WIRE_WRITE, "/a", value, room, 0, frame, sizeof(frame));
	cr_assert_eq(size, WIRE_FRAME_MAX);
	cr_assert_eq(wire_decode_request(frame, (size_t)size, &request), 0);
	cr_assert_eq(request.value.size, room);
	cr_assert_arr_eq(request.value.bytes, value, room);
	cr_assert_eq(wire_encode_request(1, WIRE_WRITE, "/a", value, room + 1, 0, frame,
					 sizeof(frame)),
		     -EMSGSIZE);
	cr_assert_eq(wire_encode_request(1, WIRE_WRITE, "/a", value, SIZE_MAX, 0, frame,
					 sizeof(frame)),
		     -EMSGSIZE);
}

static size_t pack(uint8_t *packed, size_t at, const char *path, const char *text)
{
	struct kv_change change = {
		.operation = text ? KV_CHANGE_WRITE : KV_CHANGE_DELETE,
		.length = (uint16_t)(text ? strlen(text) : 0),
	};
	size_t size = KV_CHANGE_SIZE(change.length);

	memcpy(change.path, path, strlen(path));
	memset(packed + at, 0, size);
	memcpy(packed + at, &change, sizeof(change));
	if (text)
		memcpy(packed + at + sizeof(change), text, strlen(text));
	return at + size;
}

static const char commit_hex[] =
	"00000000 15000000 00000000 02000200 04000000 05000000 00000000 00000000"
	"00000000 00000000 01000000 37000000 08000000 01000200 00000000 00000000"
	"11000000 16000000 21000000 4a000000 01000000 00000000 21000000 0e000000"
	"00000000 00000000 05000000 5a000000 09000000 22000000 6e616d65 73657276"
	"65720000 00000000 30303100 00000000 31302e30 2e322e33 0a000000 00000000"
	"01000000 12000000 62000000 00000000";

Test(wire, commit_encodes_to_what_the_reference_writes_but_for_the_null_path)
{
	uint8_t want[512], got[512], packed[1024];
	size_t size = from_hex(commit_hex, want, sizeof(want));
	size_t n = pack(packed, 0, "/nameserver/001", "10.0.2.3\n");

	n = pack(packed, n, "/b", NULL);
	cr_assert_eq(wire_encode_commit(4, packed, n, 2, 0, got, sizeof(got)), (int)size);
	cr_assert_arr_eq(got, want, size);
	for (size_t i = 0; i < size; i++)
		cr_assert_eq(wire_encode_commit(4, packed, n, 2, 0, got, i), -EMSGSIZE);
}

Test(wire, commit_decodes)
{
	uint8_t frame[512];
	size_t size = from_hex(commit_hex, frame, sizeof(frame));
	struct wire_request request;
	struct wire_change change;

	cr_assert_eq(wire_decode_request(frame, size, &request), 0);
	cr_assert_eq(request.id, 4);
	cr_assert_eq(request.tag, WIRE_COMMIT);
	cr_assert_eq(request.n_changes, 2);
	cr_assert_str_eq(request.path.path, "");
	cr_assert_eq(wire_request_change(frame, size, &request, 0, &change), 0);
	cr_assert_eq(change.tag, WIRE_CHANGE_WRITE);
	cr_assert_str_eq(change.path.path, "/nameserver/001");
	cr_assert(data_is(&change.value, "10.0.2.3\n"));
	cr_assert_eq(wire_request_change(frame, size, &request, 1, &change), 0);
	cr_assert_eq(change.tag, WIRE_CHANGE_DELETE);
	cr_assert_str_eq(change.path.path, "/b");
	cr_assert_eq(wire_request_change(frame, size, &request, 2, &change), -EBADMSG);
}

Test(wire, commit_of_nothing_and_of_the_most)
{
	static uint8_t packed[KV_CHANGES_MAX * 80], frame[WIRE_FRAME_MAX];
	struct wire_request request;
	struct wire_change change;
	size_t n = 0;
	int size;

	size = wire_encode_commit(1, packed, 0, 0, 0, frame, sizeof(frame));
	cr_assert_gt(size, 0);
	cr_assert_eq(wire_decode_request(frame, (size_t)size, &request), 0);
	cr_assert_eq(request.n_changes, 0);

	for (uint32_t i = 0; i < KV_CHANGES_MAX; i++)
		n = pack(packed, n, "/route/001", NULL);
	size = wire_encode_commit(1, packed, n, KV_CHANGES_MAX, 0, frame, sizeof(frame));
	cr_assert_gt(size, 0);
	cr_assert_eq(wire_decode_request(frame, (size_t)size, &request), 0);
	cr_assert_eq(request.n_changes, KV_CHANGES_MAX);
	cr_assert_eq(
		wire_request_change(frame, (size_t)size, &request, KV_CHANGES_MAX - 1, &change), 0);
	cr_assert_str_eq(change.path.path, "/route/001");
	cr_assert_eq(wire_encode_commit(1, packed, n, KV_CHANGES_MAX + 1, 0, frame, sizeof(frame)),
		     -E2BIG);
	cr_assert_eq(wire_encode_commit(1, packed, n - 1, KV_CHANGES_MAX, 0, frame, sizeof(frame)),
		     -EINVAL);
	cr_assert_eq(wire_encode_commit(1, packed, n, KV_CHANGES_MAX - 1, 0, frame, sizeof(frame)),
		     -EINVAL);
}
