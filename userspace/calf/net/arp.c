/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/net/arp.h"

#include <string.h>

#include "userspace/calf/net/eth.h"
#include "userspace/calf/net/net.h"

#define HARDWARE_ETHERNET 1

int arp_frame_parse(struct bytes_reader *frame, struct arp_frame *arp)
{
	uint16_t hardware, protocol, operation;
	uint8_t hardware_size, protocol_size;
	struct eth_header eth;
	int r;

	memset(arp, 0, sizeof(*arp));
	r = eth_parse(frame, &eth);
	if (r != NET_OK)
		return r;
	memcpy(arp->destination_mac, eth.destination, sizeof(eth.destination));
	memcpy(arp->source_mac, eth.source, sizeof(eth.source));
	if (eth.type != ETH_TYPE_ARP)
		return NET_TYPE;
	hardware = bytes_be16(frame);
	protocol = bytes_be16(frame);
	hardware_size = bytes_u8(frame);
	protocol_size = bytes_u8(frame);
	operation = bytes_be16(frame);
	if (frame->failed)
		return NET_TRUNCATED;
	if (hardware != HARDWARE_ETHERNET || protocol != ETH_TYPE_IPV4 ||
	    hardware_size != ETH_ADDRESS_SIZE || protocol_size != sizeof(struct in_addr) ||
	    (operation != ARP_REQUEST && operation != ARP_REPLY))
		return NET_ARP_HEADER;
	arp->arp.operation = (enum arp_operation)operation;
	bytes_copy(frame, arp->arp.sender_mac, sizeof(arp->arp.sender_mac));
	bytes_copy(frame, &arp->arp.sender, sizeof(arp->arp.sender));
	bytes_copy(frame, arp->arp.target_mac, sizeof(arp->arp.target_mac));
	bytes_copy(frame, &arp->arp.target, sizeof(arp->arp.target));
	return frame->failed ? NET_TRUNCATED : NET_OK;
}

void arp_frame_put(struct bytes_writer *frame, const struct arp_frame *arp)
{
	struct eth_header eth = { .type = ETH_TYPE_ARP };

	memcpy(eth.destination, arp->destination_mac, sizeof(eth.destination));
	memcpy(eth.source, arp->source_mac, sizeof(eth.source));
	eth_put(frame, &eth);
	bytes_put_be16(frame, HARDWARE_ETHERNET);
	bytes_put_be16(frame, ETH_TYPE_IPV4);
	bytes_put_u8(frame, ETH_ADDRESS_SIZE);
	bytes_put_u8(frame, sizeof(struct in_addr));
	bytes_put_be16(frame, (uint16_t)arp->arp.operation);
	bytes_put(frame, arp->arp.sender_mac, sizeof(arp->arp.sender_mac));
	bytes_put(frame, &arp->arp.sender, sizeof(arp->arp.sender));
	bytes_put(frame, arp->arp.target_mac, sizeof(arp->arp.target_mac));
	bytes_put(frame, &arp->arp.target, sizeof(arp->arp.target));
}
