/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcapng (draft-ietf-opsawg-pcapng): a section, one interface, and an enhanced
 * packet block for each frame, little-endian. Unlike the older pcap format it can
 * store direction and reason.
 */
#include <stdio.h>
#include <string.h>

#include "userspace/cli/frames/frames.h"
#include "userspace/common/bytes.h"

#define BLOCK_SECTION 0x0a0d0d0a
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define LINK_ETHERNET 1

#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_IF_NAME 2
#define OPTION_IF_TSRESOL 9
#define OPTION_EPB_FLAGS 2
#define NANOSECONDS 9 /* 10^-9 */
#define DIRECTION_INBOUND 1
#define DIRECTION_OUTBOUND 2

static void pad(struct bytes_writer *writer)
{
	bytes_put_zeros(writer, (0 - writer->at) & 3);
}

static void put_option(struct bytes_writer *writer, uint16_t code, const void *value, size_t size)
{
	bytes_put_le16(writer, code);
	bytes_put_le16(writer, (uint16_t)size);
	bytes_put(writer, value, size);
	pad(writer);
}

static void begin(struct bytes_writer *writer, uint8_t *block, size_t size, uint32_t type)
{
	bytes_writer_init(writer, block, size);
	bytes_put_le32(writer, type);
	bytes_put_le32(writer, 0); /* end() fills in the length */
}

/* End a block: its length is stored at the start and at the end. */
static size_t end(struct bytes_writer *writer)
{
	const uint32_t size = (uint32_t)writer->at + 4;
	struct bytes_writer front;

	bytes_put_le32(writer, size);
	bytes_writer_init(&front, writer->data + 4, 4);
	bytes_put_le32(&front, size);
	return writer->failed ? 0 : size;
}

size_t frames_pcap_begin(uint8_t block[static FRAMES_PCAP_SIZE], const char *interface)
{
	const uint8_t resolution = NANOSECONDS;
	struct bytes_writer writer;
	size_t size;

	begin(&writer, block, FRAMES_PCAP_SIZE, BLOCK_SECTION);
	bytes_put_le32(&writer, BYTE_ORDER_MAGIC);
	bytes_put_le16(&writer, 1); /* version 1.0 */
	bytes_put_le16(&writer, 0);
	bytes_put_le64(&writer, UINT64_MAX); /* length: up to the end */
	size = end(&writer);

	begin(&writer, block + size, FRAMES_PCAP_SIZE - size, BLOCK_INTERFACE);
	bytes_put_le16(&writer, LINK_ETHERNET);
	bytes_put_le16(&writer, 0);
	bytes_put_le32(&writer, sizeof(((struct frames_bytes *)NULL)->bytes));
	put_option(&writer, OPTION_IF_NAME, interface, strlen(interface));
	put_option(&writer, OPTION_IF_TSRESOL, &resolution, sizeof(resolution));
	put_option(&writer, OPTION_END, NULL, 0);
	return size + end(&writer);
}

size_t frames_pcap_frame(uint8_t block[static FRAMES_PCAP_SIZE], const struct frame_sample *sample,
			 uint64_t wall_ns)
{
	uint8_t flags[4] = { FRAME_DIRECTION(sample->reason) == FRAME_FROM_UPLINK ?
				     DIRECTION_INBOUND :
				     DIRECTION_OUTBOUND };
	struct bytes_writer writer;
	struct frames_bytes bytes;
	char comment[64];

	frames_bytes_init(&bytes, sample);
	snprintf(comment, sizeof(comment), "%s: %s", frames_text_verdict(sample->reason),
		 frames_text_reason(sample->reason));
	begin(&writer, block, FRAMES_PCAP_SIZE, BLOCK_PACKET);
	bytes_put_le32(&writer, 0); /* the interface */
	bytes_put_le32(&writer, (uint32_t)(wall_ns >> 32));
	bytes_put_le32(&writer, (uint32_t)wall_ns);
	bytes_put_le32(&writer, (uint32_t)bytes.captured);
	bytes_put_le32(&writer, (uint32_t)bytes.size);
	bytes_put(&writer, bytes.bytes, bytes.captured);
	pad(&writer);
	put_option(&writer, OPTION_EPB_FLAGS, flags, sizeof(flags));
	put_option(&writer, OPTION_COMMENT, comment, strlen(comment));
	put_option(&writer, OPTION_END, NULL, 0);
	return end(&writer);
}
