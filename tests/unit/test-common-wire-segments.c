/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of several segments: far pointers, right ones and hostile ones. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/unit/wire-vectors.h"

/* Written by hand; the reference gives each the meaning shown. */
static const struct request_vector far_vectors[] = {
	/* [6,2] far, pad before the data */
	{ "01000000 06000000 02000000 00000000 00000000 01000200 01000000 00000000 05000000"
	  "0e000000 02000000 01000000 01000000 12000000 61000000 00000000 01000000 1a000000"
	  "666f6f00 00000000",
	  1, WIRE_WRITE, "/a", "foo" },
	/* [6,2] far, pad after the data, negative offset */
	{ "01000000 06000000 02000000 00000000 00000000 01000200 02000000 00000000 05000000"
	  "0e000000 0a000000 01000000 01000000 12000000 61000000 00000000 666f6f00 00000000"
	  "f9ffffff 1a000000",
	  2, WIRE_WRITE, "/a", "foo" },
	/* [6,1,2] double far */
	{ "02000000 06000000 01000000 02000000 00000000 01000200 03000000 00000000 05000000"
	  "0e000000 06000000 02000000 01000000 12000000 61000000 00000000 666f6f00 00000000"
	  "02000000 01000000 01000000 1a000000",
	  3, WIRE_WRITE, "/a", "foo" },
	/* [1,6] root pointer is far */
	{ "01000000 01000000 06000000 00000000 02000000 01000000 00000000 01000200 04000000"
	  "01000000 05000000 0e000000 00000000 00000000 01000000 12000000 61000000 00000000",
	  4, WIRE_READ, "/a", "" },
	/* [4,2,2] path list far, its element far */
	{ "02000000 04000000 02000000 02000000 00000000 01000200 05000000 01000000 02000000"
	  "01000000 00000000 00000000 01000000 0e000000 02000000 02000000 01000000 12000000"
	  "61000000 00000000",
	  5, WIRE_READ, "/a", "" },
	/* null path */
	{ "00000000 04000000 00000000 01000200 06000000 02000000 00000000 00000000 00000000"
	  "00000000",
	  6, WIRE_DELETE, "", "" },
	/* wider struct, another member */
	{ "00000000 08000000 00000000 02000300 07000000 03000000 00000000 00000000 09000000"
	  "0e000000 00000000 00000000 00000000 00000000 01000000 12000000 61000000 00000000",
	  7, WIRE_LIST, "/a", "" },
};

static const char refused_far_to_far[] =
	"02000000 06000000 01000000 02000000 00000000 01000200 09000000 00000000 05000000"
	"0e000000 02000000 01000000 01000000 12000000 61000000 00000000 02000000 02000000"
	"01000000 1a000000 666f6f00 00000000";
static const char refused_segment[] =
	"00000000 06000000 00000000 01000200 09000000 00000000 05000000 0e000000 02000000"
	"07000000 01000000 12000000 61000000 00000000";

Test(wire_segments, vectors)
{
	for (size_t i = 0; i < VECTORS_N(far_vectors); i++) {
		const struct request_vector *vector = &far_vectors[i];
		uint8_t bytes[256];
		size_t size = from_hex(vector->hex, bytes, sizeof(bytes));
		struct wire_request request;

		cr_assert_eq(wire_frame_size(bytes, sizeof(bytes)), (int)size);
		cr_assert_eq(wire_decode_request(bytes, size, &request), 0, "vector %zu", i);
		cr_assert_eq(request.id, vector->id);
		cr_assert_eq(request.tag, vector->tag);
		cr_assert_eq(request.path_status, 0);
		cr_assert_eq(request.revision, 0);
		cr_assert_str_eq(request.path.path, vector->path);
		cr_assert(data_is(&request.value, vector->value), "vector %zu", i);
	}
}

Test(wire_segments, vectors_to_refuse)
{
	struct wire_request request;

	cr_assert_eq(decode_hex(refused_far_to_far, &request), -EPROTO);
	cr_assert_eq(decode_hex(refused_segment, &request), -EBADMSG);
}

Test(wire_segments, table_is_waited_for)
{
	for (size_t i = 0; i < VECTORS_N(far_vectors); i++) {
		uint8_t bytes[256];
		size_t size = from_hex(far_vectors[i].hex, bytes, sizeof(bytes));
		size_t table = (4 + 4 * (bytes[0] + 1u) + 7) & ~7u;

		for (size_t n = 0; n < table; n++)
			cr_assert_eq(wire_frame_size(bytes, n), 0, "%zu of %zu", n, table);
		for (size_t n = table; n <= sizeof(bytes); n++)
			cr_assert_eq(wire_frame_size(bytes, n), (int)size);
	}
}

Test(wire_segments, table_limits_decided_before_the_body)
{
	uint8_t table[264] = { 63 };

	/* 64 segments, all but the first empty: 264 bytes of table. */
	for (size_t n = 0; n < sizeof(table); n++) {
		memset(table + 4, 0, sizeof(table) - 4);
		table[4] = 1;
		cr_assert_eq(wire_frame_size(table, n), 0, "%zu", n);
	}
	cr_assert_eq(wire_frame_size(table, sizeof(table)), 264 + 8);
	/* Together 64 KiB and one word more. */
	table[8] = (65536 - 264) / 8 - 1 - 0x1f00;
	table[9] = 0;
	table[12] = 0;
	table[13] = 0x1f;
	cr_assert_eq(wire_frame_size(table, sizeof(table)), 65536);
	table[256] = 1;
	cr_assert_eq(wire_frame_size(table, sizeof(table)), -EMSGSIZE);
	/* Sizes whose sum wraps 32 bits, refused at the first that is too large. */
	table[256] = 0;
	for (int i = 0; i < 8; i++)
		table[4 + i] = i < 4 ? 1 : 0xff;
	cr_assert_eq(wire_frame_size(table, 8), -EMSGSIZE, "segment 0 alone");
	memset(table + 4, 0, 4);
	table[4] = 2;
	cr_assert_eq(wire_frame_size(table, 8), 0);
	cr_assert_eq(wire_frame_size(table, 12), -EMSGSIZE);
	table[4] = 0;
	cr_assert_eq(wire_frame_size(table, 8), -EMSGSIZE, "segment 0 empty");
	table[0] = 64;
	cr_assert_eq(wire_frame_size(table, 4), -EMSGSIZE, "65 segments");
}

Test(wire_segments, truncated_at_every_byte)
{
	for (size_t i = 0; i < VECTORS_N(far_vectors); i++) {
		uint8_t bytes[256];
		size_t size = from_hex(far_vectors[i].hex, bytes, sizeof(bytes));

		for (size_t n = 0; n < size; n++) {
			struct wire_request request = { .id = 77 };

			cr_assert_eq(decode_exact(bytes, n, &request), -EBADMSG);
			cr_assert_eq(request.id, 77, "output written on failure");
		}
		cr_assert_eq(decode_exact(bytes, size + 8, &(struct wire_request){ 0 }), -EBADMSG);
	}
}

/* Segments that are refilled for each test: root in segment 0, word 0. */
struct draft {
	uint64_t words[4][128];
	size_t n[4];
	uint32_t n_segments;
};

static uint64_t far(uint64_t segment, uint64_t at, uint64_t is_double)
{
	return 2 | is_double << 2 | at << 3 | segment << 32;
}

static uint64_t list(int32_t offset, uint64_t element, uint64_t count)
{
	return ((uint64_t)(uint32_t)offset << 2 & UINT32_MAX) | 1 | element << 32 | count << 35;
}

#define REQUEST_POINTER (1ull << 32 | 2ull << 48)

static int decode_draft(const struct draft *draft)
{
	uint8_t bytes[32 + sizeof(draft->words)] = { 0 };
	size_t at = (4 + 4 * draft->n_segments + 7) & ~7u;
	struct wire_request request;

	memcpy(bytes, &(uint32_t){ draft->n_segments - 1 }, 4);
	for (uint32_t i = 0; i < draft->n_segments; i++) {
		memcpy(bytes + 4 + 4 * (size_t)i, &(uint32_t){ (uint32_t)draft->n[i] }, 4);
		memcpy(bytes + at, draft->words[i], draft->n[i] * 8);
		at += draft->n[i] * 8;
	}
	return decode_exact(bytes, at, &request);
}

/* A write of the value that `value` refers to, and 4 words in segment 1. */
static struct draft write_draft(uint64_t value)
{
	return (struct draft){
		.n_segments = 2,
		.n = { 4, 4 },
		.words = { { REQUEST_POINTER, 1, 0, value }, { 0 } },
	};
}

Test(wire_segments, far_pointers_to_nowhere)
{
	const struct {
		uint64_t value;
		int want;
	} rows[] = {
		{ far(2, 0, 0), -EBADMSG }, /* unknown segment */
		{ far(UINT32_MAX, 0, 0), -EBADMSG },
		{ far(1, 4, 0), -EBADMSG },		/* pad at the end */
		{ far(1, 5, 0), -EBADMSG },		/* pad behind it */
		{ far(1, (1 << 29) - 1, 0), -EBADMSG }, /* CVE-2017-7892 */
		{ far(1, (1 << 29) - 1, 1), -EBADMSG },
		{ far(1, 3, 1), -EBADMSG }, /* pad across the end */
		{ far(1, 0, 0), -EPROTO },  /* pad is null */
		{ far(1, 0, 1), -EPROTO },  /* no far word in a pad of two */
		{ far(0, 3, 0), -EPROTO },  /* itself */
		{ far(0, 0, 0), -EPROTO },  /* a struct */
		{ 3, -EPROTO },		    /* a capability */
	};

	for (size_t i = 0; i < VECTORS_N(rows); i++) {
		struct draft draft = write_draft(rows[i].value);

		cr_assert_eq(decode_draft(&draft), rows[i].want, "row %zu: %d", i,
			     decode_draft(&draft));
	}
}

Test(wire_segments, pads)
{
	const struct {
		uint64_t value, pad, tag;
		int want;
	} rows[] = {
		{ far(1, 0, 0), list(0, 2, 8), 0, 0 },
		{ far(1, 0, 0), list(2, 2, 8), 0, 0 },
		{ far(1, 0, 0), list(0, 2, 24), 0, 0 },
		{ far(1, 0, 0), list(0, 2, 25), 0, -EBADMSG }, /* content across the end */
		{ far(1, 0, 0), list(3, 2, 1), 0, -EBADMSG },
		{ far(1, 0, 0), list(4, 2, 0), 0, -EBADMSG },
		{ far(1, 0, 0), list(-2, 2, 0), 0, -EBADMSG },		/* before the segment */
		{ far(1, 0, 0), list(0, 6, 1), 0, -EPROTO },		/* not bytes */
		{ far(1, 0, 0), REQUEST_POINTER, 0, -EPROTO },		/* not a list */
		{ far(1, 0, 0), far(1, 1, 0), list(0, 2, 8), -EPROTO }, /* far again */
		{ far(1, 0, 0), far(1, 1, 1), list(0, 2, 8), -EPROTO },
		{ far(1, 0, 0), 3, 0, -EPROTO },
		{ far(1, 0, 1), far(1, 2, 0), list(0, 2, 16), 0 },
		{ far(1, 0, 1), far(1, 2, 0), list(-77, 2, 16), 0 }, /* offset means nothing */
		{ far(1, 0, 1), far(1, 4, 0), list(0, 2, 0), 0 },
		{ far(1, 0, 1), far(1, 2, 0), list(0, 2, 17), -EBADMSG },
		{ far(1, 0, 1), far(1, 5, 0), list(0, 2, 0), -EBADMSG },
		{ far(1, 0, 1), far(2, 0, 0), list(0, 2, 0), -EBADMSG },
		{ far(1, 0, 1), far(1, (1 << 29) - 1, 0), list(0, 2, 0), -EBADMSG },
		{ far(1, 0, 1), far(1, 2, 1), list(0, 2, 8), -EPROTO },	 /* double again */
		{ far(1, 0, 1), list(1, 2, 8), list(0, 2, 8), -EPROTO }, /* not far */
		{ far(1, 0, 1), far(1, 2, 0), REQUEST_POINTER, -EPROTO },
		{ far(1, 0, 1), far(1, 2, 0), far(1, 2, 0), -EPROTO },
		{ far(1, 0, 1), far(1, 2, 0), 0, -EPROTO },
		{ far(1, 0, 1), far(1, 2, 0), 3, -EPROTO },
	};

	for (size_t i = 0; i < VECTORS_N(rows); i++) {
		struct draft draft = write_draft(rows[i].value);

		draft.words[1][0] = rows[i].pad;
		draft.words[1][1] = rows[i].tag;
		cr_assert_eq(decode_draft(&draft), rows[i].want, "row %zu: %d", i,
			     decode_draft(&draft));
	}
}

Test(wire_segments, pads_that_refer_to_each_other)
{
	struct draft draft = {
		.n_segments = 3,
		.n = { 4, 2, 2 },
		.words = { { REQUEST_POINTER, 1, 0, far(1, 0, 0) },
			   { far(2, 0, 0), far(2, 0, 0) },
			   { far(1, 0, 0), far(1, 0, 0) } },
	};

	cr_assert_eq(decode_draft(&draft), -EPROTO);
	draft.words[0][3] = far(1, 0, 1);
	cr_assert_eq(decode_draft(&draft), -EPROTO);
}

/* One pad for all elements of a path: each look at it is paid for. */
Test(wire_segments, shared_pads_run_the_budget_dry)
{
	for (uint64_t is_double = 0; is_double < 2; is_double++) {
		struct draft draft = {
			.n_segments = 2,
			.n = { 104, 4 },
			.words = { { REQUEST_POINTER, 1ull << 32, list(1, 6, 100), 0 },
				   { list(1, 2, 1), list(0, 2, 1), 0, 0 } },
		};

		if (is_double)
			draft.words[1][0] = far(1, 2, 0);
		for (int i = 0; i < 100; i++)
			draft.words[0][4 + i] = far(1, 0, is_double);
		cr_assert_eq(decode_draft(&draft), -ELOOP);
	}
}

/* The budget is exactly what an honest message needs: no word is spare. */
Test(wire_segments, budget_is_exact)
{
	struct draft draft = {
		.n_segments = 2,
		.n = { 5, 3 },
		.words = { { far(0, 1, 0), REQUEST_POINTER, 0, 0, far(1, 0, 1) },
			   { far(1, 2, 0), list(0, 2, 8), 0 } },
	};

	/* root pad 1, struct 3, pad 2, blob 1: of 8 words all but the root's */
	cr_assert_eq(decode_draft(&draft), 0);
	/* The blob over the struct and its own pad: 3 more, 1 is left. */
	draft.words[1][0] = far(0, 2, 0);
	draft.words[1][1] = list(0, 2, 16);
	cr_assert_eq(decode_draft(&draft), 0);
	draft.words[1][1] = list(0, 2, 17);
	cr_assert_eq(decode_draft(&draft), -ELOOP);
}
