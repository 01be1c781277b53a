/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the texts of IPv6 values.
 *
 * Of the input as a text: value_parse_ipv6() accepts exactly what inet_pton() accepts
 * and inet_ntop() writes, without IPv4 in it; what a parser of another type accepts is
 * what its formatter writes. Of its first octets as an address: what is written is read.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/common/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* RFC 5952 does not have dots in ::/96, where the C library writes them. */
static void write_canonical(const struct in6_addr *address, char text[static INET6_ADDRSTRLEN])
{
	unsigned int high = (unsigned int)(address->s6_addr[12] << 8 | address->s6_addr[13]);
	unsigned int low = (unsigned int)(address->s6_addr[14] << 8 | address->s6_addr[15]);

	CHECK(inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN));
	if (strchr(text, '.'))
		snprintf(text, INET6_ADDRSTRLEN, "::%x:%x", high, low);
}

static void check_text(const char *text)
{
	struct in6_addr address, reference;
	char canonical[INET6_ADDRSTRLEN], written[VALUE_ROUTE6_SIZE];
	struct value_gateway6 gateway;
	struct value_ipv6_lease lease;
	struct value_route6 route;
	struct value_ip ip;
	bool is_canonical = false;

	if (inet_pton(AF_INET6, text, &reference) == 1 && !IN6_IS_ADDR_V4MAPPED(&reference)) {
		write_canonical(&reference, canonical);
		is_canonical = !strcmp(text, canonical);
	}
	CHECK(!value_parse_ipv6(text, &address) == is_canonical);
	CHECK(!is_canonical || !memcmp(&address, &reference, sizeof(address)));
	if (!value_parse_ip(text, &ip)) {
		value_format_ip(&ip, written);
		CHECK(!strcmp(text, written));
	}
	if (!value_parse_ipv6_lease(text, &lease)) {
		value_format_ipv6_lease(&lease, written);
		CHECK(!strcmp(text, written));
	}
	if (!value_parse_gateway6(text, &gateway)) {
		value_format_gateway6(&gateway, written);
		CHECK(!strcmp(text, written));
	}
	if (!value_parse_route6(text, &route)) {
		value_format_route6(&route, written);
		CHECK(!strcmp(text, written));
	}
}

static void check_address(const struct in6_addr *address)
{
	char text[VALUE_IPV6_SIZE], canonical[INET6_ADDRSTRLEN];
	struct in6_addr parsed;

	value_format_ipv6(address, text);
	check_text(text);
	if (IN6_IS_ADDR_V4MAPPED(address))
		return;
	write_canonical(address, canonical);
	CHECK(!strcmp(text, canonical));
	CHECK(!value_parse_ipv6(text, &parsed));
	CHECK(!memcmp(&parsed, address, sizeof(parsed)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct in6_addr address = { 0 };
	char text[KV_VALUE_SIZE];

	memcpy(&address, bytes, size < sizeof(address) ? size : sizeof(address));
	check_address(&address);
	if (size >= sizeof(text))
		return 0;
	memcpy(text, bytes, size);
	text[size] = '\0';
	check_text(text);
	return 0;
}
