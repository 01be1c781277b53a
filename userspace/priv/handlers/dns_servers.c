/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/address.h"
#include "userspace/common/value.h"
#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/provider.h"

#define ZONE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@-"
#define DIGITS "0123456789"

/* What was taken so far. */
struct taken {
	struct handler_context *context;
	struct handler_servers *servers;
	struct dns_links *links;
	bool has_ipv4, has_ipv6; /* among `servers` */
	/* The first one of the family that `servers` has not, "": none. */
	char other[INET6_ADDRSTRLEN];
	int r;
};

static int parse_server(const char *text, struct value_ip *address)
{
	if (value_parse_ip(text, address))
		return -EBADMSG;
	return (address->family == AF_INET ? address_is_host(address->ipv4) :
					     address_is_host6(&address->ipv6)) ?
		       0 :
		       -EBADMSG;
}

static bool is_of_link(const struct value_ip *address)
{
	return address->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->ipv6);
}

bool dns_is_server(const char *text)
{
	struct value_ip address;

	return !parse_server(text, &address) && !is_of_link(&address);
}

bool dns_is_link(const char *text)
{
	char copy[DNS_LINK_SIZE], *zone;
	struct value_ip address;

	if (strlen(text) >= sizeof(copy))
		return false;
	memcpy(copy, text, strlen(text) + 1);
	zone = strchr(copy, '%');
	if (!zone)
		return false;
	*zone++ = '\0';
	return !parse_server(copy, &address) && is_of_link(&address) && zone[0] &&
	       strlen(zone) < IF_NAMESIZE && !zone[strspn(zone, ZONE)];
}

/* A name of digits could be taken for an index. */
static void add_link(struct taken *taken, const char *address)
{
	const struct handler_context *context = taken->context;
	const char *name = context->uplink_name;
	struct dns_links *links = taken->links;
	char text[DNS_LINK_SIZE] = "";

	if (!context->uplink_ifindex || links->n == DNS_SERVERS_MAX)
		return;
	if (name[strspn(name, DIGITS)] && !name[strspn(name, ZONE)])
		(void)snprintf(text, sizeof(text), "%s%%%s", address, name);
	else
		(void)snprintf(text, sizeof(text), "%s%%%d", address, context->uplink_ifindex);
	for (uint32_t i = 0; i < links->n; i++)
		if (!strcmp(links->addresses[i], text))
			return;
	memcpy(links->addresses[links->n++], text, sizeof(text));
}

static void add_server(struct taken *taken, sa_family_t family, const char *address)
{
	struct handler_servers *servers = taken->servers;
	bool is_other = family == AF_INET ? !taken->has_ipv4 : !taken->has_ipv6;

	for (uint32_t i = 0; i < servers->n; i++)
		if (!strcmp(servers->addresses[i], address))
			return;
	if (servers->n < DNS_SERVERS_MAX) {
		(void)snprintf(servers->addresses[servers->n++], INET6_ADDRSTRLEN, "%s", address);
		taken->has_ipv4 |= family == AF_INET;
		taken->has_ipv6 |= family == AF_INET6;
	} else if (is_other && !taken->other[0]) {
		(void)snprintf(taken->other, sizeof(taken->other), "%s", address);
	}
}

static bool take(const struct provider_element *element, void *data)
{
	const struct wanted_key *key = element->key;
	char text[VALUE_IPV6_SIZE];
	struct taken *taken = data;
	struct value_ip address;

	if (parse_server(key->value.text, &address)) {
		taken->r = handler_first(taken->r,
					 handler_fail(taken->context, -EBADMSG, "%.63s is \"%s\"",
						      key->key.path, key->value.text));
		return false;
	}
	value_format_ip(&address, text);
	if (is_of_link(&address)) {
		add_link(taken, text);
		return false;
	}
	add_server(taken, address.family, text);
	return true;
}

int dns_servers_take(struct handler_servers *servers, struct dns_links *links,
		     struct handler_context *context, const struct wanted *wanted, bool is_leased)
{
	struct taken taken = { .context = context, .servers = servers, .links = links };

	servers->n = links->n = 0;
	provider_take_turns(context, wanted, "/nameserver", is_leased, take, &taken);
	if (taken.other[0])
		memcpy(servers->addresses[DNS_SERVERS_MAX - 1], taken.other, sizeof(taken.other));
	return taken.r;
}
