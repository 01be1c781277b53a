/* SPDX-License-Identifier: Apache-2.0 */
/* What the parsers of the types have in common. */
#ifndef CALFPEN_COMMON_VALUE_PRIVATE_H
#define CALFPEN_COMMON_VALUE_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/common/value.h"

static inline bool value_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static inline bool value_is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Return the value of a lower-case hex digit, or -1. */
static inline int value_hex_digit(char byte)
{
	if (value_is_digit(byte))
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return -1;
}

/* Parse a canonical decimal number of at most `max` at *textp and step over it.
 * Returns 0 or -EBADMSG. */
int value_take_uint(const char **textp, uint64_t max, uint64_t *number);
/* The same with a number of 32 bits. */
int value_take_u32(const char **textp, uint32_t max, uint32_t *number);
/* Parse seconds or "infinite" at *textp and step over them. Returns 0 or -EBADMSG. */
int value_take_lifetime(const char **textp, uint32_t *seconds);
/* Return whether the text is domains to search, separated by single blanks. */
bool value_is_domain_list(const char *text);

#endif
