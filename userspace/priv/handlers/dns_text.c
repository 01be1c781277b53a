/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/dns_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/value.h"

void dns_text_put(struct dns_text *text, const char *format, ...)
{
	size_t room = DNS_TEXT_SIZE - text->at;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text->bytes + text->at, room, format, arguments);
	va_end(arguments);
	if (n > 0 && (size_t)n < room)
		text->at += (size_t)n;
	text->bytes[text->at] = '\0';
}

void dns_text_put_server(struct dns_text *text, struct in_addr address)
{
	char server[VALUE_IPV4_SIZE];

	value_format_ipv4(address, server);
	dns_text_put(text, "nameserver %s\n", server);
}

static bool has_name(const struct dns_names *names, const char *name)
{
	const char *at = names->text;
	size_t length = strlen(name);

	while (*at) {
		size_t n = strcspn(at, " ");

		if (n == length && !strncasecmp(at, name, n))
			return true;
		at += n + (at[n] == ' ');
	}
	return false;
}

void dns_names_add(struct dns_names *names, const char *name)
{
	size_t length = strlen(names->text), size = strlen(name);
	size_t more = size + (length > 0);

	if (names->is_full || has_name(names, name))
		return;
	if (names->n_names == DNS_SEARCH_MAX || length + more > DNS_SEARCH_LENGTH) {
		names->is_full = true;
		return;
	}
	if (length)
		names->text[length++] = ' ';
	memcpy(names->text + length, name, size + 1);
	names->n_names++;
}
