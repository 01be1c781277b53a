/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "userspace/common/path.h"
#include "userspace/common/value.h"
#include "userspace/priv/handlers/dns.h"
#include "userspace/priv/handlers/dns_text.h"
#include "userspace/priv/handlers/provider.h"

#define SEARCH "/search"
#define DOMAIN "/domain"
#define METRIC_LINE "# metric "
/* Of the servers in the file, how many the configuration wants first, and last. */
#define CONFIGURED_LINE "# configured: %" PRIu32 " first, %" PRIu32 " last"
#define CONFIGURED_SCAN "# configured: %" SCNu32 " first, %" SCNu32 " last"
#define WORDS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:./ "

/* Add the names of a list, or of a domain; none of them if one is wrong. */
static int add_names(struct dns_names *names, const char *text, bool is_domain)
{
	struct value_rule rule = { .type = is_domain ? VALUE_HOSTNAME : VALUE_DOMAIN_LIST,
				   .max_length = KV_VALUE_MAX };

	if (value_check(&rule, text, strlen(text)))
		return -EBADMSG;
	dns_names_add_list(names, text);
	return 0;
}

/* Take whole names, at most six, and 256 bytes in total. */
static int take_list(struct dns_share *share, const char *text)
{
	struct dns_names names = { .n_names = 0 };
	int r = add_names(&names, text, share->is_domain);

	memcpy(share->names, names.text, sizeof(share->names));
	return r;
}

static int take_names(struct dns_share *share, struct handler_context *context,
		      const struct wanted *wanted, bool is_leased)
{
	const char *domain = context->options->use_domain ? DOMAIN : NULL;
	struct provider_value values[PROVIDER_VALUES_MAX];
	uint32_t n = provider_find_values(context, wanted, SEARCH, domain, is_leased, values);
	struct dns_names names = { .n_names = 0 };
	uint32_t n_taken = 0;
	int r = 0;

	for (uint32_t i = 0; i < n; i++) {
		bool is_domain = path_is_below(values[i].path, DOMAIN);

		if (add_names(&names, values[i].value->text, is_domain)) {
			r = handler_first(r, handler_fail(context, -EBADMSG, "%.63s is \"%s\"",
							  values[i].path, values[i].value->text));
			continue;
		}
		share->is_domain = is_domain && !n_taken;
		n_taken++;
	}
	memcpy(share->names, names.text, sizeof(share->names));
	return r;
}

/* Who says anything about DNS. */
struct presence {
	bool has_own, has_others; /* keys without, and with the name of a calf */
};

static bool note_presence(const struct provider_element *element, void *data)
{
	struct presence *presence = data;

	presence->has_own |= element->is_own;
	presence->has_others |= !element->is_own;
	return true;
}

static struct presence find_presence(const struct handler_context *context,
				     const struct wanted *wanted, bool is_leased)
{
	struct provider_value values[PROVIDER_VALUES_MAX];
	struct presence presence = { .has_own = false };
	uint32_t n = provider_find_values(context, wanted, SEARCH, DOMAIN, is_leased, values);

	for (uint32_t i = 0; i < n; i++) {
		presence.has_own |= values[i].is_own;
		presence.has_others |= !values[i].is_own;
	}
	provider_take_turns(context, wanted, "/nameserver", is_leased, note_presence, &presence);
	return presence;
}

static void take_configuration(struct dns_share *share, const struct handler_dns *dns)
{
	share->first = dns->prepend;
	share->last = dns->append;
	share->has_options = dns->has_options;
	share->has_sortlist = dns->has_sortlist;
	memcpy(share->options, dns->options, sizeof(share->options));
	memcpy(share->sortlist, dns->sortlist, sizeof(share->sortlist));
	if (dns->has_supersede)
		share->servers = dns->supersede;
	if (dns->has_search && dns->search[0])
		(void)take_list(share, dns->search); /* checked when it was loaded */
	share->is_configured = share->first.n || share->last.n || dns->has_supersede ||
			       dns->has_options || dns->has_sortlist;
}

/* Without a lease the operator's file stays as it is, whatever the configuration says; what a
 * provider says counts as one. */
int dns_settings_init(struct dns_settings *settings, struct handler_context *context,
		      const struct wanted *wanted, bool is_leased, bool *endsp)
{
	const struct handler_dns *dns = &context->options->dns;
	struct presence presence = find_presence(context, wanted, is_leased);
	bool has_address = is_leased && wanted_get(wanted, "/ip");
	struct dns_share *share = &settings->share;
	struct dns_links links = { .n = 0 };
	int r = 0;

	memset(settings, 0, sizeof(*settings));
	*endsp = presence.has_own || !presence.has_others;
	(void)snprintf(share->instance, sizeof(share->instance), "%s", context->instance);
	(void)snprintf(settings->path, sizeof(settings->path), "%s", context->options->resolv_conf);
	share->metric = handler_rank(context);
	if (!context->options->use_dns ||
	    (!has_address && !presence.has_own && !presence.has_others))
		return 0;
	if (!dns->has_search)
		r = take_names(share, context, wanted, is_leased);
	if (!dns->has_supersede)
		r = handler_first(r, dns_servers_take(&share->servers, &links, context, wanted,
						      is_leased));
	take_configuration(share, dns);
	if (!share->first.n && !share->servers.n && !share->last.n)
		share->links = links;
	return r;
}

bool dns_settings_is_empty(const struct dns_settings *settings)
{
	const struct dns_share *share = &settings->share;

	return !share->names[0] && !share->first.n && !share->servers.n && !share->last.n &&
	       !share->links.n;
}

size_t dns_settings_format(const struct dns_settings *settings, char bytes[static DNS_TEXT_SIZE])
{
	const struct dns_share *share = &settings->share;
	struct dns_text text = { .bytes = bytes };

	dns_text_put(&text, DNS_HEADER " %s)\n" METRIC_LINE "%" PRIu32 " %s\n", share->instance,
		     share->metric, settings->path);
	if (share->is_configured)
		dns_text_put(&text, CONFIGURED_LINE "\n", share->first.n, share->last.n);
	if (share->names[0])
		dns_text_put(&text, "%s %s\n", share->is_domain ? "domain" : "search",
			     share->names);
	dns_text_put_servers(&text, &share->first);
	dns_text_put_servers(&text, &share->servers);
	dns_text_put_servers(&text, &share->last);
	dns_text_put_links(&text, &share->links);
	if (share->has_options)
		dns_text_put(&text, "options %s\n", share->options);
	if (share->has_sortlist)
		dns_text_put(&text, "sortlist %s\n", share->sortlist);
	return text.at;
}

/* What has been read of an instance's own file. */
struct reading {
	struct dns_settings *settings;
	uint32_t n_first, n_last; /* of the servers */
	uint32_t n_servers;
	char servers[3 * DNS_SERVERS_MAX][INET6_ADDRSTRLEN];
};

static int parse_link(struct dns_links *links, const char *text)
{
	if (!dns_is_link(text) || links->n == DNS_SERVERS_MAX)
		return -EBADMSG;
	memcpy(links->addresses[links->n++], text, strlen(text) + 1);
	return 0;
}

/* Without a configuration there are only servers that a provider may give. */
static int parse_server(struct reading *reading, const char *text)
{
	bool is_configured = reading->settings->share.is_configured;
	uint32_t max = is_configured ? 3 * DNS_SERVERS_MAX : DNS_SERVERS_MAX;
	unsigned char any[sizeof(struct in6_addr)];
	bool is_valid;

	if (strchr(text, '%'))
		return parse_link(&reading->settings->share.links, text);
	if (is_configured)
		is_valid = inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, any) == 1;
	else
		is_valid = dns_is_server(text);
	if (!is_valid || strlen(text) >= INET6_ADDRSTRLEN || reading->n_servers == max)
		return -EBADMSG;
	memcpy(reading->servers[reading->n_servers++], text, strlen(text) + 1);
	return 0;
}

static int parse_words(const struct reading *reading, const char *text, bool *hasp,
		       char to[static HANDLER_WORDS_SIZE])
{
	if (!reading->settings->share.is_configured || strlen(text) >= HANDLER_WORDS_SIZE ||
	    strspn(text, WORDS) != strlen(text))
		return -EBADMSG;
	*hasp = true;
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int parse_comment(struct reading *reading, const char *line)
{
	struct dns_settings *settings = reading->settings;
	int at = 0;

	if (!strncmp(line, METRIC_LINE, sizeof(METRIC_LINE) - 1)) {
		if (sscanf(line, METRIC_LINE "%" SCNu32 " %n", /* NOLINT(cert-err34-c) */
			   &settings->share.metric, &at) != 1 ||
		    line[at] != '/' || strlen(line + at) >= sizeof(settings->path))
			return -EBADMSG;
		memcpy(settings->path, line + at, strlen(line + at) + 1);
	} else if (sscanf(line, CONFIGURED_SCAN, /* NOLINT(cert-err34-c) */
			  &reading->n_first, &reading->n_last) == 2) {
		settings->share.is_configured = true;
	}
	return 0;
}

static int parse_line(struct reading *reading, char *line)
{
	struct dns_share *share = &reading->settings->share;

	if (!strncmp(line, "search ", 7))
		return take_list(share, line + 7);
	if (!strncmp(line, "domain ", 7)) {
		share->is_domain = true;
		return take_list(share, line + 7);
	}
	if (!strncmp(line, "nameserver ", 11))
		return parse_server(reading, line + 11);
	if (!strncmp(line, "options ", 8))
		return parse_words(reading, line + 8, &share->has_options, share->options);
	if (!strncmp(line, "sortlist ", 9))
		return parse_words(reading, line + 9, &share->has_sortlist, share->sortlist);
	return line[0] == '#' ? parse_comment(reading, line) : -EBADMSG;
}

static void add_servers(struct handler_servers *servers, const struct reading *reading,
			uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		memcpy(servers->addresses[servers->n++], reading->servers[i], INET6_ADDRSTRLEN);
}

static int split_servers(const struct reading *reading)
{
	struct dns_share *share = &reading->settings->share;
	uint32_t n = reading->n_servers, first = reading->n_first, last = reading->n_last;

	if (first > DNS_SERVERS_MAX || last > DNS_SERVERS_MAX || first + last > n ||
	    n - first - last > DNS_SERVERS_MAX || (n && share->links.n))
		return -EBADMSG;
	add_servers(&share->first, reading, 0, first);
	add_servers(&share->servers, reading, first, n - last);
	add_servers(&share->last, reading, n - last, n);
	return 0;
}

int dns_settings_parse(struct dns_settings *settings, const char *instance, const char *bytes)
{
	struct reading reading = { .settings = settings };
	char lines[DNS_TEXT_SIZE], *rest = NULL, *line;
	int r = 0;

	memset(settings, 0, sizeof(*settings));
	if (strlen(bytes) >= sizeof(lines) || !dns_is_ours(bytes) ||
	    strlen(instance) >= sizeof(settings->share.instance))
		return -EBADMSG;
	memcpy(lines, bytes, strlen(bytes) + 1);
	memcpy(settings->share.instance, instance, strlen(instance) + 1);
	for (line = strtok_r(lines, "\n", &rest); line && !r; line = strtok_r(NULL, "\n", &rest))
		r = parse_line(&reading, line);
	if (!r)
		r = split_servers(&reading);
	return r || !settings->path[0] ? -EBADMSG : 0;
}
