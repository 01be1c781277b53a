/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Valid messages, from which the fuzzers' seeds and the oracle's mutations are made.
 * Each has one segment; wire-split.h splits it into more.
 */
#ifndef CALFPEN_TESTS_FUZZ_MESSAGES_H
#define CALFPEN_TESTS_FUZZ_MESSAGES_H

#include <stdlib.h>

#include "tests/unit/wire-vectors.h"

#define MESSAGE_MAX 4096

static inline int message_commit(uint64_t revision, uint8_t *to)
{
	uint8_t packed[1024];
	size_t at = 0;

	at = pack_change(packed, at, "/ip", "10.0.2.15/24");
	at = pack_change(packed, at, "/nameserver/001", "10.0.2.3\n");
	at = pack_change(packed, at, "/b/c", NULL);
	at = pack_change(packed, at, "/a", "");
	return wire_encode_commit(4, packed, at, 4, revision, to, MESSAGE_MAX);
}

/* Make the i-th request. Returns its size, or 0 after the last one. */
static inline size_t message_request(size_t i, uint8_t *to)
{
	static const char wider[] = "00000000 08000000 00000000 02000300 07000000 03000000 00000000"
				    "00000000 09000000 0e000000 00000000 00000000 00000000 00000000"
				    "01000000 12000000 61000000 00000000";
	int n = 0;

	if (i < VECTORS_N(request_vectors))
		return from_hex(request_vectors[i].hex, to, MESSAGE_MAX);
	switch (i - VECTORS_N(request_vectors)) {
	case 0:
		return from_hex(wider, to, MESSAGE_MAX);
	case 1:
		n = message_commit(0, to);
		break;
	case 2:
		n = message_commit(77, to);
		break;
	case 3:
		n = wire_encode_request(1, WIRE_WRITE, "/foo/bar", "some text", 9, 5, to,
					MESSAGE_MAX);
		break;
	case 4:
		n = wire_encode_request(2, WIRE_DELETE, "/a", NULL, 0, UINT64_MAX, to, MESSAGE_MAX);
		break;
	case 5:
		n = wire_encode_request(3, WIRE_LIST, "/nameserver", NULL, 0, 1, to, MESSAGE_MAX);
		break;
	case 6:
		n = wire_encode_request(4, WIRE_WATCH, "/b", NULL, 0, 0, to, MESSAGE_MAX);
		break;
	case 7:
		n = wire_encode_request(5, WIRE_READ, "/a/b/c/d/e/f/g/h", NULL, 0, 0, to,
					MESSAGE_MAX);
		break;
	case 8:
		n = wire_encode_commit(6, NULL, 0, 0, 0, to, MESSAGE_MAX);
		break;
	default:
		return 0;
	}
	if (n <= 0)
		abort();
	return (size_t)n;
}

/* Make the i-th response, likewise. */
static inline size_t message_response(size_t i, uint8_t *to)
{
	static const uint8_t text[] = "10.0.2.15/24";
	static const struct wire_entry entries[] = {
		{ { "/ip" }, 5, WIRE_ENTRY_VALUE, { text, 12 } },
		{ { "/lease/state" }, 6, WIRE_ENTRY_VALUE, { NULL, 0 } },
		{ { "/gateway" }, 7, WIRE_ENTRY_DELETED, { NULL, 0 } },
		{ { "/mac" }, 8, WIRE_ENTRY_LISTED, { NULL, 0 } },
		{ { "" }, 9, WIRE_ENTRY_SYNCED, { NULL, 0 } },
		{ { "" }, 10, WIRE_ENTRY_RESYNC, { NULL, 0 } },
	};
	int n = 0;

	if (i < VECTORS_N(response_vectors))
		return from_hex(response_vectors[i].hex, to, MESSAGE_MAX);
	switch (i - VECTORS_N(response_vectors)) {
	case 0:
		n = wire_encode_response(6, WIRE_OK, WIRE_CODE_NONE, "a value", 7, 99, to,
					 MESSAGE_MAX);
		break;
	case 1:
		n = wire_encode_entries(7, entries, VECTORS_N(entries), 10, true, to, MESSAGE_MAX);
		break;
	case 2:
		n = wire_encode_entries(8, entries + 3, 1, 10, false, to, MESSAGE_MAX);
		break;
	case 3:
		n = wire_encode_entries(9, NULL, 0, 10, false, to, MESSAGE_MAX);
		break;
	case 4:
		n = wire_encode_response(10, WIRE_ERROR, WIRE_CODE_CONFLICT, "conflict", 8, 0, to,
					 MESSAGE_MAX);
		break;
	case 5:
		n = wire_encode_response(11, WIRE_ERROR, (enum wire_code)UINT8_MAX, "x", 1, 99, to,
					 MESSAGE_MAX);
		break;
	default:
		return 0;
	}
	if (n <= 0)
		abort();
	return (size_t)n;
}

#endif
