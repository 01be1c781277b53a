/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Write a parsed message again, as a server would that sends exactly its contents:
 * one option for each value, split if it is long (RFC 3396), routes in 121 if that
 * is read, names in wire form without compression.
 */
#ifndef CALFPEN_TESTS_FUZZ_DHCP4_REPLY_H
#define CALFPEN_TESTS_FUZZ_DHCP4_REPLY_H

#include "tests/fuzz/dhcp4-resolver.h"

#define REPLY_MAX 16384 /* more than the contents of any struct message */

static inline void reply_put(struct bytes_writer *writer, uint8_t code, const void *bytes,
			     size_t size)
{
	size_t at = 0;

	do {
		size_t part = size - at < 255 ? size - at : 255;

		bytes_put_u8(writer, code);
		bytes_put_u8(writer, (uint8_t)part);
		if (part > 0)
			bytes_put(writer, (const uint8_t *)bytes + at, part);
		at += part;
	} while (at < size);
}

static inline void reply_put_u32(struct bytes_writer *writer, uint8_t code, uint32_t number)
{
	bytes_put_u8(writer, code);
	bytes_put_u8(writer, 4);
	bytes_put_be32(writer, number);
}

static inline void reply_put_text(struct bytes_writer *writer, uint8_t code, const char *text)
{
	if (text[0] != '\0')
		reply_put(writer, code, text, strlen(text));
}

static inline void reply_put_addresses(struct bytes_writer *writer, uint8_t code,
				       const struct in_addr *addresses, size_t n)
{
	if (n > 0)
		reply_put(writer, code, addresses, n * sizeof(*addresses));
}

/* The gateway and the spare routers: their number. */
static inline size_t reply_routers(const struct message_parameters *parameters,
				   struct in_addr routers[static 1 + MESSAGE_SPARE_ROUTERS_MAX])
{
	routers[0] = parameters->gateway;
	memcpy(routers + 1, parameters->spare_routers, sizeof(parameters->spare_routers));
	return parameters->gateway.s_addr != 0 ? 1u + parameters->n_spare_routers : 0;
}

static inline void reply_put_routes(struct bytes_writer *writer,
				    const struct message_parameters *parameters)
{
	uint8_t bytes[(1 + MESSAGE_SPARE_ROUTERS_MAX + MESSAGE_ROUTES_MAX) * 9];
	struct in_addr routers[1 + MESSAGE_SPARE_ROUTERS_MAX];
	struct bytes_writer value;

	bytes_writer_init(&value, bytes, sizeof(bytes));
	for (size_t i = 0; i < reply_routers(parameters, routers); i++) {
		bytes_put_u8(&value, 0);
		bytes_put(&value, &routers[i], 4);
	}
	for (size_t i = 0; i < parameters->n_routes; i++) {
		const struct value_route *route = &parameters->routes[i];

		bytes_put_u8(&value, route->prefix_length);
		bytes_put(&value, &route->destination, (route->prefix_length + 7u) / 8u);
		bytes_put(&value, &route->gateway, 4);
	}
	CHECK(!value.failed);
	if (value.at > 0)
		reply_put(writer, OPTION_CLASSLESS_ROUTE, bytes, value.at);
}

/* Put routes into 3 and 33, if 121 is not read. */
static inline void reply_put_old_routes(struct bytes_writer *writer,
					const struct message_parameters *parameters)
{
	struct in_addr routers[1 + MESSAGE_SPARE_ROUTERS_MAX];
	uint8_t bytes[MESSAGE_ROUTES_MAX * 8];
	struct bytes_writer value;

	reply_put_addresses(writer, OPTION_ROUTER, routers, reply_routers(parameters, routers));
	bytes_writer_init(&value, bytes, sizeof(bytes));
	for (size_t i = 0; i < parameters->n_routes; i++) {
		bytes_put(&value, &parameters->routes[i].destination, 4);
		bytes_put(&value, &parameters->routes[i].gateway, 4);
	}
	if (value.at > 0)
		reply_put(writer, OPTION_STATIC_ROUTE, bytes, value.at);
}

static inline void reply_put_resolvers(struct bytes_writer *writer,
				       const struct message_parameters *parameters)
{
	uint8_t bytes[MESSAGE_RESOLVERS_MAX * 2 * MESSAGE_RESOLVER_SIZE];
	struct bytes_writer value;

	bytes_writer_init(&value, bytes, sizeof(bytes));
	for (size_t i = 0; i < parameters->n_resolvers; i++)
		resolver_put(&value, parameters->resolvers[i]);
	CHECK(!value.failed);
	if (value.at > 0)
		reply_put(writer, OPTION_ENCRYPTED_DNS, bytes, value.at);
}

/* Put names that are separated by blanks, each in wire form. */
static inline void reply_put_search(struct bytes_writer *writer, const char *search)
{
	uint8_t bytes[2 * KV_VALUE_SIZE];
	struct bytes_writer value;

	bytes_writer_init(&value, bytes, sizeof(bytes));
	while (*search != '\0') {
		size_t length = strcspn(search, ". ");

		bytes_put_u8(&value, (uint8_t)length);
		bytes_put(&value, search, length);
		search += length;
		if (*search != '.')
			bytes_put_u8(&value, 0);
		if (*search != '\0')
			search++;
	}
	CHECK(!value.failed);
	if (value.at > 0)
		reply_put(writer, OPTION_SEARCH, bytes, value.at);
}

static inline void reply_put_parameters(struct bytes_writer *writer,
					const struct message_policy *policy,
					const struct message_parameters *parameters)
{
	const uint8_t mtu[2] = { (uint8_t)(parameters->mtu >> 8), (uint8_t)parameters->mtu };

	if (parameters->prefix_length > 0)
		reply_put_u32(writer, OPTION_SUBNET_MASK,
			      UINT32_MAX << (32 - parameters->prefix_length));
	if (policy->ignore_classless)
		reply_put_old_routes(writer, parameters);
	else
		reply_put_routes(writer, parameters);
	reply_put_resolvers(writer, parameters);
	reply_put_addresses(writer, OPTION_NAME_SERVER, parameters->name_servers,
			    parameters->n_name_servers);
	reply_put_addresses(writer, OPTION_TIME_SERVER, parameters->time_servers,
			    parameters->n_time_servers);
	if (parameters->mtu > 0)
		reply_put(writer, OPTION_MTU, mtu, sizeof(mtu));
	reply_put_text(writer, OPTION_HOST_NAME, parameters->host_name);
	reply_put_text(writer, OPTION_DOMAIN_NAME, parameters->domain);
	reply_put_search(writer, parameters->search);
	reply_put_text(writer, OPTION_CAPTIVE_PORTAL, parameters->captive_portal);
	if (parameters->has_ipv6_only)
		reply_put_u32(writer, OPTION_IPV6_ONLY, parameters->ipv6_only_s);
	for (size_t i = 0; i < parameters->n_options; i++)
		reply_put(writer, parameters->options[i].code,
			  parameters->option_bytes + parameters->options[i].at,
			  parameters->options[i].size);
}

/* Its size in `buffer`. */
static inline size_t reply_build(const struct message *message, const struct message_policy *policy,
				 uint8_t buffer[static REPLY_MAX])
{
	static const uint8_t head[] = { 2, 1, 6, 0 }, cookie[] = { 99, 130, 83, 99 }, one = 1;
	struct bytes_writer writer;

	bytes_writer_init(&writer, buffer, REPLY_MAX);
	bytes_put(&writer, head, sizeof(head));
	bytes_put_be32(&writer, message->xid);
	bytes_put_zeros(&writer, 8);
	bytes_put(&writer, &message->yiaddr, 4);
	bytes_put_zeros(&writer, 8);
	bytes_put(&writer, message->chaddr, 6);
	bytes_put_zeros(&writer, 10 + 64 + 128);
	bytes_put(&writer, cookie, sizeof(cookie));
	reply_put(&writer, OPTION_MESSAGE_TYPE, &message->type, 1);
	if (message->has_server)
		reply_put(&writer, OPTION_SERVER_ID, &message->server, 4);
	if (message->has_lease_time)
		reply_put_u32(&writer, OPTION_LEASE_TIME, message->lease_s);
	if (message->t1_s > 0)
		reply_put_u32(&writer, OPTION_RENEWAL_TIME, message->t1_s);
	if (message->t2_s > 0)
		reply_put_u32(&writer, OPTION_REBINDING_TIME, message->t2_s);
	if (message->has_rapid_commit)
		reply_put(&writer, OPTION_RAPID_COMMIT, NULL, 0);
	if (message->has_auto_configure)
		reply_put(&writer, OPTION_AUTO_CONFIGURE, &one, 1);
	if (message->has_client_id) {
		uint8_t id[OPTION_SIZE_MAX] = { 0 };

		memcpy(id, message->client_id, sizeof(message->client_id));
		reply_put(&writer, OPTION_CLIENT_ID, id, message->client_id_size);
	}
	reply_put_text(&writer, OPTION_MESSAGE, message->text);
	reply_put_parameters(&writer, policy, &message->parameters);
	bytes_put_u8(&writer, OPTION_END);
	CHECK(!writer.failed);
	return writer.at;
}

#endif
