/* SPDX-License-Identifier: Apache-2.0 */
/* Builds lines of resolv.conf within its limits. */
#ifndef CALFPEN_PRIV_HANDLERS_DNS_TEXT_H
#define CALFPEN_PRIV_HANDLERS_DNS_TEXT_H

#include <stdbool.h>

#include "userspace/priv/handlers/dns.h"

struct dns_text {
	char *bytes; /* DNS_TEXT_SIZE */
	size_t at;
};

/* Append formatted text, or nothing if not all of it fits. */
__attribute__((format(printf, 2, 3))) void dns_text_put(struct dns_text *text, const char *format,
							...);
void dns_text_put_servers(struct dns_text *text, const struct handler_servers *servers);
void dns_text_put_links(struct dns_text *text, const struct dns_links *links);

/* The line after which the lines of the operator's file are. */
#define DNS_KEPT_MARK "# kept of the file before:\n"

/* The names of one `search` line. */
struct dns_names {
	char text[DNS_SEARCH_LENGTH + 1];
	unsigned int n_names;
	bool is_full; /* a name did not fit: add no more, to keep the order */
};

/* Append a name unless it is already in the line or the line is full. */
void dns_names_add(struct dns_names *names, const char *name);
/* The same for each of a list, separated by single blanks. */
void dns_names_add_list(struct dns_names *names, const char *list);

#endif
