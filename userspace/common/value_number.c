/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "userspace/common/value-private.h"

#define INFINITE "infinite"

int value_take_uint(const char **textp, uint64_t max, uint64_t *number)
{
	const char *text = *textp;
	uint64_t sum = 0;

	if (!value_is_digit(*text) || (text[0] == '0' && value_is_digit(text[1])))
		return -EBADMSG;
	for (; value_is_digit(*text); text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (sum > max / 10 || (sum == max / 10 && digit > max % 10))
			return -EBADMSG;
		sum = sum * 10 + digit;
	}
	*textp = text;
	*number = sum;
	return 0;
}

int value_take_u32(const char **textp, uint32_t max, uint32_t *number)
{
	uint64_t parsed;
	int r = value_take_uint(textp, max, &parsed);

	if (!r)
		*number = (uint32_t)parsed;
	return r;
}

int value_take_lifetime(const char **textp, uint32_t *seconds)
{
	if (strncmp(*textp, INFINITE, strlen(INFINITE)) != 0)
		return value_take_u32(textp, VALUE_LIFETIME_INFINITE - 1, seconds);
	*textp += strlen(INFINITE);
	*seconds = VALUE_LIFETIME_INFINITE;
	return 0;
}

int value_parse_uint(const char *text, uint32_t min, uint32_t max, uint32_t *number)
{
	uint64_t parsed;

	if (value_parse_u64(text, min, max, &parsed))
		return -EBADMSG;
	*number = (uint32_t)parsed;
	return 0;
}

int value_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	uint64_t parsed;

	if (value_take_uint(&text, max, &parsed) || *text != '\0' || parsed < min)
		return -EBADMSG;
	*number = parsed;
	return 0;
}

int value_parse_s64(const char *text, int64_t min, int64_t max, int64_t *number)
{
	bool is_negative = *text == '-';
	uint64_t limit = (uint64_t)INT64_MAX + is_negative, parsed;
	int64_t value;

	text += is_negative;
	if (value_take_uint(&text, limit, &parsed) || *text != '\0' || (is_negative && !parsed))
		return -EBADMSG;
	value = (int64_t)(is_negative ? -parsed : parsed);
	if (value < min || value > max)
		return -EBADMSG;
	*number = value;
	return 0;
}

int value_parse_lifetime(const char *text, uint32_t *seconds)
{
	uint32_t parsed;

	if (value_take_lifetime(&text, &parsed) || *text != '\0')
		return -EBADMSG;
	*seconds = parsed;
	return 0;
}
