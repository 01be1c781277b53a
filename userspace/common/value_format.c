/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>

#include "userspace/common/value.h"

void value_format_mac(const uint8_t mac[6], char text[static VALUE_MAC_SIZE])
{
	snprintf(text, VALUE_MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

void value_format_ipv4(struct in_addr address, char text[static VALUE_IPV4_SIZE])
{
	uint32_t bits = ntohl(address.s_addr);

	snprintf(text, VALUE_IPV4_SIZE, "%u.%u.%u.%u", bits >> 24, bits >> 16 & 0xff,
		 bits >> 8 & 0xff, bits & 0xff);
}

void value_format_ipv4_net(const struct value_ipv4_net *net, char text[static VALUE_IPV4_NET_SIZE])
{
	char address[VALUE_IPV4_SIZE];

	value_format_ipv4(net->address, address);
	snprintf(text, VALUE_IPV4_NET_SIZE, "%s/%u", address, net->prefix_length % 100u);
}

void value_format_lifetime(uint32_t seconds, char text[static VALUE_UINT_SIZE])
{
	if (seconds == VALUE_LIFETIME_INFINITE)
		snprintf(text, VALUE_UINT_SIZE, "infinite");
	else
		snprintf(text, VALUE_UINT_SIZE, "%u", seconds);
}

void value_format_hex(const uint8_t *bytes, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	text[2 * size] = '\0';
}
