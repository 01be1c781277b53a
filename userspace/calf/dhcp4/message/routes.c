/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/dhcp4/message/routes.h"

#include <stdio.h>
#include <string.h>

#include "userspace/common/address.h"

/* Count a route that is ignored because of its router. */
static void add_flaw(struct message_parameters *parameters, uint8_t code,
		     const struct value_route *route)
{
	struct value_ipv4_net net = { .address = route->destination,
				      .prefix_length = route->prefix_length };
	char destination[VALUE_IPV4_NET_SIZE], router[VALUE_IPV4_SIZE], text[FLAW_TEXT_SIZE];

	value_format_ipv4_net(&net, destination);
	value_format_ipv4(route->gateway, router);
	snprintf(text, sizeof(text), "%s via %s", destination, router);
	flaw_add(&parameters->flaws, FLAW_ROUTE, code, text);
}

static void add_router_flaw(struct message_parameters *parameters, uint8_t code,
			    struct in_addr router)
{
	char text[VALUE_IPV4_SIZE];

	value_format_ipv4(router, text);
	flaw_add(&parameters->flaws, FLAW_ROUTER, code, text);
}

void routes_add_router(struct message_parameters *parameters, struct in_addr router)
{
	if (parameters->gateway.s_addr == INADDR_ANY)
		parameters->gateway = router;
	else if (parameters->n_spare_routers < MESSAGE_SPARE_ROUTERS_MAX)
		parameters->spare_routers[parameters->n_spare_routers++] = router;
}

static void add_route(struct message_parameters *parameters, uint8_t code, struct in_addr own,
		      const struct value_route *route)
{
	struct value_route added = *route;
	in_addr_t router = route->gateway.s_addr;

	added.destination.s_addr &= htonl(address_netmask(route->prefix_length));
	if (router == INADDR_ANY || router == own.s_addr || router == added.destination.s_addr) {
		added.onlink = true;
		added.gateway.s_addr = INADDR_ANY;
	} else if (!address_is_host(added.gateway)) {
		if (added.prefix_length == 0)
			add_router_flaw(parameters, code, added.gateway);
		else
			add_flaw(parameters, code, &added);
		return;
	}
	if (added.prefix_length == 0 && !added.onlink) {
		routes_add_router(parameters, added.gateway);
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

bool routes_parse_classless(const struct option *option, uint8_t code, struct in_addr own,
			    struct message_parameters *parameters)
{
	struct bytes_reader reader = option_reader(option);
	struct value_route route;

	if (option->size == 0)
		return false;
	while (bytes_left(&reader) > 0)
		if (!take_classless(&reader, &route)) {
			flaw_add(&parameters->flaws, FLAW_ROUTE, code, "");
			return false;
		}
	reader = option_reader(option);
	while (bytes_left(&reader) > 0) {
		if (take_classless(&reader, &route))
			add_route(parameters, code, own, &route);
	}
	return true;
}

void routes_parse_static(const struct option *option, struct in_addr own,
			 struct message_parameters *parameters)
{
	struct bytes_reader reader = option_reader(option);

	if (option->size % (2 * sizeof(struct in_addr)) != 0) {
		flaw_add(&parameters->flaws, FLAW_ROUTE, OPTION_STATIC_ROUTE, "");
		return;
	}
	while (bytes_left(&reader) > 0) {
		struct value_route route = { .prefix_length = 32 };
		uint8_t class_prefix;

		bytes_copy(&reader, &route.destination, sizeof(route.destination));
		bytes_copy(&reader, &route.gateway, sizeof(route.gateway));
		if (route.destination.s_addr == INADDR_ANY) {
			route.prefix_length = 0;
			add_flaw(parameters, OPTION_STATIC_ROUTE, &route);
			continue;
		}
		class_prefix = address_class_prefix(route.destination);
		if ((ntohl(route.destination.s_addr) & ~address_netmask(class_prefix)) == 0)
			route.prefix_length = class_prefix;
		add_route(parameters, OPTION_STATIC_ROUTE, own, &route);
	}
}

/* Return whether the address can be a router for `own`. One in another subnet
 * can: how many bits that has is not known. */
static bool is_router(struct in_addr router, struct in_addr own, uint8_t prefix_length)
{
	uint32_t mask = address_netmask(prefix_length);
	bool is_inside = own.s_addr != INADDR_ANY &&
			 ((ntohl(router.s_addr) ^ ntohl(own.s_addr)) & mask) == 0;

	return router.s_addr != own.s_addr &&
	       !(is_inside && address_is_subnet(router, prefix_length));
}

static void fit_routers(struct message_parameters *parameters, struct in_addr own,
			uint8_t prefix_length)
{
	struct in_addr routers[1 + MESSAGE_SPARE_ROUTERS_MAX] = { parameters->gateway };
	uint8_t n = (uint8_t)(parameters->n_spare_routers + 1), code = parameters->classless_code;

	if (parameters->gateway.s_addr == INADDR_ANY)
		return;
	memcpy(routers + 1, parameters->spare_routers, sizeof(parameters->spare_routers));
	parameters->gateway.s_addr = INADDR_ANY;
	parameters->n_spare_routers = 0;
	memset(parameters->spare_routers, 0, sizeof(parameters->spare_routers));
	for (uint8_t i = 0; i < n; i++)
		if (is_router(routers[i], own, prefix_length)) {
			routes_add_router(parameters, routers[i]);
		} else {
			parameters->is_router |= routers[i].s_addr == own.s_addr;
			add_router_flaw(parameters, code ? code : OPTION_ROUTER, routers[i]);
		}
}

void routes_fit(struct message_parameters *parameters, struct in_addr own, uint8_t prefix_length)
{
	uint8_t code = parameters->classless_code, n = 0;

	fit_routers(parameters, own, prefix_length);
	for (uint8_t i = 0; i < parameters->n_routes; i++) {
		const struct value_route *route = &parameters->routes[i];

		if (route->onlink || is_router(route->gateway, own, prefix_length))
			parameters->routes[n++] = *route;
		else
			add_flaw(parameters, code ? code : OPTION_STATIC_ROUTE, route);
	}
	memset(parameters->routes + n, 0,
	       (parameters->n_routes - n) * sizeof(parameters->routes[0]));
	parameters->n_routes = n;
}
