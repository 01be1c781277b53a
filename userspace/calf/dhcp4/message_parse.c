/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A message is read field by field, then option by option; each option is
 * joined first (options.c) and then taken by its own rule. Nothing here knows
 * what was asked for: client.c compares.
 */
#include "userspace/calf/dhcp4/message.h"

#include <string.h>

#include "userspace/calf/dhcp4/names.h"
#include "userspace/calf/dhcp4/options.h"
#include "userspace/calf/dhcp4/routes.h"
#include "userspace/common/log.h"

#define OP_BOOTREPLY 2
#define HTYPE_ETHERNET 1
#define HLEN_ETHERNET 6
#define CHADDR_SIZE 16
#define SNAME_SIZE 64
#define FILE_SIZE 128
#define COOKIE 0x63825363
#define MTU_MIN 68 /* RFC 791, RFC 2132 5.1 */

bool message_is_host_address(struct in_addr address)
{
	uint32_t first = ntohl(address.s_addr) >> 24;

	return first != 0 && first != 127 && first < 224;
}

/* The first value of an option of fixed length; 0 if it is missing or short. */
static uint32_t get_u32(const struct options *options, uint8_t code)
{
	struct option option;
	struct bytes_reader reader;

	if (!options_get(options, code, &option))
		return 0;
	reader = option_reader(&option);
	return bytes_be32(&reader);
}

static uint16_t get_u16(const struct options *options, uint8_t code)
{
	struct option option;
	struct bytes_reader reader;

	if (!options_get(options, code, &option))
		return 0;
	reader = option_reader(&option);
	return bytes_be16(&reader);
}

/* Option 1: the number of leading ones, or 0 if it is no mask. */
static uint8_t get_prefix_length(const struct options *options)
{
	uint32_t bits = get_u32(options, OPTION_SUBNET_MASK);
	uint8_t length = 0;

	for (; bits & 1u << 31; bits <<= 1)
		length++;
	return bits == 0 ? length : 0;
}

/* Usable addresses of an option that is a list of them. */
static uint8_t get_addresses(const struct options *options, uint8_t code, uint8_t max,
			     struct in_addr *addresses)
{
	struct option option;
	struct bytes_reader reader;
	uint8_t n = 0;

	if (!options_get(options, code, &option) || option.size % sizeof(struct in_addr) != 0)
		return 0;
	reader = option_reader(&option);
	while (bytes_left(&reader) > 0 && n < max) {
		bytes_copy(&reader, &addresses[n], sizeof(addresses[n]));
		if (message_is_host_address(addresses[n]))
			n++;
	}
	return n;
}

/* Classless routes replace the router and static routes (RFC 3442). */
static void get_routes(const struct options *options, struct in_addr own,
		       struct message_parameters *parameters)
{
	struct in_addr router;
	struct option option;

	if (options_get(options, OPTION_CLASSLESS_ROUTE, &option) &&
	    routes_parse_classless(&option, own, parameters))
		return;
	if (options_get(options, OPTION_CLASSLESS_ROUTE_MICROSOFT, &option) &&
	    routes_parse_classless(&option, own, parameters))
		return;
	if (get_addresses(options, OPTION_ROUTER, 1, &router) > 0)
		parameters->gateway = router;
	if (options_get(options, OPTION_STATIC_ROUTE, &option))
		routes_parse_static(&option, own, parameters);
}

static void get_names(const struct options *options, struct message_parameters *parameters)
{
	struct option option;

	if (options_get(options, OPTION_DOMAIN_NAME, &option))
		names_parse_domain(&option, parameters->domain, parameters->search);
	if (options_get(options, OPTION_SEARCH, &option)) {
		char search[KV_VALUE_SIZE];

		names_parse_search(&option, search);
		if (search[0] != '\0')
			memcpy(parameters->search, search, sizeof(search));
	}
}

static void get_identity(const struct options *options, struct message *message)
{
	struct bytes_reader reader;
	struct option option;

	if (options_get(options, OPTION_SERVER_ID, &option) &&
	    option.size >= sizeof(message->server)) {
		reader = option_reader(&option);
		bytes_copy(&reader, &message->server, sizeof(message->server));
		message->has_server = true;
	}
	if (options_get(options, OPTION_CLIENT_ID, &option)) {
		size_t kept = sizeof(message->client_id);

		message->has_client_id = true;
		message->client_id_size = option.size;
		memcpy(message->client_id, option.bytes, kept < option.size ? kept : option.size);
	}
	if (options_get(options, OPTION_MESSAGE, &option)) {
		while (option.size > 0 && option.bytes[option.size - 1] == '\0')
			option.size--;
		log_sanitise(message->text, sizeof(message->text), option.bytes, option.size);
	}
}

static enum reason parse_fixed(struct bytes_reader *data, struct message *message,
			       struct bytes_reader *sname, struct bytes_reader *file)
{
	uint8_t op = bytes_u8(data), htype = bytes_u8(data), hlen = bytes_u8(data);

	bytes_skip(data, 1); /* hops */
	message->xid = bytes_be32(data);
	bytes_skip(data, 4 + sizeof(struct in_addr)); /* secs, flags, ciaddr */
	bytes_copy(data, &message->yiaddr, sizeof(message->yiaddr));
	bytes_skip(data, 2 * sizeof(struct in_addr)); /* siaddr, giaddr */
	bytes_copy(data, message->chaddr, sizeof(message->chaddr));
	bytes_skip(data, CHADDR_SIZE - sizeof(message->chaddr));
	*sname = bytes_sub(data, SNAME_SIZE);
	*file = bytes_sub(data, FILE_SIZE);
	if (bytes_be32(data) != COOKIE)
		return data->failed ? REASON_TRUNCATED : REASON_COOKIE;
	if (op != OP_BOOTREPLY)
		return REASON_NOT_REPLY;
	if (htype != HTYPE_ETHERNET || hlen != HLEN_ETHERNET)
		return REASON_HARDWARE;
	return REASON_NONE;
}

enum reason message_parse(struct bytes_reader data, const struct message_policy *policy,
			  struct message *message)
{
	struct bytes_reader sname, file;
	struct options options;
	struct option option;
	enum reason reason;

	(void)policy;
	memset(message, 0, sizeof(*message));
	reason = parse_fixed(&data, message, &sname, &file);
	if (reason != REASON_NONE)
		return reason;
	options_init(&options, bytes_sub(&data, bytes_left(&data)), file, sname);
	if (!options_get(&options, OPTION_MESSAGE_TYPE, &option) || option.size == 0)
		return REASON_NO_TYPE;
	message->type = option.bytes[0];
	get_identity(&options, message);
	message->lease_s = get_u32(&options, OPTION_LEASE_TIME);
	message->t1_s = get_u32(&options, OPTION_RENEWAL_TIME);
	message->t2_s = get_u32(&options, OPTION_REBINDING_TIME);

	message->parameters.prefix_length = get_prefix_length(&options);
	message->parameters.n_name_servers = get_addresses(&options, OPTION_NAME_SERVER,
							   MESSAGE_NAME_SERVERS_MAX,
							   message->parameters.name_servers);
	message->parameters.mtu = get_u16(&options, OPTION_MTU);
	if (message->parameters.mtu < MTU_MIN)
		message->parameters.mtu = 0;
	get_routes(&options, message->yiaddr, &message->parameters);
	get_names(&options, &message->parameters);
	return REASON_NONE;
}
