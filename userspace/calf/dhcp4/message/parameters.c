/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: One function per option or per group of options that replace each other.
 * None of them can fail: wrong values count as missing, and as flaws.
 */
#include "userspace/calf/dhcp4/message/parameters.h"

#include <stdio.h>
#include <string.h>

#include "userspace/calf/dhcp4/message/dnr.h"
#include "userspace/calf/dhcp4/message/names.h"
#include "userspace/calf/dhcp4/message/routes.h"
#include "userspace/common/address.h"

#define MTU_MIN 68					 /* RFC 791, RFC 2132 5.1 */
#define NO_PORTAL "urn:ietf:params:capport:unrestricted" /* RFC 8910 2 */
#define IPV6_ONLY_SIZE 4u				 /* RFC 8925 3.1: no other */

/* Count an address that is ignored. */
static void add_address(struct flaws *flaws, enum flaw flaw, uint8_t code, struct in_addr address)
{
	char text[VALUE_IPV4_SIZE];

	value_format_ipv4(address, text);
	flaw_add(flaws, flaw, code, text);
}

/* Return the prefix length in option 1, or 0 if it is not a mask. */
static uint8_t get_prefix_length(const struct options *options, struct flaws *flaws)
{
	uint32_t mask = options_get_u32(options, OPTION_SUBNET_MASK);
	uint8_t length = address_mask_prefix(mask);
	struct option option;

	if (length > 0)
		return length;
	if (!options_get(options, OPTION_SUBNET_MASK, &option) || option.size == 0)
		return 0;
	if (option.size < sizeof(mask))
		flaw_add(flaws, FLAW_MASK, OPTION_SUBNET_MASK, "");
	else
		add_address(flaws, FLAW_MASK, OPTION_SUBNET_MASK, (struct in_addr){ htonl(mask) });
	return 0;
}

/* Get the usable addresses of an option that is a list of them. Returns how
 * many are beyond `max`. */
static uint16_t get_addresses(const struct options *options, uint8_t code, uint8_t max,
			      struct in_addr *addresses, uint8_t *np, enum flaw flaw,
			      struct flaws *flaws)
{
	struct option option;
	struct bytes_reader reader;
	uint16_t n_left_out = 0;

	*np = 0;
	if (!options_get(options, code, &option))
		return 0;
	if (option.size % sizeof(struct in_addr) != 0) {
		flaw_add(flaws, flaw, code, "");
		return 0;
	}
	reader = option_reader(&option);
	while (bytes_left(&reader) > 0) {
		struct in_addr address;

		bytes_copy(&reader, &address, sizeof(address));
		if (!address_is_host(address))
			add_address(flaws, flaw, code, address);
		else if (*np < max)
			addresses[(*np)++] = address;
		else
			n_left_out++;
	}
	return n_left_out;
}

static bool get_classless(const struct options *options, uint8_t code, struct in_addr own,
			  struct message_parameters *parameters)
{
	struct option option;

	if (!options_get(options, code, &option) ||
	    !routes_parse_classless(&option, code, own, parameters))
		return false;
	parameters->classless_code = code;
	return true;
}

/* Classless routes replace the router and static routes (RFC 3442). */
static void get_routes(const struct options *options, const struct message_policy *policy,
		       struct in_addr own, struct message_parameters *parameters)
{
	struct in_addr routers[1 + MESSAGE_SPARE_ROUTERS_MAX];
	struct option option;
	uint8_t n_routers;

	if (!policy->ignore_classless &&
	    (get_classless(options, OPTION_CLASSLESS_ROUTE, own, parameters) ||
	     (!policy->ignore_microsoft_classless &&
	      get_classless(options, OPTION_CLASSLESS_ROUTE_MICROSOFT, own, parameters))))
		return;
	/* Further routers are spare ones: nothing is lost without them. */
	(void)get_addresses(options, OPTION_ROUTER, 1 + MESSAGE_SPARE_ROUTERS_MAX, routers,
			    &n_routers, FLAW_ROUTER, &parameters->flaws);
	for (uint8_t i = 0; i < n_routers; i++)
		routes_add_router(parameters, routers[i]);
	if (options_get(options, OPTION_STATIC_ROUTE, &option))
		routes_parse_static(&option, own, parameters);
}

/* Set a text: nothing of another one remains behind its end. */
static void set_text(char *text, size_t size, const char *from)
{
	memset(text, 0, size);
	memcpy(text, from, strlen(from) + 1);
}

static void get_names(const struct options *options, const struct message_policy *policy,
		      struct message_parameters *parameters)
{
	struct option option;

	if (options_get(options, OPTION_DOMAIN_NAME, &option))
		names_parse_domain(&option, parameters->domain, parameters->search,
				   &parameters->flaws);
	if (options_get(options, OPTION_SEARCH, &option)) {
		char search[KV_VALUE_SIZE];

		parameters->n_left_out =
			(uint16_t)(parameters->n_left_out +
				   names_parse_search(&option, search, &parameters->flaws));
		if (search[0] != '\0') {
			parameters->has_search = true;
			set_text(parameters->search, sizeof(parameters->search), search);
		}
	}
	if (!policy->use_host_name)
		return;
	if (options_get(options, OPTION_HOST_NAME, &option))
		names_parse_host_name(&option, parameters->host_name, &parameters->flaws);
	if (parameters->host_name[0] == '\0' && options_get(options, OPTION_FQDN, &option))
		names_parse_fqdn(&option, parameters->host_name, &parameters->flaws);
}

/* Option 114 (RFC 8910): only URIs to which a browser may be sent. Other
 * schemes, and the URN for "no portal", set no key. */
static void get_captive_portal(const struct options *options, struct message_parameters *parameters)
{
	static const struct value_rule uri = { .type = VALUE_URI, .max_length = KV_VALUE_MAX };
	char text[KV_VALUE_SIZE];
	struct option option;

	if (!options_get(options, OPTION_CAPTIVE_PORTAL, &option) || option.size == 0)
		return;
	if (!option_text(&option, text) || value_check(&uri, text, strlen(text)) != 0) {
		flaw_add(&parameters->flaws, FLAW_PORTAL, OPTION_CAPTIVE_PORTAL, text);
		return;
	}
	parameters->has_captive_portal = true;
	if (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0)
		memcpy(parameters->captive_portal, text, strlen(text) + 1);
	else if (strcmp(text, NO_PORTAL) != 0)
		flaw_add(&parameters->flaws, FLAW_PORTAL, OPTION_CAPTIVE_PORTAL, text);
}

/* An MTU below the policy's minimum has no key, but counts as mentioned. */
static void get_mtu(const struct options *options, const struct message_policy *policy,
		    struct message_parameters *parameters)
{
	uint16_t mtu = options_get_u16(options, OPTION_MTU);
	char text[VALUE_UINT_SIZE];
	struct option option;

	if (mtu >= MTU_MIN)
		parameters->mtu = mtu;
	if (mtu >= message_mtu_min(policy) || !options_get(options, OPTION_MTU, &option) ||
	    option.size == 0)
		return;
	snprintf(text, sizeof(text), "%u", mtu);
	flaw_add(&parameters->flaws, FLAW_MTU, OPTION_MTU, option.size < sizeof(mtu) ? "" : text);
}

static void get_ipv6_only(const struct options *options, struct message_parameters *parameters)
{
	struct option option;
	struct bytes_reader reader;

	if (!options_get(options, OPTION_IPV6_ONLY, &option) || option.size != IPV6_ONLY_SIZE)
		return;
	reader = option_reader(&option);
	parameters->has_ipv6_only = true;
	parameters->ipv6_only_s = bytes_be32(&reader);
}

/* Keep the options that the operator requests, unparsed. */
static void get_others(const struct options *options, const struct message_policy *policy,
		       struct message_parameters *parameters)
{
	struct bytes_writer writer;
	struct option option;

	bytes_writer_init(&writer, parameters->option_bytes, sizeof(parameters->option_bytes));
	for (uint8_t i = 0; i < policy->n_options; i++) {
		if (!options_get(options, policy->options[i], &option))
			continue;
		if (option.size > MESSAGE_OPTION_MAX || option.size > writer.size - writer.at) {
			parameters->n_left_out++;
			continue;
		}
		parameters->options[parameters->n_options++] =
			(struct message_option){ .code = policy->options[i],
						 .at = (uint16_t)writer.at,
						 .size = (uint16_t)option.size };
		bytes_put(&writer, option.bytes, option.size);
	}
}

void parameters_parse(const struct options *options, const struct message_policy *policy,
		      struct in_addr own, struct message_parameters *parameters)
{
	struct option option;

	parameters->prefix_length = get_prefix_length(options, &parameters->flaws);
	parameters->n_left_out = get_addresses(options, OPTION_NAME_SERVER,
					       MESSAGE_NAME_SERVERS_MAX, parameters->name_servers,
					       &parameters->n_name_servers, FLAW_NAME_SERVER,
					       &parameters->flaws);
	parameters->n_left_out =
		(uint16_t)(parameters->n_left_out +
			   get_addresses(options, OPTION_TIME_SERVER, MESSAGE_TIME_SERVERS_MAX,
					 parameters->time_servers, &parameters->n_time_servers,
					 FLAW_TIME_SERVER, &parameters->flaws));
	get_mtu(options, policy, parameters);
	get_routes(options, policy, own, parameters);
	routes_fit(parameters, own, parameters->prefix_length);
	get_names(options, policy, parameters);
	get_captive_portal(options, parameters);
	if (options_get(options, OPTION_ENCRYPTED_DNS, &option))
		dnr_parse(&option, parameters);
	if (policy->ipv6_mostly)
		get_ipv6_only(options, parameters);
	get_others(options, policy, parameters);
}

static void keep_text(char *text, size_t size, const char *before)
{
	if (text[0] == '\0')
		set_text(text, size, before);
}

static void keep_routes(struct message_parameters *parameters,
			const struct message_parameters *before)
{
	if (parameters->classless_code)
		return;
	if (parameters->gateway.s_addr == INADDR_ANY) {
		parameters->gateway = before->gateway;
		parameters->is_router |= before->is_router;
		parameters->n_spare_routers = before->n_spare_routers;
		memcpy(parameters->spare_routers, before->spare_routers,
		       sizeof(before->spare_routers));
	}
	if (parameters->n_routes == 0) {
		parameters->n_routes = before->n_routes;
		memcpy(parameters->routes, before->routes, sizeof(before->routes));
	}
	parameters->classless_code = before->classless_code;
}

/* A search list may be part of option 15; then another 15 replaces it, and the
 * domain as well, even if it has only names to search. */
static void keep_names(struct message_parameters *parameters,
		       const struct message_parameters *before)
{
	bool has_domain = parameters->domain[0] != '\0' ||
			  (!parameters->has_search && parameters->search[0] != '\0');

	if (!parameters->has_search && (before->has_search || !has_domain)) {
		parameters->has_search = before->has_search;
		set_text(parameters->search, sizeof(parameters->search), before->search);
	}
	if (!has_domain)
		set_text(parameters->domain, sizeof(parameters->domain), before->domain);
	keep_text(parameters->host_name, sizeof(parameters->host_name), before->host_name);
	if (!parameters->has_captive_portal) {
		parameters->has_captive_portal = before->has_captive_portal;
		keep_text(parameters->captive_portal, sizeof(parameters->captive_portal),
			  before->captive_portal);
	}
}

static void keep_servers(struct message_parameters *parameters,
			 const struct message_parameters *before)
{
	if (parameters->n_name_servers == 0) {
		parameters->n_name_servers = before->n_name_servers;
		memcpy(parameters->name_servers, before->name_servers,
		       sizeof(before->name_servers));
	}
	if (parameters->n_time_servers == 0) {
		parameters->n_time_servers = before->n_time_servers;
		memcpy(parameters->time_servers, before->time_servers,
		       sizeof(before->time_servers));
	}
	if (parameters->n_resolvers == 0) {
		parameters->n_resolvers = before->n_resolvers;
		memcpy(parameters->resolvers, before->resolvers, sizeof(before->resolvers));
	}
}

static bool has_option(const struct message_parameters *parameters, uint8_t code)
{
	for (uint8_t i = 0; i < parameters->n_options; i++)
		if (parameters->options[i].code == code)
			return true;
	return false;
}

static void keep_others(struct message_parameters *parameters,
			const struct message_parameters *before)
{
	size_t at = 0;

	for (uint8_t i = 0; i < parameters->n_options; i++)
		at += parameters->options[i].size;
	for (uint8_t i = 0; i < before->n_options; i++) {
		struct message_option option = before->options[i];

		if (has_option(parameters, option.code))
			continue;
		if (parameters->n_options == MESSAGE_OPTIONS_MAX ||
		    option.size > sizeof(parameters->option_bytes) - at) {
			parameters->n_left_out++;
			continue;
		}
		memcpy(parameters->option_bytes + at, before->option_bytes + option.at,
		       option.size);
		option.at = (uint16_t)at;
		at += option.size;
		parameters->options[parameters->n_options++] = option;
	}
}

void message_parameters_keep(struct message_parameters *parameters,
			     const struct message_parameters *before)
{
	if (parameters->prefix_length == 0)
		parameters->prefix_length = before->prefix_length;
	if (parameters->mtu == 0)
		parameters->mtu = before->mtu;
	if (!parameters->has_ipv6_only) {
		parameters->has_ipv6_only = before->has_ipv6_only;
		parameters->ipv6_only_s = before->ipv6_only_s;
	}
	keep_routes(parameters, before);
	keep_names(parameters, before);
	keep_servers(parameters, before);
	keep_others(parameters, before);
}
