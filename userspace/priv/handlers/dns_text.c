/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/priv/handlers/dns_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

void dns_text_put_servers(struct dns_text *text, const struct handler_servers *servers)
{
	for (uint32_t i = 0; i < servers->n; i++)
		dns_text_put(text, "nameserver %s\n", servers->addresses[i]);
}

void dns_text_put_links(struct dns_text *text, const struct dns_links *links)
{
	for (uint32_t i = 0; i < links->n; i++)
		dns_text_put(text, "nameserver %s\n", links->addresses[i]);
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

void dns_names_add_list(struct dns_names *names, const char *list)
{
	char name[DNS_SEARCH_LENGTH + 1];

	while (*list) {
		size_t n = strcspn(list, " ");

		(void)snprintf(name, sizeof(name), "%.*s", (int)n, list);
		dns_names_add(names, name);
		list += n + (list[n] == ' ');
	}
}
