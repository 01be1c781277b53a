/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/dns_text.h"

bool dns_is_ours(const char *text)
{
	return !strncmp(text, DNS_HEADER, sizeof(DNS_HEADER) - 1);
}

/* Resolvers know a keyword only at the beginning of a line and before a blank. */
static bool begins_with(const char *line, size_t length, const char *keyword)
{
	size_t n = strlen(keyword);

	return length > n && !strncmp(line, keyword, n) && (line[n] == ' ' || line[n] == '\t');
}

static bool is_printable(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (line[i] != '\t' && (line[i] < ' ' || line[i] > '~'))
			return false;
	return true;
}

/* Append the line with a newline if it fits. */
static void keep(char to[static DNS_KEPT_SIZE], const char *line, size_t length)
{
	size_t at = strlen(to);

	if (at + length + 2 > DNS_KEPT_SIZE || !is_printable(line, length))
		return;
	memcpy(to + at, line, length);
	memcpy(to + at + length, "\n", 2);
}

void dns_kept_init(struct dns_kept *kept, const char *text)
{
	const char *line = dns_is_ours(text) ? strstr(text, DNS_KEPT_MARK) : text;

	memset(kept, 0, sizeof(*kept));
	while (line && *line) {
		size_t length = strcspn(line, "\n");

		if (begins_with(line, length, "options"))
			keep(kept->options, line, length);
		else if (begins_with(line, length, "sortlist"))
			keep(kept->sortlist, line, length);
		line += length + (line[length] == '\n');
	}
}
