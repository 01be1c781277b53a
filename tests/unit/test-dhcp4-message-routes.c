/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tests/unit/dhcp4-flaws.h"
#include "tests/unit/dhcp4-parse.h"
#include "userspace/calf/dhcp4/message/routes.h"

static const struct message_parameters *parameters = &message.parameters;

#define ROUTES(_x) parse_one(OPTION_CLASSLESS_ROUTE, _x, sizeof(_x) - 1)

static bool is_route(size_t i, const char *destination, uint8_t prefix_length, const char *gateway)
{
	const struct value_route *route = &parameters->routes[i];

	return i < parameters->n_routes && route->destination.s_addr == inet_addr(destination) &&
	       route->prefix_length == prefix_length && route->onlink == !gateway &&
	       route->gateway.s_addr == (gateway ? inet_addr(gateway) : 0);
}

/* The widths of RFC 3442: as many octets as are significant. */
Test(routes, V4_49_widths)
{
	ROUTES("\0\xc0\0\2\1"
	       "\x8\x0a\xc0\0\2\2"
	       "\x10\x0a\1\xc0\0\2\3"
	       "\x11\x0a\1\x80\xc0\0\2\4"
	       "\x20\x0a\1\2\3\xc0\0\2\5");
	cr_assert_eq(parameters->gateway.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(parameters->n_routes, 4);
	cr_assert(is_route(0, "10.0.0.0", 8, "192.0.2.2"));
	cr_assert(is_route(1, "10.1.0.0", 16, "192.0.2.3"));
	cr_assert(is_route(2, "10.1.128.0", 17, "192.0.2.4"));
	cr_assert(is_route(3, "10.1.2.3", 32, "192.0.2.5"));
}

Test(routes, V4_47_destination_is_masked)
{
	ROUTES("\x9\x0a\xff\xc0\0\2\2");
	cr_assert(is_route(0, "10.128.0.0", 9, "192.0.2.2"));
	ROUTES("\1\xff\xc0\0\2\2");
	cr_assert(is_route(0, "128.0.0.0", 1, "192.0.2.2"));
}

Test(routes, V4_47_width_above_32)
{
	for (unsigned int width = 33; width < 256; width++) {
		uint8_t bytes[64] = { (uint8_t)width };

		parse_one(OPTION_CLASSLESS_ROUTE, bytes, sizeof(bytes));
		cr_assert_eq(parameters->n_routes, 0);
	}
}

Test(routes, V4_48_Q40_on_link)
{
	ROUTES("\x18\x0a\1\2\0\0\0\0");
	cr_assert(is_route(0, "10.1.2.0", 24, NULL), "router 0.0.0.0");
	ROUTES("\x18\x0a\1\2\xc0\0\2\x0a");
	cr_assert(is_route(0, "10.1.2.0", 24, NULL), "router is our address");
	ROUTES("\x20\x0a\1\2\3\x0a\1\2\3");
	cr_assert(is_route(0, "10.1.2.3", 32, NULL), "router is the destination");
	ROUTES("\x14\x0a\1\x1f\x0a\1\x10\0");
	cr_assert(is_route(0, "10.1.16.0", 20, NULL), "the same, without its host bits");
	ROUTES("\0\0\0\0\0");
	cr_assert(is_route(0, "0.0.0.0", 0, NULL));
	cr_assert_eq(parameters->gateway.s_addr, INADDR_ANY);
}

Test(routes, V4_49_C4_16_partial_tail_rejects_all)
{
	static const uint8_t bytes[] = { 24, 10, 1, 2, 192, 0, 2, 1, 16, 10, 2, 192, 0, 2, 2 };

	for (size_t size = 0; size <= sizeof(bytes); size++) {
		begin();
		reply_option(&reply, OPTION_CLASSLESS_ROUTE, bytes, size);
		reply_address(&reply, OPTION_ROUTER, "192.0.2.254");
		end_and_parse();
		cr_assert_eq(parameters->n_routes, size == 8 ? 1 : size == 15 ? 2 : 0, "%zu", size);
		/* the lease is kept, and what 121 does not say 3 may */
		cr_assert_eq(parameters->gateway.s_addr,
			     size == 8 || size == 15 ? 0 : inet_addr("192.0.2.254"), "%zu", size);
	}
}

Test(routes, V4_46_Q41_121_replaces_3_and_33)
{
	begin();
	reply_address(&reply, OPTION_ROUTER, "192.0.2.254");
	reply_option(&reply, OPTION_STATIC_ROUTE, "\x0a\0\0\0\xc0\0\2\3", 8);
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, "\x18\x0a\1\2\xc0\0\2\1", 8);
	end_and_parse();
	cr_assert_eq(parameters->gateway.s_addr, INADDR_ANY, "also without a default route");
	cr_assert_eq(parameters->n_routes, 1);
	cr_assert(is_route(0, "10.1.2.0", 24, "192.0.2.1"));
}

Test(routes, Q42_249_if_there_is_no_121)
{
	begin();
	reply_address(&reply, OPTION_ROUTER, "192.0.2.254");
	reply_option(&reply, OPTION_CLASSLESS_ROUTE_MICROSOFT, "\0\xc0\0\2\1", 5);
	end_and_parse();
	cr_assert_eq(parameters->gateway.s_addr, inet_addr("192.0.2.1"));
	begin();
	reply_option(&reply, OPTION_CLASSLESS_ROUTE_MICROSOFT, "\0\xc0\0\2\1", 5);
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, "\0\xc0\0\2\2", 5);
	end_and_parse();
	cr_assert_eq(parameters->gateway.s_addr, inet_addr("192.0.2.2"));
}

Test(routes, first_default_route_counts)
{
	ROUTES("\0\xc0\0\2\1\0\xc0\0\2\2");
	cr_assert_eq(parameters->gateway.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(parameters->n_routes, 0);
}

Test(routes, impossible_routers_are_left_out)
{
	ROUTES("\x8\x0a\x7f\0\0\1\x8\x0b\xff\xff\xff\xff\x8\x0c\xe0\0\0\1\x8\x0d\xc0\0\2\1");
	cr_assert_eq(parameters->n_routes, 1);
	cr_assert(is_route(0, "13.0.0.0", 8, "192.0.2.1"));
}

Test(routes, V4_38_static_routes)
{
	begin();
	reply_address(&reply, OPTION_ROUTER, "192.0.2.1");
	reply_option(&reply, OPTION_STATIC_ROUTE,
		     "\x0a\0\0\0\xc0\0\2\2"
		     "\xac\x10\0\0\xc0\0\2\3"
		     "\xc6\x33\x64\0\xc0\0\2\4"
		     "\xc6\x33\x64\7\xc0\0\2\5"
		     "\0\0\0\0\xc0\0\2\6",
		     40);
	end_and_parse();
	cr_assert_eq(parameters->gateway.s_addr, inet_addr("192.0.2.1"));
	cr_assert_eq(parameters->n_routes, 4, "a default route in 33 is illegal");
	cr_assert(is_route(0, "10.0.0.0", 8, "192.0.2.2"));
	cr_assert(is_route(1, "172.16.0.0", 16, "192.0.2.3"));
	cr_assert(is_route(2, "198.51.100.0", 24, "192.0.2.4"));
	cr_assert(is_route(3, "198.51.100.7", 32, "192.0.2.5"));
}

Test(routes, V4_38_C4_16_static_routes_with_a_ragged_tail)
{
	static const uint8_t bytes[24] = { 10, 0, 0, 0, 192, 0, 2, 2, 11, 0, 0, 0, 192, 0, 2, 2 };

	for (size_t size = 0; size <= 16; size++) {
		parse_one(OPTION_STATIC_ROUTE, bytes, size);
		cr_assert_eq(parameters->n_routes, size % 8 == 0 ? size / 8 : 0, "%zu", size);
	}
}

Test(routes, C4_27_no_more_than_64)
{
	uint8_t bytes[240];

	begin();
	for (size_t i = 0; i < sizeof(bytes); i += 6) {
		static const uint8_t route[] = { 8, 10, 192, 0, 2, 1 };

		memcpy(bytes + i, route, sizeof(route));
	}
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, bytes, sizeof(bytes));
	reply_option(&reply, OPTION_CLASSLESS_ROUTE, bytes, sizeof(bytes));
	end_and_parse();
	cr_assert_eq(parameters->n_routes, MESSAGE_ROUTES_MAX);
}

Test(routes, C4_13_split_over_two_instances)
{
	static const uint8_t bytes[] = { 24, 10, 1, 2, 192, 0, 2, 1, 16, 10, 2, 192, 0, 2, 2 };

	for (size_t first = 0; first <= sizeof(bytes); first++) {
		begin();
		reply_option(&reply, OPTION_CLASSLESS_ROUTE, bytes, first);
		reply_option(&reply, OPTION_CLASSLESS_ROUTE, bytes + first, sizeof(bytes) - first);
		end_and_parse();
		cr_assert_eq(parameters->n_routes, 2, "%zu", first);
	}
}

/* A message for this address and mask (0: none), with these routers in option 3. */
static void parse_routers(const char *own, uint8_t prefix_length, const char *routers)
{
	uint8_t bytes[64];
	size_t size = 0;

	reply_begin(&reply, MESSAGE_ACK, XID, own);
	if (prefix_length > 0)
		reply_u32(&reply, OPTION_SUBNET_MASK, UINT32_MAX << (32 - prefix_length));
	for (char text[VALUE_IPV4_SIZE]; sscanf(routers, "%15s", text) == 1; size += 4) {
		struct in_addr router = address(text);

		memcpy(bytes + size, &router, 4);
		routers += strspn(routers, " ");
		routers += strcspn(routers, " ");
	}
	reply_option(&reply, OPTION_ROUTER, bytes, size);
	end_and_parse();
}

/* Those that cannot be a router are left out, and the next one is taken. */
Test(routes, U27_routers_that_cannot_be_one)
{
	static const struct {
		const char *own, *routers, *gateway;
		uint8_t prefix_length;
		uint8_t n_spare;
		unsigned int n_flaws;
	} rows[] = {
		{ "10.77.0.150", "10.77.0.255", "0.0.0.0", 24, 0, 1 },
		{ "10.77.0.150", "10.77.0.255 10.77.0.1", "10.77.0.1", 24, 0, 1 },
		{ "10.77.0.150", "10.77.0.0 10.77.0.1", "10.77.0.1", 24, 0, 1 },
		{ "10.77.0.150", "10.77.0.150 10.77.0.1", "10.77.0.1", 24, 0, 1 },
		{ "10.77.0.150", "0.0.0.0 10.77.0.1 10.77.0.2", "10.77.0.1", 24, 1, 1 },
		{ "10.77.0.150", "255.255.255.255 10.77.0.1", "10.77.0.1", 24, 0, 1 },
		{ "10.77.0.150", "224.0.0.1 127.0.0.1 240.0.0.1 10.77.0.1", "10.77.0.1", 24, 0, 3 },
		{ "10.77.0.150", "10.77.0.1 10.77.0.255 10.77.0.2", "10.77.0.1", 24, 1, 1 },
		{ "10.77.0.150", "10.77.0.255 10.77.0.0 10.77.0.150", "0.0.0.0", 24, 0, 3 },
		/* another mask, and other subnets */
		{ "10.77.0.150", "10.77.0.255", "10.77.0.255", 23, 0, 0 },
		{ "10.77.0.150", "10.77.1.255 10.77.1.0", "10.77.1.0", 23, 0, 1 },
		{ "10.77.0.150", "10.99.0.255", "10.99.0.255", 24, 0, 0 },
		{ "10.77.0.150", "10.77.0.255", "10.77.0.255", 0, 0, 0 },
		/* RFC 3021: both of 31 bits are hosts; of 32, all others are outside */
		{ "10.77.0.4", "10.77.0.5", "10.77.0.5", 31, 0, 0 },
		{ "10.77.0.5", "10.77.0.4", "10.77.0.4", 31, 0, 0 },
		{ "10.77.0.5", "10.77.0.5 10.77.0.4", "10.77.0.4", 31, 0, 1 },
		{ "10.77.0.5", "10.77.0.4 10.77.0.6", "10.77.0.6", 30, 0, 1 },
		{ "10.77.0.150", "10.77.0.255", "10.77.0.255", 32, 0, 0 },
		{ "10.77.0.150", "10.77.0.0", "10.77.0.0", 32, 0, 0 },
		{ "10.77.0.150", "10.77.0.150 10.99.0.1", "10.99.0.1", 32, 0, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse_routers(rows[i].own, rows[i].prefix_length, rows[i].routers);
		cr_assert_eq(parameters->gateway.s_addr, inet_addr(rows[i].gateway), "row %zu", i);
		cr_assert_eq(parameters->n_spare_routers, rows[i].n_spare, "row %zu", i);
		cr_assert_eq(parameters->flaws.of[FLAW_ROUTER].n, rows[i].n_flaws, "row %zu", i);
		cr_assert_eq(parameters->n_left_out, 0);
	}
	parse_routers("10.77.0.150", 24, "10.77.0.1 10.77.0.255");
	assert_flaws(&parameters->flaws, FLAW_ROUTER, OPTION_ROUTER, 1, "10.77.0.255");
	parse_one(OPTION_ROUTER, "\xc0\0\2", 3);
	assert_flaws(&parameters->flaws, FLAW_ROUTER, OPTION_ROUTER, 1, "");
	parse_one(OPTION_ROUTER, "", 0);
	assert_flaws(&parameters->flaws, FLAW_ROUTER, OPTION_ROUTER, 0, NULL);
}

static void parse_with_mask(uint8_t code, const void *bytes, size_t size)
{
	begin();
	reply_address(&reply, OPTION_SUBNET_MASK, "255.255.255.0");
	reply_option(&reply, code, bytes, size);
	end_and_parse();
}

#define MASKED(_code, _x) parse_with_mask(_code, _x, sizeof(_x) - 1)

Test(routes, U27_default_routes_of_121_and_249)
{
	static const uint8_t codes[] = { OPTION_CLASSLESS_ROUTE, OPTION_CLASSLESS_ROUTE_MICROSOFT };

	for (size_t i = 0; i < sizeof(codes); i++) {
		MASKED(codes[i], "\0\xc0\0\2\xff\0\xc0\0\2\1\0\xc0\0\2\2");
		cr_assert_eq(parameters->gateway.s_addr, inet_addr("192.0.2.1"));
		cr_assert_eq(parameters->n_spare_routers, 1);
		assert_flaws(&parameters->flaws, FLAW_ROUTER, codes[i], 1, "192.0.2.255");
		MASKED(codes[i], "\0\x7f\0\0\1\0\xc0\0\2\0\0\xe0\0\0\1");
		cr_assert_eq(parameters->gateway.s_addr, INADDR_ANY);
		assert_flaws(&parameters->flaws, FLAW_ROUTER, codes[i], 3, "127.0.0.1");
		/* option 3 does not stand in: RFC 3442 */
		cr_assert_eq(parameters->classless_code, codes[i]);
	}
}

Test(routes, U27_gateways_of_other_routes)
{
	MASKED(OPTION_CLASSLESS_ROUTE, "\x8\xa\xc0\0\2\xff"
				       "\x8\xb\xc0\0\2\1"
				       "\x8\xc\xc0\0\2\0"
				       "\x8\xd\xe0\0\0\1"
				       "\x8\xe\xc0\0\2\xa"
				       "\x18\xc0\0\2\xc0\0\2\0");
	cr_assert_eq(parameters->n_routes, 3);
	cr_assert(is_route(0, "11.0.0.0", 8, "192.0.2.1"));
	cr_assert(is_route(1, "14.0.0.0", 8, NULL), "our address: on-link (Q40)");
	cr_assert(is_route(2, "192.0.2.0", 24, NULL), "its destination: on-link (Q40)");
	assert_flaws(&parameters->flaws, FLAW_ROUTE, OPTION_CLASSLESS_ROUTE, 3,
		     "13.0.0.0/8 via 224.0.0.1");
	MASKED(OPTION_STATIC_ROUTE, "\xa\0\0\0\xc0\0\2\xff\xb\0\0\0\xc0\0\2\1");
	cr_assert_eq(parameters->n_routes, 1);
	cr_assert(is_route(0, "11.0.0.0", 8, "192.0.2.1"));
	assert_flaws(&parameters->flaws, FLAW_ROUTE, OPTION_STATIC_ROUTE, 1,
		     "10.0.0.0/8 via 192.0.2.255");
	MASKED(OPTION_STATIC_ROUTE, "\0\0\0\0\xc0\0\2\1");
	assert_flaws(&parameters->flaws, FLAW_ROUTE, OPTION_STATIC_ROUTE, 1,
		     "0.0.0.0/0 via 192.0.2.1");
	MASKED(OPTION_STATIC_ROUTE, "\xa\0\0\0\xc0");
	assert_flaws(&parameters->flaws, FLAW_ROUTE, OPTION_STATIC_ROUTE, 1, "");
	MASKED(OPTION_CLASSLESS_ROUTE, "\x21\xa\0\0\0\0\xc0\0\2\1");
	assert_flaws(&parameters->flaws, FLAW_ROUTE, OPTION_CLASSLESS_ROUTE, 1, "");
	/* the mask is not known: the lease's will be (client/lease.c) */
	ROUTES("\x8\xa\xc0\0\2\xff");
	cr_assert_eq(parameters->n_routes, 1);
	assert_flaws(&parameters->flaws, FLAW_ROUTE, OPTION_CLASSLESS_ROUTE, 0, NULL);
}
