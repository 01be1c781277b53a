/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ethernet II headers (IEEE 802.3 clause 3). The frames that a calf reads belong
 * to no VLAN, but may have a priority tag, which is a tag with VLAN id 0 (IEEE
 * 802.1Q); those that it writes have none. There is no frame check sequence.
 */
#ifndef CALFPEN_CALF_NET_ETH_H
#define CALFPEN_CALF_NET_ETH_H

#include "userspace/common/bytes.h"

#define ETH_ADDRESS_SIZE 6
#define ETH_HEADER_SIZE 14
#define ETH_PRIORITY_TAGS_MAX 2 /* the filter delivers no more */
#define ETH_TYPE_IPV4 0x0800
#define ETH_TYPE_ARP 0x0806
#define ETH_FRAME_MAX 1514 /* header and a payload of 1,500 bytes */

struct eth_header {
	uint8_t destination[ETH_ADDRESS_SIZE];
	uint8_t source[ETH_ADDRESS_SIZE];
	uint16_t type; /* behind priority tags; ETH_TYPE_* or any other, host order */
};

/* Parse a header and step over it and over priority tags; what is left of
 * `frame` is the payload, padding included. The type of a frame of a VLAN is
 * that of its tag. Returns NET_OK or NET_TRUNCATED (net.h). */
int eth_parse(struct bytes_reader *frame, struct eth_header *header);

/* Append a header. Sets frame->failed if there is no room. */
void eth_put(struct bytes_writer *frame, const struct eth_header *header);

#endif
