/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>

#include "userspace/common/clock.h"

static const struct {
	int64_t seconds;
	const char *text;
} rows[] = {
	{ 0, "1970-01-01T00:00:00" },	       { 86399, "1970-01-01T23:59:59" },
	{ 951782400, "2000-02-29T00:00:00" },  { 951868800, "2000-03-01T00:00:00" },
	{ 1709164800, "2024-02-29T00:00:00" }, { 1735689599, "2024-12-31T23:59:59" },
	{ 4107542400, "2100-03-01T00:00:00" }, { 1767225600, "2026-01-01T00:00:00" },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

Test(common_clock, format_with_microseconds)
{
	char text[CLOCK_TEXT_SIZE], expected[CLOCK_TEXT_SIZE + 8];

	for (size_t i = 0; i < N_ROWS; i++) {
		clock_format_utc((uint64_t)rows[i].seconds * NS_PER_S, text);
		snprintf(expected, sizeof(expected), "%s.000000Z", rows[i].text);
		cr_expect_str_eq(text, expected);
	}
	clock_format_utc(1795558983123456789ull, text);
	cr_expect_str_eq(text, "2026-11-24T22:23:03.123456Z", "%s", text);
	clock_format_utc(UINT64_MAX, text);
	cr_expect_str_eq(text, "2554-07-21T23:34:33.709551Z", "%s", text);
}

Test(common_clock, format_seconds_and_parse_them)
{
	char text[CLOCK_SECONDS_SIZE], expected[CLOCK_SECONDS_SIZE + 8];
	int64_t seconds;

	for (size_t i = 0; i < N_ROWS; i++) {
		cr_expect_eq(clock_format_utc_s(rows[i].seconds, text), 0);
		snprintf(expected, sizeof(expected), "%sZ", rows[i].text);
		cr_expect_str_eq(text, expected);
		cr_expect_eq(clock_parse_utc_s(text, &seconds), 0);
		cr_expect_eq(seconds, rows[i].seconds, "%s", text);
	}
}

/* A step that no calendar divides, through 600 years. */
Test(common_clock, parse_undoes_format)
{
	char text[CLOCK_SECONDS_SIZE];
	int64_t seconds;

	for (int64_t s = 0; s < 600 * 365 * INT64_C(86400); s += 1000003) {
		cr_assert_eq(clock_format_utc_s(s, text), 0);
		cr_assert_eq(clock_parse_utc_s(text, &seconds), 0, "%s", text);
		cr_assert_eq(seconds, s, "%s", text);
	}
}

Test(common_clock, seconds_out_of_range)
{
	char text[CLOCK_SECONDS_SIZE];

	cr_expect_eq(clock_format_utc_s(253402300799, text), 0);
	cr_expect_str_eq(text, "9999-12-31T23:59:59Z");
	cr_expect_eq(clock_format_utc_s(253402300800, text), -ERANGE);
	cr_expect_str_eq(text, "");
	cr_expect_eq(clock_format_utc_s(-1, text), -ERANGE);
	cr_expect_eq(clock_format_utc_s(INT64_MAX, text), -ERANGE);
	cr_expect_eq(clock_format_utc_s(INT64_MIN, text), -ERANGE);
}

Test(common_clock, parse_refuses_other_texts)
{
	static const char *const bad[] = {
		"",
		"never",
		"2026-11-24T18:46:09",
		"2026-11-24T18:46:09ZZ",
		"2026-11-24 18:46:09Z",
		"2026-11-24T18:46:09z",
		"1969-12-31T23:59:59Z",
		"2026-00-24T18:46:09Z",
		"2026-13-24T18:46:09Z",
		"2026-11-00T18:46:09Z",
		"2026-11-32T18:46:09Z",
		"2026-11-24T24:46:09Z",
		"2026-11-24T18:60:09Z",
		"2026-11-24T18:46:60Z",
		"2026-11-24T18:46:+9Z",
		"2026-11-24T18-46:09Z",
	};
	int64_t seconds = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(clock_parse_utc_s(bad[i], &seconds), -EINVAL, "%s", bad[i]);
	cr_expect_eq(seconds, 7, "nothing is stored on failure");
}

Test(common_clock, now)
{
	uint64_t first = clock_now_ns(CLOCK_MONOTONIC), second = clock_now_ns(CLOCK_MONOTONIC);
	struct timespec now;

	cr_expect_leq(first, second);
	cr_assert_eq(clock_gettime(CLOCK_REALTIME, &now), 0);
	cr_expect_geq(clock_now_ns(CLOCK_REALTIME) / NS_PER_S, (uint64_t)now.tv_sec);
}
