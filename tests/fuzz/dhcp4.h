/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the DHCPv4 fuzzers: policies, and checks that every accepted message
 * must pass, whatever its bytes were. */
#ifndef CALFPEN_TESTS_FUZZ_DHCP4_H
#define CALFPEN_TESTS_FUZZ_DHCP4_H

#include <stdbool.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "tests/fuzz/steps.h"
#include "userspace/calf/dhcp4/message/message.h"
#include "userspace/calf/dhcp4/message/options.h"
#include "userspace/common/address.h"

/* The number of steps that parsing a message of this size may take: a walk over
 * all options for each of forty options, with two steps per octet. */
static inline uint64_t dhcp4_budget(size_t size)
{
	return 4096 + 96 * (uint64_t)size;
}

/* Make a policy from the bits of a byte; if all are set, everything is read. */
static inline struct message_policy dhcp4_policy(uint8_t bits)
{
	static const uint8_t kept[] = { 90, 101, 175, 212, 245, 252 };
	struct message_policy policy = {
		.ignore_classless = !(bits & 1),
		.ignore_microsoft_classless = !(bits & 2),
		.ipv6_mostly = bits & 4,
		.use_host_name = bits & 8,
		.mtu_min = bits & 16 ? 1280 : 0,
		.n_options = bits & 32 ? sizeof(kept) : 0,
	};

	memcpy(policy.options, kept, sizeof(kept));
	return policy;
}

static inline void dhcp4_check_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	CHECK(length < size);
	for (size_t i = 0; i < length; i++)
		CHECK(text[i] >= 0x20 && text[i] <= 0x7e);
}

static inline void dhcp4_check_addresses(const struct in_addr *addresses, size_t n, size_t max)
{
	CHECK(n <= max);
	for (size_t i = 0; i < n; i++)
		CHECK(address_is_host(addresses[i]));
}

static inline bool dhcp4_is_of_type(enum value_type type, const char *text)
{
	const struct value_rule rule = { .type = type, .max_length = KV_VALUE_MAX };

	return value_check(&rule, text, strlen(text)) == 0;
}

static inline void dhcp4_check_options(const struct message_parameters *parameters,
				       const struct message_policy *policy)
{
	CHECK(parameters->n_options <= policy->n_options);
	for (size_t i = 0; i < parameters->n_options; i++) {
		const struct message_option *option = &parameters->options[i];

		CHECK(memchr(policy->options, option->code, policy->n_options));
		CHECK(option->size <= MESSAGE_OPTION_MAX);
		CHECK(option->at + option->size <= MESSAGE_OPTIONS_SIZE);
	}
}

static inline void dhcp4_check_parameters(const struct message_parameters *parameters,
					  const struct message_policy *policy)
{
	CHECK(parameters->prefix_length <= 32);
	CHECK(parameters->gateway.s_addr == 0 || address_is_host(parameters->gateway));
	CHECK(parameters->n_spare_routers == 0 || parameters->gateway.s_addr != 0);
	dhcp4_check_addresses(parameters->spare_routers, parameters->n_spare_routers,
			      MESSAGE_SPARE_ROUTERS_MAX);
	CHECK(parameters->mtu == 0 || parameters->mtu >= 68);
	dhcp4_check_addresses(parameters->name_servers, parameters->n_name_servers,
			      MESSAGE_NAME_SERVERS_MAX);
	dhcp4_check_addresses(parameters->time_servers, parameters->n_time_servers,
			      MESSAGE_TIME_SERVERS_MAX);
	CHECK(parameters->n_routes <= MESSAGE_ROUTES_MAX);
	for (size_t i = 0; i < parameters->n_routes; i++) {
		const struct value_route *route = &parameters->routes[i];

		CHECK(route->prefix_length <= 32);
		CHECK(route->onlink == (route->gateway.s_addr == 0));
		CHECK(route->onlink || address_is_host(route->gateway));
	}
	CHECK(parameters->host_name[0] == '\0' || value_is_hostname(parameters->host_name));
	CHECK(parameters->host_name[0] == '\0' || policy->use_host_name);
	CHECK(parameters->domain[0] == '\0' || value_is_hostname(parameters->domain));
	CHECK(parameters->search[0] == '\0' ||
	      dhcp4_is_of_type(VALUE_DOMAIN_LIST, parameters->search));
	CHECK(parameters->captive_portal[0] == '\0' ||
	      dhcp4_is_of_type(VALUE_URI, parameters->captive_portal));
	CHECK(parameters->n_resolvers <= MESSAGE_RESOLVERS_MAX);
	for (size_t i = 0; i < parameters->n_resolvers; i++)
		dhcp4_check_text(parameters->resolvers[i], MESSAGE_RESOLVER_SIZE);
	CHECK(!parameters->has_ipv6_only || policy->ipv6_mostly);
	dhcp4_check_options(parameters, policy);
}

static inline void dhcp4_check_message(const struct message *message,
				       const struct message_policy *policy)
{
	CHECK(message->has_server || message->server.s_addr == 0);
	CHECK(message->has_lease_time || message->lease_s == 0);
	CHECK(message->has_client_id || message->client_id_size == 0);
	dhcp4_check_text(message->text, sizeof(message->text));
	dhcp4_check_parameters(&message->parameters, policy);
}

#endif
