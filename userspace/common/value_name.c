/* SPDX-License-Identifier: Apache-2.0 */
/* Names of hosts and domains. */
#include <string.h>

#include "userspace/common/value-private.h"

#define LABEL_MAX 63

/* Return the length of the LDH name at `text`, which ends before a blank or a
 * NUL, or 0 if there is none. Its labels may have underscores if so given. */
static size_t name_length(const char *text, bool underscores)
{
	size_t at = 0, label = 0;

	for (;; at++) {
		char byte = text[at];

		if (value_is_letter(byte) || value_is_digit(byte) || byte == '-' ||
		    (underscores && byte == '_')) {
			if ((byte == '-' && label == 0) || ++label > LABEL_MAX)
				return 0;
			continue;
		}
		if (label == 0 || text[at - 1] == '-')
			return 0;
		if (byte != '.')
			return at <= VALUE_HOSTNAME_MAX ? at : 0;
		label = 0;
	}
}

bool value_is_hostname(const char *text)
{
	size_t length = name_length(text, false);

	return length > 0 && text[length] == '\0';
}

bool value_is_host(const char *text)
{
	const char *dot = strrchr(text, '.'), *last = dot ? dot + 1 : text;
	struct value_ip address;

	if (!value_parse_ip(text, &address))
		return true;
	return value_is_hostname(text) && last[strspn(last, "0123456789")] != '\0';
}

bool value_is_domain(const char *text)
{
	size_t length = name_length(text, true);

	return length > 0 && text[length] == '\0';
}

bool value_is_domain_list(const char *text)
{
	for (;;) {
		size_t length = name_length(text, true);

		if (length == 0)
			return false;
		text += length;
		if (*text == '\0')
			return true;
		if (*text++ != ' ')
			return false;
	}
}
