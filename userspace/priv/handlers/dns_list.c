/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/dns_text.h"

#define ENTRIES_MAX (sizeof(((struct dns_list *)NULL)->entries) / sizeof(struct dns_share))

_Static_assert(sizeof(DNS_HEADER) + PATH_MAX + 128 +
			       ENTRIES_MAX * (INSTANCE_NAME_MAX + sizeof(", ")) +
			       sizeof("search ") + DNS_SEARCH_LENGTH +
			       (sizeof("nameserver \n") + INET6_ADDRSTRLEN) * DNS_SERVERS_MAX * 3 +
			       2 * (sizeof("sortlist ") + HANDLER_WORDS_SIZE) +
			       sizeof(DNS_KEPT_MARK) + sizeof(struct dns_kept) <
		       DNS_TEXT_SIZE,
	       "DNS_TEXT_SIZE");

static bool is_before(const struct dns_share *a, const struct dns_share *b)
{
	return a->metric != b->metric ? a->metric < b->metric :
					strcmp(a->instance, b->instance) < 0;
}

void dns_list_add(struct dns_list *list, const struct dns_settings *settings)
{
	struct dns_share *at;
	uint32_t i = 0;

	if (list->n_entries == ENTRIES_MAX || dns_settings_is_empty(settings))
		return;
	while (i < list->n_entries && !is_before(&settings->share, &list->entries[i]))
		i++;
	at = &list->entries[i];
	memmove(at + 1, at, (list->n_entries - i) * sizeof(*at));
	list->n_entries++;
	*at = settings->share;
}

static void put_header(struct dns_text *text, const struct dns_list *list)
{
	dns_text_put(text, DNS_HEADER "%s %s", list->n_entries > 1 ? "s" : "",
		     list->entries[0].instance);
	for (uint32_t i = 1; i < list->n_entries; i++)
		dns_text_put(text, ", %s", list->entries[i].instance);
	dns_text_put(text, ")\n");
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
		dns_names_add_list(&names, list->entries[i].names);
	}
	if (n_named)
		dns_text_put(text, "%s %s\n", n_named == 1 && is_domain ? "domain" : "search",
			     names.text);
}

static bool has_server(const struct handler_servers *servers, const char *address)
{
	for (uint32_t i = 0; i < servers->n; i++)
		if (!strcmp(servers->addresses[i], address))
			return true;
	return false;
}

static void add_servers(struct handler_servers *servers, const struct handler_servers *more)
{
	for (uint32_t i = 0; i < more->n && servers->n < DNS_SERVERS_MAX; i++)
		if (!has_server(servers, more->addresses[i]))
			memcpy(servers->addresses[servers->n++], more->addresses[i],
			       INET6_ADDRSTRLEN);
}

static void add_links(struct dns_links *links, const struct dns_links *more)
{
	for (uint32_t i = 0; i < more->n && links->n < DNS_SERVERS_MAX; i++)
		memcpy(links->addresses[links->n++], more->addresses[i], DNS_LINK_SIZE);
}

static void put_servers(struct dns_text *text, const struct dns_list *list)
{
	struct handler_servers servers = { .n = 0 };
	struct dns_links links = { .n = 0 };
	uint32_t i;

	for (i = 0; i < list->n_entries; i++)
		add_servers(&servers, &list->entries[i].first);
	for (i = 0; i < list->n_entries; i++)
		add_servers(&servers, &list->entries[i].servers);
	for (i = 0; i < list->n_entries; i++)
		add_servers(&servers, &list->entries[i].last);
	dns_text_put_servers(text, &servers);
	for (i = 0; i < list->n_entries && !servers.n; i++)
		add_links(&links, &list->entries[i].links);
	dns_text_put_links(text, &links);
}

static void put_options(struct dns_text *text, const struct dns_list *list)
{
	const char *options = NULL, *sortlist = NULL;
	struct dns_kept kept = list->kept;

	for (uint32_t i = list->n_entries; i-- > 0;) {
		if (list->entries[i].has_options)
			options = list->entries[i].options;
		if (list->entries[i].has_sortlist)
			sortlist = list->entries[i].sortlist;
	}
	if (options && options[0])
		dns_text_put(text, "options %s\n", options);
	if (sortlist && sortlist[0])
		dns_text_put(text, "sortlist %s\n", sortlist);
	if (options)
		kept.options[0] = '\0';
	if (sortlist)
		kept.sortlist[0] = '\0';
	if (kept.options[0] || kept.sortlist[0])
		dns_text_put(text, DNS_KEPT_MARK "%s%s", kept.options, kept.sortlist);
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
	put_options(&text, list);
	return text.at;
}
