/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support-wrong-values.h"
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
	assert_good(VALUE_IP, "1.2.3.4");
}

static const struct {
	enum value_type type;
	const char *text;
} rows[] = {
	{ VALUE_IPV6_LEASE, "2001:db8::1/64 3600 7200" },
	{ VALUE_IPV6_LEASE, "2001:db8::1/128 0 0" },
	{ VALUE_IPV6_LEASE, "2001:db8::1/1 0 infinite" },
	{ VALUE_IPV6_LEASE, "fe80::1/10 infinite infinite" },
	{ VALUE_IPV6_LEASE, "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128 infinite infinite" },
	{ VALUE_IPV6_PREFIX, "2001:db8::/32 3600 7200" },
	{ VALUE_IPV6_PREFIX, "2001:db8:0:8000::/49 0 1" },
	{ VALUE_IPV6_PREFIX, "2001:db8::1/128 1 1" },
	{ VALUE_IPV6_PREFIX, "8000::/1 1 1" },
	{ VALUE_IPV6_PREFIX, "2001:db8::fe/127 1 1" },
	{ VALUE_GATEWAY6, "fe80::1 medium 1800" },
	{ VALUE_GATEWAY6, "2001:db8::1 high 0" },
	{ VALUE_GATEWAY6, "fe80::1 low infinite" },
	{ VALUE_ROUTE6, "2001:db8::/32 via fe80::1 medium 1800" },
	{ VALUE_ROUTE6, "::/0 via fe80::1 low infinite" },
	{ VALUE_ROUTE6, "2001:db8::1/128 via fe80::1 high 0" },
};

Test(value_ipv6, rows)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_good(rows[i].type, rows[i].text);
}

static void assert_all_bad(enum value_type type, const char *const texts[], size_t n)
{
	cr_assert_geq(n, 40, "%s", value_type_name(type));
	for (size_t i = 0; i < n; i++)
		assert_bad(type, texts[i]);
}
#define ASSERT_ALL_BAD(_type, _texts) assert_all_bad(_type, _texts, COUNT(_texts))

Test(value_ipv6, wrong_texts)
{
	ASSERT_ALL_BAD(VALUE_IPV6, wrong_ipv6);
	ASSERT_ALL_BAD(VALUE_IP, wrong_ip);
	ASSERT_ALL_BAD(VALUE_IPV6_LEASE, wrong_ipv6_lease);
	ASSERT_ALL_BAD(VALUE_IPV6_PREFIX, wrong_ipv6_prefix);
	ASSERT_ALL_BAD(VALUE_GATEWAY6, wrong_gateway6);
	ASSERT_ALL_BAD(VALUE_ROUTE6, wrong_route6);
	ASSERT_ALL_BAD(VALUE_HOST, wrong_host);
	ASSERT_ALL_BAD(VALUE_HOSTNAME, wrong_hostname);
	ASSERT_ALL_BAD(VALUE_DOMAIN_LIST, wrong_domain_list);
	ASSERT_ALL_BAD(VALUE_URI, wrong_uri);
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
