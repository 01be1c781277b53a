/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARP for IPv4 over Ethernet (RFC 826, RFC 5227), as a complete frame. The
 * caller decides what a packet means (probe, announcement, conflict).
 */
#ifndef CALFPEN_CALF_NET_ARP_H
#define CALFPEN_CALF_NET_ARP_H

#include <netinet/in.h>

#include "userspace/common/bytes.h"

#define ARP_FRAME_SIZE 42 /* Ethernet header and packet, without the padding of the link */

enum arp_operation {
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
};

struct arp_packet {
	enum arp_operation operation;
	uint8_t sender_mac[6];
	struct in_addr sender;
	uint8_t target_mac[6]; /* all zero in a probe, ignored by receivers */
	struct in_addr target;
};

struct arp_frame {
	uint8_t source_mac[6]; /* of the frame: may differ from the sender's (proxies) */
	uint8_t destination_mac[6];
	struct arp_packet arp;
};

/*
 * Parse a frame from the Ethernet header to the end of the packet; what is left
 * of `frame` is padding. Returns NET_OK, NET_TRUNCATED, NET_TYPE, or
 * NET_ARP_HEADER (wrong hardware type, protocol type or address sizes, or an
 * operation other than the two above). The addresses are not checked: they may
 * be anything. `arp` is filled completely, or zero from where parsing stopped.
 */
int arp_frame_parse(struct bytes_reader *frame, struct arp_frame *arp);

/* Append a frame of ARP_FRAME_SIZE bytes. Sets frame->failed if there is no
 * room. */
void arp_frame_put(struct bytes_writer *frame, const struct arp_frame *arp);

#endif
