/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv4 headers (RFC 791). Options are skipped when received and never sent;
 * fragments are refused when received and never sent.
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
 * Parse a header and step over it; what is left of `packet` is the payload, cut
 * to the total length: octets behind it are padding of the link (RFC 894).
 * Returns NET_OK, NET_TRUNCATED, NET_IP_HEADER, NET_IP_CHECKSUM or
 * NET_FRAGMENT.
 */
int ipv4_parse(struct bytes_reader *packet, struct ipv4_header *header);

/*
 * Append a header of 20 bytes for `payload_size` bytes that follow: DF clear,
 * identification 0 (RFC 6864: this host never fragments the datagram), checksum
 * filled in. Sets packet->failed if there is no room or the payload is too
 * long.
 */
void ipv4_put(struct bytes_writer *packet, const struct ipv4_header *header, size_t payload_size);

/*
 * Compute the Internet checksum (RFC 1071): add pieces, then fold and
 * complement. A piece of odd size is padded with a zero byte, so only the last
 * one may be odd. Sums of up to 64 KiB do not overflow.
 */
uint32_t ipv4_checksum_add(uint32_t sum, struct bytes_reader bytes);
uint16_t ipv4_checksum_fold(uint32_t sum);

#endif
