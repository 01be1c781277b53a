/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes that the reference encoders give a large value, by hand: the
 * first segment holds 8 words, the value has one of its own.
 */
#include <errno.h>

#include "tests/unit/gateway-client.h"
#include "tests/unit/wire-vectors.h"

/* Where the pad of the value lies: before it (C++), behind it, or in a third
 * segment (both OCaml). */
enum shape { PAD_BEFORE, PAD_BEHIND, PAD_APART, _SHAPE_N };

static uint8_t shaped[272 * 1024];

static void put_word(size_t *at, uint64_t word)
{
	memcpy(shaped + *at, &word, 8);
	*at += 8;
}

/* Build a write of `n` times 'v' to b/c in this shape. Returns its size. */
static size_t shape_frame(enum shape shape, size_t length)
{
	uint64_t n_words = (length + 7) / 8, n_segments = shape == PAD_APART ? 3 : 2;
	uint64_t n_pads = shape == PAD_APART ? 0 : 1, blob = 1 | 2ull << 32 | length << 35;
	uint64_t fars[] = { 2 | 1ull << 32, 2 | n_words << 3 | 1ull << 32, 6 | 2ull << 32 };
	size_t at = 0;

	memset(shaped, 0, sizeof(shaped));
	put_word(&at, (n_segments - 1) | 8ull << 32);
	put_word(&at, (n_words + n_pads) | (shape == PAD_APART ? 2ull << 32 : 0));
	put_word(&at, 1ull << 32 | 2ull << 48);		     /* root */
	put_word(&at, 7);				     /* id 7, write */
	put_word(&at, 1 | 1 << 2 | 6ull << 32 | 2ull << 35); /* path */
	put_word(&at, fars[shape]);
	put_word(&at, 1 | 1 << 2 | 2ull << 32 | 2ull << 35);
	put_word(&at, 1 | 1 << 2 | 2ull << 32 | 2ull << 35);
	put_word(&at, 'b');
	put_word(&at, 'c');
	if (shape == PAD_BEFORE)
		put_word(&at, blob);
	memset(shaped + at, 'v', length);
	at += n_words * 8;
	if (shape == PAD_BEHIND)
		put_word(&at, blob | (-(n_words + 1) << 2 & UINT32_MAX));
	if (shape == PAD_APART) {
		put_word(&at, 2 | 1ull << 32);
		put_word(&at, blob);
	}
	return at;
}

/* Send the frame and the bytes after it. Returns the last step of the gateway, and in
 * `answers` its responses, "ok" or the text of an error, each with a semicolon. */
static int send_shape(size_t size, char answers[256])
{
	size_t at = 0, n_answers = 0, n_text = 0;
	static uint8_t bytes[4096];
	int status = GATEWAY_GOES_ON;

	client_setup();
	while (at < size && status == GATEWAY_GOES_ON) {
		ssize_t n = write(calf, shaped + at, size - at);

		at += n > 0 ? (size_t)n : 0;
		status = gateway_connection_step(&connection);
	}
	answers[0] = '\0';
	at = 0;
	n_answers = (size_t)read(calf, bytes, sizeof(bytes));
	while (n_answers <= sizeof(bytes) && at < n_answers) {
		struct wire_response response;
		int n = wire_frame_size(bytes + at, n_answers - at);

		cr_assert_gt(n, 0);
		cr_assert_eq(wire_decode_response(bytes + at, (size_t)n, &response), 0);
		cr_assert_eq(response.code != WIRE_CODE_NONE, response.tag == WIRE_ERROR);
		n_text += (size_t)snprintf(answers + n_text, 256 - n_text, "%s%.*s;",
					   response.tag == WIRE_OK ? "ok" : "",
					   (int)response.value.size, response.value.bytes);
		at += (size_t)n;
	}
	close(calf);
	close(gateway);
	return status;
}

Test(interop_shapes, of_the_reference_encoders)
{
	static const size_t lengths[] = { 3, 8, 1023, 1024, 2048, 8129, 8184, 8185, 61440 };
	char answers[256];

	for (size_t i = 0; i < VECTORS_N(lengths) * _SHAPE_N; i++) {
		size_t length = lengths[i / _SHAPE_N];
		size_t size = shape_frame((enum shape)(i % _SHAPE_N), length);
		int n = wire_encode_request(8, WIRE_READ, "/b/c", NULL, 0, 0, shaped + size, 256);

		memset(&store, 0, sizeof(store));
		cr_assert_gt(n, 0);
		cr_assert_eq(wire_frame_size(shaped, size), (int)size);
		cr_assert_eq(send_shape(size + (size_t)n, answers), GATEWAY_GOES_ON);
		if (length <= KV_VALUE_MAX) {
			cr_assert_eq(strncmp(answers, "ok;okvvv", 8), 0, "%s", answers);
			cr_assert_eq(strlen(test_store_text(&store, "/b/c")), length);
		} else {
			cr_assert_str_eq(answers, "value too large;err-not-found;");
		}
	}
}

Test(interop_shapes, of_255_KiB_close_the_connection)
{
	static const size_t sizes[] = { 261208, 261208, 261216 };
	char answers[256];

	memset(&store, 0, sizeof(store));
	for (size_t i = 0; i < _SHAPE_N; i++) {
		size_t size = shape_frame((enum shape)i, 255 * 1024);

		cr_assert_eq(size, sizes[i], "%zu", size);
		cr_assert_eq(send_shape(size, answers), -EMSGSIZE);
		cr_assert_str_eq(answers, "");
		cr_assert_eq(store.n_calls, 0);
	}
}
