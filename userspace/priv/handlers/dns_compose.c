// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/value.h"
#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/lease.h"

#define DIRECTORY "/nameserver/"

struct text {
	char *bytes;
	size_t at;
};

/* The text is bounded by what may go into it; see the size assertion. */
__attribute__((format(printf, 2, 3))) static void text_put(struct text *text, const char *format,
							   ...)
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

_Static_assert(sizeof(DNS_HEADER) + OPTIONS_INSTANCE_MAX + sizeof("search ") + DNS_SEARCH_LENGTH +
			       DNS_SERVERS_MAX * (sizeof("nameserver \n") + VALUE_IPV4_SIZE) + 8 <
		       DNS_TEXT_SIZE,
	       "DNS_TEXT_SIZE");

/* "search a b c": whole names only, at most six and 256 bytes of them. */
static int put_search(struct text *text, struct handler_context *context,
		      const struct kv_value *value)
{
	char names[KV_VALUE_SIZE], *rest = NULL, *name;
	size_t length = 0, before = text->at;
	unsigned int n = 0;

	(void)snprintf(names, sizeof(names), "%s", value->text);
	for (name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		size_t more = strlen(name) + (n > 0);

		if (!value_is_hostname(name)) {
			text->at = before;
			text->bytes[before] = '\0';
			return handler_fail(context, -EBADMSG, "/search is \"%s\"", value->text);
		}
		if (n == DNS_SEARCH_MAX || length + more > DNS_SEARCH_LENGTH)
			break;
		text_put(text, n ? " %s" : "search %s", name);
		length += more;
		n++;
	}
	if (n)
		text_put(text, "\n");
	return 0;
}

static int put_names(struct text *text, struct handler_context *context,
		     const struct wanted *wanted)
{
	const struct kv_value *search = wanted_get(wanted, "/search");
	const struct kv_value *domain = wanted_get(wanted, "/domain");

	if (search)
		return put_search(text, context, search);
	if (!domain || !context->configuration->use_domain)
		return 0;
	if (!value_is_hostname(domain->text) || domain->length > DNS_SEARCH_LENGTH)
		return handler_fail(context, -EBADMSG, "/domain is \"%s\"", domain->text);
	text_put(text, "domain %s\n", domain->text);
	return 0;
}

static int put_servers(struct text *text, struct handler_context *context,
		       const struct wanted *wanted)
{
	uint32_t i, n = 0;
	int error = 0;

	for (i = wanted_first_below(wanted, DIRECTORY);
	     wanted_is_below(wanted, i, DIRECTORY) && n < DNS_SERVERS_MAX; i++) {
		const struct wanted_key *key = &wanted->keys[i];
		char server[VALUE_IPV4_SIZE];
		struct in_addr address;

		if (value_parse_ipv4(key->value.text, &address) || !lease_is_unicast(address)) {
			error = handler_first(error,
					      handler_fail(context, -EBADMSG, "%.63s is \"%s\"",
							   key->key.path, key->value.text));
			continue;
		}
		value_format_ipv4(address, server);
		text_put(text, "nameserver %s\n", server);
		n++;
	}
	return error;
}

int dns_compose(struct handler_context *context, const struct wanted *wanted,
		char bytes[static DNS_TEXT_SIZE], size_t *lengthp)
{
	struct text text = { .bytes = bytes };
	size_t header;
	int error;

	*lengthp = 0;
	if (!context->configuration->use_dns)
		return 0;
	text_put(&text, DNS_HEADER "%s)\n", context->instance);
	header = text.at;
	error = put_names(&text, context, wanted);
	error = handler_first(error, put_servers(&text, context, wanted));
	if (text.at > header)
		*lengthp = text.at;
	return error;
}
