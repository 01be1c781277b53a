/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/dns_text.h"

#define ENTRIES_MAX (sizeof(((struct dns_list *)NULL)->entries) / sizeof(struct dns_list_entry))

_Static_assert(sizeof(DNS_HEADER) + PATH_MAX + 64 +
			       ENTRIES_MAX * (INSTANCE_NAME_MAX + sizeof(", ")) +
			       sizeof("search ") + DNS_SEARCH_LENGTH +
			       DNS_SERVERS_MAX * sizeof("nameserver 255.255.255.255\n") <
		       DNS_TEXT_SIZE,
	       "DNS_TEXT_SIZE");

static bool is_before(const struct dns_settings *a, const struct dns_list_entry *b)
{
	return a->metric != b->metric ? a->metric < b->metric :
					strcmp(a->instance, b->instance) < 0;
}

void dns_list_add(struct dns_list *list, const struct dns_settings *settings)
{
	struct dns_list_entry *at;
	uint32_t i = 0;

	if (list->n_entries == ENTRIES_MAX || dns_settings_is_empty(settings))
		return;
	while (i < list->n_entries && !is_before(settings, &list->entries[i]))
		i++;
	at = &list->entries[i];
	memmove(at + 1, at, (list->n_entries - i) * sizeof(*at));
	list->n_entries++;
	memset(at, 0, sizeof(*at));
	memcpy(at->instance, settings->instance, sizeof(at->instance));
	memcpy(at->names, settings->names, sizeof(at->names));
	memcpy(at->servers, settings->servers, sizeof(at->servers));
	at->metric = settings->metric;
	at->is_domain = settings->is_domain;
	at->n_servers = settings->n_servers;
}

static void put_header(struct dns_text *text, const struct dns_list *list)
{
	dns_text_put(text, DNS_HEADER "%s %s", list->n_entries > 1 ? "s" : "",
		     list->entries[0].instance);
	for (uint32_t i = 1; i < list->n_entries; i++)
		dns_text_put(text, ", %s", list->entries[i].instance);
	dns_text_put(text, ")\n");
}

static void add_names(struct dns_names *names, const char *more)
{
	char copy[DNS_SEARCH_LENGTH + 1], *rest = NULL, *name;

	(void)snprintf(copy, sizeof(copy), "%s", more);
	for (name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
		dns_names_add(names, name);
}

static void put_names(struct dns_text *text, const struct dns_list *list)
{
	struct dns_names names = { .n_names = 0 };
	uint32_t i, n_named = 0;
	bool is_domain = false;

	for (i = 0; i < list->n_entries; i++) {
		if (!list->entries[i].names[0])
			continue;
		n_named++;
		is_domain = list->entries[i].is_domain;
		add_names(&names, list->entries[i].names);
	}
	if (n_named)
		dns_text_put(text, "%s %s\n", n_named == 1 && is_domain ? "domain" : "search",
			     names.text);
}

static void put_servers(struct dns_text *text, const struct dns_list *list)
{
	struct in_addr there[DNS_SERVERS_MAX];
	uint32_t i, j, k, n = 0;

	for (i = 0; i < list->n_entries; i++) {
		for (j = 0; j < list->entries[i].n_servers && n < DNS_SERVERS_MAX; j++) {
			struct in_addr server = list->entries[i].servers[j];

			for (k = 0; k < n && there[k].s_addr != server.s_addr;)
				k++;
			if (k < n)
				continue;
			there[n++] = server;
			dns_text_put_server(text, server);
		}
	}
}

size_t dns_list_format(const struct dns_list *list, char bytes[static DNS_TEXT_SIZE])
{
	struct dns_text text = { .bytes = bytes };

	bytes[0] = '\0';
	if (!list->n_entries)
		return 0;
	put_header(&text, list);
	put_names(&text, list);
	put_servers(&text, list);
	return text.at;
}
