/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/address.h"
#include "userspace/common/value.h"
#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/dns_text.h"
#include "userspace/priv/handlers/lease.h"

#define DIRECTORY "/nameserver/"
#define METRIC_LINE "# metric "

/* Only whole names, at most six, and 256 bytes in total. */
static int take_search(struct dns_settings *settings, struct handler_context *context,
		       const struct kv_value *value)
{
	char names[KV_VALUE_SIZE], *rest = NULL, *name;
	struct dns_names list = { .n_names = 0 };

	(void)snprintf(names, sizeof(names), "%s", value->text);
	for (name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		if (!value_is_hostname(name))
			return handler_fail(context, -EBADMSG, "/search is \"%s\"", value->text);
		dns_names_add(&list, name);
	}
	memcpy(settings->names, list.text, sizeof(settings->names));
	return 0;
}

static int take_names(struct dns_settings *settings, struct handler_context *context,
		      const struct wanted *wanted)
{
	const struct kv_value *search = wanted_get(wanted, "/search");
	const struct kv_value *domain = wanted_get(wanted, "/domain");

	if (search)
		return take_search(settings, context, search);
	if (!domain || !context->configuration->use_domain)
		return 0;
	if (!value_is_hostname(domain->text) || domain->length > DNS_SEARCH_LENGTH)
		return handler_fail(context, -EBADMSG, "/domain is \"%s\"", domain->text);
	memcpy(settings->names, domain->text, domain->length + 1);
	settings->is_domain = true;
	return 0;
}

static int take_servers(struct dns_settings *settings, struct handler_context *context,
			const struct wanted *wanted)
{
	int r = 0;

	for (uint32_t i = wanted_first_below(wanted, DIRECTORY);
	     wanted_is_below(wanted, i, DIRECTORY) && settings->n_servers < DNS_SERVERS_MAX; i++) {
		const struct wanted_key *key = wanted->keys[i];
		struct in_addr address;

		if (value_parse_ipv4(key->value.text, &address) || !address_is_host(address)) {
			r = handler_first(r, handler_fail(context, -EBADMSG, "%.63s is \"%s\"",
							  key->key.path, key->value.text));
			continue;
		}
		settings->servers[settings->n_servers++] = address;
	}
	return r;
}

int dns_settings_init(struct dns_settings *settings, struct handler_context *context,
		      const struct wanted *wanted)
{
	int r;

	memset(settings, 0, sizeof(*settings));
	(void)snprintf(settings->instance, sizeof(settings->instance), "%s", context->instance);
	(void)snprintf(settings->path, sizeof(settings->path), "%s",
		       context->configuration->resolv_conf);
	settings->metric = handler_rank(context);
	if (!context->configuration->use_dns)
		return 0;
	r = take_names(settings, context, wanted);
	return handler_first(r, take_servers(settings, context, wanted));
}

bool dns_settings_is_empty(const struct dns_settings *settings)
{
	return !settings->names[0] && !settings->n_servers;
}

size_t dns_settings_format(const struct dns_settings *settings, char bytes[static DNS_TEXT_SIZE])
{
	struct dns_text text = { .bytes = bytes };

	dns_text_put(&text, DNS_HEADER " %s)\n" METRIC_LINE "%" PRIu32 " %s\n", settings->instance,
		     settings->metric, settings->path);
	if (settings->names[0])
		dns_text_put(&text, "%s %s\n", settings->is_domain ? "domain" : "search",
			     settings->names);
	for (uint32_t i = 0; i < settings->n_servers; i++)
		dns_text_put_server(&text, settings->servers[i]);
	return text.at;
}

/* Parse the names of "search a b" as if they came from a key. */
static int parse_names(struct dns_settings *settings, char *names)
{
	struct dns_names list = { .n_names = 0 };
	char *rest = NULL, *name;

	for (name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		if (!value_is_hostname(name))
			return -EBADMSG;
		dns_names_add(&list, name);
	}
	memcpy(settings->names, list.text, sizeof(settings->names));
	return 0;
}

static int parse_line(struct dns_settings *settings, char *line)
{
	struct in_addr address;
	int at = 0;

	if (!strncmp(line, "search ", 7))
		return parse_names(settings, line + 7);
	if (!strncmp(line, "domain ", 7)) {
		settings->is_domain = true;
		return parse_names(settings, line + 7);
	}
	if (!strncmp(line, "nameserver ", 11)) {
		if (value_parse_ipv4(line + 11, &address) || !address_is_host(address) ||
		    settings->n_servers == DNS_SERVERS_MAX)
			return -EBADMSG;
		settings->servers[settings->n_servers++] = address;
		return 0;
	}
	if (!strncmp(line, METRIC_LINE, sizeof(METRIC_LINE) - 1)) {
		if (sscanf(line, METRIC_LINE "%" SCNu32 " %n", /* NOLINT(cert-err34-c) */
			   &settings->metric, &at) != 1 ||
		    line[at] != '/' || strlen(line + at) >= sizeof(settings->path))
			return -EBADMSG;
		memcpy(settings->path, line + at, strlen(line + at) + 1);
		return 0;
	}
	return line[0] == '#' ? 0 : -EBADMSG;
}

int dns_settings_parse(struct dns_settings *settings, const char *instance, const char *bytes)
{
	char lines[DNS_TEXT_SIZE], *rest = NULL, *line;
	int r = 0;

	memset(settings, 0, sizeof(*settings));
	if (strlen(bytes) >= sizeof(lines) ||
	    strncmp(bytes, DNS_HEADER, sizeof(DNS_HEADER) - 1) != 0 ||
	    strlen(instance) >= sizeof(settings->instance))
		return -EBADMSG;
	memcpy(lines, bytes, strlen(bytes) + 1);
	memcpy(settings->instance, instance, strlen(instance) + 1);
	for (line = strtok_r(lines, "\n", &rest); line && !r; line = strtok_r(NULL, "\n", &rest))
		r = parse_line(settings, line);
	return r || !settings->path[0] ? -EBADMSG : 0;
}
