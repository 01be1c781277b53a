/* SPDX-License-Identifier: Apache-2.0 */
/* UDP headers over IPv4 (RFC 768). */
#ifndef CALFPEN_CALF_NET_UDP_H
#define CALFPEN_CALF_NET_UDP_H

#include "userspace/calf/net/ipv4.h"

#define UDP_HEADER_SIZE 8

struct udp_header {
	uint16_t source_port; /* host order */
	uint16_t destination_port;
};

/*
 * Parse a header and step over it; what is left of the payload of `ip` is the
 * data, cut to the UDP length. A checksum of 0 means that there is none;
 * otherwise it must be correct, or the sum of the pseudo header alone, which
 * means that the sender left it to a device. Returns NET_OK, NET_TRUNCATED,
 * NET_UDP_LENGTH or NET_UDP_CHECKSUM.
 */
int udp_parse(struct bytes_reader *datagram, const struct ipv4_header *ip,
	      struct udp_header *header);

/* Append a header and `size` bytes of data, checksum filled in (never 0). Sets
 * datagram->failed if there is no room or the data is too long. */
void udp_put(struct bytes_writer *datagram, const struct ipv4_header *ip,
	     const struct udp_header *header, const void *data, size_t size);

/* The headers of a complete frame. */
struct udp_frame {
	uint8_t destination_mac[6];
	uint8_t source_mac[6];
	struct ipv4_header ip;
	struct udp_header udp;
};

#define UDP_FRAME_HEADERS (14 + IPV4_HEADER_SIZE + UDP_HEADER_SIZE)

/* Parse a frame from the Ethernet header to the data and check everything.
 * Returns NET_OK or any net_reason (NET_TYPE: not UDP over IPv4). The headers
 * are written up to where parsing stopped. */
int udp_frame_parse(struct bytes_reader *frame, struct udp_frame *headers);
/* Append a frame. Sets frame->failed if there is no room or the data is too
 * long. */
void udp_frame_put(struct bytes_writer *frame, const struct udp_frame *headers, const void *data,
		   size_t size);

#endif
