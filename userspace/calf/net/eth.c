/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/net/eth.h"

#include "userspace/calf/net/net.h"

int eth_parse(struct bytes_reader *frame, struct eth_header *header)
{
	bytes_copy(frame, header->destination, sizeof(header->destination));
	bytes_copy(frame, header->source, sizeof(header->source));
	header->type = bytes_be16(frame);
	return frame->failed ? NET_TRUNCATED : NET_OK;
}

void eth_put(struct bytes_writer *frame, const struct eth_header *header)
{
	bytes_put(frame, header->destination, sizeof(header->destination));
	bytes_put(frame, header->source, sizeof(header->source));
	bytes_put_be16(frame, header->type);
}
