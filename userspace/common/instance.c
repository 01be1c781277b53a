/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/instance.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "userspace/common/hash.h"

#define REPLACEMENT_SIZE sizeof("__7e")
#define HASH_LENGTH (sizeof("__0") - 1 + 16)

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Returns true if `c` may stay: a '_' must not look like part of "__", nor a '-' like
 * part of "--" if that is read from left to right. */
static bool is_plain(bool is_first, char c, char next)
{
	if (c == '_')
		return is_lower_or_digit(next) || !next;
	if (c == '-')
		return !is_first && next != '-' && next != '.';
	return is_lower_or_digit(c);
}

static size_t replace(bool is_first, char c, char next, char to[static REPLACEMENT_SIZE])
{
	int n;

	if (is_plain(is_first, c, next))
		n = snprintf(to, REPLACEMENT_SIZE, "%c", c);
	else if (is_capital(c))
		n = snprintf(to, REPLACEMENT_SIZE, "__%c", c - 'A' + 'a');
	else if (c == '.' && !is_first) /* a name does not start with '-' */
		n = snprintf(to, REPLACEMENT_SIZE, "--");
	else
		n = snprintf(to, REPLACEMENT_SIZE, "__%02x", (unsigned char)c);
	return (size_t)n;
}

/* "__0" is not the start of a replacement. */
static void hash_name(const char *interface, char name[static INSTANCE_NAME_MAX + 1])
{
	size_t n = 0;

	for (const char *c = interface; *c && n < INSTANCE_NAME_MAX - HASH_LENGTH; c++)
		if (is_lower_or_digit(*c) || is_capital(*c))
			name[n++] = is_capital(*c) ? (char)(*c - 'A' + 'a') : *c;
	snprintf(name + n, INSTANCE_NAME_MAX + 1 - n, "__0%016" PRIx64,
		 hash_text(HASH_START, interface));
}

void instance_name_of(const char *interface, char name[static INSTANCE_NAME_MAX + 1])
{
	char text[REPLACEMENT_SIZE];
	size_t n = 0;

	if (instance_is_name(interface) && !strstr(interface, "__") && !strstr(interface, "--")) {
		memcpy(name, interface, strlen(interface) + 1);
		return;
	}
	if (!strcmp(interface, INSTANCE_UIDS_FILE)) {
		hash_name(interface, name);
		return;
	}
	for (const char *c = interface; *c; c++) {
		size_t length = replace(c == interface, c[0], c[1], text);

		if (n + length > INSTANCE_NAME_MAX) {
			hash_name(interface, name);
			return;
		}
		memcpy(name + n, text, length);
		n += length;
	}
	name[n] = '\0';
}
