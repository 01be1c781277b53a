/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARP for IPv4 over Ethernet (RFC 826, RFC 5227), as a whole frame. What a
 * packet means (probe, announcement, conflict) is the reader's to say.
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
	uint8_t target_mac[6]; /* all zero in a probe: nobody reads it */
	struct in_addr target;
};

struct arp_frame {
	uint8_t source_mac[6]; /* of the frame: may differ from the sender's (proxies) */
	uint8_t destination_mac[6];
	struct arp_packet arp;
};

/*
 * From the Ethernet header to the end of the packet; what is left of `frame`
 * is padding. NET_OK, NET_TRUNCATED, NET_TYPE, or NET_ARP_HEADER: hardware or
 * protocol type, their address sizes, or an operation other than the two
 * above. Nothing is said about the addresses: any of them may be anything.
 * `arp` is written in full, or zero where parsing stopped.
 */
int arp_frame_parse(struct bytes_reader *frame, struct arp_frame *arp);

/* Append a frame of ARP_FRAME_SIZE bytes; failure is the writer's. */
void arp_frame_put(struct bytes_writer *frame, const struct arp_frame *arp);

#endif
