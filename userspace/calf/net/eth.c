/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/net/eth.h"

#include "userspace/calf/net/net.h"

#define TYPE_VLAN 0x8100
#define TYPE_VLAN_SERVICE 0x88a8
#define VLAN_ID 0x0fff

static bool is_tag(uint16_t type)
{
	return type == TYPE_VLAN || type == TYPE_VLAN_SERVICE;
}

int eth_parse(struct bytes_reader *frame, struct eth_header *header)
{
	bytes_copy(frame, header->destination, sizeof(header->destination));
	bytes_copy(frame, header->source, sizeof(header->source));
	header->type = bytes_be16(frame);
	for (int i = 0; i < ETH_PRIORITY_TAGS_MAX && is_tag(header->type); i++) {
		struct bytes_reader at = *frame;

		if (bytes_be16(&at) & VLAN_ID)
			break;
		header->type = bytes_be16(&at);
		*frame = at;
	}
	return frame->failed ? NET_TRUNCATED : NET_OK;
}

void eth_put(struct bytes_writer *frame, const struct eth_header *header)
{
	bytes_put(frame, header->destination, sizeof(header->destination));
	bytes_put(frame, header->source, sizeof(header->source));
	bytes_put_be16(frame, header->type);
}
