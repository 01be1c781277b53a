/* SPDX-License-Identifier: Apache-2.0 */
/* Fields, overload and joining: which octets belong to an option. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/dhcp4-support.h"

/* Three fields, as in a message. */
static struct {
	uint8_t field[512], file[128], sname[64];
	size_t field_size;
} fields;

static struct option option;

static void init(const void *field, size_t size)
{
	memset(&fields, 0, sizeof(fields));
	memcpy(fields.field, field, size);
	fields.field_size = size;
}

static bool get(uint8_t code)
{
	/* Exact sizes, for sanitizers. */
	uint8_t *field = malloc(fields.field_size ? fields.field_size : 1);
	uint8_t *file = malloc(sizeof(fields.file)), *sname = malloc(sizeof(fields.sname));
	struct bytes_reader readers[3];
	struct options options;
	bool found;

	memcpy(field, fields.field, fields.field_size);
	memcpy(file, fields.file, sizeof(fields.file));
	memcpy(sname, fields.sname, sizeof(fields.sname));
	bytes_reader_init(&readers[0], field, fields.field_size);
	bytes_reader_init(&readers[1], file, sizeof(fields.file));
	bytes_reader_init(&readers[2], sname, sizeof(fields.sname));
	options_init(&options, readers[0], readers[1], readers[2]);
	found = options_get(&options, code, &option);
	free(field);
	free(file);
	free(sname);
	return found;
}

/* True if the option is there and these are its octets. */
static bool is(uint8_t code, const char *text)
{
	return get(code) && option.size == strlen(text) &&
	       memcmp(option.bytes, text, option.size) == 0;
}

#define FIELD(_x) init(_x, sizeof(_x) - 1)
#define FILE_FIELD(_x) memcpy(fields.file, _x, sizeof(_x) - 1)
#define SNAME_FIELD(_x) memcpy(fields.sname, _x, sizeof(_x) - 1)

Test(options, V4_39_padding_and_end)
{
	FIELD("\0\0\x64\2ab\0\0\0\x65\1c\xff\x66\1d");
	cr_assert(is(100, "ab"));
	cr_assert(is(101, "c"));
	cr_assert_not(get(102), "read behind END");
	cr_assert_not(get(0));
	cr_assert_not(get(255));
}

Test(options, empty_fields)
{
	init("", 0);
	cr_assert_not(get(100));
	FIELD("\0\0\0");
	cr_assert_not(get(100));
	FIELD("\xff");
	cr_assert_not(get(100));
	FIELD("\x64\0");
	cr_assert(is(100, ""));
}

Test(options, Q35_no_end)
{
	FIELD("\x64\2ab\x65\1c");
	cr_assert(is(100, "ab"));
	cr_assert(is(101, "c"));
}

Test(options, C4_15_lengths_past_the_end)
{
	FIELD("\x64\2ab\x65");
	cr_assert(is(100, "ab"));
	cr_assert_not(get(101), "code without length");
	FIELD("\x64\2ab\x65\1");
	cr_assert_not(get(101), "length without value");
	FIELD("\x64\2ab\x65\xff"
	      "cdef");
	cr_assert(is(100, "ab"));
	cr_assert_not(get(101), "value beyond the field");
}

Test(options, V4_33_V4_42_instances_are_joined)
{
	FIELD("\x64\2ab\x65\1x\x64\2cd\x64\0\x64\1e\xff");
	cr_assert(is(100, "abcde"));
}

Test(options, V4_32_V4_42_order_is_options_file_sname)
{
	FIELD("\x64\1a\x34\1\3\x64\1b\xff");
	FILE_FIELD("\x64\1c\xff\x64\1z");
	SNAME_FIELD("\0\x64\1d\xff");
	cr_assert(is(100, "abcd"));
}

Test(options, V4_41_values_of_overload)
{
	for (unsigned int value = 0; value < 256; value++) {
		FIELD("\x34\1\0\x64\1a\xff");
		fields.field[2] = (uint8_t)value;
		FILE_FIELD("\x64\1f\xff");
		SNAME_FIELD("\x64\1s\xff");
		cr_assert(is(100, value == 1 ? "af" :
				  value == 2 ? "as" :
				  value == 3 ? "afs" :
					       "a"),
			  "%u", value);
	}
}

Test(options, V4_39_end_ends_its_field_only)
{
	FIELD("\x34\1\3\xff\x64\1x");
	FILE_FIELD("\xff\x64\1x");
	SNAME_FIELD("\x64\1s\xff");
	cr_assert(is(100, "s"));
}

Test(options, Q35_overload_seen_before_a_missing_end)
{
	FIELD("\x34\1\1\x65\xff"
	      "broken");
	FILE_FIELD("\x64\1f\xff");
	cr_assert(is(100, "f"));
}

Test(options, Q36_C4_14_overload_inside_file_and_sname)
{
	FIELD("\x34\1\1\x64\1a\xff");
	FILE_FIELD("\x34\1\3\x64\1f\x34\1\3\xff");
	SNAME_FIELD("\x34\1\3\x64\1s\xff");
	cr_assert(is(100, "af"), "sname was opened from within file");
	FIELD("\x34\1\3\x64\1a\xff");
	FILE_FIELD("\x34\1\3\x64\1f\xff");
	SNAME_FIELD("\x34\1\3\x64\1s\xff");
	cr_assert(is(100, "afs"), "a field was read twice");
}

Test(options, Q36_first_valid_overload_counts)
{
	FIELD("\x34\1\1\x34\1\2\x64\1a\xff");
	FILE_FIELD("\x64\1f\xff");
	SNAME_FIELD("\x64\1s\xff");
	cr_assert(is(100, "af"));
	FIELD("\x34\1\x7\x34\0\x34\1\2\x64\1a\xff");
	FILE_FIELD("\x64\1f\xff");
	SNAME_FIELD("\x64\1s\xff");
	cr_assert(is(100, "as"));
}

Test(options, C4_17_overload_of_length_0)
{
	FIELD("\x64\1a\x34\0");
	FILE_FIELD("\x64\1f\xff");
	cr_assert(is(100, "a"));
	FIELD("\x64\1a\x34");
	cr_assert(is(100, "a"));
	FIELD("\x64\1a\x34\1");
	cr_assert(is(100, "a"));
	FIELD("\x34\4\3\1\1\1\x64\1a\xff");
	FILE_FIELD("\x64\1f\xff");
	cr_assert(is(100, "af"), "longer: the first octet counts");
}

/* An option split over all fields, at every position. */
Test(options, V4_42_split_at_every_position)
{
	static const char text[] = "abcdefghij";

	for (size_t first = 0; first <= 10; first++) {
		for (size_t second = first; second <= 10; second++) {
			size_t n = 0;

			FIELD("\x34\1\3");
			n = fields.field_size;
			fields.field[n++] = 100;
			fields.field[n++] = (uint8_t)first;
			memcpy(fields.field + n, text, first);
			fields.field_size = n + first;
			fields.file[0] = 100;
			fields.file[1] = (uint8_t)(second - first);
			memcpy(fields.file + 2, text + first, second - first);
			fields.sname[0] = 100;
			fields.sname[1] = (uint8_t)(10 - second);
			memcpy(fields.sname + 2, text + second, 10 - second);
			cr_assert(is(100, text), "%zu %zu", first, second);
		}
	}
}

Test(options, joined_beyond_the_limit)
{
	static uint8_t field[8 * 257];
	struct bytes_reader reader, none;
	struct options options;
	size_t n;

	for (n = 0; n < 8; n++) {
		field[n * 257] = 100;
		field[n * 257 + 1] = 255;
	}
	bytes_reader_init(&none, field, 0);
	bytes_reader_init(&reader, field, 6 * 257);
	options_init(&options, reader, none, none);
	cr_assert(options_get(&options, 100, &option));
	cr_assert_eq(option.size, 6 * 255);
	bytes_reader_init(&reader, field, sizeof(field));
	options_init(&options, reader, none, none);
	cr_assert_not(options_get(&options, 100, &option));
}
