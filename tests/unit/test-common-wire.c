/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
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
		int r = wire_encode_response(vector->id, vector->tag, WIRE_CODE_NONE, vector->value,
					     strlen(vector->value), 0, got, sizeof(got));

		cr_assert_eq(r, (int)size);
		cr_assert_arr_eq(got, want, size);
		cr_assert_eq(wire_decode_response(got, size, &response), 0);
		cr_assert_eq(response.id, vector->id);
		cr_assert_eq(response.tag, vector->tag);
		cr_assert_eq(response.code, WIRE_CODE_NONE, "of a gateway without codes");
		cr_assert(data_is(&response.value, vector->value));
	}
}

/* The last byte of the struct's first word, behind the table and the root. */
#define CODE_AT (8 + 8 + 7)

/* Whatever the code, the response is as long as without one and differs from
 * it in one byte. */
Test(wire, code_takes_one_byte)
{
	static const uint64_t revisions[] = { 0, 77 };

	for (unsigned int i = 0; i < 2 * 256; i++) {
		uint64_t revision = revisions[i / 256];
		struct wire_response response;
		uint8_t without[64], with[64];
		int size = wire_encode_response(-3, WIRE_ERROR, WIRE_CODE_NONE, "foo", 3, revision,
						without, sizeof(without));
		int r = wire_encode_response(-3, WIRE_ERROR, (enum wire_code)(i % 256), "foo", 3,
					     revision, with, sizeof(with));

		cr_assert_eq(r, size);
		cr_assert_eq(without[CODE_AT], 0);
		cr_assert_eq(with[CODE_AT], i % 256);
		cr_assert_eq(wire_decode_response(with, (size_t)r, &response), 0);
		cr_assert_eq(response.code, i % 256);
		cr_assert_eq(response.id, -3);
		cr_assert_eq(response.tag, WIRE_ERROR);
		cr_assert_eq(response.revision, revision);
		cr_assert_not(response.more);
		cr_assert(data_is(&response.value, "foo"));
		with[CODE_AT] = 0;
		cr_assert_arr_eq(with, without, (size_t)size);
	}
}

/* The next enumerant's name in the text of a schema, behind which `*atp` is
 * then; its ordinal, or -1 at the end of the enum. */
static int next_enumerant(const char **atp, char name[static 64])
{
	unsigned int ordinal;
	int n = 0;

	while (*atp && **atp != '}') {
		if (sscanf(*atp, " %63[a-zA-Z] @%u;%n", name, &ordinal, &n) == 2 && n > 0)
			break;
		*atp = strchr(*atp, '\n');
		*atp += *atp ? 1 : 0;
	}
	if (n == 0)
		return -1;
	*atp += n;
	return (int)ordinal;
}

/* The codes of wire.h are those of control.capnp, with the same numbers. */
Test(wire, codes_are_those_of_the_schema)
{
	static const char *const names[] = {
		[WIRE_CODE_NONE] = "none",
		[WIRE_CODE_FAILED] = "failed",
		[WIRE_CODE_NOT_FOUND] = "notFound",
		[WIRE_CODE_NOT_ALLOWED] = "notAllowed",
		[WIRE_CODE_VALUE_TOO_LARGE] = "valueTooLarge",
		[WIRE_CODE_WRONG_TYPE] = "wrongType",
		[WIRE_CODE_QUOTA_EXCEEDED] = "quotaExceeded",
		[WIRE_CODE_CONFLICT] = "conflict",
		[WIRE_CODE_TRY_AGAIN] = "tryAgain",
		[WIRE_CODE_TOO_MANY_CHANGES] = "tooManyChanges",
		[WIRE_CODE_TOO_MANY_WATCHES] = "tooManyWatches",
		[WIRE_CODE_UNKNOWN_OPERATION] = "unknownOperation",
	};
	static const char begin[] = "\nenum Code {\n";
	static char schema[65536];
	FILE *file = fopen("userspace/common/control.capnp", "r");
	const char *at;
	char name[64];
	int n = 0, ordinal;

	cr_assert_eq(VECTORS_N(names), _WIRE_CODE_N);
	cr_assert_not_null(file, "run from the top of the tree");
	cr_assert_gt(fread(schema, 1, sizeof(schema) - 1, file), 0);
	fclose(file);
	at = strstr(schema, begin);
	cr_assert_not_null(at);
	at += strlen(begin);
	for (; (ordinal = next_enumerant(&at, name)) >= 0; n++) {
		cr_assert_eq(ordinal, n);
		cr_assert_lt(n, _WIRE_CODE_N, "%s is not in wire.h", name);
		cr_assert_str_eq(name, names[n]);
	}
	cr_assert_eq(n, _WIRE_CODE_N, "%d codes in the schema", n);
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
	size_t n = pack_change(packed, 0, "/nameserver/001", "10.0.2.3\n");

	n = pack_change(packed, n, "/b", NULL);
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
		n = pack_change(packed, n, "/route/001", NULL);
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

Test(wire, revision_makes_the_struct_longer)
{
	uint8_t with[64], without[64];
	struct wire_request request;
	struct wire_response response;
	int n = wire_encode_request(1, WIRE_DELETE, "/a", NULL, 0, 0, without, sizeof(without));
	int m = wire_encode_request(1, WIRE_DELETE, "/a", NULL, 0, 7, with, sizeof(with));

	cr_assert_eq(n + 8, m);
	cr_assert_eq(without[12], 1);
	cr_assert_eq(with[12], 2);
	cr_assert_eq(wire_decode_request(with, (size_t)m, &request), 0);
	cr_assert_eq(request.revision, 7);
	cr_assert_eq(wire_decode_request(without, (size_t)n, &request), 0);
	cr_assert_eq(request.revision, 0);

	n = wire_encode_response(1, WIRE_ERROR, WIRE_CODE_FAILED, "x", 1, 0, without,
				 sizeof(without));
	m = wire_encode_response(1, WIRE_ERROR, WIRE_CODE_FAILED, "x", 1, UINT64_MAX, with,
				 sizeof(with));
	cr_assert_eq(n + 8, m);
	cr_assert_eq(wire_decode_response(with, (size_t)m, &response), 0);
	cr_assert_eq(response.revision, UINT64_MAX);
	cr_assert_eq(response.n_entries, 0);
	cr_assert(!response.more);
	cr_assert(data_is(&response.value, "x"));
}

Test(wire, commit_carries_its_revision)
{
	uint8_t packed[256], frame[256];
	size_t n = pack_change(packed, 0, "/a", "b");
	struct wire_request request;
	int size = wire_encode_commit(1, packed, n, 1, 1ull << 63, frame, sizeof(frame));

	cr_assert_gt(size, 0);
	cr_assert_eq(wire_decode_request(frame, (size_t)size, &request), 0);
	cr_assert_eq(request.revision, 1ull << 63);
	cr_assert_eq(request.n_changes, 1);
}

Test(wire, list_and_watch_requests)
{
	for (unsigned int tag = WIRE_LIST; tag <= WIRE_WATCH; tag++) {
		struct wire_request request;
		uint8_t frame[64];
		int size = wire_encode_request(5, (enum wire_request_tag)tag, "/a", "x", 1, 0,
					       frame, sizeof(frame));

		cr_assert_eq(size, 8 + 8 * 6, "no value is written");
		cr_assert_eq(wire_decode_request(frame, (size_t)size, &request), 0);
		cr_assert_eq(request.tag, tag);
		cr_assert_str_eq(request.path.path, "/a");
		cr_assert_null(request.value.bytes);
	}
}

static const struct wire_entry some_entries[] = {
	{ { "/nameserver/001" }, 5, WIRE_ENTRY_VALUE, { (const uint8_t *)"10.0.2.3", 8 } },
	{ { "/a" }, 6, WIRE_ENTRY_DELETED, { NULL, 0 } },
	{ { "" }, 7, WIRE_ENTRY_SYNCED, { NULL, 0 } },
};

Test(wire, entries_both_ways)
{
	struct wire_response response;
	struct wire_entry entry;
	uint8_t frame[512];
	int size = wire_encode_entries(-1, some_entries, 3, 9, true, frame, sizeof(frame));

	cr_assert_gt(size, 0);
	for (int i = 0; i < size; i++)
		cr_assert_eq(wire_encode_entries(-1, some_entries, 3, 9, true, frame, (size_t)i),
			     -EMSGSIZE);
	cr_assert_eq(wire_encode_entries(-1, some_entries, 3, 9, true, frame, (size_t)size), size);
	cr_assert_eq(wire_decode_response(frame, (size_t)size, &response), 0);
	cr_assert_eq(response.id, -1);
	cr_assert_eq(response.tag, WIRE_ENTRIES);
	cr_assert_eq(response.revision, 9);
	cr_assert(response.more);
	cr_assert_eq(response.n_entries, 3);
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(wire_response_entry(frame, (size_t)size, &response, i, &entry), 0);
		cr_assert_str_eq(entry.path.path, some_entries[i].path.path);
		cr_assert_eq(entry.revision, some_entries[i].revision);
		cr_assert_eq(entry.tag, some_entries[i].tag);
		cr_assert(data_is(&entry.value, i == 0 ? "10.0.2.3" : ""));
	}
	cr_assert_eq(wire_response_entry(frame, (size_t)size, &response, 3, &entry), -EBADMSG);

	/* No entries at all; the last page. */
	size = wire_encode_entries(-1, NULL, 0, 9, false, frame, sizeof(frame));
	cr_assert_gt(size, 0);
	cr_assert_eq(wire_decode_response(frame, (size_t)size, &response), 0);
	cr_assert_eq(response.n_entries, 0);
	cr_assert(!response.more);
}

Test(wire, entries_that_cannot_be_encoded)
{
	struct wire_entry entry = { { "/A" }, 5, WIRE_ENTRY_LISTED, { NULL, 0 } };
	uint8_t frame[512];

	cr_assert_eq(wire_encode_entries(1, &entry, 1, 9, false, frame, sizeof(frame)), -EILSEQ);
	entry.path = (struct kv_key){ "/a" };
	entry.tag = WIRE_ENTRY_VALUE;
	entry.value = (struct wire_data){ frame, SIZE_MAX };
	cr_assert_eq(wire_encode_entries(1, &entry, 1, 9, false, frame, sizeof(frame)), -EMSGSIZE);
}

/* The gateway never sends a path that cannot be that of a key. */
Test(wire, malformed_entries)
{
	struct wire_response response;
	uint8_t frame[512];
	int size = wire_encode_entries(1, some_entries, 3, 9, false, frame, sizeof(frame));
	uint8_t *name = memmem(frame, (size_t)size, "nameserv", 8);

	cr_assert_not_null(name);
	*name = 'N';
	cr_assert_eq(wire_decode_response(frame, (size_t)size, &response), -EILSEQ);
	*name = 'n';
	cr_assert_eq(wire_decode_response(frame, (size_t)size, &response), 0);
	frame[8 * 5 + 4] = 1; /* one data word an element: no tag in it */
	cr_assert_eq(wire_decode_response(frame, (size_t)size, &response), -EPROTO);
}
