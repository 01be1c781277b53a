/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the control protocol as hex, and the help to use them. The
 * golden ones were made with `capnp encode` 0.9.2; tests/interop makes them
 * again and compares.
 */
#ifndef CALFPEN_TESTS_WIRE_VECTORS_H
#define CALFPEN_TESTS_WIRE_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "maps/kv.h"
#include "userspace/common/wire.h"

struct request_vector {
	const char *hex;
	int32_t id;
	enum wire_request_tag tag;
	const char *path;
	const char *value;
};

static const struct request_vector request_vectors[] __attribute__((unused)) = {
	{ "00000000 08000000 00000000 01000200 00000000 01000000 05000000 16000000"
	  "00000000 00000000 05000000 22000000 05000000 22000000 666f6f0000000000 6261720000000000",
	  0, WIRE_READ, "/foo/bar", "" },
	{ "00000000 05000000 00000000 01000200 ffffff7f 00000000 05000000 06000000 01000000"
	  "1a000000 666f6f0000000000",
	  INT32_MAX, WIRE_WRITE, "", "foo" },
	{ "00000000 04000000 00000000 01000200 00000000 02000000 05000000 06000000 00000000"
	  "00000000",
	  0, WIRE_DELETE, "", "" },
	{ "00000000 06000000 00000000 01000200 fdffffff 02000000 05000000 0e000000 00000000"
	  "00000000 01000000 22000000 666f6f0000000000",
	  -3, WIRE_DELETE, "/foo", "" },
	{ "00000000 0b000000 00000000 01000200 04000000 00000000 05000000 16000000 15000000"
	  "4a000000 05000000 5a000000 09000000 22000000 6e616d6573657276 6572000000000000"
	  "3030310000000000 31302e302e322e33 0a00000000000000",
	  4, WIRE_WRITE, "/nameserver/001", "10.0.2.3\n" },
};

struct response_vector {
	const char *hex;
	int32_t id;
	enum wire_response_tag tag;
	const char *value;
};

static const struct response_vector response_vectors[] __attribute__((unused)) = {
	{ "00000000 03000000 00000000 01000100 00000000 00000000 01000000 02000000", 0, WIRE_OK,
	  "" },
	{ "00000000 04000000 00000000 01000100 ffffff7f 00000000 01000000 1a000000"
	  "666f6f0000000000",
	  INT32_MAX, WIRE_OK, "foo" },
	{ "00000000 03000000 00000000 01000100 00000000 01000000 01000000 02000000", 0, WIRE_ERROR,
	  "" },
	{ "00000000 04000000 00000000 01000100 fdffffff 01000000 01000000 1a000000"
	  "666f6f0000000000",
	  -3, WIRE_ERROR, "foo" },
	{ "00000000 05000000 00000000 01000100 05000000 01000000 01000000 6a000000"
	  "6572722d6e6f742d 666f756e64000000",
	  5, WIRE_ERROR, "err-not-found" },
};

#define VECTORS_N(_vectors) (sizeof(_vectors) / sizeof((_vectors)[0]))

/* Bytes of hex text, blanks ignored; returns their number. */
static inline size_t from_hex(const char *hex, uint8_t *bytes, size_t size)
{
	size_t n_digits = 0;

	memset(bytes, 0, size);
	for (; *hex && n_digits / 2 < size; hex++) {
		unsigned int digit;

		if (*hex == ' ')
			continue;
		digit = (unsigned int)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
		bytes[n_digits / 2] |= (uint8_t)(digit << (n_digits % 2 ? 0 : 4));
		n_digits++;
	}
	return n_digits / 2;
}

/* Decode from memory of exactly the frame's size, so that a sanitizer sees a
 * read behind it; that memory is there until the next call. */
static inline int decode_exact(const uint8_t *bytes, size_t size, struct wire_request *request)
{
	static uint8_t *exact;

	free(exact);
	exact = malloc(size > 0 ? size : 1);
	memcpy(exact, bytes, size);
	return wire_decode_request(exact, size, request);
}

static inline int decode_hex(const char *hex, struct wire_request *request)
{
	static uint8_t bytes[WIRE_FRAME_MAX];
	size_t size = from_hex(hex, bytes, sizeof(bytes));

	return decode_exact(bytes, size, request);
}

/* Append a change of a commit, NULL: a delete. Where the next one goes. */
static inline size_t pack_change(uint8_t *packed, size_t at, const char *path, const char *text)
{
	struct kv_change change = {
		.operation = text ? KV_CHANGE_WRITE : KV_CHANGE_DELETE,
		.length = (uint16_t)(text ? strlen(text) : 0),
	};
	size_t size = KV_CHANGE_SIZE(change.length);

	strcpy(change.path, path);
	memset(packed + at, 0, size);
	memcpy(packed + at, &change, sizeof(change));
	if (text)
		memcpy(packed + at + sizeof(change), text, strlen(text));
	return at + size;
}

static inline bool data_is(const struct wire_data *data, const char *text)
{
	return data->size == strlen(text) &&
	       memcmp(data->bytes ? data->bytes : (const uint8_t *)"", text, data->size) == 0;
}

#endif
