/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv4 headers (RFC 791). Options are skipped on arrival and never sent;
 * fragments are refused on arrival and never sent.
 */
#ifndef CALFPEN_CALF_NET_IPV4_H
#define CALFPEN_CALF_NET_IPV4_H

#include <netinet/in.h>

#include "userspace/common/bytes.h"

#define IPV4_HEADER_SIZE 20
#define IPV4_PROTOCOL_UDP 17

struct ipv4_header {
	struct in_addr source;
	struct in_addr destination;
	uint8_t protocol;
	uint8_t ttl;
};

/*
 * Take a header off `packet`; what is left is the payload, cut to the total
 * length: octets behind it are padding of the link (RFC 894).
 * NET_OK, NET_TRUNCATED, NET_IP_HEADER, NET_IP_CHECKSUM or NET_FRAGMENT.
 */
int ipv4_parse(struct bytes_reader *packet, struct ipv4_header *header);

/* Append a header of 20 bytes for `payload_size` bytes that follow: DF clear,
 * identification 0 (RFC 6864: never fragmented by us), checksum filled in. */
void ipv4_put(struct bytes_writer *packet, const struct ipv4_header *header, size_t payload_size);

/*
 * The Internet checksum (RFC 1071): sum up in pieces, then fold and
 * complement. A piece of odd size is padded with a zero byte, so only the
 * last one may be odd. Sums of up to 64 KiB do not overflow.
 */
uint32_t ipv4_checksum_add(uint32_t sum, struct bytes_reader bytes);
uint16_t ipv4_checksum_fold(uint32_t sum);

#endif
