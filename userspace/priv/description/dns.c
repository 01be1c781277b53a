/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: what the operator wants in resolv.conf, the field `dns` of a configuration
 *
 * Each field is a list, or text with blanks between the values. No value can become
 * another line or a comment of resolv.conf.
 */
#include <arpa/inet.h>
#include <string.h>

#include "userspace/common/address.h"
#include "userspace/common/value.h"
#include "userspace/priv/description/description-private.h"

#define OPTIONS_MAX 16
#define SORTLIST_MAX 10 /* as many as resolvers read */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The longest value is a domain. */
#define WORD_SIZE 256

/* A kind of list. */
struct kind {
	const char *name;
	const char *word; /* what each value is, in messages */
	uint32_t max;	  /* values */
	size_t max_length;
	bool (*is_valid)(const char *word);
};

static bool is_option(const char *word)
{
	return strspn(word, LETTERS "0123456789-_:") == strlen(word);
}

static bool is_domain(const char *word)
{
	return value_is_domain(word);
}

static bool is_ipv4(const char *text)
{
	struct in_addr address;

	return inet_pton(AF_INET, text, &address) == 1;
}

/* ADDRESS or ADDRESS/NETMASK */
static bool is_sort_pair(const char *word)
{
	char address[INET_ADDRSTRLEN];
	size_t length = strcspn(word, "/");

	if (length >= sizeof(address))
		return false;
	memcpy(address, word, length);
	address[length] = '\0';
	return is_ipv4(address) && (!word[length] || is_ipv4(word + length + 1));
}

/* Also one of this host, but neither the unspecified address nor multicast. */
static bool is_server(const char *word)
{
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (inet_pton(AF_INET, word, &ipv4) == 1)
		return address_is_host(ipv4) || ntohl(ipv4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, word, &ipv6) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&ipv6) &&
	       !IN6_IS_ADDR_MULTICAST(&ipv6);
}

/* Check the words of `text`, which it cuts up, and append them to `to`. */
static int add_words(const struct yaml_file *file, const yaml_node_t *node, const struct kind *kind,
		     char *text, char to[static HANDLER_WORDS_SIZE], uint32_t *np)
{
	size_t length = strlen(to);
	char *rest = NULL, *word;

	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		size_t n = strlen(word);

		if (n >= WORD_SIZE || !kind->is_valid(word))
			return yaml_refuse(file, node, "dns: %s: \"%s\" is not %s", kind->name,
					   word, kind->word);
		if (++*np > kind->max)
			return yaml_refuse(file, node, "dns: %s has more than %u values",
					   kind->name, kind->max);
		if (length + n + (length > 0) > kind->max_length)
			return yaml_refuse(file, node, "dns: %s is longer than %zu bytes",
					   kind->name, kind->max_length);
		if (length)
			to[length++] = ' ';
		memcpy(to + length, word, n + 1);
		length += n;
	}
	return 0;
}

/* Read the values into `to`, with single blanks between them. */
static int parse_words(struct yaml_file *file, yaml_node_t *node, const struct kind *kind,
		       char to[static HANDLER_WORDS_SIZE])
{
	char text[2 * HANDLER_WORDS_SIZE];
	uint32_t n_items = 1, n = 0;
	bool is_list = node->type == YAML_SEQUENCE_NODE;
	int r = is_list ? yaml_sequence(file, node, kind->name, kind->max, &n_items) : 0;

	to[0] = '\0';
	if (node->type == YAML_SCALAR_NODE && !node->data.scalar.length)
		return 0; /* none */
	for (uint32_t i = 0; !r && i < n_items; i++) {
		yaml_node_t *item = is_list ? yaml_sequence_at(file, node, i) : node;

		r = yaml_text(file, item, kind->name, text, sizeof(text));
		if (!r)
			r = add_words(file, item, kind, text, to, &n);
	}
	return r;
}

/* Equal addresses get equal texts. */
static void add_server(struct handler_servers *servers, const char *word)
{
	char *to = servers->addresses[servers->n++];
	unsigned char address[sizeof(struct in6_addr)];
	int family = strchr(word, ':') ? AF_INET6 : AF_INET;

	(void)inet_pton(family, word, address);
	(void)inet_ntop(family, address, to, sizeof(servers->addresses[0]));
}

static int parse_servers(struct yaml_file *file, yaml_node_t *node, const char *name,
			 struct handler_servers *servers)
{
	const struct kind kind = { name, "the address of a name server, IPv4 or IPv6",
				   HANDLER_SERVERS_MAX, HANDLER_WORDS_SIZE - 1, is_server };
	char words[HANDLER_WORDS_SIZE], *rest = NULL, *word;
	int r = parse_words(file, node, &kind, words);

	if (r)
		return r;
	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		add_server(servers, word);
	return 0;
}

int configuration_parse_dns(struct yaml_file *file, yaml_node_t *node, struct handler_dns *dns)
{
	static const struct kind options = { "options", "an option of resolv.conf", OPTIONS_MAX,
					     HANDLER_WORDS_SIZE - 1, is_option };
	static const struct kind sortlist = { "sortlist", "an IPv4 address, or ADDRESS/NETMASK",
					      SORTLIST_MAX, HANDLER_WORDS_SIZE - 1, is_sort_pair };
	static const struct kind search = { "search", "a domain", HANDLER_SEARCH_MAX,
					    HANDLER_SEARCH_LENGTH, is_domain };
	enum { OPTIONS, SORTLIST, SEARCH, PREPEND, APPEND, SUPERSEDE, N };
	static const char *const names[N] = { "options", "sortlist", "search",
					      "prepend", "append",   "supersede" };
	yaml_node_t *values[N];
	int r = yaml_fields(file, node, "dns", names, N, 0, values);

	if (r)
		return r;
	dns->has_options = values[OPTIONS];
	dns->has_sortlist = values[SORTLIST];
	dns->has_search = values[SEARCH];
	dns->has_supersede = values[SUPERSEDE];
	if (values[OPTIONS])
		r = parse_words(file, values[OPTIONS], &options, dns->options);
	if (!r && values[SORTLIST])
		r = parse_words(file, values[SORTLIST], &sortlist, dns->sortlist);
	if (!r && values[SEARCH])
		r = parse_words(file, values[SEARCH], &search, dns->search);
	if (!r && values[PREPEND])
		r = parse_servers(file, values[PREPEND], names[PREPEND], &dns->prepend);
	if (!r && values[APPEND])
		r = parse_servers(file, values[APPEND], names[APPEND], &dns->append);
	if (!r && values[SUPERSEDE])
		r = parse_servers(file, values[SUPERSEDE], names[SUPERSEDE], &dns->supersede);
	return r;
}
