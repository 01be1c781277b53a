/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/support-wrong-values.h"
#include "userspace/common/value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const bad[] = { WRONG_NUMBERS };

static const struct {
	enum value_type type;
	int64_t min;
	uint64_t max;
	const char *good[4], *bad[4];
} rows[] = {
	{ VALUE_U8, 0, 255, { "0", "9", "255" }, { "256", "-1", "1000" } },
	{ VALUE_U8, 2, 3, { "2", "3" }, { "1", "4", "0" } },
	{ VALUE_U16, 576, 9000, { "576", "9000" }, { "575", "9001", "65536" } },
	{ VALUE_U32, 0, UINT32_MAX, { "0", "4294967295" }, { "4294967296", "-1" } },
	{ VALUE_U64,
	  0,
	  UINT64_MAX,
	  { "0", "18446744073709551615", "9223372036854775808" },
	  { "-1" } },
	{ VALUE_U64,
	  5,
	  10000000000000000000u,
	  { "5", "10000000000000000000" },
	  { "4", "10000000000000000001", "0" } },
	{ VALUE_S32,
	  INT32_MIN,
	  INT32_MAX,
	  { "-2147483648", "0", "2147483647" },
	  { "-2147483649", "2147483648" } },
	{ VALUE_S32, -500000, 500000, { "-500000", "-1", "0", "500000" }, { "-500001", "500001" } },
	{ VALUE_S32, -9, (uint64_t)(int64_t)-5, { "-9", "-5" }, { "-10", "-4", "0", "5" } },
	{ VALUE_S64,
	  INT64_MIN,
	  INT64_MAX,
	  { "-9223372036854775808", "0", "9223372036854775807" },
	  { "9223372036854775808" } },
	{ VALUE_S64, 3, 4, { "3", "4" }, { "2", "5", "-3" } },
	/* never more than the type has */
	{ VALUE_U8, 0, UINT64_MAX, { "255" }, { "256" } },
	{ VALUE_U16, 0, UINT64_MAX, { "65535" }, { "65536" } },
	{ VALUE_U32, 0, UINT64_MAX, { "4294967295" }, { "4294967296" } },
	{ VALUE_S32, INT64_MIN, INT64_MAX, { "-2147483648" }, { "-2147483649", "2147483648" } },
};

static int check(enum value_type type, int64_t min, uint64_t max, const char *text)
{
	struct value_rule rule = {
		.type = type, .min = min, .max = max, .max_length = KV_VALUE_MAX
	};

	return value_check(&rule, text, strlen(text));
}

Test(value_number, rows)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *name = value_type_name(rows[i].type);

		for (size_t j = 0; j < 4 && rows[i].good[j]; j++)
			cr_assert_eq(check(rows[i].type, rows[i].min, rows[i].max, rows[i].good[j]),
				     0, "%s \"%s\"", name, rows[i].good[j]);
		for (size_t j = 0; j < 4 && rows[i].bad[j]; j++)
			cr_assert_eq(check(rows[i].type, rows[i].min, rows[i].max, rows[i].bad[j]),
				     -EBADMSG, "%s \"%s\"", name, rows[i].bad[j]);
		for (size_t j = 0; j < COUNT(bad); j++)
			cr_assert_eq(check(rows[i].type, rows[i].min, rows[i].max, bad[j]),
				     -EBADMSG, "%s \"%s\"", name, bad[j]);
	}
}

static void assert_all_bad(enum value_type type, const char *const texts[], size_t n)
{
	uint64_t max = 0;
	int64_t min = 0;

	cr_assert(value_type_bounds(type, &min, &max));
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(check(type, min, max, texts[i]), -EBADMSG, "%s \"%s\"",
			     value_type_name(type), texts[i]);
}

Test(value_number, wrong_for_all_bounds)
{
	assert_all_bad(VALUE_U8, wrong_u8, COUNT(wrong_u8));
	assert_all_bad(VALUE_S32, wrong_s32, COUNT(wrong_s32));
	assert_all_bad(VALUE_S64, wrong_s64, COUNT(wrong_s64));
	assert_all_bad(VALUE_U64, wrong_u64, COUNT(wrong_u64));
}

Test(value_number, the_longest_fits)
{
	static const char *const longest[_VALUE_TYPE_N] = {
		[VALUE_U8] = "255",	     [VALUE_U16] = "65535",
		[VALUE_U32] = "4294967295",  [VALUE_U64] = "18446744073709551615",
		[VALUE_S32] = "-2147483648", [VALUE_S64] = "-9223372036854775808",
	};

	for (int type = 0; type < _VALUE_TYPE_N; type++)
		if (longest[type])
			cr_assert_eq(value_type_max_length((enum value_type)type),
				     strlen(longest[type]), "%s", longest[type]);
}

Test(value_number, bounds)
{
	uint64_t max = 7;
	int64_t min = 7;

	cr_assert_not(value_type_bounds(VALUE_TEXT, &min, &max));
	cr_assert_not(value_type_bounds(_VALUE_TYPE_N, &min, &max));
	cr_assert(min == 7 && max == 7);
	cr_assert(value_type_bounds(VALUE_S32, &min, &max));
	cr_assert(min == INT32_MIN && max == INT32_MAX);
	cr_assert(value_type_is_signed(VALUE_S32) && value_type_is_signed(VALUE_S64));
	cr_assert_not(value_type_is_signed(VALUE_U64));
	cr_assert_not(value_type_is_signed(VALUE_TEXT));
	cr_assert_not(value_type_is_signed(_VALUE_TYPE_N));
}

Test(value_number, parsers)
{
	uint64_t number = 7;
	int64_t negative = 7;
	uint32_t seconds = 7;

	cr_assert_eq(value_parse_u64("12345678901234567890", 0, UINT64_MAX, &number), 0);
	cr_assert_eq(number, 12345678901234567890u);
	cr_assert_eq(value_parse_s64("-42", -100, 0, &negative), 0);
	cr_assert_eq(negative, -42);
	cr_assert_eq(value_parse_u64("9", 10, 20, &number), -EBADMSG);
	cr_assert_eq(value_parse_s64("1", -100, 0, &negative), -EBADMSG);
	cr_assert_eq(value_parse_lifetime("4294967295", &seconds), -EBADMSG);
	cr_assert_eq(value_parse_lifetime("infinite ", &seconds), -EBADMSG);
	cr_assert(number == 12345678901234567890u && negative == -42 && seconds == 7,
		  "unchanged on failure");
}
