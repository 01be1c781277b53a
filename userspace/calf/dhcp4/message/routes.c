/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/message/routes.h"

#include <string.h>

#include "userspace/common/address.h"

uint8_t routes_class_prefix(struct in_addr address)
{
	uint32_t bits = ntohl(address.s_addr);

	if (bits >> 31 == 0)
		return 8;
	if (bits >> 30 == 2)
		return 16;
	if (bits >> 29 == 6)
		return 24;
	return 32;
}

static void add_route(struct message_parameters *parameters, struct in_addr own,
		      const struct value_route *route)
{
	struct value_route added = *route;
	in_addr_t router = route->gateway.s_addr;

	added.destination.s_addr &= htonl(address_netmask(route->prefix_length));
	if (router == INADDR_ANY || router == own.s_addr || router == added.destination.s_addr) {
		added.onlink = true;
		added.gateway.s_addr = INADDR_ANY;
	} else if (!address_is_host(added.gateway)) {
		return;
	}
	if (added.prefix_length == 0 && !added.onlink) {
		if (parameters->gateway.s_addr == INADDR_ANY)
			parameters->gateway = added.gateway;
		return;
	}
	if (parameters->n_routes < MESSAGE_ROUTES_MAX)
		parameters->routes[parameters->n_routes++] = added;
	else
		parameters->n_left_out++;
}

/* Parse the next route of option 121; its destination has as many octets as its
 * width needs. */
static bool take_classless(struct bytes_reader *reader, struct value_route *route)
{
	uint8_t octets[4] = { 0 };
	uint8_t width = bytes_u8(reader);

	if (width > 32)
		return false;
	bytes_copy(reader, octets, (width + 7u) / 8u);
	memset(route, 0, sizeof(*route));
	memcpy(&route->destination, octets, sizeof(octets));
	route->prefix_length = width;
	bytes_copy(reader, &route->gateway, sizeof(route->gateway));
	return !reader->failed;
}

bool routes_parse_classless(const struct option *option, struct in_addr own,
			    struct message_parameters *parameters)
{
	struct bytes_reader reader = option_reader(option);
	struct value_route route;

	if (option->size == 0)
		return false;
	while (bytes_left(&reader) > 0)
		if (!take_classless(&reader, &route))
			return false;
	reader = option_reader(option);
	while (bytes_left(&reader) > 0) {
		if (take_classless(&reader, &route))
			add_route(parameters, own, &route);
	}
	return true;
}

void routes_parse_static(const struct option *option, struct in_addr own,
			 struct message_parameters *parameters)
{
	struct bytes_reader reader = option_reader(option);

	if (option->size % (2 * sizeof(struct in_addr)) != 0)
		return;
	while (bytes_left(&reader) > 0) {
		struct value_route route = { .prefix_length = 32 };
		uint8_t class_prefix;

		bytes_copy(&reader, &route.destination, sizeof(route.destination));
		bytes_copy(&reader, &route.gateway, sizeof(route.gateway));
		if (route.destination.s_addr == INADDR_ANY)
			continue;
		class_prefix = routes_class_prefix(route.destination);
		if ((ntohl(route.destination.s_addr) & ~address_netmask(class_prefix)) == 0)
			route.prefix_length = class_prefix;
		add_route(parameters, own, &route);
	}
}
