/* SPDX-License-Identifier: Apache-2.0 */
/* One test per row of the decoder's rules, and the published attacks. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/wire-vectors.h"

/* A frame put together word by word, in memory of exactly its size. */
struct draft {
	uint8_t bytes[WIRE_FRAME_MAX + 64];
	size_t n_words;
};

static void add(struct draft *draft, uint64_t word)
{
	memcpy(draft->bytes + 8 + draft->n_words * 8, &word, 8);
	draft->n_words++;
	memcpy(draft->bytes, &(uint32_t){ 0 }, 4);
	memcpy(draft->bytes + 4, &(uint32_t){ (uint32_t)draft->n_words }, 4);
}

static int decode(const struct draft *draft, struct wire_request *request)
{
	size_t size = 8 + draft->n_words * 8;
	uint8_t *exact = malloc(size);
	int r;

	memcpy(exact, draft->bytes, size);
	r = wire_decode_request(exact, size, request);
	free(exact);
	return r;
}

static uint64_t struct_pointer(int32_t offset, uint64_t n_data, uint64_t n_pointers)
{
	return ((uint64_t)(uint32_t)offset << 2 & UINT32_MAX) | n_data << 32 | n_pointers << 48;
}

static uint64_t list_pointer(int32_t offset, uint64_t element, uint64_t count)
{
	return ((uint64_t)(uint32_t)offset << 2 & UINT32_MAX) | 1 | element << 32 | count << 35;
}

static uint64_t request_head(uint64_t id, uint64_t tag)
{
	return id | tag << 32;
}

/* Root, data and the two pointers of a request: words 0..3. */
static void add_request(struct draft *draft, uint64_t tag, uint64_t path, uint64_t value)
{
	*draft = (struct draft){ 0 };
	add(draft, struct_pointer(0, 1, 2));
	add(draft, request_head(1, tag));
	add(draft, path);
	add(draft, value);
}

static int table(const char *hex)
{
	uint8_t bytes[512];

	return wire_frame_size(bytes, from_hex(hex, bytes, sizeof(bytes)));
}

Test(wire_hostile, table_limits_decided_before_the_body)
{
	cr_assert_eq(table("ffffffff"), -EMSGSIZE);	     /* count wraps to 0 */
	cr_assert_eq(table("40000000"), -EMSGSIZE);	     /* 65 segments */
	cr_assert_eq(table("3f000000"), 0);		     /* 64: sizes to come */
	cr_assert_eq(table("00000000 00000000"), -EMSGSIZE); /* segment 0 empty */
	cr_assert_eq(table("00000000 ff1f0000"), 65536);     /* exactly 64 KiB */
	cr_assert_eq(table("00000000 00200000"), -EMSGSIZE); /* 64 KiB + 8 */
	cr_assert_eq(table("00000000 ffffffff"), -EMSGSIZE); /* sum wraps 32 bits */
	cr_assert_eq(table("00000000 00000020"), -EMSGSIZE); /* bytes wrap 32 bits */
}

Test(wire_hostile, positions_outside_the_segment)
{
	static const int32_t offsets[] = { 6, 100, -4, -5, -1000, (1 << 29) - 1, -(1 << 29) };
	struct wire_request request;
	struct draft draft;

	for (size_t i = 0; i < VECTORS_N(offsets); i++) {
		add_request(&draft, WIRE_READ, list_pointer(offsets[i], 6, 1), 0);
		cr_assert_eq(decode(&draft, &request), -EBADMSG, "offset %d", offsets[i]);
		draft = (struct draft){ 0 };
		add(&draft, struct_pointer(offsets[i], 1, 2));
		cr_assert_eq(decode(&draft, &request), -EBADMSG, "root offset %d", offsets[i]);
	}
}

Test(wire_hostile, objects_that_cross_the_end)
{
	struct wire_request request;
	struct draft draft = { 0 };

	add(&draft, struct_pointer(0, 1, 2));
	add(&draft, 0);
	add(&draft, 0);
	cr_assert_eq(decode(&draft, &request), -EBADMSG); /* struct */
	add_request(&draft, WIRE_READ, list_pointer(1, 6, 2), 0);
	add(&draft, 0);
	cr_assert_eq(decode(&draft, &request), -EBADMSG); /* list */
	add_request(&draft, WIRE_WRITE, 0, list_pointer(0, 2, 9));
	add(&draft, 0);
	cr_assert_eq(decode(&draft, &request), -EBADMSG); /* blob */
}

/* CVE-2015-2310, CVE-2015-2312, CVE-2015-2313: counts up to 2^29 - 1. */
Test(wire_hostile, huge_and_weightless_lists)
{
	struct wire_request request;
	struct draft draft;

	for (uint64_t element = 0; element < 8; element++) {
		int want_path = element == 6 ? -EBADMSG : -EPROTO;
		int want_data = element == 2 ? -EBADMSG : -EPROTO;

		add_request(&draft, WIRE_READ, list_pointer(1, element, (1u << 29) - 1), 0);
		cr_assert_eq(decode(&draft, &request), want_path, "path element %d", (int)element);
		add_request(&draft, WIRE_WRITE, 0, list_pointer(0, element, (1u << 29) - 1));
		cr_assert_eq(decode(&draft, &request), want_data, "data element %d", (int)element);
	}
	add_request(&draft, WIRE_READ, list_pointer(1, 6, 1), 0);
	add(&draft, list_pointer(0, 2, (1u << 29) - 1));
	cr_assert_eq(decode(&draft, &request), -EBADMSG);
}

/* CVE-2015-2311. */
Test(wire_hostile, text_without_its_nul)
{
	struct wire_request request;
	struct draft draft;

	add_request(&draft, WIRE_READ, list_pointer(1, 6, 1), 0);
	add(&draft, list_pointer(0, 2, 0));
	cr_assert_eq(decode(&draft, &request), -EILSEQ);
	draft.n_words--;
	add(&draft, list_pointer(0, 2, 3));
	add(&draft, 0x6363636363636363);
	cr_assert_eq(decode(&draft, &request), -EILSEQ);
}

Test(wire_hostile, kinds)
{
	struct wire_request request;
	struct draft draft = { 0 };

	add(&draft, 0);
	cr_assert_eq(decode(&draft, &request), -EPROTO, "null root");
	for (uint64_t kind = 1; kind < 4; kind++) {
		draft = (struct draft){ 0 };
		add(&draft, struct_pointer(0, 0, 0) | kind);
		cr_assert_eq(decode(&draft, &request), -EPROTO, "root of kind %d", (int)kind);
	}
	for (uint64_t kind = 0; kind < 4; kind++) {
		if (kind == 1)
			continue;
		/* As far pointers these name segments that do not exist. */
		add_request(&draft, WIRE_READ, (list_pointer(1, 6, 0) & ~3ull) | kind, 0);
		cr_assert_eq(decode(&draft, &request), kind == 2 ? -EBADMSG : -EPROTO,
			     "path of kind %d", (int)kind);
		add_request(&draft, WIRE_WRITE, 0, (list_pointer(0, 2, 8) & ~3ull) | kind);
		cr_assert_eq(decode(&draft, &request), kind == 2 ? -EBADMSG : -EPROTO,
			     "data of kind %d", (int)kind);
	}
}

/* CVE-2022-46149: List(Text) as a composite list. */
Test(wire_hostile, composite_path)
{
	struct wire_request request;

	cr_assert_eq(decode_hex("00000000 07000000 00000000 01000200 0d000000 01000000 05000000"
				"0f000000 00000000 00000000 04000000 00000100 01000000 12000000"
				"61000000 00000000",
				&request),
		     -EPROTO);
}

Test(wire_hostile, overlap_runs_the_budget_dry)
{
	static struct draft draft;
	struct wire_request request;

	/* Every path element is the same large text. */
	add_request(&draft, WIRE_READ, list_pointer(1, 6, 8), 0);
	for (int i = 0; i < 8; i++)
		add(&draft, list_pointer(7 - i, 2, 1000 * 8));
	for (int i = 0; i < 1000; i++)
		add(&draft, 0);
	cr_assert_eq(decode(&draft, &request), -ELOOP);

	/* The path list is the root struct itself; its element points at itself. */
	add_request(&draft, WIRE_READ, list_pointer(-2, 6, 3), 0);
	cr_assert_lt(decode(&draft, &request), 0);
	add_request(&draft, WIRE_READ, list_pointer(-1, 6, 1), 0);
	cr_assert_lt(decode(&draft, &request), 0);

	/* A root that is nothing but pointers to itself. */
	draft = (struct draft){ 0 };
	add(&draft, struct_pointer(-1, 1, 0));
	cr_assert_eq(decode(&draft, &request), 0, "as the reference: a struct may be its pointer");
}

/* A path over its limits is answered; the message is well formed. */
Test(wire_hostile, refused_paths_are_not_malformed)
{
	static const char *const texts[] = {
		"",  "/",   "a/b",   "A",    "..",
		".", "a b", "a\x01", "\xff", "a123456789b123456789c123456789dx"
	};
	static uint8_t frame[4096];
	struct wire_request request;
	struct draft draft;

	for (size_t i = 0; i < VECTORS_N(texts); i++) {
		char text[40] = { 0 };

		strcpy(text, texts[i]);
		add_request(&draft, WIRE_READ, list_pointer(1, 6, 1), 0);
		add(&draft, list_pointer(0, 2, strlen(text) + 1));
		for (size_t at = 0; at < strlen(text) + 1; at += 8) {
			uint64_t word;

			memcpy(&word, text + at, 8);
			add(&draft, word);
		}
		cr_assert_eq(decode(&draft, &request), 0, "text %zu", i);
		cr_assert_eq(request.path_status, WIRE_PATH_REFUSED, "text %zu", i);
		cr_assert_str_eq(request.display, "?");
		cr_assert_str_eq(request.path.path, "");
	}

	/* Interior NUL, null element. */
	add_request(&draft, WIRE_READ, list_pointer(1, 6, 1), 0);
	add(&draft, list_pointer(0, 2, 4));
	add(&draft, 0x00620061);
	cr_assert_eq(decode(&draft, &request), 0);
	cr_assert_eq(request.path_status, WIRE_PATH_REFUSED);
	add_request(&draft, WIRE_READ, list_pointer(1, 6, 1), 0);
	add(&draft, 0);
	cr_assert_eq(decode(&draft, &request), 0);
	cr_assert_eq(request.path_status, WIRE_PATH_REFUSED);

	/* Nine segments; 64 bytes joined. */
	add_request(&draft, WIRE_READ, list_pointer(1, 6, 9), 0);
	for (int i = 0; i < 9; i++)
		add(&draft, list_pointer(8, 2, 2));
	for (int i = 0; i < 9; i++)
		add(&draft, 'a');
	cr_assert_eq(decode(&draft, &request), 0);
	cr_assert_eq(request.path_status, WIRE_PATH_REFUSED);
	add_request(&draft, WIRE_READ, list_pointer(1, 6, 8), 0);
	for (int i = 0; i < 8; i++)
		add(&draft, list_pointer(7, 2, 8));
	for (int i = 0; i < 8; i++)
		add(&draft, 0x61616161616161);
	cr_assert_eq(decode(&draft, &request), 0, "8 segments of 7 are 64 bytes");
	cr_assert_eq(request.path_status, WIRE_PATH_REFUSED);

	/* The longest that fits. */
	cr_assert_gt(wire_encode_request(
			     1, WIRE_READ,
			     "/a234567890123456789012345678901/b23456789012345678901234567890",
			     NULL, 0, 0, frame, sizeof(frame)),
		     0);
	cr_assert_eq(wire_decode_request(frame, (size_t)wire_frame_size(frame, sizeof(frame)),
					 &request),
		     0);
	cr_assert_eq(request.path_status, 0);
	cr_assert_eq(strlen(request.path.path), KV_PATH_MAX);
	cr_assert_eq(strlen(request.display), KV_PATH_MAX - 1);
}

Test(wire_hostile, malformed_element_behind_a_refused_one)
{
	struct wire_request request;
	struct draft draft;

	add_request(&draft, WIRE_READ, list_pointer(1, 6, 2), 0);
	add(&draft, 0);
	add(&draft, list_pointer(100, 2, 1));
	cr_assert_eq(decode(&draft, &request), -EBADMSG);
}

Test(wire_hostile, shorter_longer_and_null)
{
	struct wire_request request;
	struct draft draft = { 0 };

	/* Zero-size struct: offset -1. All fields read as zero. */
	add(&draft, struct_pointer(-1, 0, 0));
	cr_assert_eq(decode(&draft, &request), 0);
	cr_assert_eq(request.id, 0);
	cr_assert_eq(request.tag, WIRE_WRITE);
	cr_assert_eq(request.value.size, 0);

	cr_assert_eq(decode_hex("00000000 04000000 00000000 01000200 06000000 02000000 00000000"
				"00000000 00000000 00000000",
				&request),
		     0, "null path");
	cr_assert_eq(request.path_status, 0);
	cr_assert_str_eq(request.display, "");

	cr_assert_eq(decode_hex("00000000 08000000 00000000 02000300 07000000 03000000 00000000"
				"00000000 09000000 0e000000 00000000 00000000 00000000 00000000"
				"01000000 12000000 61000000 00000000",
				&request),
		     0, "wider struct, unknown tag");
	cr_assert_eq(request.tag, 3);
	cr_assert_str_eq(request.path.path, "/a");
}

Test(wire_hostile, unused_slot_is_not_looked_at)
{
	struct wire_request request;
	struct draft draft;

	add_request(&draft, WIRE_READ, 0, 0xffffffffffffffff);
	cr_assert_eq(decode(&draft, &request), 0);
	add_request(&draft, 77, 0, 0xffffffffffffffff);
	cr_assert_eq(decode(&draft, &request), 0);
	cr_assert_eq(request.tag, 77);
}

/* A commit with `tag` as the tag word and `n_body` words behind it. */
static int decode_commit(uint64_t tag, uint64_t n_body, size_t n_there,
			 struct wire_request *request)
{
	static struct draft draft;

	add_request(&draft, WIRE_COMMIT, 0, list_pointer(0, 7, n_body));
	add(&draft, tag);
	for (size_t i = 0; i < n_there; i++)
		add(&draft, 0);
	return decode(&draft, request);
}

Test(wire_hostile, commit_tag_word)
{
	struct wire_request request;

	cr_assert_eq(decode_commit(struct_pointer(2, 1, 2), 6, 6, &request), 0);
	cr_assert_eq(request.n_changes, 2);
	cr_assert_eq(decode_commit(struct_pointer(2, 2, 3), 10, 10, &request), 0, "larger");
	cr_assert_eq(decode_commit(struct_pointer(2, 0, 2), 6, 6, &request), -EPROTO);
	cr_assert_eq(decode_commit(struct_pointer(2, 1, 1), 6, 6, &request), -EPROTO);
	cr_assert_eq(decode_commit(struct_pointer(2, 0, 0), 0, 0, &request), -EPROTO);
	cr_assert_eq(decode_commit(struct_pointer(2, 1, 2) | 1, 6, 6, &request), -EPROTO);
	cr_assert_eq(decode_commit(struct_pointer(3, 1, 2), 6, 6, &request), -EBADMSG);
	cr_assert_eq(decode_commit(struct_pointer((1 << 29) - 1, 1, 2), 6, 6, &request), -EBADMSG);
	cr_assert_eq(decode_commit(struct_pointer(-1, 0xffff, 0xffff), 6, 6, &request), -EBADMSG);
	cr_assert_eq(decode_commit(struct_pointer(2, 1, 2), 7, 6, &request), -EBADMSG);
	cr_assert_eq(decode_commit(struct_pointer(2, 1, 2), (1 << 29) - 1, 6, &request), -EBADMSG);
	cr_assert_eq(decode_commit(struct_pointer(KV_CHANGES_MAX + 1, 1, 2),
				   3 * (KV_CHANGES_MAX + 1), 3 * (KV_CHANGES_MAX + 1), &request),
		     0, "too many is answered");
	cr_assert_eq(request.n_changes, KV_CHANGES_MAX + 1);
}

Test(wire_hostile, commit_of_another_element_size)
{
	struct wire_request request;
	struct draft draft;

	for (uint64_t element = 0; element < 7; element++) {
		add_request(&draft, WIRE_COMMIT, 0, list_pointer(0, element, 1));
		add(&draft, 0);
		cr_assert_eq(decode(&draft, &request), -EPROTO);
	}
	add_request(&draft, WIRE_COMMIT, 0, list_pointer(0, 7, 0));
	cr_assert_eq(decode(&draft, &request), -EBADMSG, "no room for the tag word");
}

Test(wire_hostile, commit_with_a_malformed_change_is_refused_whole)
{
	static struct draft draft;
	struct wire_request request;

	add_request(&draft, WIRE_COMMIT, 0, list_pointer(0, 7, 6));
	add(&draft, struct_pointer(2, 1, 2));
	for (int i = 0; i < 5; i++)
		add(&draft, 0);
	add(&draft, list_pointer(50, 2, 3)); /* value of the second */
	cr_assert_eq(decode(&draft, &request), -EBADMSG);

	/* 100 changes with one large value together. */
	add_request(&draft, WIRE_COMMIT, 0, list_pointer(0, 7, 300));
	add(&draft, struct_pointer(100, 1, 2));
	for (int i = 0; i < 100; i++) {
		add(&draft, 0);
		add(&draft, 0);
		add(&draft, list_pointer(299 - 3 * i - 2, 2, 8000));
	}
	for (int i = 0; i < 1000; i++)
		add(&draft, 0);
	cr_assert_eq(decode(&draft, &request), -ELOOP);
}

Test(wire_hostile, responses)
{
	struct wire_response response;
	uint8_t frame[64];
	size_t size;

	size = from_hex("00000000 03000000 00000000 01000100 00000000 03000000 ffffffff ffffffff",
			frame, sizeof(frame));
	cr_assert_eq(wire_decode_response(frame, size, &response), 0);
	cr_assert_eq(response.tag, 3, "unknown tag: the slot is not looked at");
	size = from_hex("00000000 03000000 00000000 01000100 00000000 00000000 01000000 0a000000",
			frame, sizeof(frame));
	cr_assert_eq(wire_decode_response(frame, size, &response), -EBADMSG);
	size = from_hex("00000000 01000000 00000000 00000000", frame, sizeof(frame));
	cr_assert_eq(wire_decode_response(frame, size, &response), -EPROTO);
	size = from_hex("00000000 03000000 00000000 01000100 05000000 00000000 00000000 00000000",
			frame, sizeof(frame));
	cr_assert_eq(wire_decode_response(frame, size, &response), 0, "null is empty");
	cr_assert_eq(response.value.size, 0);
}
