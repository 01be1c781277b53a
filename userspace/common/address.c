/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/common/address.h"

bool address_is_host(struct in_addr address)
{
	uint32_t first = ntohl(address.s_addr) >> 24;

	return first != 0 && first != 127 && first < 224;
}

bool address_is_host6(const struct in6_addr *address)
{
	return !IN6_IS_ADDR_UNSPECIFIED(address) && !IN6_IS_ADDR_LOOPBACK(address) &&
	       !IN6_IS_ADDR_MULTICAST(address) && !IN6_IS_ADDR_V4MAPPED(address);
}

bool address_is_subnet(struct in_addr address, uint8_t prefix_length)
{
	uint32_t hosts = ~address_netmask(prefix_length);
	uint32_t host = ntohl(address.s_addr) & hosts;

	return prefix_length > 0 && prefix_length < 31 && (host == 0 || host == hosts);
}

uint8_t address_class_prefix(struct in_addr address)
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

uint8_t address_mask_prefix(uint32_t mask)
{
	uint8_t length = 0;

	for (; mask & 1u << 31; mask <<= 1)
		length++;
	return mask ? 0 : length;
}

uint32_t address_netmask(uint8_t prefix_length)
{
	return prefix_length > 0 ? UINT32_MAX << (32 - prefix_length) : 0;
}
