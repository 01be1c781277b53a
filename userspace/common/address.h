/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses can be a host's, and netmasks of IPv4. */
#ifndef CALFPEN_COMMON_ADDRESS_H
#define CALFPEN_COMMON_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Return whether `address` can be a host's: not in 0/8 or 127/8, no multicast
 * and nothing above (RFC 1122 3.2.1.3, RFC 5735 section 3). */
bool address_is_host(struct in_addr address);
/* The same for IPv6: not unspecified or loopback, no multicast, no IPv4 (RFC 4291 2.4, 2.5.5.2). */
bool address_is_host6(const struct in6_addr *address);

/* Return whether `address` is the subnet's own address or its broadcast address,
 * which no host can have (RFC 1122 3.2.1.3). Subnets of 31 and 32 bits have
 * neither (RFC 3021). `prefix_length` 0: the subnet is unknown, returns false. */
bool address_is_subnet(struct in_addr address, uint8_t prefix_length);

/* Return the prefix length of an address's class (RFC 791); 32 above class C. */
uint8_t address_class_prefix(struct in_addr address);

/* Return the prefix length of a netmask in host byte order, or 0 if it is not
 * contiguous. */
uint8_t address_mask_prefix(uint32_t mask);

/* Return the mask of a prefix of 0 to 32 bits in host byte order. */
uint32_t address_netmask(uint8_t prefix_length);

#endif
