/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and times as text in UTC (RFC 3339). */
#ifndef CALFPEN_COMMON_CLOCK_H
#define CALFPEN_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

#define CLOCK_TEXT_SIZE 28    /* 2026-11-24T18:46:09.000000Z */
#define CLOCK_SECONDS_SIZE 21 /* 2026-11-24T18:46:09Z */

/* Return the time of `clock` in nanoseconds. */
uint64_t clock_now_ns(clockid_t clock);

/*
 * Format nanoseconds since 1970 with microseconds. This does not use
 * gmtime_r(), because the C library's opens the time zone file, for which a
 * confined process is killed. After the year 9999 the text starts again with
 * 0000.
 */
void clock_format_utc(uint64_t wall_ns, char text[static CLOCK_TEXT_SIZE]);

/* Format seconds since 1970. Returns 0, or -ERANGE with an empty text if the
 * time is before 1970 or after 9999. */
int clock_format_utc_s(int64_t wall_s, char text[static CLOCK_SECONDS_SIZE]);

/*
 * Parse the format of clock_format_utc_s() into seconds since 1970. Returns 0,
 * or -EINVAL for anything else. A day beyond the end of its month is counted
 * into the next month.
 */
int clock_parse_utc_s(const char *text, int64_t *wall_sp);

#endif
