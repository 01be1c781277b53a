/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/common/value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 5952 section 4, and the examples of RFC 4291 section 2.2 */
static const char *const good_addresses[] = {
	"::",
	"::1",
	"1::",
	"2001:db8::1",
	"2001:db8:0:1:1:1:1:1",
	"2001:db8::1:0:0:1",
	"2001:0:0:1::1",
	"2001:db8:1:2:3:4:5:6",
	"fe80::1",
	"ff02::1:2",
	"0:1::",
	"0:0:0:1::",
	"1:0:1:0:1:0:1:0",
	"::102:304",
	"64:ff9b::c000:221",
	"::ffff:0:102:304",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

static const char *const bad_addresses[] = {
	"",
	":",
	":::",
	"::::",
	"1",
	"1:",
	":1",
	":1::",
	"1:::2",
	"1::2::3",
	"::1::",
	"2001:DB8::1",
	"2001:db8::A",
	"2001:0db8::1",
	"2001:db8::0001",
	"2001:db8::01",
	"2001:db8::00",
	"2001:db8::0",
	"2001:db8:0:0:0:0:0:1",
	"2001:db8:0:0::1",
	"2001:db8::0:1",
	"2001:db8::1:1:1:1:1",
	"2001::1:0:0:0:1:1",
	"2001:0:0:1:0:0:0:1",
	"::1:0:0:0:0",
	"0:0:0:0:0:0:0:0",
	"0::",
	"::0",
	"1:2:3:4:5:6:7",
	"1:2:3:4:5:6:7:8:9",
	"1:2:3:4:5:6:7:8::",
	"::1:2:3:4:5:6:7:8",
	"1:2:3:4:5:6:7::8",
	"1:2:3:4:5:6:7:",
	":2:3:4:5:6:7:8",
	"12345::",
	"2001:db8::12345",
	"2001:db8::g",
	"fe80::1%eth0",
	"fe80::1%2",
	"::ffff:102:304",
	"::ffff:0:0",
	"::ffff:1.2.3.4",
	"::1.2.3.4",
	"64:ff9b::192.0.2.33",
	" ::1",
	"::1 ",
	"::1\t",
	"::1\n",
	"[::1]",
	"::1/128",
	"2001:db8::1,2001:db8::2",
	"2001:db8::-1",
	"2001.db8::1",
	"0x1::",
	"1.2.3.4",
};

static int check(enum value_type type, const char *text)
{
	struct value_rule rule = { .type = type, .max_length = value_type_max_length(type) };

	return value_check(&rule, text, strlen(text));
}

static void assert_good(enum value_type type, const char *text)
{
	cr_assert_eq(check(type, text), 0, "%s \"%s\"", value_type_name(type), text);
}

/* Longer than any value of its type may be either error. */
static void assert_bad(enum value_type type, const char *text)
{
	int want = strlen(text) > value_type_max_length(type) ? -EMSGSIZE : -EBADMSG;

	cr_assert_eq(check(type, text), want, "%s \"%s\"", value_type_name(type), text);
}

Test(value_ipv6, addresses)
{
	for (size_t i = 0; i < COUNT(good_addresses); i++) {
		assert_good(VALUE_IPV6, good_addresses[i]);
		assert_good(VALUE_IP, good_addresses[i]);
	}
	for (size_t i = 0; i < COUNT(bad_addresses); i++) {
		assert_bad(VALUE_IPV6, bad_addresses[i]);
		if (strcmp(bad_addresses[i], "1.2.3.4") != 0)
			assert_bad(VALUE_IP, bad_addresses[i]);
	}
	assert_good(VALUE_IP, "1.2.3.4");
	assert_bad(VALUE_IP, "1.2.3.04");
	assert_bad(VALUE_IP, "1.2.3.4/32");
}

/* The rows of a type that contains an address: `format` has it as %s. */
static void assert_addresses(enum value_type type, const char *format)
{
	char text[256];

	for (size_t i = 0; i < COUNT(bad_addresses); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), format, bad_addresses[i]);
#pragma GCC diagnostic pop
		assert_bad(type, text);
	}
}

static const struct {
	enum value_type type;
	bool is_good;
	const char *text;
} rows[] = {
	{ VALUE_IPV6_LEASE, true, "2001:db8::1/64 3600 7200" },
	{ VALUE_IPV6_LEASE, true, "2001:db8::1/128 0 0" },
	{ VALUE_IPV6_LEASE, true, "2001:db8::1/1 0 infinite" },
	{ VALUE_IPV6_LEASE, true, "fe80::1/10 infinite infinite" },
	{ VALUE_IPV6_LEASE, true, "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128 infinite infinite" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/0 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/064 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/129 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/-1 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/ 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1//64 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 " },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 3600" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 3600 " },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64  3600 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 3600  7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 3600 7200 " },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 3600 7200 1" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 7200 3600" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 infinite 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 Infinite infinite" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 3600 infinit" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 3600 infinitely" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 03600 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 3600 4294967295" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 -1 7200" },
	{ VALUE_IPV6_LEASE, false, "2001:db8::1/64 1h 2h" },
	{ VALUE_IPV6_LEASE, false, "::/64 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "::1/128 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "ff02::1/64 3600 7200" },
	{ VALUE_IPV6_LEASE, false, "1.2.3.4/24 3600 7200" },
	{ VALUE_IPV6_PREFIX, true, "2001:db8::/32 3600 7200" },
	{ VALUE_IPV6_PREFIX, true, "2001:db8:0:8000::/49 0 1" },
	{ VALUE_IPV6_PREFIX, true, "2001:db8::1/128 1 1" },
	{ VALUE_IPV6_PREFIX, true, "8000::/1 1 1" },
	{ VALUE_IPV6_PREFIX, true, "2001:db8::fe/127 1 1" },
	{ VALUE_IPV6_PREFIX, false, "2001:db8::1/64 3600 7200" },
	{ VALUE_IPV6_PREFIX, false, "2001:db8:0:8000::/48 3600 7200" },
	{ VALUE_IPV6_PREFIX, false, "2001:db8::ff/127 1 1" },
	{ VALUE_IPV6_PREFIX, false, "2001:db8::/28 1 1" },
	{ VALUE_IPV6_PREFIX, false, "4000::/1 1 1" },
	{ VALUE_IPV6_PREFIX, false, "::/0 1 1" },
	{ VALUE_IPV6_PREFIX, false, "2001:db8::/32 2 1" },
	{ VALUE_IPV6_PREFIX, false, "2001:db8::/32 1" },
	{ VALUE_GATEWAY6, true, "fe80::1 medium 1800" },
	{ VALUE_GATEWAY6, true, "2001:db8::1 high 0" },
	{ VALUE_GATEWAY6, true, "fe80::1 low infinite" },
	{ VALUE_GATEWAY6, false, "fe80::1" },
	{ VALUE_GATEWAY6, false, "fe80::1 medium" },
	{ VALUE_GATEWAY6, false, "fe80::1 medium " },
	{ VALUE_GATEWAY6, false, "fe80::1 1800" },
	{ VALUE_GATEWAY6, false, "fe80::1 Medium 1800" },
	{ VALUE_GATEWAY6, false, "fe80::1 mediu 1800" },
	{ VALUE_GATEWAY6, false, "fe80::1 mediums 1800" },
	{ VALUE_GATEWAY6, false, "fe80::1 high low 1800" },
	{ VALUE_GATEWAY6, false, "fe80::1  high 1800" },
	{ VALUE_GATEWAY6, false, "fe80::1 high  1800" },
	{ VALUE_GATEWAY6, false, "fe80::1 high 1800 " },
	{ VALUE_GATEWAY6, false, "fe80::1 high 01800" },
	{ VALUE_GATEWAY6, false, "fe80::1/64 high 1800" },
	{ VALUE_GATEWAY6, false, ":: high 1800" },
	{ VALUE_GATEWAY6, false, "::1 high 1800" },
	{ VALUE_GATEWAY6, false, "ff02::2 high 1800" },
	{ VALUE_ROUTE6, true, "2001:db8::/32 via fe80::1 medium 1800" },
	{ VALUE_ROUTE6, true, "::/0 via fe80::1 low infinite" },
	{ VALUE_ROUTE6, true, "2001:db8::1/128 via fe80::1 high 0" },
	{ VALUE_ROUTE6, false, "2001:db8::1/64 via fe80::1 medium 1800" },
	{ VALUE_ROUTE6, false, "2001:db8::1/0 via fe80::1 medium 1800" },
	{ VALUE_ROUTE6, false, "2001:db8::/32 fe80::1 medium 1800" },
	{ VALUE_ROUTE6, false, "2001:db8::/32  via fe80::1 medium 1800" },
	{ VALUE_ROUTE6, false, "2001:db8::/32 via  fe80::1 medium 1800" },
	{ VALUE_ROUTE6, false, "2001:db8::/32 via fe80::1 medium" },
	{ VALUE_ROUTE6, false, "2001:db8::/32 via fe80::1" },
	{ VALUE_ROUTE6, false, "2001:db8::/32 onlink" },
	{ VALUE_ROUTE6, false, "2001:db8:: via fe80::1 medium 1800" },
	{ VALUE_ROUTE6, false, "2001:db8::/32 via :: medium 1800" },
	{ VALUE_ROUTE6, false, "2001:db8::/129 via fe80::1 medium 1800" },
};

Test(value_ipv6, rows)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].is_good)
			assert_good(rows[i].type, rows[i].text);
		else
			assert_bad(rows[i].type, rows[i].text);
	}
}

Test(value_ipv6, a_bad_address_is_bad_wherever_it_is)
{
	assert_addresses(VALUE_IPV6_LEASE, "%s/64 1 2");
	assert_addresses(VALUE_IPV6_PREFIX, "%s/64 1 2");
	assert_addresses(VALUE_GATEWAY6, "%s high 1");
	assert_addresses(VALUE_ROUTE6, "2001:db8::/32 via %s high 1");
	assert_addresses(VALUE_ROUTE6, "%s/128 via fe80::1 high 1");
}

/* What the C library writes, but with dots for some addresses. */
Test(value_ipv6, format_equals_inet_ntop)
{
	char ours[VALUE_IPV6_SIZE], other[INET6_ADDRSTRLEN];
	struct in6_addr address, parsed;
	unsigned int seed = 5952;

	for (int n = 0; n < 200000; n++) {
		for (int i = 0; i < 16; i++) { /* many zero groups, and digits */
			int kind = rand_r(&seed) % 4;

			address.s6_addr[i] =
				kind < 2 ? 0 : (uint8_t)(rand_r(&seed) % (kind == 2 ? 2 : 256));
		}
		value_format_ipv6(&address, ours);
		inet_ntop(AF_INET6, &address, other, sizeof(other));
		if (!strchr(other, '.'))
			cr_assert_str_eq(ours, other);
		cr_assert_eq(inet_pton(AF_INET6, ours, &parsed), 1, "%s", ours);
		cr_assert_eq(memcmp(&parsed, &address, sizeof(address)), 0, "%s", ours);
		cr_assert_eq(value_parse_ipv6(ours, &parsed),
			     IN6_IS_ADDR_V4MAPPED(&address) ? -EBADMSG : 0, "%s", ours);
	}
}

Test(value_ipv6, parsers_and_formatters_agree)
{
	char text[VALUE_ROUTE6_SIZE];
	struct value_gateway6 gateway;
	struct value_ipv6_lease lease;
	struct value_route6 route;
	struct value_ip ip;

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].is_good)
			continue;
		text[0] = '\0';
		if (rows[i].type == VALUE_IPV6_LEASE &&
		    !value_parse_ipv6_lease(rows[i].text, &lease))
			value_format_ipv6_lease(&lease, text);
		if (rows[i].type == VALUE_IPV6_PREFIX &&
		    !value_parse_ipv6_prefix(rows[i].text, &lease))
			value_format_ipv6_lease(&lease, text);
		if (rows[i].type == VALUE_GATEWAY6 && !value_parse_gateway6(rows[i].text, &gateway))
			value_format_gateway6(&gateway, text);
		if (rows[i].type == VALUE_ROUTE6 && !value_parse_route6(rows[i].text, &route))
			value_format_route6(&route, text);
		cr_assert_str_eq(text, rows[i].text);
	}
	cr_assert_eq(value_parse_ip("10.0.2.3", &ip), 0);
	cr_assert(ip.family == AF_INET && ip.ipv4.s_addr == inet_addr("10.0.2.3"));
	value_format_ip(&ip, text);
	cr_assert_str_eq(text, "10.0.2.3");
	cr_assert_eq(value_parse_ip("2001:db8::53", &ip), 0);
	cr_assert_eq(ip.family, AF_INET6);
	value_format_ip(&ip, text);
	cr_assert_str_eq(text, "2001:db8::53");
}

Test(value_ipv6, fields)
{
	struct value_ipv6_lease lease;
	struct value_route6 route;
	struct in6_addr address;

	cr_assert_eq(value_parse_ipv6_lease("2001:db8::1/64 3600 infinite", &lease), 0);
	inet_pton(AF_INET6, "2001:db8::1", &address);
	cr_assert_eq(memcmp(&lease.net.address, &address, sizeof(address)), 0);
	cr_assert_eq(lease.net.prefix_length, 64);
	cr_assert_eq(lease.preferred_s, 3600);
	cr_assert_eq(lease.valid_s, VALUE_LIFETIME_INFINITE);
	cr_assert_eq(value_parse_route6("2001:db8::/32 via fe80::2 high 9", &route), 0);
	cr_assert_eq(route.destination.prefix_length, 32);
	cr_assert_eq(route.gateway.preference, VALUE_PREFERENCE_HIGH);
	cr_assert_eq(route.gateway.lifetime_s, 9);
	inet_pton(AF_INET6, "fe80::2", &address);
	cr_assert_eq(memcmp(&route.gateway.address, &address, sizeof(address)), 0);
}

Test(value_ipv6, outputs_are_unchanged_on_failure)
{
	union {
		struct in6_addr address;
		struct value_ip ip;
		struct value_ipv6_lease lease;
		struct value_gateway6 gateway;
		struct value_route6 route;
	} out, before;

	memset(&out, 0x5a, sizeof(out));
	before = out;
	cr_assert_eq(value_parse_ipv6("2001:db8::1%1", &out.address), -EBADMSG);
	cr_assert_eq(value_parse_ip("1.2.3.4.5", &out.ip), -EBADMSG);
	cr_assert_eq(value_parse_ipv6_lease("2001:db8::1/64 2 1", &out.lease), -EBADMSG);
	cr_assert_eq(value_parse_ipv6_prefix("2001:db8::1/64 1 2", &out.lease), -EBADMSG);
	cr_assert_eq(value_parse_gateway6("fe80::1 high x", &out.gateway), -EBADMSG);
	cr_assert_eq(value_parse_route6("2001:db8::/32 via fe80::1 high x", &out.route), -EBADMSG);
	cr_assert_eq(memcmp(&out, &before, sizeof(out)), 0);
}

/* The longest value of a type fits, and value_check() takes it. */
Test(value_ipv6, longest)
{
#define LONG "1111:1111:1111:1111:1111:1111:1111:1111"
	static const struct {
		enum value_type type;
		const char *text;
	} longest[] = {
		{ VALUE_IPV6, LONG },
		{ VALUE_IP, LONG },
		{ VALUE_IPV6_LEASE, LONG "/128 4294967293 4294967294" },
		{ VALUE_IPV6_PREFIX, LONG "/128 4294967293 4294967294" },
		{ VALUE_GATEWAY6, LONG " medium 4294967294" },
		{ VALUE_ROUTE6, LONG "/128 via " LONG " medium 4294967294" },
	};

	for (size_t i = 0; i < COUNT(longest); i++) {
		assert_good(longest[i].type, longest[i].text);
		cr_assert_eq(strlen(longest[i].text), value_type_max_length(longest[i].type), "%s",
			     longest[i].text);
	}
}
