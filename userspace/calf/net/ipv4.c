/* SPDX-License-Identifier: Apache-2.0 */
#include "userspace/calf/net/ipv4.h"

#include "userspace/calf/net/net.h"

#define VERSION_AND_LENGTH 0x45
#define WORDS_MIN 5
#define FRAGMENT_BITS 0x3fff /* more fragments, or an offset */

uint32_t ipv4_checksum_add(uint32_t sum, struct bytes_reader bytes)
{
	while (bytes_left(&bytes) >= 2)
		sum += bytes_be16(&bytes);
	if (bytes_left(&bytes) > 0)
		sum += (uint32_t)bytes_u8(&bytes) << 8;
	return sum;
}

uint16_t ipv4_checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

int ipv4_parse(struct bytes_reader *packet, struct ipv4_header *header)
{
	struct bytes_reader at = *packet, whole = *packet, options;
	size_t header_size, total;
	uint8_t first;

	first = bytes_u8(&at);
	if (at.failed)
		return NET_TRUNCATED;
	if (first >> 4 != 4 || (first & 0xf) < WORDS_MIN)
		return NET_IP_HEADER;
	header_size = (size_t)(first & 0xfu) * 4u;
	bytes_skip(&at, 1); /* type of service */
	total = bytes_be16(&at);
	bytes_skip(&at, 2); /* identification */
	if (bytes_be16(&at) & FRAGMENT_BITS)
		return NET_FRAGMENT;
	header->ttl = bytes_u8(&at);
	header->protocol = bytes_u8(&at);
	bytes_skip(&at, 2); /* checksum: verified below */
	bytes_copy(&at, &header->source, sizeof(header->source));
	bytes_copy(&at, &header->destination, sizeof(header->destination));
	options = bytes_sub(&at, header_size - IPV4_HEADER_SIZE);
	if (at.failed || options.failed)
		return NET_TRUNCATED;
	if (total < header_size || total > bytes_left(packet))
		return NET_IP_HEADER;
	if (ipv4_checksum_fold(ipv4_checksum_add(0, bytes_sub(&whole, header_size))) != 0)
		return NET_IP_CHECKSUM;
	*packet = bytes_sub(&at, total - header_size);
	return NET_OK;
}

void ipv4_put(struct bytes_writer *packet, const struct ipv4_header *header, size_t payload_size)
{
	uint8_t bytes[IPV4_HEADER_SIZE];
	struct bytes_reader reader;
	uint16_t checksum = 0;

	/* Once with a checksum of 0 to compute it, then with the result. */
	for (int pass = 0; pass < 2; pass++) {
		struct bytes_writer writer;

		bytes_writer_init(&writer, bytes, sizeof(bytes));
		bytes_put_u8(&writer, VERSION_AND_LENGTH);
		bytes_put_u8(&writer, 0);
		bytes_put_be16(&writer, (uint16_t)(IPV4_HEADER_SIZE + payload_size));
		bytes_put_zeros(&writer, 4); /* identification, flags, offset */
		bytes_put_u8(&writer, header->ttl);
		bytes_put_u8(&writer, header->protocol);
		bytes_put_be16(&writer, checksum);
		bytes_put(&writer, &header->source, sizeof(header->source));
		bytes_put(&writer, &header->destination, sizeof(header->destination));
		bytes_reader_init(&reader, bytes, sizeof(bytes));
		checksum = ipv4_checksum_fold(ipv4_checksum_add(0, reader));
	}
	bytes_put(packet, bytes, sizeof(bytes));
	if (payload_size > UINT16_MAX - IPV4_HEADER_SIZE)
		packet->failed = true;
}
