/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: civil dates from days and back, after Hinnant: years begin in March, so
 * that the leap day is the last day of its year; an era is 400 years.
 */
#include "userspace/common/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA 146097
#define DAYS_TO_1970 719468	    /* since 0000-03-01 */
#define YEAR_10000_S 253402300800ll /* the first second that has no four digits */

struct date {
	uint32_t year, month, day;
};

static struct date date_from_days(uint64_t days)
{
	uint64_t since = days + DAYS_TO_1970;
	uint64_t era = since / DAYS_PER_ERA;
	uint32_t era_day = (uint32_t)(since % DAYS_PER_ERA);
	uint32_t year = (era_day - era_day / 1460u + era_day / 36524u - era_day / 146096u) / 365u;
	uint32_t year_day = era_day - (365u * year + year / 4u - year / 100u);
	uint32_t month = (5u * year_day + 2u) / 153u; /* 0: March */

	return (struct date){
		.year = (uint32_t)(era * 400u) + year + (month >= 10u),
		.month = month < 10u ? month + 3u : month - 9u,
		.day = year_day - (153u * month + 2u) / 5u + 1u,
	};
}

static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t era, year_day;

	if (month <= 2)
		year--;
	era = year / 400;
	year %= 400;
	year_day = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * DAYS_PER_ERA + year * 365 + year / 4 - year / 100 + year_day - DAYS_TO_1970;
}

uint64_t clock_now_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* "2026-11-24T18:46:09", without a fraction or zone. Returns its length. */
static int format(uint64_t wall_s, char *text, size_t size)
{
	struct date date = date_from_days(wall_s / SECONDS_PER_DAY);
	uint32_t rest = (uint32_t)(wall_s % SECONDS_PER_DAY);

	return snprintf(text, size, "%04u-%02u-%02uT%02u:%02u:%02u", date.year % 10000u,
			date.month % 100u, date.day % 100u, rest / 3600u, rest / 60u % 60u,
			rest % 60u);
}

void clock_format_utc(uint64_t wall_ns, char text[static CLOCK_TEXT_SIZE])
{
	int n = format(wall_ns / NS_PER_S, text, CLOCK_TEXT_SIZE);

	(void)snprintf(text + n, (size_t)(CLOCK_TEXT_SIZE - n), ".%06uZ",
		       (uint32_t)(wall_ns % NS_PER_S / 1000u));
}

int clock_format_utc_s(int64_t wall_s, char text[static CLOCK_SECONDS_SIZE])
{
	int n;

	text[0] = '\0';
	if (wall_s < 0 || wall_s >= YEAR_10000_S)
		return -ERANGE;
	n = format((uint64_t)wall_s, text, CLOCK_SECONDS_SIZE);
	(void)snprintf(text + n, (size_t)(CLOCK_SECONDS_SIZE - n), "Z");
	return 0;
}

/* `n` digits that make up a number from `min` to `max`. */
static bool take_number(const char **at, int n, int64_t min, int64_t max, int64_t *number)
{
	*number = 0;
	for (int i = 0; i < n; i++) {
		char digit = (*at)[i];

		if (digit < '0' || digit > '9')
			return false;
		*number = *number * 10 + (digit - '0');
	}
	*at += n;
	return *number >= min && *number <= max;
}

static bool take_char(const char **at, char wanted)
{
	return *(*at)++ == wanted;
}

int clock_parse_utc_s(const char *text, int64_t *wall_sp)
{
	int64_t year, month, day, hour, minute, second;

	if (strlen(text) != CLOCK_SECONDS_SIZE - 1)
		return -EINVAL;
	if (!take_number(&text, 4, 1970, 9999, &year) || !take_char(&text, '-') ||
	    !take_number(&text, 2, 1, 12, &month) || !take_char(&text, '-') ||
	    !take_number(&text, 2, 1, 31, &day) || !take_char(&text, 'T') ||
	    !take_number(&text, 2, 0, 23, &hour) || !take_char(&text, ':') ||
	    !take_number(&text, 2, 0, 59, &minute) || !take_char(&text, ':') ||
	    !take_number(&text, 2, 0, 59, &second) || !take_char(&text, 'Z'))
		return -EINVAL;
	*wall_sp = days_from_date(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 +
		   second;
	return 0;
}
